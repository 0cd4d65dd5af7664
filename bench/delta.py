"""The delta of a city: 20,000 people changed since the load, found among all and recorded as one event for each subject."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from bench import city, measure
from kiban import main, store, town
from kiban.migration import delta, newer
from kiban.migration.plan import Plan, Target
from kiban.migration.stages.load import migrator
from kiban.store import Store

_DAY = date(2026, 10, 8)
_CHANGED = 20_000


def run(residents: int) -> None:
    """Load a city, compare it with itself some days later, and apply what differs."""
    old = city.made(residents)
    new = _later(residents, old)
    city.forget(residents)
    with city.empty(residents) as opened:
        plan = _plan(opened, old)
        actor = migrator(plan)
        store.import_arrow(opened, store.folder_parts(opened, old), actor)
        spill = city.given(residents).home / "spill"
        shutil.rmtree(spill, ignore_errors=True)
        spill.mkdir()
        with measure.watched(_server(opened)) as comparing:
            past = store.past(opened, [*opened.tables()], actor.id, delta.KIND, _DAY)
            registers = delta.registers(plan, new, spill)
            found = [delta.differing(opened, one, actor, None, spill, lambda *_: None) for one in registers]
        with measure.watched(_server(opened)) as applying:
            events = delta.amend(opened, found, actor, _DAY, past.head, spill, lambda *_: None)
        rest = [delta.differing(opened, one, actor, None, spill, lambda *_: None) for one in registers]
        left = sum(len(one.found) for one in rest)
    city.forget(residents)
    rows = sum(one.rows for one in found)
    measure.result(f"delta: compare {rows:,} rows with the database", comparing.seconds, "s")
    measure.result(f"delta: apply {events:,} events", events / applying.seconds, "events/s", at_least=300)
    measure.result("delta: rows that differ afterwards", left, "", at_most=0)
    memory = max(comparing.peak_mib, applying.peak_mib)
    measure.result("delta: memory with the server", memory, "MiB", at_most=4096)


def _later(residents: int, old: Path) -> Path:
    """The city some days later, made once for each size."""
    folder = city.given(residents).home / "later"
    if not (folder / "town.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        editions = main.library(given=city.given(residents))
        town.later(
            old,
            folder,
            resident=editions.edition("resident"),
            nonresident=editions.edition("nonresident_addressee"),
            residents=min(_CHANGED, residents // 20),
            as_of=_DAY,
        )
    return folder


def _plan(opened: Store, folder: Path) -> Plan:
    """A plan that fills every register of the city."""
    editions = {name: opened.edition(name) for name in opened.applied()}
    targets = tuple(
        Target(name, group.id, folder, "ANY") for name, each in editions.items() for group in each.groups
    )
    plan = Plan(
        "bench", "計測", "281000", city.DAY, 48, folder, folder, (), (), targets, (), (), editions=editions
    )
    return newer(plan, _DAY)


def _server(opened: Store) -> int:
    with opened.owner() as connection:
        return measure.postmaster(connection.info.backend_pid)
