# ruff: noqa: E501 - tables of what may be done to a store, one deed to a line
"""`verify` is silent about an honest store, and names whatever somebody with all rights did behind its back."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest

from kiban import standard, store
from kiban.kernel import Period
from kiban.store import Change, Report, Store, soundness

from .conftest import CITY_HALL, EAST, KEY, NADA, SINCE, move_in, person

A, B, C = (number.zfill(15) for number in "123")


def live(city: Store) -> None:
    """Three people: one moved between wards, one died, one had a correction; the household grew."""
    for number in (A, B, C):
        move_in(city, person(number))
    moved = person(A, shiteitoshi_gyoseikutokodo=NADA, jusho_shikuchosonkodo=NADA, rirekibango=2)
    move_in(city, moved, Period(date(2024, 6, 1)))
    move_in(city, person(B, jusho_katagaki="訂正荘"), Period(date(2021, 1, 1), date(2022, 1, 1)))
    with city.session(CITY_HALL) as session:
        gone = Change("resident.jumin", None, Period(date(2025, 1, 1)), {"atenabango": C})
        session.record("死亡", C, [gone], valid=date(2025, 1, 1))


@pytest.fixture(scope="module")
def shared(databases: Any, city_template: str, library: standard.Library) -> Iterator[Store]:
    """One store with the lives of three people, for tests that undo what they do."""
    with (
        databases.fresh(city_template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,
    ):
        live(city)
        yield city


@pytest.fixture
def lived(city: Store) -> Store:
    """A store of the test's own, with the lives of three people."""
    live(city)
    return city


@contextmanager
def tampered(city: Store, *statements: str) -> Iterator[psycopg.Connection[Any]]:
    """What somebody with all rights did, for whom triggers do not fire; undone afterwards."""
    with psycopg.connect(city.server.owner_dsn) as owner:
        owner.execute("SET session_replication_role = replica")
        for statement in statements:
            assert owner.execute(statement.encode()).rowcount != 0, statement
        owner.execute("SET session_replication_role = origin")
        yield owner
        owner.rollback()
    city.refresh()


def codes(report: Report) -> set[str]:
    return {problem.code for problem in report.problems}


def test_an_honest_store_is_sound_and_says_so_again(shared: Store) -> None:
    first = store.verify(shared)
    assert (first.problems, first.events, first.rows["resident.jumin"]) == ((), 9, 9)
    assert store.verify(shared, head=first.head) == first


