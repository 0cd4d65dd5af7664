"""An Excel workbook as plain sheets of cells, with what a reader of the screen would see."""

from __future__ import annotations

import datetime
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.cell.cell import Cell as ExcelCell
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from kiban.kernel import Problem
from kiban.standard.importing.colours import is_light_blue, is_red, theme_colours
from kiban.standard.importing.container import check_container, without_borders

_BROKEN = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    OSError,
    NotImplementedError,
    ParseError,
    InvalidFileException,
    zlib.error,
    zipfile.BadZipFile,
    RuntimeError,
    SyntaxError,
)


@dataclass(frozen=True)
class Cell:
    """One cell that holds something.

    Attributes:
        row: from 1.
        column: from 1.
        text: what the cell shows; numbers with a format of zeros are padded, dates are ISO.
        kind: `text`, `number`, `date`, `formula` or `error`.
        blue: whether it is filled light blue (水色).
        struck: whether text in it is struck through.
        red: whether text in it is red.
        comment: the note pinned to it.
    """

    row: int
    column: int
    text: str
    kind: str = "text"
    blue: bool = False
    struck: bool = False
    red: bool = False
    comment: str = ""

    @property
    def address(self) -> str:
        """Such as W36."""
        return f"{get_column_letter(self.column)}{self.row}"


@dataclass(frozen=True)
class Sheet:
    """One sheet.

    Attributes:
        name: its title.
        hidden: whether Excel hides it.
        cells: by row and column; only those that hold text, have a comment or are filled blue.
        merged: (first row, first column, last row, last column) of each merged range.
        hidden_rows: rows that Excel hides.
        hidden_columns: columns that Excel hides.
        loose: text that stands in no cell: page headers and footers.
    """

    name: str
    hidden: bool
    cells: dict[tuple[int, int], Cell]
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    loose: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Each row that holds text, with its cells from left to right."""
        by_row: dict[int, list[Cell]] = {}
        for cell in self.cells.values():
            if cell.text:
                by_row.setdefault(cell.row, []).append(cell)
        for row in sorted(by_row):
            yield row, sorted(by_row[row], key=lambda cell: cell.column)

    def filled(self) -> dict[tuple[int, int], Cell]:
        """The cells with text, where every cell of a merged range has the text of its first."""
        full = {place: cell for place, cell in self.cells.items() if cell.text}
        for top, left, bottom, right in self.merged:
            first = full.get((top, left))
            if first is not None and (bottom - top + 1) * (right - left + 1) <= 20_000:
                for row in range(top, bottom + 1):
                    for column in range(left, right + 1):
                        full.setdefault((row, column), first)
        return full


@dataclass(frozen=True)
class Book:
    """A workbook.

    Attributes:
        sheets: in the order of the tabs.
        drawn: text inside text boxes and shapes, with the part of the file that holds it.
        empty_strings: how many cells hold an empty text.
    """

    sheets: tuple[Sheet, ...]
    drawn: tuple[tuple[str, str], ...] = ()
    empty_strings: int = 0


@dataclass
class _Reader:
    theme: list[str]
    data: bytes
    empty_strings: int = field(default=0)

    @cached_property
    def values(self) -> dict[str, Worksheet]:
        """The sheets with the last results of formulas; read only where there are any, for it takes as long again."""
        return {ws.title: ws for ws in openpyxl.load_workbook(BytesIO(self.data), data_only=True).worksheets}


def read_book(data: bytes, name: str) -> Book:
    """Read a workbook.

    Args:
        data: the bytes of the file.
        name: how problems call it.

    Raises:
        Problem: `workbook-empty`, `workbook-encrypted`, `workbook-old-format`, `workbook-not-xlsx`,
            `workbook-too-large` or `workbook-damaged`.
    """
    drawn = check_container(data, name)
    try:
        data = without_borders(data)
        book = openpyxl.load_workbook(BytesIO(data), rich_text=True)
        reader = _Reader(theme_colours(book), data)
        sheets = tuple(_read_sheet(ws, reader) for ws in book.worksheets)
    except _BROKEN as error:
        raise Problem(
            "workbook-damaged",
            f"the workbook cannot be read ({type(error).__name__})",
            name,
            "open it in Excel, let it repair the file, save it as .xlsx and import that",
        ) from error
    return Book(sheets, drawn, reader.empty_strings)


def _read_sheet(ws: Worksheet, reader: _Reader) -> Sheet:
    cells: dict[tuple[int, int], Cell] = {}
    # Only cells that are there: asking for rows would create every cell up to the last styled one.
    there: dict[tuple[int, int], Any] = ws._cells
    for _, excel in sorted(there.items()):
        cell = _read_cell(excel, ws.title, reader) if isinstance(excel, ExcelCell) else None
        if cell is not None:
            cells[cell.row, cell.column] = cell
    columns = frozenset(
        index
        for dimension in ws.column_dimensions.values()
        if dimension.hidden and dimension.min and dimension.max
        for index in range(dimension.min, min(dimension.max, dimension.min + 1000) + 1)
    )
    return Sheet(
        name=ws.title,
        hidden=ws.sheet_state != "visible",
        cells=cells,
        merged=tuple((r.min_row, r.min_col, r.max_row, r.max_col) for r in ws.merged_cells.ranges),
        hidden_rows=frozenset(index for index, dimension in ws.row_dimensions.items() if dimension.hidden),
        hidden_columns=columns,
        loose=tuple(
            part.text
            for line in (
                ws.oddHeader,
                ws.oddFooter,
                ws.evenHeader,
                ws.evenFooter,
                ws.firstHeader,
                ws.firstFooter,
            )
            if line is not None
            for part in (line.left, line.center, line.right)
            if part is not None and part.text and re.sub(r"&[A-Z\[\]0-9]*", "", part.text).strip()
        ),
    )


def _read_cell(excel: ExcelCell, sheet: str, reader: _Reader) -> Cell | None:
    if excel.value == "":
        reader.empty_strings += 1
    text, kind = _shown(excel, sheet, reader)
    comment = excel.comment.text.strip() if excel.comment is not None and excel.comment.text else ""
    blue = (
        excel.has_style
        and excel.fill.fill_type == "solid"
        and is_light_blue(excel.fill.fgColor, reader.theme)
    )
    if not text and not comment and not blue:
        return None
    fonts: list[Any] = [excel.font] if excel.has_style and text else []
    if isinstance(excel.value, CellRichText):
        fonts += [block.font for block in excel.value if isinstance(block, TextBlock)]
    return Cell(
        excel.row,
        excel.column,
        text,
        kind,
        blue=blue,
        struck=any(bool(font.strike) for font in fonts),
        red=any(is_red(font.color, reader.theme) for font in fonts),
        comment=comment,
    )


def _shown(excel: ExcelCell, sheet: str, reader: _Reader) -> tuple[str, str]:
    """What a cell shows, and which kind of content it is."""
    value: Any = excel.value
    if excel.data_type == "f":
        cached = reader.values[sheet].cell(excel.row, excel.column).value
        return (f"={str(value).removeprefix('=')}" if cached is None else _plain(cached, "")), "formula"
    if excel.data_type == "e":
        return str(value), "error"
    if isinstance(value, str | CellRichText):
        text = str(value)
        return (text if text.strip() else ""), "text"
    if value is None:
        return "", "text"
    kind = "date" if isinstance(value, datetime.date | datetime.time | datetime.timedelta) else "number"
    return _plain(value, excel.number_format), kind


def _plain(value: Any, number_format: str) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        zeros = re.fullmatch(r"0+", number_format)
        return str(value).zfill(len(number_format)) if zeros else str(value)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)
