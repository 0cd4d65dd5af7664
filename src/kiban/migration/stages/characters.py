"""Characters: which of the city's own characters (gaiji) are used, where, by whom, and whether two people decided on each."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from kiban import characters
from kiban.migration.mapping import quoted
from kiban.migration.plan import Plan, SourceFile
from kiban.migration.sources import decisions, read_by
from kiban.migration.stage import Context, Outcome, Stage, gate
from kiban.migration.stages.decode import LEDGER, USES

_COLUMNS = ("system", "code", "uses", "records", "people", "class", "text", "decided_by_1", "decided_by_2")
CHANGED = "changed.parquet"
_CHANGED = ("design", "substitute")
_SHOWN = 10


@dataclass(frozen=True)
class _Row:
    """A used code with the decision on it; class, text and people stay empty where nobody decided."""

    system: str
    code: str
    uses: int
    records: int
    people: int
    class_: str
    text: str
    first: str
    second: str


def _run(context: Context) -> Outcome:
    plan, decoded = context.plan, context.inputs["decode"]
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as query:
        query.execute(f"SET temp_directory = {quoted(context.out.as_posix())}")
        _gather(query, plan, decoded, context)
        rows = _rows(plan, query)
        _write_people(query, [one for one in rows if one.class_ in _CHANGED], context.out / CHANGED)
    with (context.out / "characters.csv").open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(vars(one).values() for one in rows)
    return _outcome(rows)


def _gather(query: duckdb.DuckDBPyConnection, plan: Plan, decoded: Path, context: Context) -> None:
    """A table of all uses with the system, and the person where the plan says which field names one."""
    query.execute(
        'CREATE TABLE uses (system VARCHAR, file VARCHAR, record BIGINT, "index" BIGINT, "offset" BIGINT, '
        "field VARCHAR, code VARCHAR, person VARCHAR)"
    )
    for at, file in enumerate(plan.files):
        context.progress("文字", at, len(plan.files))
        used = decoded / USES / f"{file.id}.parquet"
        if used.is_file() and pq.read_metadata(used).num_rows:
            for statement in _inserts(decoded, file, used):
                query.execute(statement)
    context.progress("文字", len(plan.files), len(plan.files))


def _inserts(decoded: Path, file: SourceFile, used: Path) -> Iterator[str]:
    """SQL that adds the uses in each segment of a file, with the person each is about."""
    for folder in sorted(one for one in decoded.iterdir() if one.is_dir() and one.name not in {LEDGER, USES}):
        path = folder / used.name
        names = pq.read_schema(path).names if path.is_file() else []
        fields = ", ".join(quoted(name) for name in names if not name.startswith("#"))
        person = next((name for name in file.person if name in names), None)
        if fields:
            index = '"#index"' if "#index" in names else "0"
            told = f'CAST("{person}" AS VARCHAR)' if person else "NULL"
            yield (
                f"INSERT INTO uses SELECT {quoted(file.system)}, u.*, p.person "
                f"FROM read_parquet({quoted(used.as_posix())}) u LEFT JOIN "
                f'(SELECT "#record" AS record, {index} AS "index", {told} AS person '
                f"FROM read_parquet({quoted(path.as_posix())})) p "
                f'ON p.record = u.record AND p."index" = u."index" WHERE u.field IN ({fields}) ORDER BY u."offset"'
            )


def _rows(plan: Plan, query: duckdb.DuckDBPyConnection) -> list[_Row]:
    charts = {one.id: decisions(plan, one) for one in plan.systems}
    counted = query.execute(
        "SELECT system, code, count(*), count(DISTINCT (file, record)), count(DISTINCT person) FROM uses "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    rows = []
    for system, code, uses, records, people in counted:
        chart = charts[system]
        known: characters.ChartRow | None = chart.row(system, int(code, 16)) if chart else None
        first, second = (*(known.decided_by if known else ()), "", "")[:2]
        text = known.unicode if known and known.decided else ""
        rows.append(
            _Row(
                system, code, uses, records, people, (known.class_ or "") if known else "", text, first, second
            )
        )  # fmt: skip
    return rows


def _write_people(query: duckdb.DuckDBPyConnection, changed: Sequence[_Row], path: Path) -> None:
    """Who will see a character printed in another form than before: a line for each person and character."""
    query.execute("CREATE TABLE changed (system VARCHAR, code VARCHAR, class VARCHAR, text VARCHAR)")
    if changed:
        query.executemany(
            "INSERT INTO changed VALUES (?, ?, ?, ?)",
            [(one.system, one.code, one.class_, one.text) for one in changed],
        )
    query.execute(
        "COPY (SELECT DISTINCT person, system, code, class, text, file, field FROM uses JOIN changed USING (system, code) "
        f"WHERE person IS NOT NULL ORDER BY ALL) TO {quoted(path.as_posix())} (FORMAT parquet, COMPRESSION zstd)"
    )


def _outcome(rows: Sequence[_Row]) -> Outcome:
    waiting = [f"{one.system} {one.code}" for one in rows if not one.text]
    summary = {
        "used": len(rows),
        "decided": len(rows) - len(waiting),
        "undecided": len(waiting),
        "uses": sum(one.uses for one in rows),
        "classes": dict(sorted(Counter(one.class_ for one in rows if one.text).items())),
    }
    shown = "、".join(waiting[:_SHOWN]) + ("ほか" if len(waiting) > _SHOWN else "")
    reason = (
        f"2人が決めていない外字が{len(waiting)}字あります（{shown}）。decisions.csv で2人が決めてください。"
    )
    return Outcome(summary, gate([reason] if waiting else []))


def _reads(plan: Plan) -> list[Path]:
    return [path for one in plan.systems for path in read_by(plan, one)]


def _parts(plan: Plan) -> Any:
    data = plan.as_data()
    return [data["systems"], [[one["id"], one["system"], one["person"]] for one in data["files"]]]


CHARACTERS = Stage("characters", "文字", ("decode",), _run, "2", _reads, _parts, looks=True)
