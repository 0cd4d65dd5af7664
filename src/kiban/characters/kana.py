"""Search keys of readings (フリガナ), as the fuzzy search of the standard asks (2.1.2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from kiban.characters.folding import (
    DASHES,
    LONG_VOWELS,
    MIDDLE_DOTS,
    SELECTORS,
    SPACES,
    Table,
    each_of_two,
    nfkc,
    settle,
)

_KATAKANA = str.maketrans(
    "ァィゥェォッャュョヮヵヶヲヅヂヰヱヷヸヹヺ", "アイウエオツヤユヨワカケオズジイエバビベボ"
)
_HIRAGANA = {
    code: _KATAKANA.get(code + 0x60, code + 0x60) for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)
}
_DROPPED = dict.fromkeys(map(ord, SPACES + MIDDLE_DOTS + DASHES + LONG_VOWELS + SELECTORS))
_TABLE = Table({**_KATAKANA, **_HIRAGANA, **_DROPPED})

_V_SOUNDS = {"ア": "バ", "イ": "ビ", "ユ": "ビユ", "エ": "ベ", "オ": "ボ", "": "ブ"}
_V = re.compile("ヴ([アイユエオ]?)")
_O_COLUMN = "オコソトノホモヨロゴゾドボポ"
_LONG_O = re.compile(f"([{_O_COLUMN}])ウ+")
_LONGER_O = re.compile(f"([{_O_COLUMN}])[ウオ]+")

READING_PARTS = "([ァ-ヺー]+)　([カ-ロワン][ァ-ヺー]*)"
"""Readings whose two parts fold alone: the second does not begin with what a long vowel or ヴ before the space would
take in. For engines that fold columns; the syntax is one that RE2 knows."""

_TWO_READINGS = re.compile(READING_PARTS)

# A key of these alone folds no further: no marks, no ヴ, and ウ after the オ column is gone already.
_SETTLED = re.compile("[A-Z0-9アイウエオ-チツテ-モヤユヨラ-ロワン]*")

_VOICED = {
    code: parts.split()[0]
    for code in range(0x30A1, 0x30FF)
    if (parts := unicodedata.decomposition(chr(code))).endswith(("3099", "309A"))
}
_UNVOICED = Table({code: int(base, 16) for code, base in _VOICED.items()} | dict.fromkeys((0x3099, 0x309A)))


def kana_key(text: str) -> str:
    """The primary search key of a reading.

    Full-width katakana; spaces, middle dots, hyphens and long vowel marks dropped; small kana enlarged; ヲ as
    オ, ヅ as ズ, ヂ as ジ, ヰ as イ, ヱ as エ, ヴァ as バ and so on; ウ after the オ column dropped. Voicing
    counts: this is the key to index and to try first. A reading's prefix has a prefix of its key, but for ヴ.

    >>> kana_key("ｵｵｲｼ ﾕｳｺ"), kana_key("さとう　しょーた"), kana_key("サトオ")
    ('オオイシユウコ', 'サトシヨタ', 'サトオ')
    """
    return settle(_step, text, _SETTLED)


def kana_loose_key(text: str) -> str:
    """The looser, second search key: voicing is dropped too, and オ after the オ column.

    For registers whose old kana lost their voicing, and for callers who are not sure. It finds too much: show
    first what the primary key finds. What was ヅ is ス here, so a ヅ degraded to ツ is not found.

    >>> kana_loose_key("ワタナベ"), kana_loose_key("オオノ"), kana_loose_key("オーノ")
    ('ワタナヘ', 'オノ', 'オノ')
    """
    return settle(_loose_step, text, _SETTLED)


def kana_keys(values: Sequence[str | None]) -> list[str | None]:
    """`kana_key` of every value, each distinct value once; None stays None."""
    return each_of_two(_step, values, _TWO_READINGS)


def kana_loose_keys(values: Sequence[str | None]) -> list[str | None]:
    """`kana_loose_key` of every value, each distinct value once; None stays None."""
    return each_of_two(_loose_step, values, _TWO_READINGS)


def _step(text: str) -> str:
    plain = nfkc(text).upper().translate(_TABLE)
    if "ヴ" in plain:
        plain = _V.sub(lambda match: _V_SOUNDS[match[1]], plain)
    return _LONG_O.sub(r"\1", plain)


def _loose_step(text: str) -> str:
    return _LONGER_O.sub(r"\1", kana_key(text).translate(_UNVOICED))