_MOVED = f"atenabango = '{A}' AND closed_by IS NULL AND valid_from = '2024-06-01'"
_TAMPERED: list[tuple[str, tuple[str, ...], set[str]]] = [
    ("an item", ("UPDATE resident.jumin SET shimei = '別人' WHERE " + _MOVED,), {"rows-altered"}),
    ("an item of what is past", (f"UPDATE resident.jumin SET shimei = '別人' WHERE atenabango = '{A}' AND closed_by IS NOT NULL",),
     {"rows-altered", "closings-altered"}),
    ("a ward", (f"UPDATE resident.jumin SET shiteitoshi_gyoseikutokodo = '{EAST}' WHERE " + _MOVED,), {"rows-altered", "search-stray"}),
    ("the start of a period", ("UPDATE resident.jumin SET valid_from = '2024-07-01' WHERE " + _MOVED,), {"rows-altered"}),
    ("the end of a period", ("UPDATE resident.jumin SET valid_to = '2030-01-01' WHERE " + _MOVED,), {"rows-altered"}),
    ("a period into another", ("UPDATE resident.jumin SET valid_from = '2024-01-01' WHERE " + _MOVED,), {"rows-altered", "period-overlap"}),
    ("when it was known", ("UPDATE resident.jumin SET known_from = known_from - interval '1 day' WHERE " + _MOVED,), {"known-altered"}),
    ("until when it was known", ("UPDATE resident.jumin SET known_to = known_to + interval '1 day' WHERE closed_by IS NOT NULL",), {"known-altered"}),
    ("its event", ("UPDATE resident.jumin SET event = 4 WHERE " + _MOVED,), {"rows-altered", "known-altered"}),
    ("a row closed", ("UPDATE resident.jumin SET closed_by = 9, known_to = (SELECT recorded_at FROM kiban.head) WHERE " + _MOVED,),
     {"closings-altered"}),
    ("a row opened", (f"UPDATE resident.jumin SET closed_by = NULL, known_to = 'infinity' WHERE atenabango = '{C}' AND closed_by = 9",),
     {"closings-altered", "period-overlap"}),
    ("one death for another", (
        f"DELETE FROM resident.jumin WHERE atenabango = '{C}' AND event = 9",
        f"UPDATE resident.jumin SET closed_by = NULL, known_to = 'infinity' WHERE atenabango = '{C}' AND closed_by = 9",
        "UPDATE resident.jumin SET closed_by = 9, known_to = (SELECT recorded_at FROM kiban.head) WHERE " + _MOVED,
    ), {"rows-altered", "closings-altered"}),
    ("a row deleted", ("DELETE FROM resident.jumin WHERE " + _MOVED,), {"rows-altered", "search-stray"}),
    ("a past row deleted", ("DELETE FROM resident.jumin WHERE closed_by IS NOT NULL",), {"rows-altered", "closings-altered"}),
    ("all rows deleted", ("TRUNCATE resident.jumin",), {"rows-altered", "closings-altered", "search-stray"}),
    ("a row doubled", ("INSERT INTO resident.jumin SELECT * FROM resident.jumin WHERE " + _MOVED,), {"rows-altered", "period-overlap"}),
    ("a row of no event", (
        "CREATE TEMP TABLE copy AS SELECT * FROM resident.jumin WHERE " + _MOVED,
        "UPDATE copy SET event = 99, valid_from = '1900-01-01', valid_to = '1901-01-01'",
        "INSERT INTO resident.jumin SELECT * FROM copy",
    ), {"rows-altered", "known-altered"}),
    ("an event's actor", ("UPDATE kiban.event SET actor = 'nobody' WHERE event = 5",), {"chain-broken"}),
    ("an event's day", ("UPDATE kiban.event SET valid = '2001-01-01' WHERE event = 5",), {"chain-broken"}),
    ("an event's payload", ("UPDATE kiban.event SET payload = '{}' WHERE event = 5",), {"chain-broken"}),
    ("an event's content", ("UPDATE kiban.event SET content = '{}' WHERE event = 5",), {"chain-broken", "rows-altered"}),
    ("an event's time", ("UPDATE kiban.event SET recorded_at = recorded_at - interval '1 hour' WHERE event = 5",), {"chain-broken", "known-altered"}),
    ("an event with its digest", (
        "UPDATE kiban.event SET actor = 'nobody' WHERE event = 5",
        "UPDATE kiban.event e SET digest = kiban.event_digest(e) WHERE event = 5",
    ), {"chain-broken"}),
    ("an event deleted", ("DELETE FROM kiban.outbox WHERE event = 5", "DELETE FROM kiban.event WHERE event = 5"),
     {"chain-broken", "rows-altered", "known-altered"}),
    ("an event inserted", (
        "CREATE TEMP TABLE copy AS SELECT * FROM kiban.event WHERE event = 9",
        "UPDATE copy SET event = 10, recorded_at = recorded_at + interval '1 second', content = '{}'",
        "INSERT INTO kiban.event SELECT * FROM copy",
    ), {"chain-broken", "chain-head"}),
    ("the tail cut", ("DELETE FROM kiban.outbox WHERE event = 9", "DELETE FROM kiban.event WHERE event = 9"),
     {"chain-head", "rows-altered", "known-altered", "closings-altered"}),
    ("the head", ("UPDATE kiban.head SET digest = '\\x00'",), {"chain-head"}),
    ("the head's time", ("UPDATE kiban.head SET recorded_at = '2020-01-01'",), {"chain-head"}),
    ("the head gone", ("DELETE FROM kiban.head",), {"chain-head"}),
    ("an event left open", ("UPDATE kiban.head SET opened = 10",), {"chain-head"}),
    ("a message", ("UPDATE kiban.outbox SET subject = 'x' WHERE event = 9",), {"outbox-altered"}),
    ("a seal", ("UPDATE kiban.register SET seal_rows = 5 WHERE register = 'resident.jumin'",), {"seal-altered", "rows-altered"}),
    ("a seal moved", ("UPDATE kiban.register SET seal_event = 9 WHERE register = 'resident.jumin'",), {"seal-altered", "rows-altered"}),
    ("the ward of a register", ("UPDATE kiban.register SET ward = NULL WHERE register = 'resident.jumin'",), {"register-altered"}),
    ("the subject of a register", ("UPDATE kiban.register SET subject = '{setaibango}' WHERE register = 'resident.jumin'",), {"register-altered"}),
    ("search entries gone", (f"DELETE FROM resident.jumin_search WHERE subject = '{A}'",), {"search-incomplete"}),
    ("search entries of one ward gone", (f"DELETE FROM resident.jumin_search WHERE subject = '{A}' AND ward = '{NADA}'",), {"search-incomplete"}),
    ("a search entry in another ward", (
        "CREATE TEMP TABLE copy AS SELECT * FROM resident.jumin_search WHERE subject = '" + B + "'",
        f"UPDATE copy SET ward = '{NADA}'",
        "INSERT INTO resident.jumin_search SELECT * FROM copy",
    ), {"search-stray"}),
    ("a household gone", ("DELETE FROM resident.setai",), {"rows-altered", "reference-missing"}),
]  # fmt: skip


