"""What all keys share: marks to drop or unify, repetition to rest, and each distinct value only once."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable

SELECTORS = "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
"""Variation selectors VS1 to VS16 and VS17 to VS256."""

SPACES = (
    "".join(c for c in map(chr, range(sys.maxunicode + 1)) if c.isspace()) + "\u200b\u200c\u200d\u2060\ufeff"
)
"""Every space, of any width, also of none."""

MIDDLE_DOTS = "・･·•‧∙⋅᛫⸱"
"""Dots that part the words of foreign names."""

DASHES = "-‐‑‒–—―−﹘﹣－⁃˗─━‾~〜～゠=＝"
"""Hyphens, dashes, minus signs, rules, waves and double hyphens; not the long vowel mark."""

LONG_VOWELS = "ーｰ"
"""The long vowel mark of kana, full and half width."""

APOSTROPHES = "'’‘ʼ＇`´′"
"""Marks within Latin names."""


class Table(dict[int, int | str | None]):
    """A table for `str.translate` that learns the characters it leaves alone, since a miss costs far more."""

    def __missing__(self, code: int) -> int:
        self[code] = code
        return code


def settle(step: Callable[[str], str], text: str, settled: re.Pattern[str] | None = None) -> str:
    """Repeat a step until it changes nothing, so that the key of a key is itself.

    Removing a mark can bring characters together that fold again; two or three rounds suffice. A pattern that
    only settled texts match saves the round that would prove it.
    """
    after = step(text)
    while after != text and (settled is None or not settled.fullmatch(after)):
        text, after = after, step(after)
    return after


def nfkc(text: str) -> str:
    """Compatibility form, for keys only: it changes characters of names and never touches a record."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


SEPARATOR = "\0"
"""Stands between the values of a batch; no step may drop it, make it or look across it, and no text of a record holds it."""


def each(step: Callable[[str], str], values: Iterable[str | None]) -> list[str | None]:
    """The settled key of every value, folding each distinct value once; None stays None.

    All values go through a step as one long text: that is many times faster than one after the other.
    """
    given = list(values)
    distinct = list(dict.fromkeys(value for value in given if value is not None))
    found = dict(zip(distinct, _fold_all(step, distinct), strict=True))
    return [None if value is None else found[value] for value in given]


def each_of_two(
    step: Callable[[str], str], values: Iterable[str | None], parted: re.Pattern[str]
) -> list[str | None]:
    """As `each`, for values that are mostly two parts with a space between, as names are: parts recur, wholes hardly.

    Args:
        step: what folds a text.
        values: the texts.
        parted: matches a whole value whose two parts, in its two groups, fold alone to what they fold to together.
    """
    given = list(values)
    distinct = list(dict.fromkeys(value for value in given if value is not None))
    matches = [parted.fullmatch(value) for value in distinct]
    parts = list(dict.fromkeys(part for match in matches if match for part in match.groups()))
    wholes = [value for value, match in zip(distinct, matches, strict=True) if not match]
    keys = dict(zip([*parts, *wholes], _fold_all(step, [*parts, *wholes]), strict=True))
    found = {
        value: keys[match[1]] + keys[match[2]] if match else keys[value]
        for value, match in zip(distinct, matches, strict=True)
    }
    return [None if value is None else found[value] for value in given]


_KNOWN_MOST = 1 << 18
_known: dict[Callable[[str], str], dict[str, str]] = {}


def _fold_all(step: Callable[[str], str], distinct: list[str]) -> list[str]:
    """The settled key of each text; parts of names and addresses come again in every batch, so what was folded is kept."""
    known = _known.setdefault(step, {})
    fresh = [text for text in distinct if text not in known]
    known.update(zip(fresh, _fold_fresh(step, fresh), strict=True))
    found = [known[text] for text in distinct]
    if len(known) > _KNOWN_MOST:
        _known[step] = {}  # not emptied: another thread may be reading it
    return found


def _fold_fresh(step: Callable[[str], str], distinct: list[str]) -> list[str]:
    if not distinct:
        return []
    joined = SEPARATOR.join(distinct)
    if joined.count(SEPARATOR) != len(distinct) - 1:
        return [settle(step, value) for value in distinct]
    return settle(step, joined).split(SEPARATOR)
