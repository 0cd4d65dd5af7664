"""Ward scope sits in the database: whatever SQL the application role runs, it sees only what its actor may."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import psycopg
import pytest

from kiban import store
from kiban.kernel import AsOf, Problem
from kiban.store import Query, Store

from .conftest import CITY_HALL, EAST, EAST_CLERK, NADA, NADA_CLERK, WIDE_CLERK, move_in, person

_EVERYTHING = (
    "resident.jumin",
    "resident.jumin_search",
    "resident.setai",
    "resident.gyoseiku",
    '"住民基本台帳"."住民"',
    '"住民基本台帳"."住民_全記録"',
)


def test_an_application_connection_without_an_actor_reads_nothing(city: Store) -> None:
    move_in(city, person("1"))
    with psycopg.connect(city.server.app_dsn, autocommit=True) as bare:
        for name in _EVERYTHING:
            assert bare.execute(f"SELECT count(*) FROM {name}".encode()).fetchone() == (0,), name


def test_the_application_role_cannot_reach_the_frame(city: Store) -> None:
    with psycopg.connect(city.server.app_dsn, autocommit=True) as bare:
        for statement in (
            "SELECT * FROM kiban.secret",
            "SELECT * FROM kiban.event",
            "SELECT * FROM kiban.lookup",
            "SELECT kiban.open_event()",
            "INSERT INTO resident.jumin DEFAULT VALUES",
            "ALTER TABLE resident.jumin DISABLE ROW LEVEL SECURITY",
            "SET ROLE kiban_owner",
            "CREATE TABLE public.copy (x text)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                bare.execute(statement.encode())


def test_raw_sql_of_a_ward_clerk_shows_only_the_own_ward(city: Store) -> None:
    move_in(city, person("1"))
    move_in(city, person("2", shiteitoshi_gyoseikutokodo=NADA))
    with city.session(NADA_CLERK) as session:
        for name in ("resident.jumin", "resident.jumin_search", '"住民基本台帳"."住民"'):
            assert session.sql(f"SELECT count(*) AS n FROM {name}") == [{"n": 1}], name
        assert session.sql("SELECT 1 FROM resident.jumin WHERE atenabango = %s", ["1".zfill(15)]) == []


def test_a_claim_can_be_neither_widened_nor_used_again_nor_carried_elsewhere(city: Store) -> None:
    move_in(city, person("1"))
    with city.session(NADA_CLERK) as session:
        [claim] = session.sql("SELECT current_setting('kiban.actor') AS claim")
        stolen = str(claim["claim"])
        widened = stolen.replace(f"\x1f{NADA}\x1f{NADA}\x1f", f"\x1f{NADA}\x1f*\x1f")
        assert widened != stolen
        bare = session._connection  # beneath the log, which refuses a claim that is not genuine
        bare.execute("SELECT set_config('kiban.actor', %s, true)", (widened,))
        assert bare.execute("SELECT 1 FROM resident.setai").fetchall() == []
        assert bare.execute("SELECT 1 FROM resident.gyoseiku").fetchall() == []
    with city.session(CITY_HALL) as session:
        [claim] = session.sql("SELECT current_setting('kiban.actor') AS claim")
        assert session.sql("SELECT count(*) AS n FROM resident.jumin") == [{"n": 1}]
    with psycopg.connect(city.server.app_dsn) as elsewhere:
        elsewhere.execute("SELECT set_config('kiban.actor', %s, false)", (claim["claim"],))
        assert elsewhere.execute("SELECT count(*) FROM resident.jumin").fetchone() == (0,)
    with city.session(
        NADA_CLERK
    ) as session:  # the pool hands out the same connection, in another transaction
        session._connection.execute("SELECT set_config('kiban.actor', %s, true)", (claim["claim"],))
        assert session._connection.execute("SELECT count(*) FROM resident.jumin").fetchone() == (0,)


def test_every_look_up_is_logged_with_who_whom_and_why(city: Store) -> None:
    row = person("1")
    move_in(city, row)
    with city.session(EAST_CLERK) as session:
        session.read("resident.jumin", AsOf(date(2026, 1, 1)), atenabango=row["atenabango"])
        session.search("resident.jumin", Query(as_of=date(2026, 1, 1), kana="ワタナベ"))
    with psycopg.connect(city.server.owner_dsn) as owner:
        logged = owner.execute(
            "SELECT actor, ward, purpose, register, found FROM kiban.lookup ORDER BY lookup"
        ).fetchall()
    assert logged == [("east", EAST, "試験", "resident.jumin", [row["atenabango"]])] * 2


def test_a_read_that_names_nothing_or_nonsense_is_refused(city: Store) -> None:
    with city.session(CITY_HALL) as session:
        for register, items, code in (
            ("resident.jumin", {}, "read-unbounded"),
            ("resident.jumim", {"atenabango": "1"}, "register-unknown"),
            ("resident.jumin", {"atena": "1"}, "item-unknown"),
        ):
            with pytest.raises(Problem) as refused:
                session.read(register, AsOf(date(2026, 1, 1)), **items)
            assert refused.value.code == code


def test_the_wide_clerk_finds_the_own_ward_first_and_others_on_request(city: Store) -> None:
    for number in range(1, 8):
        ward = NADA if number % 3 == 0 else EAST
        move_in(city, person(str(number), shiteitoshi_gyoseikutokodo=ward))
    asked = Query(as_of=date(2026, 1, 1), name="渡辺", limit=2)
    with city.session(WIDE_CLERK) as session:
        own = session.search("resident.jumin", asked)
        assert ([hit.ward for hit in own.hits], own.next) == ([NADA, NADA], None)
        found, after = [], None
        while True:
            page = session.search(
                "resident.jumin", Query(as_of=date(2026, 1, 1), name="渡辺", wards="all", limit=2), after
            )
            found += [(hit.ward, hit.subject) for hit in page.hits]
            after = page.next
            if after is None:
                break
    assert [ward for ward, _ in found] == [NADA] * 2 + [EAST] * 5
    assert len({subject for _, subject in found}) == 7


def test_a_group_that_nobody_has_decided_on_does_not_come_into_force(city: Store) -> None:
    edition = city.library.edition("resident", "kiban-2026.2")
    undecided = replace(edition, groups=(replace(edition.groups[0], scope="undecided"), *edition.groups[1:]))
    with pytest.raises(Problem, match="scope-undecided"):
        store.plan(city, undecided)
