"""The lane and the replicas of consumers together: newest protect wins, whoever does not know protects."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from kiban import store
from kiban.linkage import Contract, Replica
from kiban.linkage import protection as lanes
from kiban.linkage.protection import Lane, Notice
from kiban.store import Store

from .conftest import NOW, measure, number, record, someone

Take = Callable[..., list[Notice]]
ONE = number("1")


@pytest.fixture
def replica(tmp_path: Path, contracts: tuple[Contract, ...]) -> Replica:
    return Replica.open(tmp_path / "replica", contracts[0])


def answer(books: store.Books, replica: Replica, notices: list[Notice]) -> None:
    for each in notices:
        if each.flow == replica.contract.flow:
            replica.protect(each.unit, each.state, each.event, NOW)
            held = (each.unit, *replica.protection_held(each.unit))
            lanes.acknowledge(books, each.flow, [held], NOW)


def test_a_replica_that_was_told_nothing_protects(replica: Replica) -> None:
    assert replica.protection_held(ONE)[0] == "unknown"


def test_from_the_event_to_the_end_every_side_agrees(
    lane: Lane, take: Take, city: Store, books: store.Books, replica: Replica
) -> None:
    event = record(city, *measure("1", "1"))
    notices = take()
    record(city, measure("1", "1", "4")[0])
    lanes.propose_off(lane, books, someone("1"), event, "mori", "申出", NOW)
    assert lanes.confirm_off(lane, books, someone("1"), event, "hara", NOW).waits == ("subscribers",)
    answer(books, replica, notices)
    assert replica.protection_held(ONE) == ("protected", event)
    assert lanes.release_due(lane, books, NOW)[0] == someone("1")
    answer(books, replica, take())
    ended = lane.known([someone("1")])[someone("1")]
    assert replica.protection_held(ONE) == (ended.state, ended.event) == ("clear", ended.event)


@pytest.mark.parametrize("seed", range(5))
def test_in_whatever_order_notices_come_the_newest_wins(
    lane: Lane, take: Take, city: Store, books: store.Books, replica: Replica, seed: int
) -> None:
    told: list[Notice] = []
    for bango in ("1", "2"):
        event = record(city, *measure(bango, "1"))
        told += take()
        for each in told:
            lanes.acknowledge(books, each.flow, [(each.unit, each.state, each.event)], NOW)
        record(city, measure(bango, "1", "4")[0])
        lanes.propose_off(lane, books, someone("1"), event, "mori", "申出", NOW)
        assert lanes.confirm_off(lane, books, someone("1"), event, "hara", NOW).waits == ()
        told += take()
    last = record(city, *measure("3", "1"))
    told += take()
    own = [each for each in told if each.flow == "tax.v1"] * 2
    assert [each.state for each in own[: len(own) // 2]] == ["protected", "clear"] * 2 + ["protected"]
    random.Random(seed).shuffle(own)
    answer(books, replica, own)
    assert replica.protection_held(ONE) == ("protected", last)
