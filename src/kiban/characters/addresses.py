"""Search keys of addresses: 一丁目２番３号, 1丁目2-3 and １－２－３ alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from kiban.characters.folding import DASHES, SELECTORS, SPACES, Table, each, nfkc, settle
from kiban.characters.kanji import kanji_table, kanji_variants
from kiban.kernel import KANJI_NUMERALS, number_of

_SPACE_BETWEEN = re.compile(rf"([0-9])[{re.escape(SPACES)}]+(?=[0-9])")
_MARKS: dict[int, str | None] = {
    **dict.fromkeys(map(ord, SPACES + SELECTORS)),
    **dict.fromkeys(map(ord, DASHES), "-"),
    ord("ヶ"): "ケ",
    ord("ヵ"): "カ",
}
_KANJI_NUMBER = re.compile(f"[{KANJI_NUMERALS}]+(?=丁目|番地)")
# の and ノ part only figures: 丸の内, 一ノ宮 and 2の橋 keep theirs; 5番町 and 3号館 are names.
_PARTS = re.compile(
    r"(?<=[0-9-])(?:丁目|丁(?=[0-9]|$|\0)|番地|番(?![町館])|号室|号(?![棟館線車])|[のノー](?=[0-9]))"
)
_IDLE_DASH = re.compile(r"-(?=-)|(?<![0-9-])-|-(?![0-9])")


def address_key(text: str) -> str:
    """The search key of an address, or of a part of one; for finding only.

    Width unified, spaces dropped, kanji by the representative of their variants, kanji numbers before 丁目
    and 番地 in figures, and 丁目, 番地, 番, 号, の and dashes as one '-', which stays only between figures.

    >>> address_key("本町一丁目２番３号"), address_key("本町１－２－３")
    ('本町1-2-3', '本町1-2-3')
    >>> address_key("丸の内1の2 コーポ澤 101号室")
    '丸の内1-2コーポ沢101'
    """
    return settle(_step, text)


def address_keys(values: Sequence[str | None]) -> list[str | None]:
    """`address_key` of every value, each distinct value once; None stays None."""
    return each(_step, values)


def address_seam(first: str) -> str | None:
    """Where an address may be cut into pieces that are folded apart, judged by the character behind the cut.

    Before a digit, a text folds as before any other; before a plain letter, which is a kana or kanji that no rule of this
    module names, as before any other. What follows either does not look at what stands before it.

    Args:
        first: the first character of the piece behind the cut.

    Returns:
        What to fold the piece before the cut with, one character that stays at the end of its key; None for no seam.

    >>> [address_seam(first) for first in "９ベ号"]
    ['1', 'ア', None]
    """
    if first in _DIGITS:
        return "1"
    return "ア" if _LETTER.fullmatch(first) and first not in _named() else None


_DIGITS = "0123456789０１２３４５６７８９"
_LETTER = re.compile("[ぁ-ゖァ-ヺ一-鿿]")


@cache
def _named() -> frozenset[str]:
    """What the rules tell from other letters, in all its variants."""
    named = "丁目番地号室町館棟線車のノヶヵ" + KANJI_NUMERALS
    return frozenset(variant for character in named for variant in kanji_variants(character))


def _step(text: str) -> str:
    plain = _SPACE_BETWEEN.sub(r"\1-", nfkc(text).upper()).translate(_table())
    if "丁目" in plain or "番地" in plain:
        plain = _KANJI_NUMBER.sub(_in_figures, plain)
    plain = _PARTS.sub("-", plain)
    return _IDLE_DASH.sub("", plain) if "-" in plain else plain


@cache
def _table() -> Table:
    return Table({**_MARKS, **kanji_table()})


def _in_figures(match: re.Match[str]) -> str:
    return _figures(match[0])


@lru_cache(maxsize=1024)
def _figures(numerals: str) -> str:
    number = number_of(numerals)
    return numerals if number is None else str(number)
