"""Where the lists of a sheet begin: columns are found by the text of their header, never by position."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from kiban.standard.importing.sheets import Cell, Sheet
from kiban.standard.tables import CODE_COLUMNS, EXTRA_PREFIX, ITEM_COLUMNS

_SEARCHED_ROWS = 60
_SUBHEADERS = ("名称", "主キー", "外部キー", "lv1", "lv2", "lv3")


@dataclass(frozen=True)
class Header:
    """The header of a list.

    Attributes:
        first: its first row.
        last: its last row.
        columns: number of a sheet's column -> name of the list's column; further ones under `追加列_`.
    """

    first: int
    last: int
    columns: Mapping[int, str]

    def of(self, name: str) -> tuple[int, ...]:
        """The sheet's columns under one name; two where the header is merged over two."""
        return tuple(number for number, column in self.columns.items() if column == name)


def squeeze(text: str) -> str:
    """A header's text without white space, width and case differences.

    >>> squeeze("データ項目 （ローマ字）"), squeeze("ＬＶ１")
    ('データ項目(ローマ字)', 'lv1')
    """
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


_ITEM_NAMES = {squeeze(name): name for name in ITEM_COLUMNS}
_ITEM_NAMES |= {squeeze(f"グループ_{name}"): name for name in ("主キー", "外部キー")}
_ITEM_NAMES |= {squeeze("グループ名称"): "グループ_名称", squeeze("グループ"): "グループ_名称"}
_ITEM_NAMES |= {squeeze(f"LV{level}"): f"クラス分類_Lv{level}" for level in (1, 2, 3)}
_CODE_NAMES = {squeeze(name): name for name in CODE_COLUMNS}


def find_item_header(sheet: Sheet) -> Header | None:
    """The header of an item list; None where the sheet has none."""
    return _find(sheet, _ITEM_NAMES, ("データ項目ID", "データ項目（ローマ字）"))


def find_code_header(sheet: Sheet) -> Header | None:
    """The header of code lists; None where the sheet has none."""
    return _find(sheet, _CODE_NAMES, ("コードID", "コード値"))


def _find(sheet: Sheet, names: Mapping[str, str], needed: tuple[str, ...]) -> Header | None:
    filled = sheet.filled()
    width = max((column for _, column in filled), default=0)
    for row in range(1, _SEARCHED_ROWS + 1):
        here = {squeeze(filled[row, c].text) for c in range(1, width + 1) if (row, c) in filled}
        if all(squeeze(name) in here for name in needed):
            last = _last_row(sheet, filled, row, width)
            return Header(row, last, _columns(filled, row, last, width, names))
    return None


def _last_row(sheet: Sheet, filled: Mapping[tuple[int, int], Cell], row: int, width: int) -> int:
    """The header goes on below where its cells are merged downwards, or where 名称, 主キー … follow."""
    last = max(
        [bottom for top, _, bottom, _ in sheet.merged if top == row and bottom <= row + 3], default=row
    )
    below = {squeeze(filled[row + 1, c].text) for c in range(1, width + 1) if (row + 1, c) in filled}
    if last == row and len(below & set(_SUBHEADERS)) >= 2:
        return row + 1
    return last


def _columns(
    filled: Mapping[tuple[int, int], Cell], first: int, last: int, width: int, names: Mapping[str, str]
) -> dict[int, str]:
    columns: dict[int, str] = {}
    above = ""
    for column in range(1, width + 1):
        parts = list(
            dict.fromkeys(
                filled[row, column].text for row in range(first, last + 1) if (row, column) in filled
            )
        )
        if (first, column) in filled:
            above = filled[first, column].text
        elif parts:
            parts = [above, *parts]  # an unmerged heading reaches right until the next one
        if not parts:
            continue
        joined = "_".join(parts)
        known = names.get(squeeze(joined)) or names.get(squeeze(parts[-1]))
        columns[column] = known or _further(joined, columns)
    return columns


def _further(text: str, columns: Mapping[int, str]) -> str:
    name = EXTRA_PREFIX + re.sub(r"[\s,]+", "", text)
    while name in columns.values():
        name += "_"
    return name
