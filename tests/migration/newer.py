"""A delta of a small city into a database of a test, and how a city changes until then."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from kiban import store
from kiban.kernel import AsOf
from kiban.migration import newer
from kiban.migration.plan import Target
from kiban.migration.stages.apply import APPLY
from kiban.migration.stages.load import LOAD

from .moving import HALL, Migration, converting, migration_in

DAY = date(2026, 10, 8)
Town = Mapping[str, pl.DataFrame]


def both_in(work: Path, converted: Path, reached: store.Server, day: date | None = None) -> Migration:
    """The migration whose rows a delta changes; with a day, the delta of that day."""
    made = migration_in(work, converted, reached)
    editions = made.plan.editions
    targets = [Target(name, one.id, work, "ANY") for name, each in editions.items() for one in each.groups]
    plan = replace(made.plan, targets=tuple(targets))
    if day is None:
        return replace(made, plan=plan, stages=(converting(converted), LOAD))
    return replace(made, plan=newer(plan, day), stages=(converting(converted), APPLY))


def changed(old: Path, new: Path, **registers: Callable[[pl.DataFrame], pl.DataFrame]) -> Path:
    """A copy of a town where registers of residents are other ones."""
    shutil.copytree(old, new)
    for name, change in registers.items():
        folder = new / "resident" / name
        rows = pl.concat([pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])
        for path in folder.glob("*.parquet"):
            path.unlink()
        change(rows).select(rows.columns).write_parquet(folder / "all-0000.parquet")
    return new


def rows_of(folder: Path, register: str) -> list[str]:
    """The converted rows of a register, comparable with `held`."""
    files = sorted((folder / register.replace(".", "/")).glob("*.parquet"))
    return sorted(repr(row) for path in files for row in pl.read_parquet(path).to_dicts())


def held(migration: Migration, register: str, as_of: AsOf | None = None) -> list[str]:
    """The rows of a register that are known."""
    with migration.store() as opened:
        batches = store.export_arrow(opened, register, as_of, HALL)
        return sorted(repr(row) for batch in batches for row in batch.to_pylist())


def last(people: pl.DataFrame, number: str) -> dict[str, Any]:
    """The row of a person that is true now."""
    return people.filter((pl.col("atenabango") == number) & pl.col("valid_to").is_null()).to_dicts()[0]
