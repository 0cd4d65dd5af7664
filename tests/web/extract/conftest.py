"""People of the house who extract."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.web.housing import BEGAN, Client

from kiban import web
from kiban.access import Assignment, Staff, extract

EUC, OTHER = "300001", "300002"


@pytest.fixture(scope="module")
def _hired(house: web.House) -> None:
    assert house.city is not None
    staff = [Staff(number, f"統計　{number[-1]}美", "トウケイ", BEGAN) for number in (EUC, OTHER)]
    duties = [Assignment(number, "euc", "hall", BEGAN) for number in (EUC, OTHER)]
    house.city.people.apply([*staff, *duties], "test", datetime.now(UTC))


@pytest.fixture
def euc(house: web.House, _hired: None) -> Client:
    """A browser of somebody who extracts."""
    return Client(house).work(EUC)


@pytest.fixture
def other(house: web.House, _hired: None) -> Client:
    """A browser of somebody else who extracts."""
    return Client(house).work(OTHER)


@pytest.fixture
def worker(house: web.House) -> extract.Worker:
    city = house.city
    assert city is not None
    assert city.extracts is not None
    return extract.Worker(city.access, city.store, city.extracts, city.now)
