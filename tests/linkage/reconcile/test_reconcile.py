"""A drifted copy is found row by row, whatever was done to it, mended by exactly what differs, and shown equal."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.linkage.files.conftest import (
    EXAMPLE,
    NOW,
    contract,
    desk,
    folder,
    move_in,
    rename,
    scratch,
    unit,
    wide,
)

from kiban import sets
from kiban.kernel import Problem
from kiban.linkage import Contract, Protection, Replica
from kiban.linkage.files import CsvCodec, Intake, Protected, Source, publish_full, take_newest
from kiban.linkage.reconcile import compare, into, repair, suspects
from kiban.standard import Library
from kiban.store import Store

__all__ = ["desk", "folder", "scratch"]

PEOPLE = 60
Desks = Callable[..., Any]


@pytest.fixture
def flow(library: Library) -> Contract:
    return contract(library, protection=Protection(True, {"jumin": frozenset({"jusho_banchigohyoki"})}))


@pytest.fixture
def held(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, scratch: Path, tmp_path: Path
) -> Iterator[tuple[Source, Replica]]:
    """A replica that took everybody by a full set; two residents are protected, and one item of theirs is withheld."""
    for number in range(1, PEOPLE + 1):
        event = move_in(city, number, f"住民　{wide(number)}郎")
    known = Protected({unit(3): ("protected", 5), unit(4): ("protected", 9), unit(5): ("clear", 9)}, "clear")
    publish_full(desk(folder, protected=lambda _contract, _event: known), flow)
    with Replica.open(tmp_path / "replica", flow) as replica:
        take_newest(replica, folder, Intake(CsvCodec(EXAMPLE), scratch, lambda: NOW, unsigned=True))
        yield Source(city, flow, known, event), replica


def tamper(replica: Replica, statement: str, *values: object) -> None:
    """Change what lies in the file of the replica behind its back."""
    connection = sqlite3.connect(replica.file)
    with connection:
        assert connection.execute(statement, values).rowcount == 1
    connection.close()


def test_a_copy_without_drift_is_equal(held: tuple[Source, Replica], scratch: Path) -> None:
    found = compare(*held, scratch)
    assert found.equal and found.under_way == 0
    assert [(one.feed, one.provider, one.consumer, one.buckets) for one in found.feeds] == [
        *(("jumin", PEOPLE, PEOPLE, 0), ("setai", 1, 1, 0)),
    ]
    assert all(one.digests[0] == one.digests[1] for one in found.feeds)


def test_every_seeded_change_of_one_field_is_found_and_mended(
    held: tuple[Source, Replica], scratch: Path
) -> None:
    source, replica = held
    feed = source.contract.feed("jumin")
    items = [name for name in feed.columns if name not in feed.key]
    draw = random.Random(7)
    seeded = {}
    for number in draw.sample(range(1, PEOPLE + 1), 40):
        item = draw.choice(items)
        seeded[unit(number)] = item
        wrong: object = "2031-01-01" if item.startswith("valid") else 99 if item == "rirekibango" else "違"
        tamper(replica, f'UPDATE jumin SET "{item}" = ? WHERE atenabango = ?', wrong, unit(number))
    found = compare(source, replica, scratch)
    assert {one.unit: one.items for one in found.drifted} == {key: (item,) for key, item in seeded.items()}
    assert {one.what for one in found.drifted} == {"differs"} and not found.equal
    assert unit(1) not in repr(found)
    before = replica.effects()
    after = repair(source, replica, found, into(source, replica, lambda: NOW), scratch)
    assert after.equal and replica.effects() == before


def test_rows_that_are_missing_extra_or_there_twice_are_named(
    held: tuple[Source, Replica], scratch: Path
) -> None:
    source, replica = held
    tamper(replica, "DELETE FROM jumin WHERE atenabango = ?", unit(7))
    tamper(replica, "INSERT INTO jumin SELECT * FROM jumin WHERE atenabango = ?", unit(8))
    tamper(replica, "UPDATE jumin SET atenabango = ? WHERE atenabango = ?", unit(900), unit(9))
    tamper(replica, "UPDATE setai SET setaininzu = 7")
    found = compare(source, replica, scratch)
    assert sorted((one.feed, one.what, one.unit) for one in found.drifted) == [
        ("jumin", "extra", unit(900)),
        ("jumin", "missing", unit(7)),
        ("jumin", "missing", unit(9)),
        ("jumin", "repeated", unit(8)),
        ("setai", "differs", "900".zfill(15)),
    ]
    assert repair(source, replica, found, into(source, replica, lambda: NOW), scratch).equal


def test_what_is_only_under_way_is_no_drift(held: tuple[Source, Replica], scratch: Path) -> None:
    source, replica = held
    rename(source.opened, 10, "新　花子")
    event = move_in(source.opened, PEOPLE + 1)
    later = Source(source.opened, source.contract, source.protected, event)
    found = compare(later, replica, scratch)
    assert found.equal and found.under_way == 2
    tamper(replica, "UPDATE jumin SET shimei = '違' WHERE atenabango = ?", unit(10))
    found = compare(later, replica, scratch)
    assert [(one.unit, one.items) for one in found.drifted] == [(unit(10), ("shimei",))]
    assert found.under_way == 1
    after = repair(later, replica, found, into(later, replica, lambda: NOW), scratch)
    assert after.equal and after.under_way == 2
    assert [row["shimei"] for row in replica.rows("jumin", unit(10))] == ["住民　１０郎"]


def test_a_withheld_item_that_came_to_be_there_is_drift(held: tuple[Source, Replica], scratch: Path) -> None:
    source, replica = held
    assert replica.rows("jumin", unit(3))[0]["jusho_banchigohyoki"] is None
    tamper(replica, "UPDATE jumin SET jusho_banchigohyoki = '２番３号' WHERE atenabango = ?", unit(3))
    found = compare(source, replica, scratch)
    assert [(one.unit, one.items) for one in found.drifted] == [(unit(3), ("jusho_banchigohyoki",))]
    assert repair(source, replica, found, into(source, replica, lambda: NOW), scratch).equal


def test_where_nobody_can_tell_who_is_protected_both_sides_hold_nothing_of_what_is_withheld(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, scratch: Path, tmp_path: Path
) -> None:
    event = move_in(city, 1)
    move_in(city, 2)
    known = Protected({unit(2): ("clear", event)}, "unknown")
    publish_full(desk(folder, protected=lambda _contract, _event: known), flow)
    with Replica.open(tmp_path / "replica", flow) as replica:
        take_newest(replica, folder, Intake(CsvCodec(EXAMPLE), scratch, lambda: NOW, unsigned=True))
        assert [replica.rows("jumin", unit(n))[0]["jusho_banchigohyoki"] for n in (1, 2)] == [
            None,
            "２番３号",
        ]
        found = compare(Source(city, flow, known, event + 1), replica, scratch)
        assert found.equal and [one.buckets for one in found.feeds] == [0, 0]


def test_a_consumer_that_tells_only_its_buckets_is_mended_by_those_that_differ(
    held: tuple[Source, Replica], scratch: Path
) -> None:
    from kiban.linkage.reconcile.sides import consumer_buckets

    source, replica = held
    tamper(replica, "UPDATE jumin SET shimei = '違' WHERE atenabango = ?", unit(20))
    told = {feed.name: consumer_buckets(replica, feed) for feed in source.contract.feeds}
    named = list(suspects(source, told))
    assert unit(20) in named and len(named) < 5
    into(source, replica, lambda: NOW)([(one, replica.version(one)) for one in named])
    told = {feed.name: consumer_buckets(replica, feed) for feed in source.contract.feeds}
    assert list(suspects(source, told)) == []


def test_a_repair_that_does_not_reach_the_copy_is_no_repair(
    held: tuple[Source, Replica], scratch: Path
) -> None:
    source, replica = held
    tamper(replica, "UPDATE jumin SET shimei = '違' WHERE atenabango = ?", unit(20))
    found = compare(source, replica, scratch)
    with pytest.raises(Problem, match="repair-incomplete"):
        repair(source, replica, found, lambda _versions: None, scratch)
