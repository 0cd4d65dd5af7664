"""A small city at work: a hall, two ward offices, a branch, and people in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest

from kiban import access, standard, store
from kiban.access import Access, Assignment, Office, People, Staff
from kiban.store import Store

KEY = b"a key of tests, thirty-two bytes!"
EAST, NADA = "281018", "281026"
DAY = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
BEGAN = date(2026, 4, 1)
OFFICES = (
    Office("hall", "市役所", "city"),
    Office("audit", "監査課", "section", "hall"),
    Office("east", "東灘区役所", "ward", "hall", EAST),
    Office("east-residents", "市民課", "section", "east", EAST),
    Office("nada", "灘区役所", "ward", "hall", NADA),
    Office("old-branch", "旧支所", "branch", "nada", NADA, None, date(2026, 10, 1)),
)
_numbers = count(1)


@pytest.fixture(scope="module")
def room(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    """The room of a module, with the offices."""
    seal = access.seal(tmp_path_factory.mktemp("home") / "access.key")
    with databases.fresh() as database:
        empty = Store(store.Server(database.owner_dsn, database.app_dsn), standard.Library(()), KEY)
        with empty, access.open_access(empty, seal) as opened:
            opened.people.apply(OFFICES, "test", AT)
            yield opened


@pytest.fixture(scope="module")
def people(room: Access) -> People:
    return room.people


@pytest.fixture
def hire(people: People) -> Callable[..., Staff]:
    """Makes a member of staff whom no other test knows, with duties."""

    def made(*duties: tuple[str, str], start: date = BEGAN, end: date | None = None) -> Staff:
        number = f"{next(_numbers):06}"
        staff = Staff(number, "基盤　太郎", "キバン　タロウ", start, end)
        people.apply(
            [staff, *(Assignment(number, duty, office, start) for duty, office in duties)], "test", AT
        )
        return staff

    return made
