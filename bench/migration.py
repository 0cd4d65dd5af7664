"""The whole migration of a city: from a mainframe's unload to the packet, every stage; then again elsewhere, to the same bytes.

`AGAIN=200000` makes the two runs that are compared at another size than the measured one; `AGAIN=0` leaves them out.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import city, measure
from kiban import main, migration, town
from kiban.migration import Result, Work

_LAST = "signoff"  # its gate is people's to open


def run(residents: int) -> None:
    """Migrate a city, and show what each stage took and found."""
    again = int(os.environ.get("AGAIN", residents))
    old = unloaded(residents)
    results = _migrated(residents, old, "one", told=True)
    if again == 0:
        return
    if again != residents:
        old = unloaded(again)
        results = _migrated(again, old, "one")
    other = _migrated(again, old, "two")
    same = sum(a.output == b.output for a, b in zip(results, other, strict=True))
    measure.result(
        f"migration of {again:,} a second time, elsewhere: stages with other bytes",
        len(results) - same,
        "",
        at_most=0,
    )


def unloaded(residents: int) -> Path:
    """The unload of a city with its tax ledger and the project, made once for each size."""
    home = city.given(residents).home
    old = home / "old"
    if not (old / "project").exists():
        shutil.rmtree(old, ignore_errors=True)
        print(f"  unloading a city of {residents:,} …", flush=True)
        town.unload(city.made(residents, tax=True), old)
    return old


def _migrated(residents: int, old: Path, name: str, *, told: bool = False) -> list[Result]:
    """One run, in a work folder and on a server of its own; both are gone afterwards."""
    home = city.given(residents).home / f"migration-{name}"
    given = replace(city.given(residents), home=home)
    cluster = main.cluster(given)
    cluster.destroy()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    cluster.up()
    try:
        plan = migration.load_plan(old / "project", old / "unload", main.library(given=given))
        work = Work(home / "work", lambda: main.open_store(given), _shown, lambda: datetime.now(UTC))
        pid = cluster.status().pid
        assert pid is not None
        print(f"  migrating {residents:,} …", flush=True)
        with measure.watched(pid) as watched:
            results = migration.run(migration.STAGES, plan, work)
        _check(results)
        if told:
            _tell(results, watched, work.folder)
        return [replace(one, summary=None) for one in results]
    finally:
        cluster.destroy()
        shutil.rmtree(home, ignore_errors=True)


def _check(results: Sequence[Result]) -> None:
    closed = [
        one for one in results if one.stage.name != _LAST and one.gate is not None and not one.gate.open
    ]
    reasons = [
        f"{one.stage.name}: {reason}" for one in closed for reason in (one.gate.reasons if one.gate else ())
    ]
    assert not closed, "\n".join(reasons)
    assert len(results) == len(migration.STAGES)


def _tell(results: Sequence[Result], watched: measure.Work, folder: Path) -> None:
    """The figures of a run; seconds of the stages come from its journal."""
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    seconds = {line["stage"]: line["seconds"] for line in lines if line["event"] == "finished"}
    for one in results:
        print(
            f"    {one.stage.name:<12}{seconds[one.stage.name]:>9,.1f} s  {_figures(one.summary or {})}",
            flush=True,
        )
    found = {one.stage.name: one.summary or {} for one in results}
    certificate = found["reconcile"]
    size = f"{certificate['rows']:,} rows of {certificate['registers']} registers"
    measure.result(f"migrate from unload to packet, {size}", watched.seconds / 60, "min", at_most=20)
    measure.result("migrate, memory of client and server together", watched.peak_mib, "MiB", at_most=4096)
    measure.result("migrate, values compared by digest", certificate["values"], "")
    measure.result("migrate, sums to the yen compared", certificate["sums"], "")
    measure.result("migrate, differences", certificate["unexplained"], "", at_most=0)
    measure.result(
        "migrate, protected persons who came out weaker",
        certificate["weaker"],
        f"of {certificate['protected']:,}",
        at_most=0,
    )
    totals = found["totals"]
    measure.result(
        "migrate, printed totals that do not agree",
        totals["different"],
        f"of {totals['printed']:,}",
        at_most=0,
    )


def _figures(summary: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in summary.items() if isinstance(value, int))


def _shown(_step: str, _done: int, _total: int) -> None:
    """Nothing: the table at the end says enough."""
