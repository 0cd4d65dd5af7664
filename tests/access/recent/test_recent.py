"""The last searches of a person are hers alone, few, and for a short time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kiban import standard, store
from kiban.access.recent import DAYS, MOST, Recent
from kiban.store import Store

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
KEY = b"a key of tests, thirty-two bytes!"


@pytest.fixture
def recent(databases: Any) -> Iterator[Recent]:
    from importlib import resources

    tables = resources.files("kiban.access.recent").joinpath("tables.sql").read_text(encoding="utf-8")
    with databases.fresh() as database:
        server = store.Server(database.owner_dsn, database.app_dsn)
        with Store(server, standard.Library(()), KEY) as opened:
            opened.install()
            with store.open_books(opened, "access", tables) as books:
                yield Recent(books)


def names(recent: Recent, account: str, now: datetime = NOW) -> list[str]:
    return [each.asked["name"] for each in recent.searches(account, now)]


def test_searches_are_few_ones_own_once_each_and_end(recent: Recent) -> None:
    for n in range(MOST + 5):
        recent.remember("one", {"name": f"氏名{n}"}, NOW + timedelta(seconds=n))
    recent.remember("other", {"name": "別人"}, NOW)
    later = NOW + timedelta(minutes=5)
    assert names(recent, "one", later) == [f"氏名{n}" for n in reversed(range(5, MOST + 5))]
    assert names(recent, "other", later) == ["別人"]
    recent.remember("one", {"name": "氏名7"}, later)
    assert names(recent, "one", later)[0] == "氏名7"
    assert len(names(recent, "one", later)) == MOST
    assert names(recent, "one", later + timedelta(days=DAYS, seconds=1)) == []
    recent.forget("one")
    assert names(recent, "one", later) == []
    assert names(recent, "other", later) == ["別人"]
