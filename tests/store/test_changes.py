"""What changed since an event is found by whose event it was, and rows stay those that were known then."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from kiban import store
from kiban.kernel import ALL_WARDS, Actor, Period, Problem
from kiban.store import Change, Span, Store

from .conftest import CITY_HALL, EAST_CLERK, NADA, move_in, person

JUMIN = "resident.jumin"
MIGRATION = Actor("migration", None, ALL_WARDS, "データ移行 juki", protected=True)


def changed(city: Store, span: Span, register: str = JUMIN) -> set[str]:
    batches = list(store.changed_subjects(city, register, span))
    found = [value for batch in batches for value in batch.column(0).to_pylist()]
    assert len(set(found)) == len(found)
    return {value.lstrip("0") for value in found}


def rows(city: Store, until: int, keys: Any = None, actor: Actor = CITY_HALL) -> list[dict[str, Any]]:
    batches = store.known_rows(city, JUMIN, actor, until, None if keys is None else pa.table(keys))
    return [row for batch in batches for row in batch.to_pylist()]


def last(city: Store) -> int:
    event, recorded_at = store.last_event(city)
    assert recorded_at is not None
    return event


def number(person_: str) -> str:
    return person_.zfill(15)


def test_added_and_closed_rows_name_their_subject_once_and_others_do_not(city: Store) -> None:
    first = [move_in(city, person(str(n))) for n in range(1, 5)][-1]
    move_in(city, person("1", rirekibango=2), Period(date(2025, 1, 1)))  # closes one row, adds two
    with city.session(CITY_HALL) as session:
        session.record("異動の取消し", "2", [Change(JUMIN, None, Period(None), {"atenabango": number("2")})])
    fifth = move_in(city, person("5"))
    move_in(city, person("6"))
    assert changed(city, Span(first, fifth)) == {"1", "2", "5"}
    assert changed(city, Span(fifth, last(city))) == {"6"}
    assert changed(city, Span(last(city), last(city))) == set()
    assert changed(city, Span(0, 1), "resident.gyoseiku") == set()


def test_events_of_the_actor_that_is_left_out_do_not_count_but_its_rows_do_when_others_close_them(
    city: Store,
) -> None:
    start = last(city)
    move_in(city, person("1"), actor=MIGRATION)
    move_in(city, person("2"), actor=MIGRATION)
    move_in(city, person("2", rirekibango=2), Period(date(2025, 1, 1)))
    move_in(city, person("3"), actor=Actor("migration", None, ALL_WARDS, "ほかの移行", protected=True))
    end = last(city)
    assert store.last_load(city, MIGRATION) is None  # single events are no load
    assert changed(city, Span(start, end)) == {"1", "2", "3"}
    assert changed(city, Span(start, end, MIGRATION)) == {"2", "3"}


def test_rows_are_those_that_were_known_after_the_event(city: Store) -> None:
    first = move_in(city, person("1"))
    second = move_in(city, person("1", rirekibango=2), Period(date(2025, 1, 1)))
    third = move_in(city, person("2", shiteitoshi_gyoseikutokodo=NADA))
    assert [(row["rirekibango"], row["valid_to"]) for row in rows(city, first)] == [(1, None)]
    assert sorted((row["rirekibango"], row["valid_to"]) for row in rows(city, second)) == [
        (1, date(2025, 1, 1)),
        (2, None),
    ]
    assert len(rows(city, third)) == 3 and last(city) == third
    assert {row["atenabango"] for row in rows(city, third, actor=EAST_CLERK)} == {number("1")}


def test_only_the_rows_of_the_keys_are_read_and_the_look_is_logged(city: Store) -> None:
    for n in range(1, 6):
        move_in(city, person(str(n), setaibango=number("900")))
    until = last(city)
    found = rows(
        city, until, {"atenabango": [number("4"), number("2"), number("77")], "rirekibango": [1, 1, 1]}
    )
    assert sorted(row["atenabango"] for row in found) == [number("2"), number("4")]
    assert len(rows(city, until, {"setaibango": [number("900")]})) == 5
    assert rows(city, until, {"atenabango": pa.array([], pa.string())}) == []
    with city.owner() as owner:
        asked = owner.execute(
            "SELECT asked FROM kiban.lookup WHERE register = %s ORDER BY lookup", (JUMIN,)
        ).fetchall()
    assert [row[0] for row in asked] == [{"known_after": until, "keys": keys} for keys in (3, 1, 0)]
    with pytest.raises(Problem, match="item-unknown"):
        rows(city, until, {"atena": ["1"]})
