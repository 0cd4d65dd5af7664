"""Counts and sums that PostgreSQL computes are those of the rows that an actor may read, and nobody counts unseen."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiban import store
from kiban.kernel import AsOf, Problem, Problems
from kiban.store import Store

from .conftest import CITY_HALL, EAST, EAST_CLERK, KEY, NADA, SINCE, move_in, person

JUMIN = "resident.jumin"
WARD = "shiteitoshi_gyoseikutokodo"


def load(city: Store, rows: list[dict[str, Any]], job: str | None = None) -> int:
    schema = store.arrow_schema(city.table(JUMIN).group)
    rows = [{"valid_from": SINCE.start, "valid_to": None} | row for row in rows]
    batch = pa.RecordBatch.from_pylist(rows, schema=pa.schema([f.with_nullable(True) for f in schema]))
    return store.import_arrow(city, [store.Part(JUMIN, "a", len(rows), lambda: [batch])], CITY_HALL, job=job)


def tallied(city: Store, *by: str, **how: Any) -> list[tuple[Any, ...]]:
    found = store.tally(
        city, JUMIN, by, ["setaiinjunjo"], how.pop("actor", CITY_HALL), how.pop("as_of", None)
    )
    return [tuple(row.values()) for row in found.to_pylist()]


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.tuples(st.booleans(), st.none() | st.integers(0, 999)), min_size=1, max_size=30))
def test_every_line_counts_and_adds_its_own_rows(
    databases: Any, city_template: str, library: Any, numbers: list[tuple[bool, int | None]]
) -> None:
    with (
        databases.fresh(city_template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,
    ):
        wards = [NADA if nada else EAST for nada, _ in numbers]
        load(
            city,
            [
                person(str(n), shiteitoshi_gyoseikutokodo=ward, setaiinjunjo=order)
                for n, (ward, (_, order)) in enumerate(zip(wards, numbers, strict=True), 1)
            ],
        )
        sums = {
            ward: [o for (_, o), w in zip(numbers, wards, strict=True) if w == ward and o is not None]
            for ward in wards
        }
        assert tallied(city, WARD) == [
            (ward, count, sum(sums[ward]) if sums[ward] else None)
            for ward, count in sorted(Counter(wards).items())
        ]


def test_an_actor_counts_the_rows_of_the_own_wards_as_of_the_dates_and_the_look_is_logged(
    city: Store,
) -> None:
    rows = [
        person(str(n), shiteitoshi_gyoseikutokodo=(EAST, NADA)[n % 2], setaiinjunjo=n) for n in range(1, 7)
    ]
    load(city, [*rows[:5], rows[5] | {"valid_to": date(2024, 1, 1)}])
    assert tallied(city) == [(6, 21)]
    assert tallied(city, actor=EAST_CLERK) == [(3, 12)]
    assert tallied(city, as_of=AsOf(date(2025, 1, 1))) == [(5, 15)]
    assert tallied(city, WARD, as_of=AsOf(date(1999, 1, 1))) == []
    with psycopg.connect(city.server.owner_dsn) as owner:
        [[then]] = owner.execute("SELECT clock_timestamp()").fetchall()
    assert isinstance(then, datetime)
    move_in(city, person("1", setaiinjunjo=100, rirekibango=2))
    assert tallied(city) == [(6, 120)]
    assert tallied(city, as_of=AsOf(date(2023, 1, 1), then)) == [(6, 21)]
    with pytest.raises(Problem, match="known-future"):
        tallied(city, as_of=AsOf(date(2023, 1, 1), then + timedelta(days=36_500)))
    with psycopg.connect(city.server.owner_dsn) as owner:
        assert owner.execute("SELECT count(*) FROM kiban.lookup WHERE asked ? 'tally'").fetchone() == (7,)


def test_what_cannot_be_added_up_is_refused_by_name(city: Store) -> None:
    with pytest.raises(Problems) as caught:
        store.tally(city, JUMIN, ["nonesuch"], ["nothing"], CITY_HALL)
    assert [problem.code for problem in caught.value.problems] == ["item-unknown"] * 2
    with pytest.raises(Problems) as caught:
        store.tally(city, JUMIN, [], ["shimei", "setaiinjunjo"], CITY_HALL)
    assert [(p.code, p.where) for p in caught.value.problems] == [("tally-kind", "jumin.shimei")]


def test_a_load_is_known_by_its_event_and_its_rows_from_all_others(city: Store) -> None:
    assert store.finished_load(city, "first") is None
    assert store.strangers(city, [JUMIN, "resident.setai"]) == {JUMIN: 0, "resident.setai": 1}
    event = load(city, [person(str(n)) for n in range(1, 5)], "first")
    found = store.finished_load(city, "first")
    assert found is not None
    assert (found.event, found.rows) == (event, {JUMIN: 4})
    assert store.verify(city).head == f"{found.event}:{found.digest}"
    assert store.strangers(city, [JUMIN], found) == {JUMIN: 0}
    assert store.strangers(city, [JUMIN]) == {JUMIN: 4}
    move_in(city, person("1", jusho_katagaki="新しい部屋", rirekibango=2))
    assert store.strangers(city, [JUMIN], found)[JUMIN] >= 2


def test_a_row_of_a_load_that_is_gone_is_missed(city: Store) -> None:
    load(city, [person(str(n)) for n in range(1, 5)], "first")
    with city.owner() as owner:  # behind the back of Kiban
        owner.execute("SET session_replication_role = replica")
        owner.execute("DELETE FROM resident.jumin WHERE atenabango = %s", ("2".zfill(15),))
    assert store.strangers(city, [JUMIN], store.finished_load(city, "first")) == {JUMIN: 1}


def test_several_values_are_asked_for_at_once(city: Store) -> None:
    load(city, [person(str(n), rirekibango=n) for n in range(1, 5)])
    asked = [str(n).zfill(15) for n in (2, 4, 9)]
    with city.session(CITY_HALL) as session:
        rows = session.read(JUMIN, AsOf(date(2025, 1, 1)), atenabango=asked)
        assert [row["atenabango"] for row in rows] == asked[:2]
        assert [
            row["rirekibango"] for row in session.history(JUMIN, atenabango=asked, rirekibango=["4", "1"])
        ] == [4]
        for nothing in ([], [None]):
            with pytest.raises(Problem, match="read-unbounded"):
                session.read(JUMIN, AsOf(date(2025, 1, 1)), atenabango=nothing)  # type: ignore[arg-type]
    with psycopg.connect(city.server.owner_dsn) as owner:
        row = owner.execute(
            "SELECT asked -> 'items' -> 'atenabango', found FROM kiban.lookup WHERE register = 'resident.jumin' ORDER BY lookup LIMIT 1"
        ).fetchone()
        assert row == (asked, asked[:2])
