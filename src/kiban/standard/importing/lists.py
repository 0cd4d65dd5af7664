"""The rows of a sheet's lists, and every cell that belongs to none of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kiban.standard.findings import Findings
from kiban.standard.importing.headers import Header
from kiban.standard.importing.sheets import Cell, Sheet
from kiban.standard.items import MARK, MARK_LOOKALIKES
from kiban.standard.tables import EXTRA_PREFIX

_MARKS = ("主キー", "外部キー", "実装類型")


@dataclass(frozen=True)
class Leftover:
    """A cell that is no part of an item or a code.

    Attributes:
        sheet: title of the sheet.
        address: of the cell; empty for text that stands in no cell.
        text: as shown.
        understood_as: title, legend, header, comment; empty where it was not understood.
    """

    sheet: str
    address: str
    text: str
    understood_as: str = ""


@dataclass(frozen=True)
class Record:
    """A row of a list.

    Attributes:
        sheet: title of the sheet.
        row: its number there.
        values: column -> text as shown.
    """

    sheet: str
    row: int
    values: dict[str, str]


@dataclass
class Harvest:
    """What the sheets of a workbook gave."""

    items: list[Record] = field(default_factory=list)
    codes: list[Record] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)

    def leave(self, sheet: Sheet, cells: Iterable[Cell], understood_as: str = "") -> None:
        """Keep cells that are no data."""
        self.leftovers += [Leftover(sheet.name, c.address, c.text, understood_as) for c in cells if c.text]


def take_items(sheet: Sheet, header: Header, business: str, harvest: Harvest, findings: Findings) -> None:
    """Take the items of a sheet."""
    filled = sheet.filled()
    spread = {place for place, cell in filled.items() if (cell.row, cell.column) != place}
    blue_means_key = any("水色" in cell.text for cell in filled.values() if cell.row < header.first)
    for row, cells in _body(sheet, header, harvest):
        here = {c: filled[row, c].text for c in header.columns if (row, c) in filled}
        values = {name: here[c] for c, name in header.columns.items() if c in here}
        named = bool(values.get("データ項目"))
        told = any(values.get(name) for name in ("データ項目ID", "データ項目（ローマ字）", "データ型"))
        if _is_uniform(cells) or not (named and told):
            harvest.leave(sheet, cells)
            continue
        harvest.leave(sheet, [cell for cell in cells if cell.column not in header.columns])
        values["データ項目ID"] = _item_id([here.get(c, "") for c in header.of("データ項目ID")], business)
        _normalise_marks(values, f"{sheet.name}!{row}", findings)
        harvest.items.append(Record(sheet.name, row, values))
        if blue_means_key:
            _check_blue(sheet, header, row, values, findings)
        merged = [
            name for c, name in header.columns.items() if (row, c) in spread and filled[row, c].row != row
        ]
        if merged:
            findings.note(
                "cell-merged",
                f"{', '.join(merged)} come from a cell merged over several rows",
                f"{sheet.name}!{row}",
                "check that the value is meant for this row too",
            )


def take_codes(sheet: Sheet, header: Header, harvest: Harvest) -> None:
    """Take the codes of a sheet; コードID and コード名 hold until the next."""
    filled = sheet.filled()
    last_id, last_name = "", ""
    for row, cells in _body(sheet, header, harvest):
        values = {name: filled[row, c].text for c, name in header.columns.items() if (row, c) in filled}
        if _is_uniform(cells) or not (values.get("コード値") or values.get("コード値の内容")):
            harvest.leave(sheet, cells)
            continue
        harvest.leave(sheet, [cell for cell in cells if cell.column not in header.columns])
        if values.get("コードID"):
            last_id, last_name = values["コードID"], ""
        last_name = values.get("コード名") or last_name
        values |= {"コードID": last_id, "コード名": last_name}
        harvest.codes.append(Record(sheet.name, row, values))


def _body(sheet: Sheet, header: Header, harvest: Harvest) -> Iterable[tuple[int, list[Cell]]]:
    for row, cells in sheet.rows():
        if row < header.first:
            for cell in cells:
                harvest.leave(sheet, [cell], _heading(cell.text))
        elif row <= header.last:
            harvest.leave(sheet, cells, "header")
        else:
            yield row, cells


def _heading(text: str) -> str:
    """What a cell above a list is."""
    if "セル：" in text or text.startswith(("項目説明：", "※", "凡例")):
        return "legend"
    if any(
        word in text for word in ("項目定義書", "基本データリスト", "コード一覧", "業務名", "データ項目一覧")
    ):
        return "title"
    return ""


def take_headings(sheet: Sheet, header: Header, harvest: Harvest) -> str:
    """The name of the business above a code list: right of or below 業務名; empty where none."""
    for cell in [c for c in sheet.cells.values() if c.row < header.first and "業務名" in c.text]:
        for place in ((cell.row, cell.column + 1), (cell.row + 1, cell.column)):
            name = sheet.cells.get(place)
            if name is not None and name.text and place[0] < header.first:
                harvest.leftovers = [
                    Leftover(x.sheet, x.address, x.text, "title")
                    if (x.sheet, x.address) == (sheet.name, name.address)
                    else x
                    for x in harvest.leftovers
                ]
                return name.text.strip()
    return ""


def _is_uniform(cells: list[Cell]) -> bool:
    """Whether a row says the same in every cell, as the marks at the end of a list do."""
    return len(cells) >= 3 and len({cell.text for cell in cells}) == 1


def _item_id(parts: list[str], business: str) -> str:
    """Eight digits of the one or two cells that hold an ID; whatever is no number stays as it is."""
    parts = [part.strip() for part in parts if part.strip()]
    if len(parts) == 2 and all(part.isdecimal() for part in parts):
        return f"{parts[0]:0>3}{parts[1]:0>5}"
    if len(parts) == 1 and parts[0].isdecimal():
        return f"{business}{parts[0]:0>5}" if len(parts[0]) <= 5 else f"{parts[0]:0>8}"
    return "".join(parts)


def _normalise_marks(values: dict[str, str], where: str, findings: Findings) -> None:
    for name in _MARKS:
        text = values.get(name, "").strip()
        if text in MARK_LOOKALIKES:
            findings.note(
                "mark-normalised",
                f"{name} holds {text} (U+{ord(text):04X}), read as {MARK}",
                where,
                "check that the mark is meant",
            )
            values[name] = MARK


def _check_blue(sheet: Sheet, header: Header, row: int, values: dict[str, str], findings: Findings) -> None:
    names = header.of("データ項目")
    cell = sheet.cells.get((row, names[0])) if names else None
    blue, key = cell is not None and cell.blue, values.get("主キー", "").strip() == MARK
    if blue != key and cell is not None:
        findings.note(
            "key-colour",
            f"the cell is {'' if blue else 'not '}light blue (水色) and 主キー is "
            f"{'marked' if key else 'empty'}",
            f"{sheet.name}!{cell.address} ({cell.text.strip()})",
            "ask the authors which is right; the mark was taken",
        )


def leave_lookout(sheet: Sheet, harvest: Harvest, findings: Findings) -> None:
    """Report what stands in a sheet beside text: comments, hidden parts, struck and red text."""
    for cell in sheet.cells.values():
        _leave_cell(sheet, cell, harvest, findings)
    for code, what, struck in (("cell-struck", "struck through", True), ("cell-red", "red", False)):
        cells = [c for c in sheet.cells.values() if c.text and (c.struck if struck else c.red)]
        if cells:
            findings.note(
                code,
                f"text is {what} in {len(cells)} cells: {addresses(c.address for c in cells)}",
                sheet.name,
                "it may mark a change; the text was taken as it stands",
            )
    hidden = [row for row, _ in sheet.rows() if row in sheet.hidden_rows]
    if hidden and not sheet.hidden:
        findings.note(
            "row-hidden",
            f"rows are hidden: {addresses(str(row) for row in hidden)}",
            sheet.name,
            "they were read like the others; check that they are meant",
        )
    columns = sorted({c.column for c in sheet.cells.values() if c.text and c.column in sheet.hidden_columns})
    if columns and not sheet.hidden:
        findings.note(
            "column-hidden",
            f"columns are hidden: {', '.join(map(str, columns))}",
            sheet.name,
            "they were read like the others; check that they are meant",
        )
    harvest.leftovers += [Leftover(sheet.name, "", text, "page header or footer") for text in sheet.loose]


def _leave_cell(sheet: Sheet, cell: Cell, harvest: Harvest, findings: Findings) -> None:
    where = f"{sheet.name}!{cell.address}"
    if cell.comment:
        harvest.leftovers.append(Leftover(sheet.name, f"{cell.address} (comment)", cell.comment, "comment"))
        findings.note("cell-comment", "a comment is pinned to the cell", where, "read it in source/cells.csv")
    if cell.kind in ("formula", "error"):
        findings.note(
            f"cell-{cell.kind}",
            f"the cell holds a{'n' * (cell.kind == 'error')} {cell.kind}",
            where,
            "check the value that was read",
        )


def addresses(words: Iterable[str], most: int = 12) -> str:
    """The first few words, and how many more there are."""
    found = list(words)
    rest = len(found) - most
    return ", ".join(found[:most]) + (f" and {rest} more" if rest > 0 else "")


def report_further_columns(sheet: Sheet, header: Header, findings: Findings) -> None:
    """Report columns that the official list does not know: `column-further`."""
    for column in header.columns.values():
        if column.startswith(EXTRA_PREFIX):
            findings.note(
                "column-further",
                f"the column {column.removeprefix(EXTRA_PREFIX)} is not an official one",
                sheet.name,
                f"it is kept as {column}",
            )
