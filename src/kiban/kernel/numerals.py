"""Numbers as people write them: half-width, full-width, in kanji, and 元 for the first."""

from __future__ import annotations

import re
import unicodedata

KANJI_NUMERALS = "〇一二三四五六七八九十百千"
"""The characters of kanji numbers, by place (二十五) or digit by digit (二五)."""

_ONES = {character: value for value, character in enumerate("〇一二三四五六七八九")}
_TENS = {"十": 10, "百": 100, "千": 1000}


def number_of(text: str) -> int | None:
    """The whole number below 10,000 that a text writes; None where it writes none.

    >>> [number_of(text) for text in ("25", "２５", "二十五", "二五", "元", "百五", "")]
    [25, 25, 25, 25, 1, 105, None]
    """
    if text == "元":
        return 1
    plain = unicodedata.normalize("NFKC", text)
    if re.fullmatch(r"[0-9]{1,4}", plain):
        return int(plain)
    if not plain or len(plain) > 8 or any(character not in KANJI_NUMERALS for character in plain):
        return None
    if all(character in _ONES for character in plain):
        return int("".join(str(_ONES[character]) for character in plain)) if len(plain) <= 4 else None
    return _by_place(plain)


def _by_place(text: str) -> int | None:
    total, ones, last_place = 0, 0, 10_000
    for character in text:
        if character in _ONES:
            if ones or character == "〇":
                return None  # two digits in one place, or a zero among places, is not a number
            ones = _ONES[character]
        else:
            place = _TENS[character]
            if place >= last_place:
                return None
            total, ones, last_place = total + (ones or 1) * place, 0, place
    return total + ones
