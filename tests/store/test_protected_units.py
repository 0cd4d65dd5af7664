"""Who is protected stands in the database after each event, as the lane of the linkage computes it from the rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.linkage.protection.conftest import measure, number, suppression

from kiban import store
from kiban.kernel import Period, Problem
from kiban.linkage.protection import HOUSEHOLD, PERSON, Unit
from kiban.linkage.protection.grounds import gather
from kiban.store import Change, Store

from .conftest import CITY_HALL, EAST, KEY, SINCE, code, person

PEOPLE, HOMES = ("1", "2", "3"), ("900", "901", "902")
DAYS = (date(2021, 1, 1), date(2024, 1, 1), date(2025, 1, 1), date(2099, 1, 1))


def household(city: Store, bango: str) -> Change:
    row = {
        "setaibango": number(bango),
        "rirekibango": 1,
        "shiteitoshi_gyoseikutokodo": EAST,
        "setainushimisetteifuragu": "1",
        "setaijotai": code(city.edition("resident"), "setai", "setaijotai"),
        "setaininzu": 1,
        "jusho_shikuchosonkodo": EAST,
        "jusho_todofuken": "兵庫県",
        "jusho_shikugunchosonmei": "神戸市東灘区",
    }
    return Change("resident.setai", row, SINCE)


@pytest.fixture(scope="module")
def shared(databases: Any, city_template: str, library: Any) -> Iterator[Store]:
    """Three households."""
    with (
        databases.fresh(city_template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as opened,
    ):
        with opened.session(CITY_HALL) as session:
            session.record("設定", "homes", [household(opened, home) for home in HOMES[1:]])
        yield opened


def said_by_the_lane(city: Store, connection: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    """The protected units, computed by the linkage from the rows."""
    event, moment = store.last_event(city)
    assert moment is not None
    [day] = connection.execute("SELECT (now() AT TIME ZONE 'Asia/Tokyo')::date").fetchone() or [None]
    units = [Unit(PERSON, number(one)) for one in PEOPLE] + [Unit(HOUSEHOLD, number(one)) for one in HOMES]
    with city.session(CITY_HALL) as session:
        facts = gather(session, city.edition("resident"), units, event)
    return {(unit.kind, unit.number) for unit in units if facts.standing(unit, event, day).protected}


def kept(connection: psycopg.Connection[Any], *, own: bool = True) -> set[tuple[str, str]]:
    query = "SELECT kind, unit FROM kiban.protected_unit WHERE own OR NOT %s"
    return set(connection.execute(query, (own,)).fetchall())


def begin_anew(city: Store) -> None:
    """Three people in one household, and whatever was known before known no more."""
    first = [Change("resident.jumin", person(one, setaibango=number("900")), SINCE) for one in PEOPLE]
    for bango in "78":
        first += measure(bango, "1", "5", SINCE)
    for bango in "45":
        ended = suppression(bango, yokushitaisho_atenabango=number("1"), yokushikaijofuragu="1")
        first.append(Change("resident.yokushi", ended.row, SINCE))
    with city.session(CITY_HALL) as session:
        session.record("転入", "all", first)


someone, somewhere = st.sampled_from(PEOPLE), st.sampled_from(HOMES)
periods = st.tuples(st.sampled_from(DAYS), st.sampled_from((None, *DAYS))).filter(
    lambda p: p[1] is None or p[0] < p[1]
)


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    """A move, a flag, a measure or a suppression, or the end of one, at any time."""
    kind = draw(st.sampled_from(("move", "gone", "measure", "suppression", "suppression")))
    who, valid = draw(someone), Period(*draw(periods))
    if kind == "move":
        flags = {
            "shiensochifuragu": draw(st.sampled_from("0001")),
            "yokushifuragu": draw(st.sampled_from((None, "0", "0", "1"))),
        }
        return [Change("resident.jumin", person(who, setaibango=number(draw(somewhere)), **flags), valid)]
    if kind == "gone":
        return [Change("resident.jumin", None, valid, {"atenabango": number(who)})]
    if kind == "measure":
        applicant = draw(st.sampled_from((None, number(draw(someone)))))
        bango, state = draw(st.sampled_from("78")), draw(st.sampled_from("2345"))
        return measure(bango, who, state, valid, moshidesha_atenabango=applicant)
    items = {
        "yokushikaijofuragu": draw(st.sampled_from("01")),
        "yokushishubetsu": draw(st.sampled_from("112")),
    }
    if draw(st.booleans()):
        items |= {"yokushitaisho_setaibango": number(draw(somewhere)), "yokushitani": "2"}
    else:
        items |= {"yokushitaisho_atenabango": number(who)}
    return [Change("resident.yokushi", suppression(draw(st.sampled_from("45")), **items).row, valid)]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(events=st.lists(changes(), min_size=1, max_size=6))
def test_what_the_events_keep_is_what_the_lane_computes(shared: Store, events: list[list[Change]]) -> None:
    with shared.owner() as connection:
        begin_anew(shared)
        for event in events:
            try:
                with shared.session(CITY_HALL) as session:
                    session.record("異動", "x", event)
            except Problem as problem:
                assert problem.code == "ward-outside", "nothing is true then that could end"
            assert kept(connection) == said_by_the_lane(shared, connection)
            by_events = kept(connection, own=False)
        with connection.transaction():
            connection.execute("SELECT kiban.protect_all()")
        assert kept(connection, own=False) == by_events
