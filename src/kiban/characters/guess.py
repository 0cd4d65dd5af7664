"""Which code page a sample is written in: every page is tried, what speaks for it is counted, and people decide.

The wrong page seldom fails: EBCDIC pages exchange kana and letters, and the generations of KEIS exchange kanji in pairs.
So a page is judged by what comes out, and pages that read the sample alike are said to be alike.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from kiban.characters.codepages import CODE_PAGES, CodePage, Decoded, Mode, code_page
from kiban.characters.selectors import strip_selectors
from kiban.kernel import Problem

_SURNAMES = 5000
_KANA = re.compile(r"[ァ-ヺー・ｦ-ﾟ]")
_KANA_WORD = re.compile(r"[ァ-ヺｱ-ﾝｦ][ァ-ヺーｱ-ﾟｦ]*(?:[ 　･・][ァ-ヺｱ-ﾝｦ][ァ-ヺーｱ-ﾟｦ]*)*")
_MARGIN = 0.02
"""Least difference of scores that tells two pages apart: below it, single misspelt names would decide."""
_GENERATIONS = frozenset({"eucjp", "jef", "keis78", "keis83"})
"""Pages of one layout that differ by kanji exchanged in pairs: 桧山 in one is 檜山 in the other, and both are names."""
_NO_TABLE = ("jipse",)
"""Pages that read nothing without the maker's table."""


@dataclass(frozen=True)
class FieldAt:
    """Where a text lies in each record: bytes from 0, how it is written, and its name in a copybook, if there is one."""

    start: int
    length: int
    mode: Mode
    name: str = ""

    def __str__(self) -> str:
        return self.name or f"{self.start}:{self.length}:{self.mode}"


@dataclass(frozen=True)
class Swapped:
    """A letter that the other generation of the same maker reads as another, equally valid one.

    Attributes:
        own, other: the letter as this page reads it, and as the other does.
        count: how often it stands in the sample.
    """

    own: str
    other: str
    count: int


@dataclass(frozen=True)
class Guess:
    """What speaks for one page.

    Attributes:
        page: name of the code page.
        score: the mean of the shares below that can be judged, from 0 to 1. It ranks pages and is no probability.
        read: share of the fields without any fault; fields wholly of padding and low-values are left out.
        balanced: share of the fields whose shift codes are in balance.
        kana: share of the single-byte fields that are kana words; None where there is none.
        surnames: share of the double-byte fields that begin with a frequent surname; None where there is none.
        same_as: pages that read every field of the sample to the same text: the bytes do not tell them apart.
        swapped: fields that the other generation of the same maker reads as other, equally valid characters.
        swapped_fields: in which fields that is so, and how often.
        swapped_letters: which letters they are, in the order of Unicode.
        alone: fields that this page reads and the other generation does not: what only one generation has tells them apart.
    """

    page: str
    score: float
    read: float
    balanced: float
    kana: float | None
    surnames: float | None
    same_as: tuple[str, ...] = ()
    swapped: int = 0
    swapped_fields: tuple[tuple[FieldAt, int], ...] = ()
    swapped_letters: tuple[Swapped, ...] = ()
    alone: int = 0


def guess(
    records: Sequence[bytes],
    fields: Sequence[FieldAt],
    pages: Sequence[str] | None = None,
    laid: Mapping[str, CodePage] | None = None,
) -> tuple[Guess, ...]:
    """Judge the pages on a sample, the likeliest first.

    Args:
        records: some hundreds are enough; all of one kind. Those of a variable file that end before a field are left out of it.
        fields: where texts lie; best names in kana and in kanji.
        pages: names; None for all that need no table of the maker, and those in `laid`.
        laid: pages with a maker's tables or a city's characters, by name, each instead of the bare one.

    Raises:
        Problem: `guess-nothing` where no field of the sample holds anything; `guess-field` where a field lies outside
            every record; those of `code_page`, except that a page which this machine lacks is left out of None.
    """
    longest = max(map(len, records), default=0)
    outside = [
        each for each in fields if each.start < 0 or each.length < 1 or each.start + each.length > longest
    ]
    if records and outside:
        told = f"{', '.join(map(str, outside))} lies outside the records"
        raise Problem("guess-field", told, fix="check record length and fields")
    sample = [
        (each, raw)
        for record in records
        for each in fields
        if each.start + each.length <= len(record)
        and (raw := record[each.start : each.start + each.length]).strip(b"\x00\x20\x40")
    ]
    if not sample:
        raise Problem(
            "guess-nothing", "no field of the sample holds anything", fix="name other fields, or more records"
        )
    texts = {
        page.name: [_text(page, each.mode, raw) for each, raw in sample] for page in _pages(pages, laid or {})
    }
    found = [_judge(name, sample, texts) for name in texts]
    return tuple(sorted(found, key=lambda each: (-each.score, each.page)))


