"""One workbook becomes one edition folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from kiban.kernel import Problem
from kiban.standard.codes import FREE_NAME, FREE_VALUE
from kiban.standard.declaration import EDITION_FORM
from kiban.standard.findings import Finding, Findings
from kiban.standard.importing.groups import decide_scopes, name_groups
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
from kiban.standard.importing.sheets import Book, Sheet, read_book
from kiban.standard.importing.write import check_target, write_folder, write_table
from kiban.standard.items import normalise_list_id
from kiban.standard.load import check
from kiban.standard.tables import CODE_COLUMNS, EXTRA_PREFIX, ITEM_COLUMNS

_LEGEND = "凡例"


@dataclass(frozen=True)
class ImportRequest:
    """What the importer cannot read from the workbook.

    Attributes:
        business: 業務ID, three digits.
        edition: ID to give to the edition.
        target: the edition folder to write.
        id: name of the business's folder and schema; `business_…` where None.
        title: Japanese name of the business; taken from the workbook where None.
        groups: グループ_名称 -> table name; the others become group_1, group_2, ….
        city: groups that every signed-in actor may read, by table name or グループ_名称.
        wards: group, likewise -> romaji of the item that holds the ward code. The scope of a group that stands in
            neither is undecided, and the edition cannot be used until somebody decides.
        replace: whether an existing edition folder is replaced.
    """

    business: str
    edition: str
    target: Path
    id: str | None = None
    title: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    city: tuple[str, ...] = ()
    wards: Mapping[str, str] = field(default_factory=dict)
    replace: bool = False


@dataclass(frozen=True)
class Imported:
    """What an import wrote.

    Attributes:
        folder: the edition folder.
        title: Japanese name of the business.
        items: how many items.
        groups: table name, グループ_名称 and number of items of each group.
        code_lists: how many code lists.
        leftovers: every cell that is no part of an item or a code; all stand in source/cells.csv.
        findings: what the importer noticed, and what `check` says of the result.
    """

    folder: Path
    title: str
    items: int
    groups: tuple[tuple[str, str, int], ...]
    code_lists: int
    leftovers: tuple[Leftover, ...]
    findings: tuple[Finding, ...]

    @property
    def not_understood(self) -> tuple[Leftover, ...]:
        """The cells that the importer could not make sense of."""
        return tuple(x for x in self.leftovers if not x.understood_as)

    @property
    def places_not_understood(self) -> dict[str, tuple[str, ...]]:
        """Sheet -> addresses of the cells that were not understood; text outside cells stands as itself."""
        places: dict[str, tuple[str, ...]] = {}
        for x in self.not_understood:
            places[x.sheet] = (*places.get(x.sheet, ()), x.address or x.text[:20])
        return places


def import_workbook(source: Path, request: ImportRequest) -> Imported:
    """Read the official Excel of an item definition into an edition folder.

    Args:
        source: the .xlsx file.
        request: what the workbook does not say.

    Returns:
        What was written, with every cell that was not understood.

    Raises:
        Problem: where the workbook cannot be read (`workbook-…`), holds no item list (`workbook-no-item-list`), has
            no such group or item (`group-unknown`, `item-unknown`), a group is given two scopes (`scope-twice`),
            or the target must not or cannot be written (`target-…`).
    """
    _check_request(request)
    check_target(request.target, replace=request.replace)
    try:
        data = source.read_bytes()
    except OSError as error:
        raise Problem(
            "workbook-missing", f"the file cannot be opened ({error.strerror})", str(source), "check the path"
        ) from error
    book = read_book(data, source.name)
    findings = Findings(official=True)
    harvest, title = _harvest(book, request, source.name, findings)
    groups = name_groups(harvest.items, request.groups, findings)
    scopes = decide_scopes(harvest.items, groups, request.city, request.wards)
    files = _code_files(harvest)
    declaration = {
        "business": request.business,
        "id": request.id or f"business_{request.business}",
        "title": request.title or title or request.business,
        "edition": request.edition,
        "status": "official",
        "basis": f"公式のExcel {source.name} から読み込んだもの",
        "effective": None,
        "source": {"file": source.name, "sha256": hashlib.sha256(data).hexdigest()},
        "groups": [
            {"id": id_, "name": name, "kind": "register", "history": None, **scopes[name]}
            for name, id_ in groups.items()
        ],
    }

    def fill(folder: Path) -> None:
        (folder / "business.yaml").write_text(
            "# 公式のExcelから作成。scope・history・search は公式の一覧にないので、市が決める。\n"
            + yaml.safe_dump(declaration, allow_unicode=True, sort_keys=False, width=110),
            encoding="utf-8",
        )
        _write_items(folder, harvest)
        for name, records in files.items():
            extra = _extra(records)
            write_table(
                folder / "codes" / name,
                (*CODE_COLUMNS, *extra),
                ([r.values.get(c, "") for c in (*CODE_COLUMNS, *extra)] for r in records),
            )
        _write_source(folder, harvest, files)

    write_folder(request.target, fill, replace=request.replace)
    counts = {
        name: sum(r.values.get("グループ_名称", "").strip() == name for r in harvest.items) for name in groups
    }
    return Imported(
        folder=request.target,
        title=str(declaration["title"]),
        items=len(harvest.items),
        groups=tuple((id_, name, counts[name]) for name, id_ in groups.items()),
        code_lists=len(files),
        leftovers=tuple(harvest.leftovers),
        findings=(*findings.found, *check(request.target)),
    )


def _check_request(request: ImportRequest) -> None:
    if not re.fullmatch(r"[0-9]{3}", request.business):
        raise Problem(
            "business-form",
            f"業務ID {request.business} is not three digits",
            "--business",
            "write it such as 031",
        )
    if not EDITION_FORM.fullmatch(request.edition):
        raise Problem(
            "edition-form",
            f"the edition {request.edition} is not a plain name",
            "--edition",
            "use letters, digits, . _ and -, such as 2023-09-29",
        )


def _harvest(book: Book, request: ImportRequest, name: str, findings: Findings) -> tuple[Harvest, str]:
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
        titles.append(_take_sheet(sheet, request.business, harvest, findings))
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


def _code_files(harvest: Harvest) -> dict[str, list[Record]]:
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


def _extra(records: list[Record]) -> list[str]:
    return list(dict.fromkeys(name for r in records for name in r.values if name.startswith(EXTRA_PREFIX)))


def _write_items(folder: Path, harvest: Harvest) -> None:
    columns = (*ITEM_COLUMNS, *_extra(harvest.items))
    write_table(
        folder / "items.csv", columns, ([r.values.get(c, "") for c in columns] for r in harvest.items)
    )


def _write_source(folder: Path, harvest: Harvest, files: Mapping[str, list[Record]]) -> None:
    """Where every row came from, and every cell that became no row."""
    write_table(
        folder / "source" / "cells.csv",
        ("sheet", "cell", "text", "understood as"),
        ([x.sheet, x.address, x.text, x.understood_as] for x in harvest.leftovers),
    )
    cited = [["items.csv", r.values["データ項目ID"], r.sheet, str(r.row)] for r in harvest.items]
    cited += [
        [f"codes/{name}", r.values.get("コード値", ""), r.sheet, str(r.row)]
        for name, records in files.items()
        for r in records
    ]
    write_table(folder / "source" / "rows.csv", ("file", "ID or コード値", "sheet", "row"), cited)
