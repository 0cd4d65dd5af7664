"""Who is near to a member of staff, by the sections of the edition alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.store.conftest import CITY_HALL, SINCE, city, city_template, library, move_in, person

from kiban.access.audit import analyses
from kiban.kernel import AsOf
from kiban.store import Change, Store

__all__ = ["city", "city_template", "library"]
ON = date(2026, 11, 24)
HERE, ELSEWHERE = "901".zfill(15), {"jusho_choaza": "御影一丁目", "jusho_banchigohyoki": "１番１号"}


def another_household(city: Store) -> None:
    with city.session(CITY_HALL) as session:
        [row] = session.read("resident.setai", AsOf(ON), setaibango="900".zfill(15))
        items = {name: row[name] for name in city.table("resident.setai").items if row[name] is not None}
        session.record("設定", "city", [Change("resident.setai", {**items, "setaibango": HERE}, SINCE)])


def test_household_and_name_at_the_address_are_near_and_others_are_not(city: Store) -> None:
    another_household(city)
    for row in (
        person("1", "山田　太郎"),
        person("2", "佐藤　花子", shiensochifuragu="1"),  # of the household, protected
        person("3", "山田　次郎", setaibango=HERE),  # of the name, at the address
        person("4", "山田　三郎", setaibango=HERE, **ELSEWHERE),
        person("5", "鈴木　四郎", setaibango=HERE),
    ):
        move_in(city, row)
    with city.session(replace(CITY_HALL, protected=True)) as session:
        near = analyses.kin(session, city.edition("resident"), "1".zfill(15), ON)
    assert {subject.lstrip("0"): relation for subject, relation in near.items()} == {
        "1": "本人",
        "2": "同一世帯",
        "3": "同姓同住所",
    }
