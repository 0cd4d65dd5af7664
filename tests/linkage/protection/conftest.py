"""A city with a lane of protection, two flows out of it, and the events that protect and end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.store.conftest import CITY_HALL, EAST, SINCE, move_in, person

from kiban import standard, store
from kiban.kernel import ALL_WARDS, Actor, Period
from kiban.linkage import Contract, Feed, Protection, Receiver, System
from kiban.linkage import protection as lanes
from kiban.linkage.protection import PERSON, Lane, Unit
from kiban.store import Change, Store

NOW = datetime(2026, 5, 14, 1, tzinfo=UTC)
READER = Actor("linkage", None, ALL_WARDS, "支援措置の連携", protected=True)


def number(of: str) -> str:
    return of.zfill(15)


def someone(of: str) -> Unit:
    return Unit(PERSON, number(of))


def contract(edition: standard.Edition, flow: str, *groups: str, unit: str = "atenabango") -> Contract:
    """A flow with whole groups of an edition."""
    feeds = tuple(
        Feed(edition, edition.group(name), edition.group(name).items, edition.group(name).item(unit))
        for name in groups
    )
    return Contract(
        flow,
        flow,
        (1, 0, 0),
        "active",
        System("001", "住民記録", True, "resident"),
        System(flow[:3].upper(), flow, False),
        "試験",
        "試験の事務",
        feeds,
        frozenset({"event"}),
        None,
        (),
        Receiver(),
        {},
        Protection(True),
        None,
        "市民課",
        date(2026, 4, 1),
        None,
        "0" * 64,
    )


@pytest.fixture
def contracts(library: standard.Library) -> tuple[Contract, ...]:
    edition = library.edition("resident")
    return (
        contract(edition, "tax", "jumin"),
        contract(edition, "lib", "kyuji"),
        contract(edition, "home", "setai", unit="setaibango"),
    )


@pytest.fixture
def lane(city: Store, books: store.Books, contracts: tuple[Contract, ...]) -> Lane:
    """A lane that has looked through a city in which persons 1, 2 and 3 live, nobody protected."""
    for each in ("1", "2", "3"):
        move_in(city, person(each))
    made = Lane(city, books, contracts, "resident", READER)
    assert made.prepare(NOW) == 0
    return made


def measure(bango: str, of: str, state: str = "2", since: Period = SINCE, **items: Any) -> list[Change]:
    """A support measure for one person, in a state."""
    yes_no = ("yokushi_etsuran_genjusho", "yokushi_utsushi_genjusho", "yokushi_utsushi_zenjusho")
    yes_no += ("yokushi_fuhyo_honseki", "yokushi_fuhyo_zenhonseki", "yokushi_fuhyo_zenzenhonseki")
    row = {
        "shiensochibango": number(bango),
        "rirekibango": 1,
        "shiteitoshi_gyoseikutokodo": EAST,
        "shiensochikubun": "1",
        "shiensochijotai": state,
        "moshidenengappi": "2026-03-25",
        "karishiensochifuragu": "0",
        "shiensochishuryonengappi": "2026-04-30",
        **dict.fromkeys(yes_no, "1"),
        "zenjushochitaiofuragu": "0",
        "toshouketsukeshikuchosonkodo": EAST,
        "uketsukebashokodo": "000001",
        "sosashaid": "1",
        "sosanengappi": "2026-04-01",
        "sosajikoku": "09:00:00",
        **items,
    }
    covered = {
        "shiensochibango": number(bango),
        "taishosharenban": 1,
        "rirekibango": 1,
        "shiteitoshi_gyoseikutokodo": EAST,
        "taishoshakubun": "1",
        "atenabango": number(of),
        "shimei": "渡邉　花子",
    }
    return [
        Change("resident.shiensochi", row, since),
        Change("resident.shiensochi_taishosha", covered, SINCE),
    ]


def suppression(bango: str, **items: Any) -> Change:
    """A suppression (抑止); say of whom."""
    row = {
        "yokushibango": number(bango),
        "rirekibango": 1,
        "shiteitoshi_gyoseikutokodo": EAST,
        "yokushishubetsu": "1",
        "yokushitani": "1",
        "yokushishori": "9",
        "yokushireberu": "1",
        "yokushikaishinengappi": "2026-04-01",
        "yokushikaijofuragu": "0",
        "ichijikaijofuragu": "0",
        "sosashaid": "1",
        "sosanengappi": "2026-04-01",
        "sosajikoku": "09:00:00",
        **items,
    }
    return Change("resident.yokushi", row, SINCE)


def record(city: Store, *changes: Change, subject: str = "1") -> int:
    with city.session(CITY_HALL) as session:
        return session.record("支援措置", subject, changes)


@pytest.fixture
def take(city: Store, lane: Lane) -> Callable[..., list[lanes.Notice]]:
    """Lets the lane take in what was recorded; the notices it makes, published."""

    def run(after: timedelta = timedelta()) -> list[lanes.Notice]:
        last, _ = store.last_event(city)
        notices = lane.notices(last, NOW + after)
        lane.published(notices, NOW + after)
        return notices

    return run


def acknowledge_all(books: store.Books, notices: list[lanes.Notice]) -> None:
    for each in notices:
        lanes.acknowledge(books, each.flow, [(each.unit, each.state, each.event)], NOW)
