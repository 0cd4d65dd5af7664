"""Whom the walk meets, and who walks: one member of staff with two duties."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.store.conftest import CITY_HALL, move_in, person
from tests.web.housing import BEGAN
from tests.web.signin.conftest import Live, fresh, live
from tests.web.signin.conftest import person as account

from kiban.access import Assignment, Staff, extract
from kiban.kernel import Period
from kiban.store import Change, Store

CLERK = "600001"
PLAIN, HER = (f"9400{n}".zfill(15) for n in range(1, 3))
STREET, BEFORE, NOW = "歩浜町三丁目", "１１番１号", "２２番２号"
HER_NUMBER = "７７番７７号"
SECRETS = (STREET, HER_NUMBER, "潮見", "静波", "シズナミ")
"""Where the protected woman lives, and what nobody types of her name."""
SINCE = Period(date(2021, 4, 1))
_CHILD = "2014-05-17"  # who counts the adults of the house elsewhere does not count these
_HOME = "940".zfill(15)  # her own: protection closes the whole household
_HER: dict[str, Any] = person(
    HER,
    "潮見　静波",
    "シオミ　シズナミ",
    setaibango=_HOME,
    jusho_choaza=STREET,
    jusho_banchigohyoki=HER_NUMBER,
    seinengappi=_CHILD,
)
_HOUSEHOLD = {
    "setaibango": _HOME, "rirekibango": 1, "shiteitoshi_gyoseikutokodo": "281018", "setainushimisetteifuragu": "1",
    "setaijotai": "1", "setaininzu": 1, "jusho_shikuchosonkodo": "281018", "jusho_todofuken": "兵庫県",
    "jusho_shikugunchosonmei": "神戸市東灘区",
}  # fmt: skip


def _people(city: Store) -> None:
    street = {"jusho_choaza": STREET, "seinengappi": _CHILD}
    first = person(PLAIN, "歩田　一歩", "アルタ　カズホ", jusho_banchigohyoki=BEFORE, **street)
    move_in(city, first, SINCE)
    moved = {**first, "rirekibango": 2, "jusho_banchigohyoki": NOW}
    day = date(2024, 1, 1)
    with city.session(CITY_HALL) as session:
        session.record("転居", PLAIN, [Change("resident.jumin", moved, Period(day))], valid=day)
        session.record("設定", _HOME, [Change("resident.setai", _HOUSEHOLD, SINCE)])
    move_in(city, _HER, SINCE)


@dataclass(frozen=True)
class Town:
    """The service and the city behind it."""

    live: Live
    store: Store
    worker: extract.Worker

    def protect(self) -> None:
        """Somebody who may records, just now, that she is protected."""
        row = {**_HER, "rirekibango": 2, "shiensochifuragu": "1"}
        with self.store.session(CITY_HALL) as session:
            changes = [Change("resident.jumin", row, Period(date(2023, 4, 1)))]
            session.record("支援措置", HER, changes)


@pytest.fixture(scope="module")
def town(live: Live) -> Town:
    """The city with the two women, and the clerk at work in it."""
    city = live.house.city
    assert city is not None and city.extracts is not None
    _people(city.store)
    duties = [
        Assignment(CLERK, duty, office, BEGAN)
        for duty, office in (("resident-counter", "east-residents"), ("euc", "hall"))
    ]
    city.people.apply(
        [Staff(CLERK, "六甲　歩", "ロッコウ　アユミ", BEGAN), *duties], "test", datetime.now(UTC)
    )
    return Town(live, city.store, extract.Worker(city.access, city.store, city.extracts, city.now))


__all__ = ["account", "fresh", "live"]
