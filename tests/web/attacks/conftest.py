"""A woman whom somebody looks for, and people at work who may not tell him where she is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.store.conftest import CITY_HALL, NADA, move_in, person
from tests.store.people import moving
from tests.web.housing import BEGAN, Client
from tests.web.signin.conftest import Browser
from tests.web.signin.conftest import person as account

from kiban import web
from kiban.access import Assignment, Staff, extract
from kiban.kernel import Period
from kiban.store import Change, Store

HER, CHILD, PLAIN, FAR = (f"9300{n}".zfill(15) for n in range(1, 5))
COUNTER, RECORDS, EUC, BOTH, AUDITOR = "500001", "500002", "500003", "500004", "900003"
SUPPORT = "100003"
"""To whom protected persons are open."""
SINCE = Period(date(2021, 4, 1))
STREET, NUMBER = "秘匿台七丁目", "８８番８８号"
SECRETS = (STREET, NUMBER, "匿田", "トクタ")
"""Where she lives, and her name."""


def _people(city: Store) -> None:
    home = {"setaibango": "930".zfill(15), "jusho_choaza": STREET, "jusho_banchigohyoki": NUMBER}
    household = {
        "setaibango": home["setaibango"], "rirekibango": 1, "shiteitoshi_gyoseikutokodo": "281018",
        "setainushimisetteifuragu": "1", "setaijotai": "1", "setaininzu": 2, "jusho_shikuchosonkodo": "281018",
        "jusho_todofuken": "兵庫県", "jusho_shikugunchosonmei": "神戸市東灘区", "jusho_choaza": STREET,
        "jusho_banchigohyoki": NUMBER,
    }  # fmt: skip
    plain = person(PLAIN, "平野　太一", "ヒラノ　タイチ")
    her = person(HER, "匿田　静香", "トクタ　シズカ", **home)
    with city.session(CITY_HALL) as session:
        session.record("設定", home["setaibango"], [Change("resident.setai", household, SINCE)])
    move_in(city, plain, SINCE)
    move_in(city, person(FAR, "遠井　灘", "トオイ　ナダ", shiteitoshi_gyoseikutokodo=NADA), SINCE)
    with city.session(CITY_HALL) as session:  # one event, recorded of him, that changed her, too
        both = [
            Change("resident.jumin", her, SINCE),
            Change("resident.ido", moving("I931", HER)),
            Change("resident.ido", moving("I932", PLAIN)),
        ]
        session.record("転居", PLAIN, both, valid=SINCE.start)
        child = person(CHILD, "匿田　光", "トクタ　ヒカル", **home)
        session.record("出生", CHILD, [Change("resident.jumin", child, SINCE)], valid=SINCE.start)
    protected = {**her, "rirekibango": 2, "shiensochifuragu": "1"}
    with city.session(CITY_HALL) as session:
        session.record("支援措置", HER, [Change("resident.jumin", protected, Period(date(2023, 4, 1)))])


def _staff(city: web.City) -> None:
    given = {
        COUNTER: [("resident-counter", "east-residents")],
        RECORDS: [("resident-records", "east-residents")],
        EUC: [("euc", "hall")],
        BOTH: [("resident-records", "east-residents"), ("operations", "hall-it")],
    }
    staff = [Staff(number, "試験　職員", "シケン", BEGAN) for number in given]
    duties = [
        Assignment(number, duty, office, BEGAN) for number, all_ in given.items() for duty, office in all_
    ]
    city.people.apply([*staff, *duties], "test", datetime.now(UTC))


@pytest.fixture(scope="package")
def town(house: web.House) -> web.House:
    """The house, with the people above."""
    assert house.city is not None
    _people(house.city.store)
    _staff(house.city)
    return house


@pytest.fixture(autouse=True)
def patient(house: web.House) -> Iterator[None]:
    """Nobody is locked out by the test before."""
    from django.core.cache import cache

    cache.clear()
    yield


@pytest.fixture
def browser(town: web.House) -> Browser:
    """A browser whose forms are checked."""
    return Browser(town)


@pytest.fixture
def worker(town: web.House) -> extract.Worker:
    city = town.city
    assert city is not None and city.extracts is not None
    return extract.Worker(city.access, city.store, city.extracts, city.now)


def at_work(town: web.House, number: str, duty: int = 0) -> Client:
    return Client(town).work(number, duty)


def text(answer: Any) -> str:
    """What an answer says, whatever it is."""
    body = b"".join(answer) if answer.streaming else answer.content
    return str(body.decode(errors="replace"))


def searched(client: Client, **form: str) -> Any:
    """The page to which a search leads."""
    return client.django.post("/people", {"register": "resident.jumin", **form}, follow=True)


__all__ = ["account"]
