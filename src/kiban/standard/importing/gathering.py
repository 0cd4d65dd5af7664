"""What the sheets of a workbook hold: rows of items and of codes."""

from __future__ import annotations

import re

from kiban.kernel import Problem
from kiban.standard.codes import FREE_NAME, FREE_VALUE
from kiban.standard.findings import Findings
from kiban.standard.importing.headers import find_code_header, find_item_header
from kiban.standard.importing.lists import (
    Harvest,
    Leftover,
    Record,
    leave_lookout,
    report_further_columns,
    take_codes,
    take_headings,
    take_items,
)
from kiban.standard.importing.sheets import Book, Sheet
from kiban.standard.items import normalise_list_id

_LEGEND = "凡例"


def gather(book: Book, business: str, name: str, findings: Findings) -> tuple[Harvest, str]:
    """Take every sheet in turn, and the title of the business."""
    harvest, titles = Harvest(), list[str]()
    for sheet in book.sheets:
        leave_lookout(sheet, harvest, findings)
        if sheet.hidden:
            harvest.leave(sheet, sheet.cells.values())
            findings.note(
                "sheet-hidden",
                f"the sheet is hidden; none of its {len(sheet.cells)} cells was taken as data",
                sheet.name,
                "unhide it in Excel and import again if it is meant",
            )
            continue
        titles.append(_take_sheet(sheet, business, harvest, findings))
    harvest.leftovers += [Leftover(part, "", text) for part, text in book.drawn]
    if not harvest.items:
        raise Problem(
            "workbook-no-item-list",
            "no sheet has a list with データ項目ID and データ項目（ローマ字）",
            name,
            "check that it is an item definition (項目定義書, 基本データリスト) on a visible sheet",
        )
    if book.empty_strings:
        findings.note(
            "cell-empty-text", f"{book.empty_strings} cells hold an empty text and were read as empty", name
        )
    return harvest, next((title for title in titles if title), "")


def _take_sheet(sheet: Sheet, business: str, harvest: Harvest, findings: Findings) -> str:
    items = find_item_header(sheet)
    if items is not None:
        report_further_columns(sheet, items, findings)
        take_items(sheet, items, business, harvest, findings)
        for cell in sheet.cells.values():
            match = re.search(r"[（(](.+?)[）)]", cell.text) if cell.row < items.first else None
            if match and "項目定義書" in cell.text:
                return match[1]
        return ""
    codes = find_code_header(sheet)
    if codes is not None:
        report_further_columns(sheet, codes, findings)
        take_codes(sheet, codes, harvest)
        return take_headings(sheet, codes, harvest)
    harvest.leave(sheet, sheet.cells.values(), "legend" if sheet.name.startswith(_LEGEND) else "")
    if sheet.cells and not sheet.name.startswith(_LEGEND):
        findings.note(
            "sheet-not-understood",
            "the sheet holds neither an item list, nor code lists, nor a legend",
            sheet.name,
            "its cells stand in source/cells.csv",
        )
    return ""


def code_files(harvest: Harvest) -> dict[str, list[Record]]:
    """File name -> rows of one code list; the file is named after the first item that uses the list."""
    lists: dict[str, list[Record]] = {}
    for record in harvest.codes:
        lists.setdefault(normalise_list_id(record.values["コードID"]), []).append(record)
    files = {}
    for list_id, records in lists.items():
        users = [
            r.values.get("データ項目（ローマ字）", "").strip()
            for r in harvest.items
            if r.values.get("コード") and normalise_list_id(r.values["コード"]) == list_id
        ]
        free = records[0].values["コード名"] == FREE_NAME or records[0].values.get("コード値") == FREE_VALUE
        word = "free" if free else next((u for u in users if re.fullmatch(r"[a-z0-9_]+", u)), "list")
        safe = re.sub(r'[\s/\\:*?"<>|.\x00-\x1f]+', "-", list_id) or "none"
        files[f"{safe:0>3}_{word}.csv"] = records
    return files
