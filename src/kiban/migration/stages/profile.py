"""Profile: what the decoded fields hold, counted; values are shown only of fields the plan calls codes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb

from kiban.migration.mapping import named, quoted
from kiban.migration.plan import Plan
from kiban.migration.stage import Context, Outcome, Stage
from kiban.migration.stages.decode import LEDGER, USES

_TOP = 50


def _run(context: Context) -> Outcome:
    folder = context.inputs["decode"]
    segments = sorted(
        path.name for path in folder.iterdir() if path.is_dir() and path.name not in {LEDGER, USES}
    )
    coded = {name for file in context.plan.files for name in file.coded}
    found: dict[str, Any] = {}
    doubles: Counter[str] = Counter()
    with duckdb.connect() as query:
        for at, segment in enumerate(segments):
            context.progress("調査", at, len(segments))
            found[segment] = _segment(query, folder / segment, coded)
            for key in {file.key for file in context.plan.files if file.key}:
                if set(key) <= found[segment]["fields"].keys():
                    doubles[segment] = _doubles(query, folder / segment, key)
    context.progress("調査", len(segments), len(segments))
    text = json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (context.out / "profile.json").write_text(text, encoding="utf-8")
    fields = [one for each in found.values() for one in each["fields"].values()]
    summary = {
        "segments": len(found),
        "fields": len(fields),
        "empty_fields": sum(one["filled"] == 0 for one in fields),
        "double_keys": sum(doubles.values()),
        "doubles": dict(sorted(doubles.items())),
    }
    return Outcome(summary)


def _from(folder: Path) -> str:
    return f"read_parquet({quoted(folder.as_posix() + '/*.parquet')}, union_by_name = true)"


def _segment(query: duckdb.DuckDBPyConnection, folder: Path, coded: set[str]) -> dict[str, Any]:
    """Rows of a segment and, of each field, how many rows hold something and how many different things."""
    source = _from(folder)
    names = [row[0] for row in query.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
    names = [name for name in names if not name.startswith("#")]
    asked = "".join(f", count({named(name)}), count(DISTINCT {named(name)})" for name in names)
    rows, *counts = query.execute(f"SELECT count(*){asked} FROM {source}").fetchall()[0]
    fields: dict[str, Any] = {}
    for at, name in enumerate(names):
        fields[name] = {"filled": counts[2 * at], "distinct": counts[2 * at + 1]}
        if name in coded:
            column = named(name)
            top = query.execute(
                f"SELECT {column}::text, count(*) FROM {source} GROUP BY 1 ORDER BY 2 DESC, 1 NULLS FIRST LIMIT {_TOP}"
            )
            fields[name]["values"] = [list(row) for row in top.fetchall()]
    return {"rows": rows, "fields": fields}


def _doubles(query: duckdb.DuckDBPyConnection, folder: Path, key: tuple[str, ...]) -> int:
    """How many keys stand in more than one row."""
    columns = ", ".join(map(named, key))
    asked = f"SELECT {columns} FROM {_from(folder)} GROUP BY {columns} HAVING count(*) > 1"
    return int(query.execute(f"SELECT count(*) FROM ({asked})").fetchall()[0][0])


def _parts(plan: Plan) -> Any:
    return [[file.kind, list(file.key), list(file.coded)] for file in plan.files]


PROFILE = Stage("profile", "調査", ("decode",), _run, parts=_parts, looks=True)
