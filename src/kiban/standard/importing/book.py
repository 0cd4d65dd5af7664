"""One workbook becomes one edition folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kiban.kernel import Problem
from kiban.standard.declaration import EDITION_FORM
from kiban.standard.findings import Finding, Findings
from kiban.standard.importing.gathering import code_files, gather
from kiban.standard.importing.groups import decide_scopes, name_groups
from kiban.standard.importing.lists import (
    Harvest,
    Leftover,
    Record,
)
from kiban.standard.importing.sheets import read_book
from kiban.standard.importing.write import check_target, write_folder, write_table
from kiban.standard.load import check
from kiban.standard.tables import CODE_COLUMNS, EXTRA_PREFIX, ITEM_COLUMNS


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
    harvest, title = gather(book, request.business, source.name, findings)
    groups = name_groups(harvest.items, request.groups, findings)
    scopes = decide_scopes(harvest.items, groups, request.city, request.wards)
    files = code_files(harvest)
    declaration = _declared(source.name, data, request, request.title or title, groups, scopes)
    write_folder(
        request.target, lambda folder: _fill(folder, declaration, harvest, files), replace=request.replace
    )
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


def _declared(
    name: str,
    data: bytes,
    request: ImportRequest,
    title: str | None,
    groups: Mapping[str, str],
    scopes: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """What business.yaml says."""
    return {
        "business": request.business,
        "id": request.id or f"business_{request.business}",
        "title": title or request.business,
        "edition": request.edition,
        "status": "official",
        "basis": f"公式のExcel {name} から読み込んだもの",
        "effective": None,
        "source": {"file": name, "sha256": hashlib.sha256(data).hexdigest()},
        "groups": [
            {"id": id_, "name": group, "kind": "register", "history": None, **scopes[group]}
            for group, id_ in groups.items()
        ],
    }


def _fill(
    folder: Path, declaration: Mapping[str, Any], harvest: Harvest, files: Mapping[str, list[Record]]
) -> None:
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
