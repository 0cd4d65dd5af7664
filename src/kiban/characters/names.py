"""Search keys of names (氏名, 旧氏, 通称), by which 渡邉 is found under 渡辺."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from kiban.characters.folding import (
    APOSTROPHES,
    DASHES,
    MIDDLE_DOTS,
    SELECTORS,
    SPACES,
    Table,
    each_of_two,
    nfkc,
    settle,
)
from kiban.characters.kanji import kanji_table

_MARKS: dict[int, str | None] = {
    **dict.fromkeys(map(ord, SPACES + MIDDLE_DOTS + SELECTORS)),
    **dict.fromkeys(map(ord, DASHES), "-"),
    **dict.fromkeys(map(ord, APOSTROPHES), "'"),
}
NAME_PARTS = "([ぁ-ゖァ-ヺ一-鿿々]+)　([ぁ-ゖァ-ヺ一-鿿][ぁ-ゖァ-ヺ一-鿿々]*)"
"""Names whose two parts fold alone: nothing folds across the space, as a leading 々 or a combining mark would.
For engines that fold columns; the syntax is one that RE2 knows."""

_TWO_KANJI_PARTS = re.compile(NAME_PARTS)
_REPEATED = re.compile("([^\0])々")


def name_key(text: str) -> str:
    """The search key of a name; for finding only: the record keeps every character as it is.

    Variation selectors, spaces and middle dots dropped, width unified, Latin letters upper case, dashes and
    apostrophes of one kind each, every kanji by the representative of its variants, 々 by what it repeats.
    Kana stay: ひろみ and ヒロミ are two names.

    >>> name_key("渡邉\U000e010f　一郎") == name_key("渡辺一郎"), name_key("Ｓmith Ｊohn"), name_key("髙﨑")
    (True, 'SMITHJOHN', '高崎')
    """
    return settle(_step, text)


def name_keys(values: Sequence[str | None]) -> list[str | None]:
    """`name_key` of every value, each distinct value once; None stays None."""
    return each_of_two(_step, values, _TWO_KANJI_PARTS)


def _step(text: str) -> str:
    # Spaces go first: a combining mark behind one belongs to the letter before it.
    plain = nfkc(text.translate(_SPACELESS)).upper().translate(_table())
    return _REPEATED.sub(r"\1\1", plain) if "々" in plain else plain


_SPACELESS = Table(dict.fromkeys(map(ord, SPACES + SELECTORS)))


@cache
def _table() -> Table:
    return Table({**_MARKS, **kanji_table()})
