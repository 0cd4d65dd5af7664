"""A donors' system writes to the register of non-residents; a welfare system to that of residents, which belongs to wards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.store.conftest import SINCE

from kiban import standard, store
from kiban.kernel import ALL_WARDS, Actor, Period
from kiban.linkage import Contract, Contracts, Feed, Incoming, Message, Protection, Receiver, System
from kiban.linkage.incoming import Authority, Intake, Mastery, WorkList
from kiban.store import Change, Store

NOW = datetime(2026, 10, 1, 1, tzinfo=UTC)
KIHON = "nonresident_addressee.jutogaisha_atena_kihon_joho"
OFFICER = Actor("mori", None, ALL_WARDS, "住登外者宛名の管理", protected=True)
FIELDS = ("jusho_choaza", "jusho_banchigohyoki", "jusho_katagaki", "jusho_yubinbango", "shimei")


def number(of: str) -> str:
    return of.zfill(15)


def donor(of: str, **items: Any) -> dict[str, Any]:
    """A whole row of the register of non-residents."""
    row = {
        "atenabango": number(of),
        "shimei": "佐藤　一郎",
        "jusho_choaza": "霞が関二丁目",
        "jusho_banchigohyoki": "１番６号",
        "jusho_yubinbango": "1000014",
        "daihyoatenafuragu": 1,
        "sosashaid": "1",
        "sosanengappi": "2026-04-01",
        "sosajikoku": "09:00:00",
    }
    return {**row, **items}


@pytest.fixture
def flow(samples: Contracts, city: Store) -> Contract:
    """The donors' flow: 方書 and 郵便番号 are applied, all else is proposed."""
    found = samples.flow("donor-nonresident.v1")
    edition = city.edition("nonresident_addressee")
    [feed] = found.feeds
    group = edition.group(feed.group.id)
    items = tuple(item for item in group.items if item.romaji in {"atenabango", *FIELDS})
    narrow = Feed(edition, group, items, group.item("atenabango"))
    return replace(found, feeds=(narrow,), protection=Protection(True))


@pytest.fixture
def authority(flow: Contract) -> Authority:
    return Authority((Mastery(KIHON, "*", None, None, "F01"),))


@pytest.fixture
def intake(city: Store, books: store.Books, flow: Contract, authority: Authority) -> Intake:
    with city.session(OFFICER) as session:
        session.record("付番", "1", [Change(KIHON, donor("1"), SINCE)])
    return Intake(city, books, flow, authority)


@pytest.fixture
def work(city: Store, books: store.Books, flow: Contract) -> WorkList:
    return WorkList(city, books, flow)


@pytest.fixture
def say(flow: Contract) -> Callable[..., Message]:
    """A message of the donors' system: the person's rows with some items changed."""

    def make(event: int, previous: int, of: str = "1", rows: Any = None, **items: Any) -> Message:
        given = {name: donor(of).get(name) for name in ("atenabango", *FIELDS)}
        row = {**given, **items, "valid_from": "2020-04-01", "valid_to": None}
        name = flow.feeds[0].name
        return Message(
            flow.flow,
            flow.digest,
            number(of),
            event,
            previous,
            "2026-10-01T00:00:00+00:00",
            "住所変更",
            "2026-10-01",
            None,
            "clear",
            0,
            {name: [row] if rows is None else rows},
        )

    return make


def now_known(city: Store, of: str = "1") -> list[dict[str, Any]]:
    with city.session(OFFICER) as session:
        return session.history(KIHON, None, atenabango=number(of))


def events_of(city: Store, after: int) -> list[store.Told]:
    return store.told_after(city, after, 1_000)


@pytest.fixture
def ward_flow(library: standard.Library) -> Contract:
    """A flow into the register of residents, whose rows belong to wards."""
    edition = library.edition("resident")
    group = edition.group("jumin")
    wanted = {"atenabango", "rirekibango", "shimei", "jusho_banchigohyoki", "shiteitoshi_gyoseikutokodo"}
    items = tuple(item for item in group.items if item.romaji in wanted)
    return Contract(
        "welfare",
        "福祉からの訂正",
        (1, 0, 0),
        "active",
        System("WEL", "福祉システム", False),
        System("001", "住民記録", True, "resident"),
        "試験",
        "福祉の事務",
        (Feed(edition, group, items, group.item("atenabango")),),
        frozenset({"event"}),
        None,
        (),
        Receiver(),
        {},
        Protection(True),
        Incoming({}, "市民課"),
        "市民課",
        date(2026, 4, 1),
        None,
        "0" * 64,
    )


ALWAYS = Period(None)
FOLDER = Path(__file__).parent
