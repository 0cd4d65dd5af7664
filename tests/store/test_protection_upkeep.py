"""Who is protected is kept by loads, runs of events and changes of edition, too, in every business, and in databases of before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from kiban import store
from kiban.kernel import AsOf, Period, Problem
from kiban.store import Query, Store
from kiban.store.search_table import SearchTable

from .conftest import CITY_HALL, SINCE, move_in, person
from .people import NEW, assert_sound, bring, key, owner_runs
from .test_amending import JUMIN, amendment
from .test_protected_units import household

CLERK = replace(CITY_HALL, id="clerk", protected=False)
NONRESIDENT = "nonresident_addressee.jutogaisha_atena_kihon_joho"
DAY = AsOf(date(2026, 1, 1))


def hidden(city: Store, number: str, register: str = JUMIN) -> bool:
    """Whether the clerk is told of her by name, number or search and shown nothing."""
    with city.session(CITY_HALL) as session:
        assert session.read(register, DAY, atenabango=number)
    with city.session(CLERK) as session:
        shown = session.read(register, DAY, atenabango=number)
        [hit] = session.search(register, Query(DAY.valid, number=("atenabango", number))).hits
        assert session.protected(number) == hit.protected == (not shown)
        return hit.protected


def load(city: Store, register: str, rows: list[dict[str, Any]]) -> None:
    periods = {"valid_from": SINCE.start, "valid_to": None}
    schema = pa.schema([f.with_nullable(True) for f in store.arrow_schema(city.table(register).group)])
    batch = pa.RecordBatch.from_pylist([row | periods for row in rows], schema=schema)
    store.import_arrow(city, [store.Part(register, "a", len(rows), lambda: [batch])], CITY_HALL)


def neighbour(city: Store) -> dict[str, Any]:
    """The row of somebody who lives in another household."""
    with city.session(CITY_HALL) as session:
        session.record("設定", "home", [household(city, "901")])
    return person("2", setaibango=key(901))


def test_a_load_protects(city: Store) -> None:
    load(city, JUMIN, [person("1", shiensochifuragu="1"), neighbour(city)])
    assert hidden(city, key(1)) and not hidden(city, key(2))
    assert_sound(city)


def test_a_load_beside_rows_protects(city: Store) -> None:
    move_in(city, neighbour(city))
    load(city, JUMIN, [person("1", shiensochifuragu="1")])
    assert hidden(city, key(1)) and not hidden(city, key(2))


def test_a_run_of_events_protects_and_ends(city: Store) -> None:
    move_in(city, person("1"))
    her, flagged = {"atenabango": key(1)}, person("1", rirekibango=2, shiensochifuragu="1")
    with store.amending(city, [JUMIN], CITY_HALL, store.last_event(city)[0]) as work:
        for row in (flagged, person("1", rirekibango=3)):
            work.record("移行差分", ["1"], [amendment(city, JUMIN, [(0, row, SINCE)], [(0, her, SINCE)])])
            assert hidden(city, key(1)) == (row is flagged)
    assert_sound(city)


def test_a_change_of_edition_keeps_protection(town: Store) -> None:
    move_in(town, person("1", "住民　一郎", rirekibango=4, shiensochifuragu="1"), Period(date(2025, 1, 1)))
    assert hidden(town, key(1))
    bring(town, NEW)
    assert hidden(town, key(1))
    assert_sound(town)


def test_a_search_made_anew_still_tells_of_her(city: Store) -> None:
    move_in(city, person("1", shiensochifuragu="1"))
    store.reindex(city, JUMIN)
    with city.session(CLERK) as session:
        assert [hit.protected for hit in session.search(JUMIN, Query(DAY.valid, kana="ワタナベ")).hits] == [
            True
        ]
    assert_sound(city)


def test_registers_of_other_businesses_name_persons_by_the_same_items(city: Store, library: Any) -> None:
    store.apply(city, library.edition("individual_resident_tax"), CITY_HALL)
    tables = city.tables()
    assert tables["individual_resident_tax.kazei"].naming.people == ("atenabango",)
    assert set(tables[NONRESIDENT].naming.people) == {"atenabango", "nayosesakiatenabango"}
    assert tables["resident.ido"].naming.households == ("idomae_setaibango", "idogo_setaibango")
    assert tables["resident.setai"].naming.people == ("setainushi_atenabango",)
    assert (
        tables["resident.shiensochi_kagaisha"].naming.closed and tables["resident.shiensochi"].naming.ground
    )
    assert tables["resident.gyoseiku"].naming.hidden is None
    for table in tables.values():
        named = bool(table.naming.people or table.naming.households)
        assert ("kiban.hides(" in table.rule) == (named and not table.naming.closed)
        assert ("kiban.sees_protected()" in table.rule) == named
        if table.group.search:
            assert 'kiban.hides(ARRAY["subject"]' in SearchTable(table).rule
    assert_sound(city)


_ENTRIES_BACK = (
    "INSERT INTO resident.jumin_search SELECT subject, ward, name_key, kana_key, address_key, birth_from, birth_to, sex "
    "FROM kiban.protected_name"
)


def test_a_database_of_before_gets_its_fences(city: Store) -> None:
    move_in(city, person("1", shiensochifuragu="1"))
    scoped = owner_runs(city, "SELECT polrelid::regclass::text FROM pg_policy WHERE polname = 'actor_scope'")
    for (name,) in scoped:
        former = f"CREATE POLICY actor_scope ON {name} FOR SELECT TO kiban_app USING (true)"
        owner_runs(city, f"DROP POLICY actor_scope ON {name}", former)
    owner_runs(
        city,
        _ENTRIES_BACK,
        "DROP TABLE kiban.protected_unit, kiban.protected_name, kiban.protected_sieve, kiban.protection, kiban.lift CASCADE",
        "DROP FUNCTION kiban.hides, kiban.protect, kiban.touched, kiban.homes",
        "CREATE FUNCTION kiban.sees_city() RETURNS boolean LANGUAGE sql RETURN true",
    )
    city.install()
    assert hidden(city, key(1))
    assert_sound(city)


def test_a_database_with_entries_of_everybody_together_gets_them_apart(city: Store) -> None:
    move_in(city, person("1", shiensochifuragu="1"))
    owner_runs(
        city,
        _ENTRIES_BACK,
        "ALTER TABLE kiban.protected_name DROP COLUMN ward, DROP COLUMN address_key",
        "DROP TRIGGER sieve ON kiban.protected_unit",
        "DROP TABLE kiban.protected_sieve",
    )
    city.install()
    assert owner_runs(city, "SELECT FROM resident.jumin_search") == []
    [(ward,)] = owner_runs(city, "SELECT ward FROM kiban.protected_name")
    assert ward
    assert hidden(city, key(1))
    assert_sound(city)


def test_without_the_list_of_the_protected_nobody_is_shown(city: Store) -> None:
    move_in(city, person("1"))
    owner_runs(city, "DROP TABLE kiban.protected_unit")
    with pytest.raises(Problem, match="database-refused"), city.session(CLERK) as session:
        session.read(JUMIN, DAY, atenabango=key(1))
    city.install()
    assert not hidden(city, key(1))
    assert_sound(city)