def told_apart(guesses: Sequence[Guess]) -> bool:
    """Whether one page alone is the likeliest, by a margin.

    Frequent surnames never decide between pages that exchange kanji in pairs: both readings are names.
    """
    return len(likeliest(guesses)) == 1


def likeliest(guesses: Sequence[Guess]) -> tuple[Guess, ...]:
    """The likeliest page and all that the sample does not tell apart from it, in their order."""
    best, *others = guesses
    return (best, *(each for each in others if each.page in best.same_as or not _ahead(best, each)))


def _ahead(best: Guess, other: Guess) -> bool:
    if {best.page, other.page} <= _GENERATIONS:
        return _bytes_score(best) - _bytes_score(other) >= _MARGIN
    return best.score - other.score >= _MARGIN


def _bytes_score(each: Guess) -> float:
    shares = [share for share in (each.read, each.balanced, each.kana) if share is not None]
    return sum(shares) / len(shares)


def _pages(names: Sequence[str] | None, laid: Mapping[str, CodePage]) -> Iterator[CodePage]:
    for name in names or CODE_PAGES:
        try:
            if name in laid:
                yield laid[name]
            elif names or name not in _NO_TABLE:
                yield code_page(name)
        except Problem as problem:
            if names or problem.code != "code-page-missing":
                raise


def _text(page: CodePage, mode: Mode, raw: bytes) -> Decoded:
    return page.decode(raw, start="double" if mode == "double" and not page.leads else "single")


def _judge(name: str, sample: Sequence[tuple[FieldAt, bytes]], texts: dict[str, list[Decoded]]) -> Guess:
    mine = texts[name]
    faults = [{fault.code for fault in each.faults} for each in mine]
    read = sum(not each for each in faults) / len(sample)
    balanced = sum(not each & {"shift-unbalanced", "byte-truncated"} for each in faults) / len(sample)
    plain = [(each.text or "").strip(" 　") for each in mine]
    kana = _share(
        [
            bool(_KANA_WORD.fullmatch(t))
            for (each, _), t in zip(sample, plain, strict=True)
            if each.mode == "single"
        ]
    )
    names = _share([_is_name(t) for (each, _), t in zip(sample, plain, strict=True) if each.mode != "single"])
    shares = [read, balanced, *(share for share in (kana, names) if share is not None)]
    others = {other: [each.text for each in found] for other, found in texts.items() if other != name}
    whole = [each.text for each in mine]
    same = tuple(other for other, found in others.items() if read and found == whole)
    twin = others.get({"keis78": "keis83", "keis83": "keis78"}.get(name, ""), whole)
    return replace(
        _generations(sample, whole, twin),
        page=name,
        score=round(sum(shares) / len(shares), 6),
        read=read,
        balanced=balanced,
        kana=kana,
        surnames=names,
        same_as=same,
    )


def _generations(
    sample: Sequence[tuple[FieldAt, bytes]], mine: Sequence[str | None], other: Sequence[str | None]
) -> Guess:
    """What differs between two generations of one maker."""
    swapped = [
        (each, a, b) for (each, _), a, b in zip(sample, mine, other, strict=True) if a and b and a != b
    ]
    letters = Counter(
        pair
        for _, a, b in swapped
        if len(a) == len(b)
        for pair in zip(a, b, strict=True)
        if pair[0] != pair[1]
    )
    return Guess(
        *("", 0.0, 0.0, 0.0, None, None, ()),
        swapped=len(swapped),
        swapped_fields=tuple(sorted(Counter(each for each, _, _ in swapped).items(), key=_start)),
        swapped_letters=tuple(Swapped(*pair, count) for pair, count in sorted(letters.items())),
        alone=sum(a is not None and b is None for a, b in zip(mine, other, strict=True)),
    )


def _start(counted: tuple[FieldAt, int]) -> int:
    return counted[0].start


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None


def _is_name(text: str) -> bool:
    """Whether it begins with a frequent surname, in whatever shape; the longest are four characters."""
    text = strip_selectors(text)
    return not _KANA.search(text) and any(text[:size] in _surnames() for size in range(1, 5))


@cache
def _surnames() -> frozenset[str]:
    source = resources.files("japanese_personal_name_dataset").joinpath("dataset", "last_name_org.csv")
    rows = csv.reader(source.read_text(encoding="utf-8").splitlines())
    counts = Counter({row[0]: int(row[1]) for row in rows})
    return frozenset(name for name, _ in counts.most_common(_SURNAMES))
