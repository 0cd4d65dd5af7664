"""Totals: what the legacy system itself printed beside what was decoded, line by line; the owner knows these figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from kiban.kernel import Problem, Problems
from kiban.migration.mapping import named, quoted
from kiban.migration.plan import Plan, SourceFile
from kiban.migration.stage import Context, Outcome, Stage, gate
from kiban.migration.stages.land import FILES
from kiban.migration.stages.totals_rules import RULES, Key, Rule, plain_year, read_printed, read_rules, stem

COMPARED = "totals.parquet"
_MOST = 20
TRAILER = "トレーラ"

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
"""A line for each printed total, for each that was counted and not printed (`printed` null), and for each sum in a trailer, in order.

Records and yen are whole; the year is as the legacy system writes it.
"""


def _run(context: Context) -> Outcome:
    plan = context.plan
    if plan.totals is None:
        raise Problem(
            "totals-missing",
            "the plan names no printed totals, so nothing says what the legacy system itself holds",
            plan.id,
            "ask for the system's own printed totals and name them with `totals:`",
        )
    rules = read_rules(plan)
    printed = read_printed(plan, context.inputs["land"] / FILES / plan.totals, rules)
    uses = {
        (stem(file.path), rule.item): rule.use
        for file in plan.files
        for rule in rules
        if rule.kind == file.kind
    }
    with duckdb.connect() as query:
        counted = _counted(plan, rules, context, query)
        for key, told, found in _trailers(plan, context.inputs["decode"], query):
            printed[key], counted[key] = told, found
    lines = [
        (*key, printed.get(key), counted.get(key, 0), uses.get((key[0], key[3]), ""))
        for key in sorted(printed.keys() | counted.keys())
    ]
    columns = [pa.array([line[place] for line in lines], kind.type) for place, kind in enumerate(COMPARISON)]
    pq.write_table(pa.Table.from_arrays(columns, schema=COMPARISON), context.out / COMPARED)
    other = [line for line in lines if line[4] != line[5]]
    summary = {"printed": len(printed), "counted": len(counted), "different": len(other)}
    return Outcome(summary, gate([_reason(*line[:6]) for line in other[:_MOST]]))


def _reason(file: str, ward: str, year: str, item: str, printed: int | None, counted: int) -> str:
    where = f"{file}{f' 区{ward}' if ward else ''}{f' 年度{year}' if year else ''}"
    if printed is None:
        return f"{where}の{item} {counted:,} は、旧システムの帳票にありません。帳票の抜けか、余分なデータかを確かめてください。"
    source = "トレーラレコード" if item.startswith(TRAILER) else "旧システムの帳票"
    compared = f"{source} {printed:,} と復号結果 {counted:,}"
    return f"{where}の{item}が{compared}で一致しません。ファイルの抜け・重複・世代を確かめてください。"


def _counted(
    plan: Plan, rules: Sequence[Rule], context: Context, query: duckdb.DuckDBPyConnection
) -> dict[Key, int]:
    """Every total, counted again.

    Raises:
        Problems: of every rule, by its line: `totals-segment`, `totals-field`, `totals-sum`.
    """
    tasks = [(rule, file) for rule in rules for file in plan.files if file.kind == rule.kind]
    problems: dict[tuple[str, int], Problem] = {}
    for rule, file in tasks:
        for problem in _misfits(rule, _path(context.inputs["decode"], rule.segment, file)):
            problems.setdefault((problem.code, rule.line), problem)
    if problems:
        raise Problems(list(problems.values()))
    found: dict[Key, int] = {}
    for number, (rule, file) in enumerate(tasks):
        context.progress("照合", number, len(tasks))
        for ward, year, value in _count(query, _path(context.inputs["decode"], rule.segment, file), rule):
            key = (stem(file.path), ward, plain_year(year), rule.item)
            found[key] = found.get(key, 0) + value
    return found


def _path(decoded: Path, segment: str, file: SourceFile) -> Path:
    return decoded / segment / f"{file.id}.parquet"


def _misfits(rule: Rule, path: Path) -> Iterator[Problem]:
    """What a rule asks for that the decoded file does not have."""
    if not path.is_file():
        what = f"{rule.kind} was not decoded into {rule.segment}"
        yield Problem(
            "totals-segment", what, rule.where, "write the name of a record or table of its copybook"
        )
        return
    schema = pq.read_schema(path)
    missing = [
        name for name in (rule.ward, rule.year, rule.summed, rule.field) if name not in ("", *schema.names)
    ]
    if missing:
        what = f"{rule.segment} has no field {', '.join(missing)}"
        yield Problem("totals-field", what, rule.where, "correct the name of the field")
    elif rule.summed and not pa.types.is_int64(schema.field(rule.summed).type):
        what = f"{rule.summed} holds no whole yen, so it is not added up"
        yield Problem("totals-sum", what, rule.where, "name a number without decimals")


def _count(query: duckdb.DuckDBPyConnection, path: Path, rule: Rule) -> list[tuple[str, str, int]]:
    """Ward, year and value of each group; values that could not be decoded add nothing."""
    ward, year = (
        f"coalesce(CAST({named(name)} AS VARCHAR), '')" if name else "''" for name in (rule.ward, rule.year)
    )
    value = f"coalesce(sum({named(rule.summed)}), 0)" if rule.summed else "count(*)"
    where = f"WHERE CAST({named(rule.field)} AS VARCHAR) = ?" if rule.field else ""
    rows = query.execute(
        f"SELECT {ward}, {year}, {value} FROM {_from(path)} {where} GROUP BY 1, 2 ORDER BY 1, 2",
        [rule.value] if rule.field else [],
    ).fetchall()
    return [(str(name), str(told), int(number)) for name, told, number in rows]


def _trailers(plan: Plan, decoded: Path, query: duckdb.DuckDBPyConnection) -> Iterator[tuple[Key, int, int]]:
    """The sums that trailers tell of their files, and what the decoded records add up to.

    Raises:
        Problem: `totals-field` where a file has no such field.
    """
    for file in plan.files:
        for told, summed in file.checks.sums.items():
            trailer, data = (_holding(decoded, file, name) for name in (told, summed))
            asked = f"SELECT coalesce(sum({named(told)}), 0) FROM {_from(trailer)}"
            added = f"SELECT coalesce(sum({named(summed)}), 0) FROM {_from(data)}"
            values = [int(query.execute(sql).fetchall()[0][0]) for sql in (asked, added)]
            yield (stem(file.path), "", "", f"{TRAILER} {told}"), values[0], values[1]


def _holding(decoded: Path, file: SourceFile, field: str) -> Path:
    """The decoded file that has a field."""
    for path in sorted(decoded.glob(f"*/{file.id}.parquet")):
        if field in pq.read_schema(path).names:
            return path
    raise Problem(
        "totals-field",
        f"{file.kind} has no field {field}",
        f"plan.yaml, sums of {file.kind}",
        "correct its name",
    )


def _from(path: Path) -> str:
    return f"read_parquet({quoted(path.as_posix())})"


def _reads(plan: Plan) -> list[Path]:
    return [plan.folder / RULES]


def _parts(plan: Plan) -> object:
    return [plan.totals, [[file.id, file.kind, dict(file.checks.sums)] for file in plan.files]]


TOTALS = Stage("totals", "帳票照合", ("land", "decode"), _run, "2", _reads, _parts, looks=True)
