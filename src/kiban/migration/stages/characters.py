"""Characters: which of the city's own characters (gaiji) are used, where, and whether two people decided on each."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kiban import characters
from kiban.migration.plan import Plan
from kiban.migration.sources import batches, decisions
from kiban.migration.stage import Context, Outcome, Stage, gate
from kiban.migration.stages.land import FILES

_KINDS = {"record": pa.int64(), "offset": pa.int64()}
USES = pa.schema(
    [
        (name, _KINDS.get(name, pa.string()))
        for name in ("system", "code", "file", "record", "offset", "field")
    ]
)
"""A line for each place where a character of the city's own stands."""
_COLUMNS = ("system", "code", "uses", "records", "class", "text", "decided_by_1", "decided_by_2")
_SHOWN = 10


def _run(context: Context) -> Outcome:
    plan = context.plan
    # Where nothing is decided, the decoder tells every place of such a code: that is the list of uses, by the same strict reading.
    bare = replace(
        plan,
        unload=context.inputs["land"] / FILES,
        systems=tuple(replace(one, charts=(), decisions=()) for one in plan.systems),
    )
    uses: Counter[tuple[str, str]] = Counter()
    records: Counter[tuple[str, str]] = Counter()
    with pq.ParquetWriter(context.out / "uses.parquet", USES, compression="zstd") as writer:
        for at, file in enumerate(bare.files):
            context.progress("文字", at, len(bare.files))
            for batch in batches(bare, file, bare.unload):
                found = batch.ledger.filter(pc.equal(batch.ledger["code"], "gaiji-undecided"))
                codes = [(file.system, raw) for raw in found["raw"].to_pylist()]
                uses.update(codes)
                records.update(code for code, _ in set(zip(codes, found["record"].to_pylist(), strict=True)))
                system = pa.array([file.system] * found.num_rows, pa.string())
                columns = [system, found["raw"], *(found[name] for name in USES.names[2:])]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=USES))
        context.progress("文字", len(bare.files), len(bare.files))
    rows = _rows(plan, uses, records)
    with (context.out / "characters.csv").open("w", encoding="utf-8", newline="") as opened:
        writer_ = csv.writer(opened, lineterminator="\n")
        writer_.writerow(_COLUMNS)
        writer_.writerows(rows)
    return _outcome(rows)


def _rows(
    plan: Plan, uses: Counter[tuple[str, str]], records: Counter[tuple[str, str]]
) -> list[tuple[str, str, int, int, str, str, str, str]]:
    """A line for each used code, with the decision on it; class and people stay empty where nobody decided."""
    charts = {one.id: decisions(one) for one in plan.systems}
    rows = []
    for (system, code), count in sorted(uses.items()):
        chart = charts[system]
        known: characters.ChartRow | None = chart.row(system, int(code, 16)) if chart else None
        people = known.decided_by if known else ()
        first, second = (*people, "", "")[:2]
        class_ = (known.class_ or "") if known else ""
        text = known.unicode if known and known.decided else ""
        rows.append((system, code, count, records[system, code], class_, text, first, second))
    return rows


def _outcome(rows: list[tuple[str, str, int, int, str, str, str, str]]) -> Outcome:
    waiting = [f"{row[0]} {row[1]}" for row in rows if not row[5]]
    summary = {
        "used": len(rows),
        "decided": len(rows) - len(waiting),
        "undecided": len(waiting),
        "uses": sum(row[2] for row in rows),
        "classes": dict(sorted(Counter(row[4] for row in rows if row[5]).items())),
    }
    shown = "、".join(waiting[:_SHOWN]) + ("ほか" if len(waiting) > _SHOWN else "")
    reason = (
        f"2人が決めていない外字が{len(waiting)}字あります（{shown}）。decisions.csv で2人が決めてください。"
    )
    return Outcome(summary, gate([reason] if waiting else []))


def _reads(plan: Plan) -> list[Path]:
    systems = [path for one in plan.systems for path in (*one.tables, *one.charts, *one.decisions)]
    return [*systems, *(file.copybook for file in plan.files if file.copybook)]


def _parts(plan: Plan) -> Any:
    data = plan.as_data()
    return [data["systems"], data["files"]]


CHARACTERS = Stage("characters", "文字", ("land", "decode"), _run, reads=_reads, parts=_parts, looks=True)
