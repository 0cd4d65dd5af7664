"""What an actor may not reach is not there: other businesses, hidden items, by whatever way somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from kiban import store
from kiban.kernel import ALL_BUSINESSES, Actor, AsOf, Problem
from kiban.store import Change, Query, Session, Store, claim

from .conftest import CITY_HALL, EAST_CLERK, KEY, SINCE, move_in, person

DAY = AsOf(date(2026, 1, 1))
JUMIN = "resident.jumin"
NUMBER = "resident.jumin.kojinbango"
HER = "1".zfill(15)
TAX_CLERK = replace(CITY_HALL, businesses=frozenset({"individual_resident_tax"}))
BLINKERED = replace(EAST_CLERK, hidden=frozenset({NUMBER, "resident.jumin.seinengappi"}))


@pytest.fixture(scope="module")
def shared(databases: Any, city_template: str, library: Any) -> Iterator[Store]:
    """One person with an individual number; the tests of this module only look."""
    with (
        databases.fresh(city_template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as opened,
    ):
        move_in(opened, person(HER, kojinbango="123456789018"))
        yield opened


def test_the_registers_of_another_business_are_empty(shared: Store) -> None:
    with shared.session(TAX_CLERK) as session:
        assert session.read(JUMIN, DAY, atenabango=HER) == []
        assert session.history(JUMIN, atenabango=HER) == []
        assert session.search(JUMIN, Query(DAY.valid, kana="ワタナベ", wards="all")).hits == ()
        for name in ("resident.jumin", "resident.jumin_search", "resident.gyoseiku", "住民基本台帳.住民"):
            assert session.sql(f"SELECT count(*) AS n FROM {name}") == [{"n": 0}], name
    assert sum(batch.num_rows for batch in store.export_arrow(shared, JUMIN, None, TAX_CLERK)) == 0
    assert store.tally(shared, JUMIN, [], [], TAX_CLERK)["_rows"].to_pylist() == [0]


def test_nothing_is_recorded_in_another_business(shared: Store) -> None:
    with pytest.raises(Problem, match="business-outside"), shared.session(TAX_CLERK) as session:
        session.record("転入", HER, [Change(JUMIN, person("2"), SINCE)])


def test_several_businesses_are_open_to_whoever_has_duties_in_them(shared: Store) -> None:
    both = replace(TAX_CLERK, businesses=TAX_CLERK.businesses | {"resident"})
    with shared.session(both) as session:
        assert session.read(JUMIN, DAY, atenabango=HER)


@pytest.mark.parametrize(
    "widen",
    [
        lambda claimed: claimed.replace("individual_resident_tax", "*"),
        lambda claimed: claimed.replace("individual_resident_tax", "resident"),
        lambda claimed: claimed + "protected",
        lambda claimed: claimed.rsplit("\x1f", 2)[0],
        lambda claimed: claimed.rsplit("\x1f", 2)[0] + "\x1f*\x1fprotected",
    ],
)
def test_a_claim_that_was_widened_sees_nothing(shared: Store, widen: Callable[[str], str]) -> None:
    narrow = replace(TAX_CLERK, protected=False)
    with shared.session(narrow) as session:
        [row] = session.sql("SELECT current_setting('kiban.actor') AS claim")
        forged = widen(row["claim"])
        assert forged != row["claim"]
        session._connection.execute("SELECT set_config('kiban.actor', %s, true)", (forged,))
        for name in (
            "resident.jumin",
            "resident.gyoseiku",
            "nonresident_addressee.jutogaisha_atena_kihon_joho",
        ):
            assert session._connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchone() == (0,)
        session._connection.execute("SELECT set_config('kiban.actor', %s, true)", (row["claim"],))


@pytest.mark.parametrize(
    "businesses", [{"*", "resident"}, {"resident,individual_resident_tax"}, {"re\x1fs"}, {""}]
)
def test_businesses_that_would_be_read_otherwise_are_not_signed(businesses: set[str]) -> None:
    with pytest.raises(Problem, match="actor-unreadable"):
        claim.sign(replace(CITY_HALL, businesses=frozenset(businesses)), KEY, backend=1, started_at=1)
    assert claim.sign(replace(CITY_HALL, businesses=ALL_BUSINESSES), KEY, backend=1, started_at=1)


def test_hidden_items_are_in_no_row(shared: Store) -> None:
    with shared.session(BLINKERED) as session:
        rows = [*session.read(JUMIN, DAY, atenabango=HER), *session.history(JUMIN, atenabango=HER)]
        hits = session.search(JUMIN, Query(DAY.valid, kana="ワタナベ")).hits
        assert len(rows) == 2 and len(hits) == 1
        for row in (*rows, *(hit.row for hit in hits)):
            assert row and row["shimei"] and not {"kojinbango", "seinengappi"} & row.keys()
    [batch] = [b for b in store.export_arrow(shared, JUMIN, DAY, BLINKERED) if b.num_rows]
    assert "shimei" in batch.schema.names and not {"kojinbango", "seinengappi"} & set(batch.schema.names)


ASKED: dict[str, Callable[[Session], object]] = {
    "read": lambda s: s.read(JUMIN, DAY, kojinbango="123456789018"),
    "read by two": lambda s: s.read(JUMIN, DAY, atenabango=HER, kojinbango="123456789018"),
    "history": lambda s: s.history(JUMIN, kojinbango=["123456789018"]),
    "after_events": lambda s: s.after_events(JUMIN, [(9, {"atenabango": HER})], ["kojinbango"]),
    "after_events by": lambda s: s.after_events(JUMIN, [(9, {"kojinbango": "1"})], ["shimei"]),
    "since": lambda s: s.since(JUMIN, 0, ["kojinbango"]),
    "since where": lambda s: s.since(JUMIN, 0, ["shimei"], ("kojinbango", ["1"])),
    "since but": lambda s: s.since(JUMIN, 0, ["shimei"], but={"kojinbango": ["1"]}),
    "birth": lambda s: s.search(JUMIN, Query(DAY.valid, birth=(date(1990, 1, 1), date(1991, 1, 1)))),
    "name and birth": lambda s: s.search(JUMIN, Query(DAY.valid, name="渡", birth=(date(1990, 1, 1), date(1991, 1, 1)))),
    "sql": lambda s: s.sql("SELECT shimei FROM resident.jumin"),
    "copy": lambda s: list(s.copy_out("COPY (SELECT 1) TO STDOUT")),
    "record": lambda s: s.record("転居", HER, [Change(JUMIN, person(HER), SINCE)]),
}  # fmt: skip


@pytest.mark.parametrize("way", ASKED)
def test_hidden_items_are_not_asked_by_any_way(shared: Store, way: str) -> None:
    with pytest.raises(Problem, match="item-hidden"), shared.session(BLINKERED) as session:
        ASKED[way](session)


def test_hidden_items_enter_no_digest_and_no_sum(shared: Store) -> None:
    with pytest.raises(Problem, match="item-hidden"):
        list(store.row_digests(shared, JUMIN, ["kojinbango"], ["atenabango"], BLINKERED))
    with pytest.raises(Problem, match="item-hidden"):
        store.row_buckets(shared, JUMIN, ["shimei"], ["kojinbango"], BLINKERED)
    with pytest.raises(Problem, match="item-hidden"):
        store.tally(shared, JUMIN, ["seinengappi"], [], BLINKERED)
    with pytest.raises(Problem, match="item-hidden"):
        list(store.known_rows(shared, JUMIN, BLINKERED, 1))


def test_items_hidden_in_one_register_stay_open_in_another(shared: Store) -> None:
    other: Actor = replace(
        CITY_HALL, hidden=frozenset({"nonresident_addressee.jutogaisha_atena_kihon_joho.kojinbango"})
    )
    with shared.session(other) as session:
        [row] = session.read(JUMIN, DAY, kojinbango="123456789018")
        assert row["kojinbango"] == "123456789018"
