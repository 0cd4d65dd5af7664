"""The files under codes/ become code lists, with every fault in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from kiban.standard.code_list import Code, CodeList
from kiban.standard.findings import Findings
from kiban.standard.items import normalise_list_id
from kiban.standard.tables import CODE_COLUMNS, Row, read_rows

FREE_NAME = "自治体固有コード"
FREE_VALUE = "任意"


def read_code_lists(folder: Path, findings: Findings) -> dict[str, CodeList]:
    """All code lists of an edition, by ID without leading zeros, in the order of their file names."""
    lists: dict[str, CodeList] = {}
    origin: dict[str, str] = {}
    paths = sorted(folder.glob("codes/*")) if (folder / "codes").is_dir() else []
    for path in paths:
        name = f"codes/{path.name}"
        if path.suffix != ".csv":
            findings.note(
                "code-file-ignored", "the file is not a CSV and is not read", name, "move it elsewhere"
            )
            continue
        code_list = _read_list(path, name, findings)
        if code_list is None:
            continue
        if code_list.id in lists:
            findings.fault(
                "code-list-twice",
                f"the code list {code_list.id} also stands in {origin[code_list.id]}",
                name,
                "merge the two files, or give one of them another コードID",
            )
            continue
        lists[code_list.id], origin[code_list.id] = code_list, name
    return lists


def _check_same(rows: Iterable[Row], column: str, wanted: str, name: str, findings: Findings) -> None:
    for row in rows:
        if row.values[column] not in ("", wanted):
            what = f"{column} {row.values[column]} differs from {wanted} above"
            findings.fault("code-file-mixed", what, f"{name}:{row.line}", "keep one code list per file")


def _read_list(path: Path, name: str, findings: Findings) -> CodeList | None:
    rows = read_rows(path, name, CODE_COLUMNS, findings, extra=True, optional=2)
    if not rows:
        findings.fault(
            "code-list-empty",
            "the code list has no row",
            name,
            f"add its values; a list that cities fill has one row {FREE_VALUE}",
        )
        return None
    first = rows[0]
    list_id, list_name = first.values["コードID"], first.values["コード名"]
    if not list_id or not list_name:
        findings.fault(
            "code-list-unnamed",
            "コードID or コード名 is empty in the first row",
            f"{name}:{first.line}",
            "write both; later rows may leave them empty",
        )
        list_id = list_id or path.stem.split("_")[0]
    for column, wanted in (("コードID", list_id), ("コード名", list_name)):
        _check_same(rows[1:], column, wanted, name, findings)
    normal = normalise_list_id(list_id)
    if normalise_list_id(path.stem.split("_")[0]) != normal:
        findings.note(
            "code-file-name",
            f"the file of list {list_id} is not named after it",
            name,
            f"name it {list_id:0>3}_….csv",
        )
    codes = tuple(_read_code(row, name, findings) for row in rows)
    free = list_name == FREE_NAME or [c.value for c in codes] == [FREE_VALUE]
    if free:
        codes = tuple(code for code in codes if code.value != FREE_VALUE)
    _check_overlaps(list(zip(rows, codes, strict=False)), name, findings)
    return CodeList(normal, list_name, codes, free=free)


def _read_code(row: Row, name: str, findings: Findings) -> Code:
    where = f"{name}:{row.line}"
    value, label = row.values["コード値"], row.values["コード値の内容"]
    if not value:
        findings.fault(
            "code-value-missing", "コード値 is empty", where, "write the value as it stands in the data"
        )
    if not label:
        findings.slip(
            "code-label-missing",
            f"コード値 {value} has no コード値の内容",
            where,
            "write what the value means",
        )
    start = read_day(row.values["有効開始日"], "有効開始日", where, findings)
    end = read_day(row.values["有効終了日"], "有効終了日", where, findings)
    if start and end and end <= start:
        findings.fault(
            "code-period-empty",
            f"コード値 {value} ends ({end}) on or before it starts ({start})",
            where,
            "有効終了日 is the day after the last day",
        )
        end = None
    return Code(value, label, row.values["備考"], start, end)


def read_day(text: str, column: str, where: str, findings: Findings) -> date | None:
    """A day written YYYY-MM-DD; None where empty. Finds `day-form`."""
    if not text:
        return None
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        findings.fault(
            "day-form",
            f"{column} {text} is not a day of the calendar written YYYY-MM-DD",
            where,
            "write it such as 2026-04-01, or leave it empty",
        )
        return None


def _check_overlaps(pairs: Iterable[tuple[Row, Code]], name: str, findings: Findings) -> None:
    by_value: dict[str, list[tuple[Row, Code]]] = {}
    for row, code in pairs:
        for other_row, other in by_value.setdefault(code.value, []):
            starts_before = (
                code.valid_to is None or other.valid_from is None or other.valid_from < code.valid_to
            )
            ends_after = other.valid_to is None or code.valid_from is None or code.valid_from < other.valid_to
            if code.value and starts_before and ends_after:
                findings.fault(
                    "code-value-twice",
                    f"コード値 {code.value} stands in line {other_row.line} for the same days",
                    f"{name}:{row.line}",
                    "remove one, or end the earlier one with 有効終了日",
                )
        by_value[code.value].append((row, code))
