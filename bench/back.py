"""The way back of a whole city: every row of its database written as a legacy record and held against the landed bytes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime

from bench import city, measure
from bench.migration import unloaded
from kiban import main, migration
from kiban.migration import Work


def run(residents: int) -> None:
    """Migrate a city with its tax ledger up to the load, then go all the way back."""
    old = unloaded(residents)
    home = city.given(residents).home / "back"
    given = replace(city.given(residents), home=home)
    cluster = main.cluster(given)
    cluster.destroy()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    cluster.up()
    try:
        plan = migration.load_plan(old / "project", old / "unload", main.library(given=given))
        work = Work(home / "work", lambda: main.open_store(given), lambda *_: None, lambda: datetime.now(UTC))
        results = migration.run(migration.STAGES, plan, work, through="load")
        inputs = {one.stage.name: one.out for one in results if one.out is not None}
        pid = cluster.status().pid
        assert pid is not None
        with work.open_store() as opened, measure.watched(pid) as watched:
            told = migration.compare_back(plan, inputs, opened, home / "out", lambda *_: None)
    finally:
        cluster.destroy()
        shutil.rmtree(home, ignore_errors=True)
    landed, same = (sum(form[name] for form in told["forms"]) for name in ("landed", "same"))
    measure.result(
        f"back: {landed:,} records written back and compared", landed / watched.seconds, "records/s"
    )
    measure.result("back: records that are not the landed bytes", landed - same, "", at_most=0)
    measure.result("back: memory with the server", watched.peak_mib, "MiB", at_most=4096)
