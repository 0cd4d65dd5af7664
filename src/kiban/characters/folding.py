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


def each(key: Callable[[str], str], values: Iterable[str | None]) -> list[str | None]:
    """The key of every value, folding each distinct value once; None stays None."""
    found: dict[str | None, str | None] = {None: None}
    keys = []
    for value in values:
        if value not in found:
            found[value] = key(value)  # type: ignore[arg-type]  # None is in the table from the start
        keys.append(found[value])
    return keys
