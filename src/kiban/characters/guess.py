"""Which code page a sample is written in: every page is tried, what speaks for it is counted, and people decide.

The wrong page seldom fails: EBCDIC pages exchange kana and letters, and the generations of KEIS exchange kanji in pairs.
So a page is judged by what comes out, and pages that read the sample alike are said to be alike.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from kiban.characters.codepages import CODE_PAGES, CodePage, Decoded, Mode, code_page
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
    """Where a text lies in each record: bytes from 0, and how it is written."""

    start: int
    length: int
    mode: Mode


@dataclass(frozen=True)
class Guess:
    """What speaks for one page.

    Attributes:
        page: name of the code page.
        score: the mean of the shares below that can be judged, from 0 to 1.
        read: share of the fields without any fault; fields wholly of padding and low-values are left out.
        balanced: share of the fields whose shift codes are in balance.
        kana: share of the single-byte fields that are kana words; None where there is none.
        surnames: share of the double-byte fields that begin with a frequent surname; None where there is none.
        same_as: pages that read every field of the sample to the same text: the bytes do not tell them apart.
        swapped: fields that the other generation of the same maker reads as other, equally valid characters.
        swapped_fields: in which fields that is so, and how often.
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


def guess(
    records: Sequence[bytes], fields: Sequence[FieldAt], pages: Sequence[str] | None = None
) -> tuple[Guess, ...]:
    """Judge the pages on a sample, the likeliest first.

    Args:
        records: some hundreds are enough; all of one kind.
        fields: where texts lie; best names in kana and in kanji.
        pages: names; None for all that need no table of the maker.

    Raises:
        Problem: `guess-nothing` where no field of the sample holds anything; `guess-field` where a field lies outside
            the records; those of `code_page`, except that a page which this machine lacks is left out of None.
    """
    if any(each.start < 0 or each.length < 1 for each in fields) or any(
        len(record) < each.start + each.length for record in records for each in fields
    ):
        raise Problem("guess-field", "a field lies outside the records", fix="check record length and fields")
    sample = [
        (each, raw)
        for record in records
        for each in fields
        if (raw := record[each.start : each.start + each.length]).strip(b"\x00\x20\x40")
    ]
    if not sample:
        raise Problem(
            "guess-nothing", "no field of the sample holds anything", fix="name other fields, or more records"
        )
    texts = {page.name: [_text(page, each.mode, raw) for each, raw in sample] for page in _pages(pages)}
    found = [_judge(name, sample, texts) for name in texts]
    return tuple(sorted(found, key=lambda each: (-each.score, each.page)))


def told_apart(guesses: Sequence[Guess]) -> bool:
    """Whether one page alone is the likeliest, by a margin.

    Frequent surnames never decide between pages that exchange kanji in pairs: both readings are names.
    """
    best, *others = guesses
    return not best.same_as and all(_ahead(best, other) for other in others)


def _ahead(best: Guess, other: Guess) -> bool:
    if {best.page, other.page} <= _GENERATIONS:
        return _bytes_score(best) - _bytes_score(other) >= _MARGIN
    return best.score - other.score >= _MARGIN


def _bytes_score(each: Guess) -> float:
    shares = [share for share in (each.read, each.balanced, each.kana) if share is not None]
    return sum(shares) / len(shares)


def _pages(names: Sequence[str] | None) -> Iterator[CodePage]:
    for name in names or CODE_PAGES:
        try:
            if names or name not in _NO_TABLE:
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
    twin = {"keis78": "keis83", "keis83": "keis78"}.get(name, "")
    swapped = Counter(
        each
        for (each, _), a, b in zip(sample, whole, others.get(twin, whole), strict=True)
        if a is not None and b is not None and a != b
    )
    score = round(sum(shares) / len(shares), 6)
    return Guess(
        name,
        score,
        read,
        balanced,
        kana,
        names,
        same,
        swapped.total(),
        tuple(sorted(swapped.items(), key=_start)),
    )


def _start(counted: tuple[FieldAt, int]) -> int:
    return counted[0].start


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None


def _is_name(text: str) -> bool:
    """Whether it begins with a frequent surname; the longest are four characters."""
    return not _KANA.search(text) and any(text[:size] in _surnames() for size in range(1, 5))


@cache
def _surnames() -> frozenset[str]:
    source = resources.files("japanese_personal_name_dataset").joinpath("dataset", "last_name_org.csv")
    rows = csv.reader(source.read_text(encoding="utf-8").splitlines())
    counts = Counter({row[0]: int(row[1]) for row in rows})
    return frozenset(name for name, _ in counts.most_common(_SURNAMES))
