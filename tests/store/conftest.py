"""A store with the shipped registers and two wards, and people to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiban import main, standard, store
from kiban.kernel import ALL_WARDS, Actor, Period
from kiban.settings import Settings
from kiban.store import Change, Store

KEY = b"a key of tests, thirty-two bytes!"
EAST, NADA = "281018", "281026"
CITY_HALL = Actor("hall", None, ALL_WARDS, "試験", protected=True)
EAST_CLERK = Actor("east", EAST, frozenset({EAST}), "試験")
NADA_CLERK = Actor("nada", NADA, frozenset({NADA}), "試験")
WIDE_CLERK = Actor("wide", NADA, frozenset({EAST, NADA}), "試験")
SINCE = Period(date(2020, 4, 1))


def person(
    number: str, name: str = "渡邉　花子", kana: str = "ワタナベ　ハナコ", **items: Any
) -> dict[str, Any]:
    """A whole row of resident.jumin; the items given take precedence."""
    row: dict[str, Any] = {
        "atenabango": number.zfill(15),
        "rirekibango": 1,
        "setaibango": "900".zfill(15),
        "shiteitoshi_gyoseikutokodo": EAST,
        "juminshubetsu": "1",
        "juminjotai": "1",
        "shimei": name,
        "shimei_furigana": kana,
        "seibetsu": "2",
        "seinengappi": "1990-05-17",
        "zokugara1": "02",
        "jusho_shikuchosonkodo": EAST,
        "jusho_todofuken": "兵庫県",
        "jusho_shikugunchosonmei": "神戸市東灘区",
        "jusho_choaza": "魚崎北町一丁目",
        "jusho_banchigohyoki": "２番３号",
        "idojiyu": "11",
        "idonengappi": "2020-04-01",
        "shorinengappi": "2020-04-01",
        "shorijikoku": "09:00:00",
        "nyuryokubashokodo": "000001",
        "shiensochifuragu": "0",
    }
    return {**row, **items}


def code(edition: standard.Edition, group: str, romaji: str) -> str:
    """Any value of an item's code list."""
    code_list = edition.code_list(edition.group(group).item(romaji))
    assert code_list is not None
    return code_list.codes[0].value


@pytest.fixture(scope="session")
def library() -> standard.Library:
    return main.library(given=Settings(home=Path("unused")))


def settle(city: Store) -> None:
    """The reference rows that people's rows name: two wards and an office; one household."""
    edition = city.edition("resident")
    ward = {
        "shikuchosonkodo": "281000",
        "todofuken": "兵庫県",
        "shikuchosonmei": "神戸市",
        "tekiyokaishinengappi": "2000-01-01",
    }
    office = {
        "nyuryokubashokodo": "000001",
        "nyuryokubashomei": "市役所",
        "nyuryokubashokubun": code(edition, "nyuryokubasho", "nyuryokubashokubun"),
        "tekiyokaishinengappi": "2000-01-01",
    }
    household = {
        "setaibango": "900".zfill(15),
        "rirekibango": 1,
        "shiteitoshi_gyoseikutokodo": EAST,
        "setainushimisetteifuragu": "1",
        "setaijotai": code(edition, "setai", "setaijotai"),
        "setaininzu": 1,
        "jusho_shikuchosonkodo": EAST,
        "jusho_todofuken": "兵庫県",
        "jusho_shikugunchosonmei": "神戸市東灘区",
    }
    names = {EAST: ("東灘区", "ヒガシナダク"), NADA: ("灘区", "ナダク")}
    changes = [
        Change(
            "resident.gyoseiku",
            {**ward, "gyoseikukodo": c, "gyoseikumei": n, "gyoseikumei_furigana": k},
            Period(None),
        )
        for c, (n, k) in names.items()
    ]
    changes += [
        Change("resident.nyuryokubasho", office, Period(None)),
        Change("resident.setai", household, SINCE),
    ]
    with city.session(CITY_HALL) as session:
        session.record("設定", "city", changes)


def fill(database: Any, library: standard.Library, *steps: Callable[[Store], object]) -> None:
    """Bring the shipped registers into force in a database, then do the steps."""
    with Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city:
        for business in ("resident", "nonresident_addressee"):
            store.apply(city, library.edition(business), CITY_HALL)
        for step in steps:
            step(city)


@pytest.fixture(scope="session")
def city_template(databases: Any, library: standard.Library) -> str:
    return str(databases.template("city", lambda database: fill(database, library, settle)))


@pytest.fixture
def city(databases: Any, city_template: str, library: standard.Library) -> Iterator[Store]:
    """A store of its own for one test: the registers, two wards, one household, no people."""
    with (
        databases.fresh(city_template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as opened,
    ):
        yield opened


def move_in(city: Store, row: dict[str, Any], valid: Period = SINCE, actor: Actor = CITY_HALL) -> int:
    """Record one person's row by an event."""
    with city.session(actor) as session:
        return session.record(
            "国内転入", row["atenabango"], [Change("resident.jumin", row, valid)], valid=valid.start
        )


@pytest.fixture(scope="session")
def people_template(databases: Any, library: standard.Library) -> str:
    from .people import live

    return str(databases.template("people", lambda database: fill(database, library, settle, live)))


@pytest.fixture
def town(databases: Any, people_template: str, library: standard.Library) -> Iterator[Store]:
    """A store of 001 kiban-2026.1 with people who have moved, died and been corrected; see people.py."""
    with (
        databases.fresh(people_template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as opened,
    ):
        yield opened
