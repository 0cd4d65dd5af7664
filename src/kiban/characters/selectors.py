"""Variation selectors: they choose a glyph and count for nothing, in digits and in keys."""

from __future__ import annotations

import re

from kiban.characters.folding import SELECTORS

_SELECTORS = re.compile(f"[{SELECTORS}]")


def length(text: str) -> int:
    """The number of characters as the standard counts digits (桁数): variation selectors do not count.

    >>> length("渡邉\U000e010f")
    2
    """
    return len(text) if text.isascii() else len(text) - len(_SELECTORS.findall(text))


def strip_selectors(text: str) -> str:
    """The text without variation selectors: for keys only, never for a record."""
    return text if text.isascii() else _SELECTORS.sub("", text)
