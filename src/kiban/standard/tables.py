"""CSV files read with the patience of a clerk: everything wrong is said, with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kiban.standard.findings import Findings, suggest

ITEM_COLUMNS = (
    "データ項目ID",
    "データ項目",
    "データ項目（ローマ字）",
    "グループ_名称",
    "主キー",
    "外部キー",
    "クラス分類_Lv1",
    "クラス分類_Lv2",
    "クラス分類_Lv3",
    "データ型",
    "桁数",
    "コード",
    "繰り返し",
    "データ出力条件",
    "項目定義",
    "項目説明",
    "標準仕様書関連箇所",
    "実装類型",
    "サンプル値",
    "備考",
)
CODE_COLUMNS = (
    "コードID",
    "コード名",
    "コード値",
    "コード値の内容",
    "備考",
    "有効開始日",
    "有効終了日",
)
EXTRA_PREFIX = "追加列_"
"""Further columns that a list brought along stand behind the official ones under this prefix."""

_FIELD_LIMIT = 1 << 20
_IN_FOLDER = "every edition folder has one; write it, or name the folder that has it"


@dataclass(frozen=True)
class Row:
    """One record of a CSV file.

    Attributes:
        line: the line of the file on which the record begins, from 1.
        values: column -> text, without surrounding white space.
        extra: name and text of each further column.
    """

    line: int
    values: dict[str, str]
    extra: tuple[tuple[str, str], ...] = ()


def read_bytes(path: Path, name: str, findings: Findings, fix: str = _IN_FOLDER) -> bytes | None:
    """The bytes of a file; None where it cannot be read. Finds `file-missing` and `file-unreadable`.

    Args:
        path: the file.
        name: how problems call it.
        findings: where problems go.
        fix: what to do where the file is missing.
    """
    if not path.is_file():
        what = "there is a folder in place of the file" if path.is_dir() else "the file is not there"
        findings.fault("file-missing", what, name, fix)
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        findings.fault(
            "file-unreadable", f"the file cannot be read ({error.strerror})", name, "check its permissions"
        )
        return None


def decode(data: bytes, name: str, findings: Findings) -> str:
    """The text of a file; what is wrong with its encoding is found, and the reading goes on.

    Finds: `encoding-bom`, `encoding-not-utf8`, `nul-character`.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        findings.fault(
            "encoding-bom",
            "the file begins with a byte order mark",
            f"{name}:1",
            "save it as UTF-8 without BOM",
        )
        data = data[3:]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        text, likely = _decode_otherwise(data)
        findings.fault(
            "encoding-not-utf8",
            f"the file is not UTF-8{likely}",
            f"{name}:{line}",
            "save it as UTF-8 (in Excel: CSV UTF-8, then remove the BOM)",
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        findings.fault(
            "nul-character",
            "the file holds a NUL character",
            f"{name}:{line}",
            "remove it; it is often the rest of a UTF-16 file or of a binary copy",
        )
        text = text.replace("\0", "")
    return text


def _decode_otherwise(data: bytes) -> tuple[str, str]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace"), "; it is UTF-16"
    try:
        return data.decode("cp932"), "; it looks like CP932 (Shift_JIS)"
    except UnicodeDecodeError:
        return data.decode("utf-8", errors="replace"), ""


def read_rows(
    path: Path,
    name: str,
    columns: Sequence[str],
    findings: Findings,
    *,
    extra: bool = False,
    optional: int = 0,
) -> list[Row]:
    """The records of a CSV file under known columns.

    Args:
        path: the file.
        name: how problems call it.
        columns: the header to expect, in order.
        findings: takes what is wrong.
        extra: whether further columns under `追加列_` may follow.
        optional: how many of the last columns may be absent.

    Finds: `file-missing`, `file-empty`, `csv-broken`, `header-column-missing`, `header-column-unknown`,
        `header-order`, `header-column-twice`, `row-ragged`, and what `decode` finds.
    """
    data = read_bytes(path, name, findings)
    if data is None:
        return []
    text = decode(data, name, findings)
    records = _records(text, name, findings)
    if not records:
        findings.fault(
            "file-empty", "the file has no header", name, f"begin it with {','.join(columns[:3])},…"
        )
        return []
    (_, header), *body = records
    header = [cell.strip() for cell in header]
    _check_header(header, name, columns, findings, extra=extra, optional=optional)
    rows = []
    for line, cells in body:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            findings.fault(
                "row-ragged",
                f"the row has {len(cells)} cells where the header has {len(header)}",
                f"{name}:{line}",
                "quote cells that hold a comma or a line break, and fill up with empty cells",
            )
        pairs = [(column, cell.strip(" \t\r\n")) for column, cell in zip(header, cells, strict=False)]
        values = dict.fromkeys(columns, "") | {c: v for c, v in pairs if c in columns}
        rows.append(Row(line, values, tuple((c, v) for c, v in pairs if c.startswith(EXTRA_PREFIX))))
    return rows


def _records(text: str, name: str, findings: Findings) -> list[tuple[int, list[str]]]:
    """Each record with the line on which it begins."""
    csv.field_size_limit(_FIELD_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for cells in reader:
            if cells:
                records.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        findings.fault(
            "csv-broken",
            f"the record cannot be read as CSV ({error})",
            f"{name}:{line}",
            "close the quotation mark that opens in this record; write a quote inside quotes twice",
        )
    return records


def _check_header(
    header: list[str], name: str, columns: Sequence[str], findings: Findings, *, extra: bool, optional: int
) -> None:
    where = f"{name}:1"
    needed = columns[: len(columns) - optional]
    unknown = [c for c in header if c not in columns and not (extra and c.startswith(EXTRA_PREFIX))]
    missing = [c for c in needed if c not in header]
    for column in unknown:
        otherwise = f"rename it to {EXTRA_PREFIX}{column} and put it last" if extra else "remove the column"
        findings.fault(
            "header-column-unknown",
            f"the column {column or '(no name)'} is not an official one",
            where,
            suggest(column, missing, otherwise),
        )
    for column in missing:
        findings.fault(
            "header-column-missing",
            f"the column {column} is missing",
            where,
            f"add it as column {columns.index(column) + 1}, empty cells are allowed",
        )
    for column in sorted({c for c in header if header.count(c) > 1}):
        findings.fault("header-column-twice", f"the column {column} stands twice", where, "keep one of them")
    known = [c for c in header if c in columns]
    if not unknown and not missing and known != [c for c in columns if c in header]:
        findings.fault(
            "header-order",
            "the columns do not stand in the official order",
            where,
            f"the order is {','.join(columns)}",
        )
