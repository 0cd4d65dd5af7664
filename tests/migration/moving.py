"""A migration of a small city into a database of a test, with a stage in the place of transform."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq

from kiban import main, migration, store
from kiban.kernel import ALL_WARDS, Actor
from kiban.migration import Context, Outcome, Plan, Stage, Work
from kiban.migration.plan import Target
from kiban.migration.stages.load import LOAD
from kiban.settings import Settings
from kiban.standard import Library
from kiban.store import Store

KEY = b"a key of tests, thirty-two bytes!"
HALL = Actor("hall", None, ALL_WARDS, "試験", protected=True)
BUSINESSES = ("resident", "nonresident_addressee", "individual_resident_tax")


def converting(folder: Path) -> Stage:
    """A stage in the place of transform: it hands on what lies in a folder."""

    def run(context: Context) -> Outcome:
        for path in folder.glob("*/*/*.parquet"):
            to = context.out / path.relative_to(folder)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
        return Outcome({})

    return Stage(
        "transform", "変換", (), run, reads=lambda _: sorted(folder.rglob("*.parquet")), parts=lambda _: 0
    )


@dataclass
class Migration:
    """A plan, its stages and where they work."""

    plan: Plan
    stages: Sequence[Stage]
    work: Work

    def run(self) -> migration.Result:
        return migration.run(self.stages, self.plan, self.work)[-1]

    def store(self) -> Store:
        return self.work.open_store()

    def holds(self) -> dict[str, int]:
        with self.store() as opened:
            report = store.verify(opened)
        assert report.problems == ()
        return {name: rows for name, rows in report.rows.items() if rows}


def library() -> Library:
    return main.library(given=Settings(home=Path("unused")))


def planned(folder: Path, editions: dict[str, Any]) -> Plan:
    names = [path.parts[-2:] for path in sorted(folder.glob("*/*")) if path.parts[-2] in editions]
    targets = tuple(Target(edition, group, folder, "ANY") for edition, group in names)
    day = date(2026, 10, 1)
    return Plan("juki", "試し", "281000", day, 48, folder, folder, (), (), targets, (), (), editions=editions)


def migration_in(work: Path, converted: Path, reached: store.Server) -> Migration:
    known = library()
    editions = {name: known.edition(name) for name in BUSINESSES}

    def open_store() -> Store:
        opened = Store(reached, known, KEY)
        opened.install()
        return opened

    place = Work(work, open_store, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))
    return Migration(planned(converted, editions), (converting(converted), LOAD), place)


def rows_in(folder: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in folder.glob("*/*/*.parquet"):
        name = ".".join(path.parts[-3:-1])
        found[name] = found.get(name, 0) + pq.read_metadata(path).num_rows
    return {name: rows for name, rows in found.items() if rows}


def until_alone(reached: store.Server) -> None:
    """Wait until the server has noticed that the killed process is gone."""
    with psycopg.connect(reached.owner_dsn, autocommit=True) as owner:
        for _ in range(400):
            others = owner.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            ).fetchone()
            if others == (0,):
                return
            time.sleep(0.05)
    raise AssertionError("the killed process still holds connections")
