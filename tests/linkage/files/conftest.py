"""A city whose residents go to a tax system as files: contracts made by hand, a desk to publish from, shelves."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.sets.conftest import folder, object_store, scratch
from tests.sets.object_store import ObjectStore
from tests.store.conftest import CITY_HALL, SINCE, person

from kiban import sets, standard
from kiban.kernel import Period
from kiban.linkage import Contract, Due, Feed, Profile, Protection, Receiver, System
from kiban.linkage.files import CsvCodec, Desk, Protected
from kiban.store import Change, Store

__all__ = ["folder", "object_store", "scratch"]

NOW = datetime(2026, 10, 1, 0, 30, tzinfo=UTC)
DAY = date(2026, 10, 1)
JUMIN = ("atenabango", "shimei", "seinengappi", "jusho_banchigohyoki", "shojojiyu", "shiensochifuragu")
SETAI = ("setaibango", "setaininzu")
EXAMPLE = Profile("rei-utf8", "例（公式ではない）")


def feed(edition: standard.Edition, group: str, unit: str, items: tuple[str, ...]) -> Feed:
    found = edition.group(group)
    wanted = {*items, *(item.romaji for item in found.key)}
    return Feed(
        edition, found, tuple(item for item in found.items if item.romaji in wanted), found.item(unit)
    )


def contract(library: standard.Library, **changes: Any) -> Contract:
    """A contract in force: residents and households, as files every day at six."""
    edition = library.edition("resident")
    feeds = (
        feed(edition, "jumin", "atenabango", JUMIN),
        feed(edition, "setai", "setaibango", SETAI),
    )
    given: dict[str, Any] = {
        **{"id": "jumin-zei", "title": "住民情報", "version": (1, 0, 0), "status": "active"},
        **{
            "provider": System("001", "住民記録", True, "resident"),
            "consumer": System("Z01", "試験税", False),
        },
        **{"basis": "例（公式ではない）", "purpose": "課税", "feeds": feeds, "ways": frozenset({"file"})},
        **{"profile": "rei-utf8", "due": (Due("full", 360, "day", None, timedelta(minutes=5)),)},
        **{"receiver": Receiver(), "quality": {}, "protection": Protection(True), "incoming": None},
        **{"owner": "税務課", "effective": date(2026, 1, 1), "until": None, "digest": "0" * 64},
    }
    return Contract(**{**given, **changes})


@pytest.fixture
def flow(library: standard.Library) -> Contract:
    return contract(library)


@pytest.fixture(params=["folder", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> sets.Shelf:
    """An empty shelf of either kind."""
    if request.param == "folder":
        return sets.open_shelf(tmp_path / "shelf", make=True)
    store: ObjectStore = request.getfixturevalue("object_store")
    return store.shelf(uuid.uuid4().hex)


@pytest.fixture
def desk(city: Store, tmp_path: Path) -> Callable[..., Desk]:
    """Makes desks that publish from the city of this test; nobody is protected unless said so."""

    def made(shelf: sets.Shelf, profile: Profile = EXAMPLE, **given: Any) -> Desk:
        usual: dict[str, Any] = {
            "codec": CsvCodec(profile),
            "folder": tmp_path / "making",
            "clock": lambda: NOW,
            "protected": lambda _contract, _event: Protected({}, "clear"),
        }
        return Desk(city, shelf, **{**usual, **given})

    return made


def wide(number: int) -> str:
    """A number in full-width figures, as names have them."""
    return "".join(chr(ord(figure) + 0xFEE0) for figure in str(number))


def unit(number: int) -> str:
    return str(number).zfill(15)


def move_in(city: Store, number: int, name: str = "渡邉　花子", **items: Any) -> int:
    """A resident moves in, by one event."""
    with city.session(CITY_HALL) as session:
        return session.record(
            "国内転入", str(number), [Change("resident.jumin", person(str(number), name, **items), SINCE)]
        )


def rename(city: Store, number: int, name: str, since: date = date(2024, 4, 1), **items: Any) -> int:
    """A resident's name changes from a day on."""
    row = person(str(number), name, rirekibango=2, **items)
    with city.session(CITY_HALL) as session:
        return session.record("氏名変更", str(number), [Change("resident.jumin", row, Period(since))])


def cancel(city: Store, number: int) -> int:
    """The whole record of a resident is cancelled: no row is left."""
    gone = Change("resident.jumin", None, Period(None), {"atenabango": unit(number)})
    with city.session(CITY_HALL) as session:
        return session.record("職権消除の取消", str(number), [gone])
