"""A small city that was migrated into a database, and copies of it to be spoilt."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from kiban import migration, store, town
from kiban.migration import Context, Outcome, Result, Stage, Work
from kiban.migration.stages.characters import CHARACTERS
from kiban.migration.stages.decode import DECODE
from kiban.migration.stages.inventory import INVENTORY
from kiban.migration.stages.land import LAND
from kiban.migration.stages.load import LOAD
from kiban.migration.stages.reconcile import RECONCILE
from kiban.migration.stages.transform import EXCLUDED, TRANSFORM
from kiban.store import Store

from .moving import KEY, library

LEFT_OUT = pa.schema(
    [
        ("segment", pa.string()),
        ("file", pa.string()),
        ("record", pa.int64()),
        ("index", pa.int64()),
        ("fate", pa.string()),
        ("reason", pa.string()),
    ]
)


def leaving_out(*rows: dict[str, Any]) -> Stage:
    """A stage in the place of cleanse that leaves out these rows."""

    def run(context: Context) -> Outcome:
        pq.write_table(pa.Table.from_pylist(list(rows), LEFT_OUT), context.out / EXCLUDED)
        return Outcome({"rows": len(rows)})

    return Stage("cleanse", "整備", ("decode",), run, version=str(rows))


def stages(*left_out: dict[str, Any]) -> tuple[Stage, ...]:
    """All stages, where cleansing leaves out these rows."""
    return (INVENTORY, LAND, DECODE, CHARACTERS, leaving_out(*left_out), TRANSFORM, LOAD, RECONCILE)


STAGES = stages()


@dataclass(frozen=True)
class Migrated:
    """A city of 4,000 that is loaded, with all that led there.

    Attributes:
        project, unload, work: folders.
        template: name of the database.
    """

    project: Path
    unload: Path
    work: Path
    template: str


@dataclass(frozen=True)
class Case:
    """A copy of it for one test."""

    plan: migration.Plan
    work: Work
    server: store.Server

    def owner(self) -> psycopg.Connection[Any]:
        """Behind the back of Kiban: no guard, no event."""
        connection = psycopg.connect(self.server.owner_dsn, autocommit=True)
        connection.execute("SET session_replication_role = replica")
        return connection

    def reconcile(self) -> Result:
        return migration.run(STAGES, self.plan, self.work)[-1]

    def certificate(self) -> dict[str, Any]:
        result = self.reconcile()
        assert result.stage is RECONCILE and result.out is not None
        return dict(json.loads((result.out / "certificate.json").read_text(encoding="utf-8")))

    @property
    def decoded(self) -> Path:
        """What the files say."""
        [found] = (self.work.folder / "stages" / "decode").iterdir()
        return found

    def told(self, name: str) -> list[dict[str, Any]]:
        out = self.reconcile().out
        assert out is not None
        return pq.read_table(out / f"{name}.parquet").to_pylist()


def work_in(folder: Path, server: store.Server) -> Work:
    def open_store() -> Store:
        opened = Store(server, library(), KEY)
        opened.install()
        return opened

    return Work(folder, open_store, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))


def migrate(databases: Any, folder: Path) -> Migrated:
    """Make, unload and load the city; the database is a template."""
    known = library()
    town.make(
        folder / "town",
        resident=known.edition("resident"),
        nonresident=known.edition("nonresident_addressee"),
        residents=4_000,
        seed=1,
        city="28100",
        population=None,
        as_of=date(2026, 10, 1),
        tax=known.edition("individual_resident_tax"),
        processes=1,
    )
    town.unload(folder / "town", folder / "old", processes=1)
    project, unload = folder / "old" / "project", folder / "old" / "unload"
    plan = migration.load_plan(project, unload, known)

    def prepare(database: Any) -> None:
        work = work_in(folder / "work", store.Server(database.owner_dsn, database.app_dsn))
        results = migration.run(STAGES[:-1], plan, work)
        assert all(one.gate is not None and one.gate.open for one in results)

    return Migrated(project, unload, folder / "work", databases.template("migrated", prepare))


@contextmanager
def copied(migrated: Migrated, databases: Any, folder: Path) -> Iterator[Case]:
    shutil.copytree(migrated.work, folder, copy_function=shutil.copy2)
    with databases.fresh(migrated.template) as database:
        server = store.Server(database.owner_dsn, database.app_dsn)
        plan = migration.load_plan(migrated.project, migrated.unload, library())
        yield Case(plan, work_in(folder, server), server)
