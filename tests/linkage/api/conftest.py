"""A city whose register of 住登外者 follows the numbering API, with numbers set apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.store.conftest import CITY_HALL, KEY, move_in, person, settle

from kiban import linkage, main, standard, store
from kiban.kernel import ALL_WARDS, Actor, AsOf
from kiban.linkage import api
from kiban.linkage.api import Numbering, NumberingSpec, Rule
from kiban.settings import Settings
from kiban.store import Books, Store

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SECRET = b"a secret of the city, for tests only"
RULE = Rule(90_000_000_000_000, 90_000_000_999_999)
REGISTER = "nonresident_addressee.jutogaisha_atena_kihon_joho"


def fill(database: Any, library: standard.Library) -> None:
    with Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city:
        store.apply(city, library.edition("resident"), CITY_HALL)
        store.apply(city, library.edition("nonresident_addressee", "kiban-api-2.0"), CITY_HALL)
        settle(city)
        move_in(city, person("1"))


@pytest.fixture(scope="session")
def library() -> standard.Library:
    from pathlib import Path

    return main.library(given=Settings(home=Path("unused")))


@pytest.fixture(scope="session")
def spec(library: standard.Library) -> NumberingSpec:
    return api.numbering_spec(library)


@pytest.fixture(scope="session")
def numbering_template(databases: Any, library: standard.Library) -> str:
    return str(databases.template("numbering", lambda database: fill(database, library)))


@pytest.fixture
def city(databases: Any, numbering_template: str, library: standard.Library) -> Iterator[Store]:
    with (
        databases.fresh(numbering_template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as opened,
    ):
        yield opened


@pytest.fixture
def books(city: Store) -> Iterator[Books]:
    with linkage.open_linkage(city) as opened:
        yield opened


@pytest.fixture
def numbering(city: Store, books: Books, spec: NumberingSpec) -> Numbering:
    numbers = api.Numbers(books, SECRET)
    numbers.set_rule(RULE)
    return Numbering(spec, city, numbers, SECRET, lambda: NOW)


def request(**changed: Any) -> dict[str, Any]:
    """A request to number a person, as the official document gives it by example."""
    made: dict[str, Any] = {
        "shorikubun": "0",
        "shikuchosonkodo": "131016",
        "shimei": "佐藤　一郎",
        "uji_nihonjin": "佐藤",
        "na_nihonjin": "一郎",
        "shimei_furigana": "サトウ　イチロウ",
        "seibetsu": "1",
        "seinengappi": "1964-07-01",
        "jusho_todofuken": "東京都",
        "jusho_shikugunchosonmei": "千代田区",
        "jusho_choaza": "霞が関二丁目",
        "jusho_banchigohyoki": "１番６号",
        "gyomuid": "001",
        "dokujishisakushisutemutoid": "000",
        "nayosemotofuragu": "0",
        "tagyomusanshofukafuragu": "0",
        "sosashaid": "123456",
        "sosanengappi": "2026-11-24",
        "sosajikoku": "09:00:00",
    }
    return {name: value for name, value in {**made, **changed}.items() if value is not ...}


@dataclass(frozen=True)
class Rows:
    """What the register holds."""

    city: Store

    def of(self, number: str) -> list[dict[str, Any]]:
        with self.city.session(Actor("test", None, ALL_WARDS, "試験", protected=True)) as session:
            return session.read(REGISTER, AsOf(NOW.date()), atenabango=number)


@pytest.fixture
def rows(city: Store) -> Rows:
    return Rows(city)
