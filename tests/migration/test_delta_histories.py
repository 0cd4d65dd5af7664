"""Whatever a few people's histories were and become: after the delta they are the new ones, and were known as before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiban import store
from kiban.migration.delta.order import together
from kiban.migration.plan import Delta, Target

from .moving import HALL, Migration
from .newer import DAY, both_in, held, rows_of

JUMIN, SETAI = "resident.jumin", "resident.setai"
MASTERS = ("gyoseiku", "choaza", "nyuryokubasho")
NUMBERS = [str(n).zfill(15) for n in (990001, 990002, 990003)]
HOUSES = [str(n).zfill(15) for n in (980001, 980002)]

_ends = st.lists(st.integers(0, 6), unique=True, max_size=4).map(sorted)
_history = st.tuples(_ends, st.booleans(), st.booleans(), st.lists(st.integers(0, 3), min_size=6, max_size=6))
"""Days on which something changes, whether it begins and ends open, and what holds in between: 0 nothing, else one of three."""
_town = st.tuples(st.lists(_history, min_size=3, max_size=3), st.lists(_history, min_size=2, max_size=2))


def periods(history: Any) -> list[tuple[date | None, date | None, int]]:
    ends, begins_open, ends_open, held_then = history
    days = [date(2026, 1, 1) + timedelta(days=end) for end in ends]
    bounds = [
        *([None] if begins_open or not days else []),
        *days,
        *([None] if ends_open or len(days) < 2 else []),
    ]
    return [
        (start, end, value) for (start, end), value in zip(pairwise(bounds), held_then, strict=False) if value
    ]


@dataclass
class Small:
    """A small city: its masters, a household and a person to copy from."""

    folder: Path
    person: dict[str, Any]
    household: dict[str, Any]
    schemas: dict[str, pl.Schema]

    def write(self, folder: Path, town: Any) -> Path:
        """Write a town of such histories."""
        people, houses = town
        folder.mkdir(parents=True)
        for name in MASTERS:
            (folder / "resident").mkdir(exist_ok=True)
            (folder / "resident" / name).symlink_to(self.folder / "resident" / name)
        there = [house for house, history in zip(HOUSES, houses, strict=True) if periods(history)]
        rows = []
        for number, history in zip(NUMBERS, people, strict=True):
            for count, (start, end, value) in enumerate(periods(history), 1):
                row = self.person | {
                    "atenabango": number,
                    "rirekibango": count,
                    "valid_from": start,
                    "valid_to": end,
                }
                row["jusho_banchigohyoki"] = f"{value}番"
                row["setaibango"] = there[value % len(there)] if there else None
                rows.append(row)
        named = {row["atenabango"] for row in rows}
        kept = []
        for house, history in zip(HOUSES, houses, strict=True):
            for count, (start, end, value) in enumerate(periods(history), 1):
                row = self.household | {
                    "setaibango": house,
                    "rirekibango": count,
                    "valid_from": start,
                    "valid_to": end,
                }
                head = NUMBERS[value - 1]
                kept.append(
                    row | {"setainushi_atenabango": head if head in named else None, "setaininzu": value}
                )
        for name, made in (("jumin", rows if there else []), ("setai", kept)):
            (folder / "resident" / name).mkdir(parents=True)
            frame = pl.DataFrame(made, schema=self.schemas[name])
            frame.write_parquet(folder / "resident" / name / "all-0000.parquet")
        return folder


@pytest.fixture(scope="module")
def small(old_city: Path) -> Small:
    people, houses = (pl.read_parquet(old_city / f"resident/{name}/*.parquet") for name in ("jumin", "setai"))
    return Small(
        old_city, people.to_dicts()[0], houses.to_dicts()[0], {"jumin": people.schema, "setai": houses.schema}
    )


def only(moving: Migration) -> Migration:
    targets = tuple(Target("resident", name, Path(), "ANY") for name in ("jumin", "setai", *MASTERS))
    editions = {"resident": moving.plan.editions["resident"]}
    return replace(
        moving, plan=replace(moving.plan, targets=targets, editions=editions, delta=Delta(vanish_count=9))
    )


@dataclass
class Living:
    """A database that goes from town to town, day after day."""

    reached: store.Server
    folder: Path
    steps: int = 0

    def go(self, small: Small, town: Any) -> tuple[Migration, Path]:
        self.steps += 1
        converted = small.write(self.folder / f"town-{self.steps}", town)
        day = None if self.steps == 1 else DAY + timedelta(days=self.steps)
        moving = only(both_in(self.folder / f"work-{self.steps}", converted, self.reached, day))
        moving.run()
        return moving, converted

    def digests(self, moving: Migration, register: str, known: Any = None) -> list[Any]:
        with moving.store() as opened:
            names = store.arrow_schema(opened.table(register).group).names
            found = store.row_digests(opened, register, names, names[:1], HALL, known)
            return sorted(pa.Table.from_batches(found).column("_digest").to_pylist())

    def moment(self) -> Any:
        with psycopg.connect(self.reached.owner_dsn) as owner:
            return owner.execute("SELECT recorded_at FROM kiban.head").fetchall()[0][0]


FIRST = ([([], True, True, [1] * 6)] * 3, [([], True, True, [1] * 6)] * 2)


@pytest.fixture(scope="module")
def living(databases: Any, small: Small, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    with databases.fresh() as database:
        found = Living(store.Server(database.owner_dsn, database.app_dsn), tmp_path_factory.mktemp("living"))
        found.go(small, FIRST)
        yield found


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(town=_town)
def test_any_histories_become_any_others_and_were_known_as_before(
    living: Living, small: Small, town: Any
) -> None:
    before, known = {}, living.moment()
    moving = only(both_in(living.folder, living.folder, living.reached, DAY))
    for register in (JUMIN, SETAI):
        before[register] = living.digests(moving, register)
    moving, converted = living.go(small, town)
    for register in (JUMIN, SETAI):
        assert held(moving, register) == rows_of(converted, register)
        assert living.digests(moving, register, known) == before[register]
    assert moving.holds()


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.tuples(*[st.integers(0, n - 1)] * 2)))
    )
)
def test_what_is_needed_comes_before_or_together_and_together_only_what_needs_each_other(
    asked: tuple[int, set[tuple[int, int]]],
) -> None:
    many, pairs = asked
    needs = {one: [other for each, other in sorted(pairs) if each == one] for one in range(many)}
    groups = list(together(many, needs))
    assert sorted(one for group in groups for one in group) == list(range(many))
    place = {one: at for at, group in enumerate(groups) for one in group}
    assert all(place[other] <= place[one] for one, other in pairs)

    def reached(one: int) -> set[int]:
        found, waiting = set(), [one]
        while waiting:
            for other in needs[waiting.pop()]:
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return found

    for group in groups:
        for one in group:
            assert set(group) - {one} <= reached(one)
