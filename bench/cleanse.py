"""Look at a decoded city whole: every check, every map, every date; and how many known faults are located."""

from __future__ import annotations

import csv
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pyarrow.parquet as pq

from bench import city, measure
from kiban import main, migration, town

_GOAL_SECONDS, _GOAL_MIB = 180, 3 * 1024
_FAULTS = 1_000


def _no_store() -> NoReturn:
    raise AssertionError("these stages do not open the database")


def _work(folder: Path) -> tuple[migration.Plan, migration.Work]:
    plan = migration.load_plan(folder / "project", folder / "unload", main.library())
    return plan, migration.Work(folder / "work", _no_store, lambda *_: None, lambda: datetime.now(UTC))


def _located(folder: Path) -> tuple[int, int]:
    """How many known faults there are, and how many of them are found at their file, record and field; the others are printed."""
    plan, work = _work(folder)
    result = migration.run(migration.STAGES, plan, work, through="cleanse")[-1]
    assert result.out is not None
    rows = pq.read_table(result.out / migration.findings.FINDINGS).to_pylist()
    told = [row for row in rows if row["severity"] != "note"]
    found = {(row["file"], row["record"], field) for row in told for field in row["field"].split() or [""]}
    names = {Path(file.path).name: file.id for file in plan.files}
    with (folder / "faults.csv").open(encoding="utf-8", newline="") as opened:
        faults = list(csv.DictReader(opened))
    lost = [one for one in faults if (names[one["file"]], int(one["record"]), one["field"]) not in found]
    for one in lost:
        print(f"  not located: {one['kind']} {one['file']} {one['record']} {one['field']}", flush=True)
    return len(faults), len(faults) - len(lost)


def run(residents: int) -> None:
    made = city.made(residents)
    with tempfile.TemporaryDirectory(prefix="kiban-cleanse-", dir=os.environ.get("KIBAN_BENCH_TMP")) as name:
        clean, faulty = Path(name) / "clean", Path(name) / "faulty"
        town.unload(made, clean)
        plan, work = _work(clean)
        migration.run(migration.STAGES, plan, work, through="characters")
        with measure.watched() as watched:
            result = migration.run(migration.STAGES, plan, work, only="cleanse")[-1]
        summary = result.summary or {}
        work_ = f"cleanse a city of {residents:,}"
        measure.result(work_, watched.seconds, "s", at_most=_GOAL_SECONDS)
        measure.result(f"{work_}, memory", watched.peak_mib, "MiB", at_most=_GOAL_MIB)
        measure.result(
            f"{work_}, findings that must be decided though nothing is wrong",
            summary["must"],
            "findings",
            at_most=0,
        )
        town.unload(made, faulty, faults=_FAULTS)
        faults, found = _located(faulty)
        measure.result(f"known faults located among {residents:,}", found, "faults", at_least=faults)