def test_whatever_is_changed_behind_its_back_is_named(shared: Store) -> None:
    for what, statements, named in _TAMPERED:
        with tampered(shared, *statements) as owner:
            assert codes(soundness.examine(shared, owner)) == named, what
    assert store.verify(shared).problems == ()


_FENCES: list[tuple[str, str, str]] = [
    ("row security off", "ALTER TABLE resident.jumin DISABLE ROW LEVEL SECURITY", "scope-missing"),
    ("policy gone", "DROP POLICY actor_scope ON resident.jumin", "scope-missing"),
    ("policy wide", "ALTER POLICY actor_scope ON resident.jumin USING (true)", "scope-missing"),
    ("a second policy", "CREATE POLICY x ON resident.jumin FOR SELECT TO PUBLIC USING (true)", "scope-missing"),
    ("search open", "ALTER TABLE resident.jumin_search DISABLE ROW LEVEL SECURITY", "scope-missing"),
    ("search policy wide", "ALTER POLICY actor_scope ON resident.jumin_search USING (true)", "scope-missing"),
    ("city-wide policy wide", "ALTER POLICY actor_scope ON resident.gyoseiku USING (true)", "scope-missing"),
    ("view of the owner", 'ALTER VIEW "住民基本台帳"."住民" SET (security_invoker = false)', "scope-missing"),
    ("a table of copies", "CREATE TABLE resident.copy AS SELECT * FROM resident.jumin; GRANT SELECT ON resident.copy TO kiban_app", "scope-missing"),
    ("a column for everybody", "GRANT SELECT (event) ON kiban.event TO PUBLIC", "scope-missing"),
    ("a materialised copy", "CREATE MATERIALIZED VIEW resident.m AS SELECT * FROM resident.jumin; GRANT SELECT ON resident.m TO PUBLIC", "scope-missing"),
    ("writing", "GRANT UPDATE ON resident.jumin TO kiban_app", "rights-too-wide"),
    ("writing one column", "GRANT UPDATE (shimei) ON resident.jumin TO kiban_app", "rights-too-wide"),
    ("writing for everybody", "GRANT INSERT ON kiban.event TO PUBLIC", "rights-too-wide"),
    ("a schema", "GRANT CREATE ON SCHEMA resident TO kiban_app", "rights-too-wide"),
    ("a sequence", "GRANT USAGE ON SEQUENCE kiban.lookup_lookup_seq TO kiban_app", "rights-too-wide"),
    ("a function of the owner", "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1", "rights-too-wide"),
    ("a function of the frame", "GRANT EXECUTE ON FUNCTION kiban.put TO kiban_app; ALTER FUNCTION kiban.put SECURITY DEFINER", "rights-too-wide"),
    ("the guard off", "ALTER TABLE resident.jumin DISABLE TRIGGER guard", "guard-missing"),
    ("the guard gone", "DROP TRIGGER guard ON resident.jumin", "guard-missing"),
    ("truncating", "DROP TRIGGER no_truncate ON resident.jumin", "guard-missing"),
    ("another trigger", "CREATE TRIGGER zz BEFORE INSERT ON resident.jumin FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()", "guard-missing"),
    ("the key off", "ALTER TABLE resident.jumin DISABLE TRIGGER no_overlap", "key-missing"),
    ("the key gone", "DROP TRIGGER no_overlap ON resident.jumin", "key-missing"),
    ("the log open", "ALTER TABLE kiban.lookup DISABLE TRIGGER lookup_append_only", "guard-missing"),
    ("the chain open", "DROP TRIGGER event_append_only ON kiban.event", "guard-missing"),
    ("half events", "DROP TRIGGER no_open_event ON kiban.head", "guard-missing"),
    ("a guard that lets all pass", "CREATE OR REPLACE FUNCTION kiban.guard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'", "frame-altered"),
    ("everybody sees the city", "CREATE OR REPLACE FUNCTION kiban.sees_city(business text) RETURNS boolean LANGUAGE sql STABLE RETURN true", "frame-altered"),
    ("a second function of a name", "CREATE FUNCTION kiban.sees_city() RETURNS boolean LANGUAGE sql STABLE RETURN true", "frame-altered"),
    ("a function more", "CREATE FUNCTION kiban.door() RETURNS int LANGUAGE sql RETURN 1", "frame-altered"),
    ("a function less", "DROP FUNCTION kiban.settle(timestamptz)", "frame-altered"),
]  # fmt: skip


