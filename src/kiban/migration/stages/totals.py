"""Totals: what the legacy system itself printed beside what was decoded, line by line; the owner knows these figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from kiban.kernel import Problem, Problems
from kiban.migration.plan import Plan, SourceFile
from kiban.migration.stage import Context, Outcome, Stage, gate
from kiban.migration.stages.land import FILES

RULES = "totals.csv"
COMPARED = "totals.parquet"
_MOST = 20
_HEADS = ("種別", "帳票項目", "データ", "区フィールド", "条件フィールド", "条件値", "使い道")
_USES = ("", "件数", "図", "保護")
_PRINTED = ("file", "ward", "year", "item", "value")

COMPARISON = pa.schema(
    [
        ("file", pa.string()),
        ("ward", pa.string()),
        ("year", pa.string()),
        ("item", pa.string()),
        ("printed", pa.int64()),
        ("counted", pa.int64()),
        ("use", pa.string()),
    ]
)
"""A line for each printed total, and for each ward that was counted and not printed (`printed` null), in order."""


@dataclass(frozen=True)
class Rule:
    """How a printed item is counted again.

    Attributes:
        kind: of the files, as in the plan.
        item: as printed.
        segment: dataset whose rows are counted.
        ward: field of the ward; "" where the list is not by ward.
        field, value: rows count where this field has this value; "" for all rows.
        use: what the packet does with it: 件数 counts the records of a file, 図 is drawn, 保護 counts protected people; "" none of it.
    """

    kind: str
    item: str
    segment: str
    ward: str
    field: str
    value: str
    use: str


def _run(context: Context) -> Outcome:
    plan = context.plan
    if plan.totals is None:
        raise Problem(
            "totals-missing",
            "the plan names no printed totals, so nothing says what the legacy system itself holds",
            plan.id,
            "ask for the system's own printed totals and name them with `totals:`",
        )
    rules = _rules(plan.folder / RULES)
    printed = _printed(plan, context.inputs["land"] / FILES / plan.totals, rules)
    counted = _counted(plan, rules, context.inputs["decode"], context)
    uses = {
        (_stem(file), rule.item): rule.use for file in plan.files for rule in rules if rule.kind == file.kind
    }
    lines = [
        (*key, printed.get(key), counted.get(key, 0), uses[key[0], key[3]])
        for key in sorted(printed.keys() | counted.keys())
    ]
    columns = [pa.array([line[place] for line in lines], kind.type) for place, kind in enumerate(COMPARISON)]
    pq.write_table(pa.Table.from_arrays(columns, schema=COMPARISON), context.out / COMPARED)
    other = [line for line in lines if line[4] != line[5]]
    summary = {"printed": len(printed), "counted": len(counted), "different": len(other)}
    return Outcome(summary, gate([_reason(*line[:6]) for line in other[:_MOST]]))


def _reason(file: str, ward: str, year: str, item: str, printed: int | None, counted: int) -> str:
    where = f"{file}{f' 区{ward}' if ward else ''}{f' {year}年度' if year else ''}"
    if printed is None:
        return f"{where}の{item} {counted:,} は、旧システムの帳票にありません。帳票の抜けか、余分なデータかを確かめてください。"
    compared = f"旧システムの帳票 {printed:,} と復号結果 {counted:,}"
    return f"{where}の{item}が{compared}で一致しません。ファイルの抜け・重複・世代を確かめてください。"


def _rows(text: str, heads: Sequence[str], where: str) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != tuple(heads):
        raise Problem(
            "totals-columns",
            f"the columns must be {','.join(heads)}",
            f"{where} line 1",
            "correct the first line",
        )
    rows = [(number, row) for number, row in enumerate(reader, 2)]
    short = [
        Problem(
            "totals-columns",
            "a line has too few or too many cells",
            f"{where} line {number}",
            "correct the line",
        )
        for number, row in rows
        if None in row or None in row.values()
    ]
    if short:
        raise Problems(short)
    return rows


def _rules(path: Path) -> list[Rule]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Problem(
            "totals-rules",
            "nothing says how the printed totals are counted again",
            str(path),
            f"write a CSV with the columns {','.join(_HEADS)}",
        ) from error
    rows = _rows(text, _HEADS, path.name)
    unknown = [
        Problem(
            "totals-use",
            f"{row['使い道']} is no use",
            f"{path.name} line {number}",
            f"write {'、'.join(_USES[1:])} or nothing",
        )
        for number, row in rows
        if row["使い道"] not in _USES
    ]
    if unknown:
        raise Problems(unknown)
    return [Rule(*(row[head] for head in _HEADS)) for _, row in rows]


def _printed(plan: Plan, path: Path, rules: Sequence[Rule]) -> dict[tuple[str, str, str, str], int]:
    """The printed totals, by file, ward, year and item.

    Raises:
        Problems: `totals-unreadable`, `totals-file`, `totals-item`, `totals-value`, `totals-twice`.
    """
    try:
        text = path.read_bytes().decode("cp932")
    except UnicodeDecodeError as error:
        raise Problem(
            "totals-unreadable", "the printed totals are not in CP932", path.name, "ask for them again"
        ) from error
    kinds = {_stem(file): file.kind for file in plan.files}
    known = {(rule.kind, rule.item) for rule in rules}
    found: dict[tuple[str, str, str, str], int] = {}
    problems = []
    for number, row in _rows(text, _PRINTED, path.name):
        where = f"{path.name} line {number}"
        key = (row["file"], row["ward"], row["year"], row["item"])
        if row["file"] not in kinds:
            problems.append(
                Problem("totals-file", f"the plan has no file {row['file']}", where, "add it to the plan")
            )
        elif (kinds[row["file"]], row["item"]) not in known:
            problems.append(
                Problem(
                    "totals-item",
                    f"nothing says how {row['item']} is counted",
                    where,
                    f"add a line to {RULES}",
                )
            )
        elif not row["value"].removeprefix("-").isdecimal():
            problems.append(Problem("totals-value", "not a whole number", where, "correct the value"))
        elif key in found:
            problems.append(
                Problem("totals-twice", "the same total stands twice", where, "take one of them out")
            )
        else:
            found[key] = int(row["value"])
    if problems:
        raise Problems(problems)
    return found


def _stem(file: SourceFile) -> str:
    return Path(file.path).stem


def _counted(
    plan: Plan, rules: Sequence[Rule], decoded: Path, context: Context
) -> Mapping[tuple[str, str, str, str], int]:
    found: dict[tuple[str, str, str, str], int] = {}
    with duckdb.connect() as connection:
        for number, rule in enumerate(rules):
            context.progress("照合", number, len(rules))
            for file in (one for one in plan.files if one.kind == rule.kind):
                path = decoded / rule.segment / f"{file.id}.parquet"
                if path.is_file():
                    for ward, count in _count(connection, path, rule):
                        found[_stem(file), ward, "", rule.item] = count
    return found


def _count(connection: duckdb.DuckDBPyConnection, path: Path, rule: Rule) -> list[tuple[str, int]]:
    named = [name for name in (rule.ward, rule.field) if name]
    missing = [name for name in named if name not in pq.read_schema(path).names]
    if missing:
        raise Problem(
            "totals-field",
            f"{rule.segment} has no field {', '.join(missing)}",
            RULES,
            "correct the name of the field",
        )
    ward = f"""coalesce(CAST("{rule.ward}" AS VARCHAR), '')""" if rule.ward else "''"
    where = f'WHERE CAST("{rule.field}" AS VARCHAR) = ?' if rule.field else ""
    values = [rule.value] if rule.field else []
    rows = connection.execute(
        f"SELECT {ward}, count(*) FROM read_parquet('{path.as_posix()}') {where} GROUP BY 1 ORDER BY 1",
        values,
    ).fetchall()
    return [(str(name), int(count)) for name, count in rows]


def _reads(plan: Plan) -> list[Path]:
    return [plan.folder / RULES]


TOTALS = Stage(
    "totals", "帳票照合", ("land", "decode"), _run, "1", _reads, lambda plan: [plan.totals], looks=True
)
