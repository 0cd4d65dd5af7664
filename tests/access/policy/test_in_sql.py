"""The database gives a person at work what her duty allows: the same answer as the grant, whichever way it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.store.conftest import KEY, NADA, fill, move_in, person, settle

from kiban import standard, store
from kiban.access import Office, Policies
from kiban.kernel import Actor, AsOf, Problem
from kiban.store import Store

from .conftest import DAY, EAST_OFFICE, HALL, at_work

NADA_OFFICE = Office("nada", "灘区役所", "ward", "hall", NADA)
MAIKA = "1".zfill(15)


@pytest.fixture(scope="module")
def city(databases: Any, library: standard.Library) -> Iterator[Store]:
    template = databases.template("policy", lambda database: fill(database, library, settle))
    with (
        databases.fresh(template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as opened,
    ):
        move_in(opened, person("1", kojinbango="000000000019", juminhyokodo="00000000019"))
        yield opened


def read(city: Store, actor: Actor, register: str = "resident.jumin", **items: str) -> list[dict[str, Any]]:
    with city.session(actor) as session:
        return session.read(register, AsOf(DAY), **(items or {"atenabango": MAIKA}))


def test_hidden_items_are_in_no_row(city: Store, policies: Policies) -> None:
    [counter] = read(city, policies.grant(at_work("resident-counter")).actor())
    [records] = read(city, policies.grant(at_work("resident-records")).actor())
    assert counter["shimei"] == records["shimei"] and records["kojinbango"] == "000000000019"
    assert "kojinbango" not in counter and "juminhyokodo" not in counter and "hittosha" in counter


def test_nobody_asks_by_what_is_hidden(city: Store, policies: Policies) -> None:
    with pytest.raises(Problem) as error:
        read(city, policies.grant(at_work("resident-counter")).actor(), kojinbango="000000000019")
    assert error.value.code == "item-hidden"
    assert read(city, policies.grant(at_work("resident-records")).actor(), kojinbango="000000000019")


def test_a_group_that_is_hidden_whole_is_closed(city: Store, policies: Policies) -> None:
    actor = policies.grant(at_work("resident-counter")).actor()
    with pytest.raises(Problem) as error:
        read(city, actor, "resident.shiensochi_taishosha", atenabango=MAIKA)
    assert error.value.code == "item-hidden"


def test_other_wards_are_closed_to_a_duty_of_one_ward(city: Store, policies: Policies) -> None:
    for office, found in ((EAST_OFFICE, 1), (NADA_OFFICE, 0), (HALL, 0)):
        welfare = policies.grant(at_work("welfare", "福祉事務", office)).actor("read", "resident")
        assert len(read(city, welfare)) == found
    assert len(read(city, policies.grant(at_work("resident-counter", office=NADA_OFFICE)).actor())) == 1


def test_a_business_without_a_duty_is_closed(city: Store, policies: Policies) -> None:
    counter = policies.grant(at_work("resident-counter")).actor()
    assert read(city, counter, "nonresident_addressee.jutogaisha_atena_kihon_joho") == []