def test_every_fence_that_is_taken_down_is_named(shared: Store) -> None:
    for what, statement, code in _FENCES:
        with tampered(shared, statement) as owner:
            assert code in codes(soundness.examine(shared, owner)), what
    assert store.verify(shared).problems == ()


def test_rights_of_the_role_itself_are_named(shared: Store) -> None:
    for statement in ("BYPASSRLS", "SUPERUSER", "CREATEROLE"):
        with tampered(shared, f"ALTER ROLE kiban_app {statement}") as owner:
            assert "rights-too-wide" in codes(soundness.examine(shared, owner)), statement
    with tampered(shared, "GRANT pg_read_all_data TO kiban_app") as owner:
        assert "rights-too-wide" in codes(soundness.examine(shared, owner))


def test_files_of_an_edition_that_were_edited_are_named(shared: Store) -> None:
    edition = shared.edition("resident")
    group = edition.group("jumin")
    edited = replace(
        edition,
        groups=(
            replace(group, items=(*group.items[:-1], replace(group.items[-1], digits=5))),
            *edition.groups[1:],
        ),
    )
    other = standard.Library((edited, shared.edition("nonresident_addressee")))
    with Store(shared.server, other, KEY) as city:
        assert "edition-changed" in codes(store.verify(city))


def test_a_chain_that_was_rewritten_whole_does_not_go_through_a_head_kept_elsewhere(shared: Store) -> None:
    kept = store.verify(shared).head
    with tampered(
        shared,
        "UPDATE kiban.event SET actor = 'nobody' WHERE event = 9",
        "UPDATE kiban.event e SET digest = kiban.event_digest(e) WHERE event = 9",
        "UPDATE kiban.head SET digest = (SELECT digest FROM kiban.event WHERE event = 9)",
    ) as owner:
        assert codes(soundness.examine(shared, owner)) == set()
        assert codes(soundness.examine(shared, owner, head=kept)) == {"chain-rewritten"}
    assert codes(store.verify(shared, head="99:00")) == {"chain-rewritten"}
    assert codes(store.verify(shared, head="nonsense")) == {"chain-rewritten"}


def test_what_a_superuser_left_open_is_noted(lived: Store) -> None:
    assert [note for note in store.verify(lived).notes if "application role" in note] == []
    with psycopg.connect(lived.server.owner_dsn, autocommit=True) as owner:
        owner.execute("GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC")
        owner.execute("GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC")
    assert len([note for note in store.verify(lived).notes if "application role" in note]) == 2
    lived.install()
    assert [note for note in store.verify(lived).notes if "application role" in note] == []


def test_a_register_that_is_not_there_is_named(shared: Store) -> None:
    with tampered(shared, "DROP TABLE resident.memo CASCADE") as owner:
        assert codes(soundness.examine(shared, owner)) == {"register-missing"}


def test_while_clerks_are_writing_the_store_is_sound_at_every_moment(lived: Store) -> None:
    stop = threading.Event()

    def write(first: int) -> None:
        for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count(first)):
            row = person(str(number))
            move_in(lived, row, SINCE)
            move_in(lived, row | {"rirekibango": 2, "jusho_katagaki": "新"}, Period(date(2023, 1, 1)))

    with ThreadPoolExecutor(2) as clerks:
        work = [clerks.submit(write, first) for first in (1000, 5000)]
        try:
            reports = [store.verify(lived) for _ in range(4)]
        finally:
            stop.set()
    assert [each.result() for each in work] == [None, None]
    assert [report.problems for report in reports] == [()] * 4
    assert [report.events for report in reports] == sorted({report.events for report in reports})
