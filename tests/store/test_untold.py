"""A question about where a protected person lives meets the same rows whether it is right or wrong: no clock can tell them apart.

Rows are counted by the server itself, those of functions too, in the transaction of the question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban import store
from kiban.kernel import Actor, AsOf
from kiban.store import Change, Query, Session, Store
from kiban.store.session import begin

from .conftest import CITY_HALL, EAST, EAST_CLERK, KEY, NADA, NADA_CLERK, SINCE, WIDE_CLERK, move_in, person
from .test_protected_units import household

DAY = AsOf(date(2026, 1, 1))
JUMIN = "resident.jumin"
CLERKS = (EAST_CLERK, NADA_CLERK, WIDE_CLERK)
TOWNS = {EAST: "魚崎北町", NADA: "灘北通"}
Ask = Callable[[Session, dict[str, Any]], object]


def _woman(n: int, ward: str) -> dict[str, Any]:
    """One of several who are alike in all but their numbers and where they live."""
    items = {
        "setaibango": f"877{n}".zfill(15),
        "kojinbango": f"77777777777{n}",
        "shiteitoshi_gyoseikutokodo": ward,
        "jusho_choaza": f"{TOWNS[ward]}{'一二三四'[n]}丁目",
        "jusho_banchigohyoki": "８番８号",
        "shiensochifuragu": "1",
    }
    return person(f"77{n}", f"秘田　静{'一二三四'[n]}", f"ヒデン　シズ{'アイウエ'[n]}", **items)


WOMEN = [_woman(n, ward) for n, ward in enumerate((EAST, NADA, EAST, NADA))]


@pytest.fixture(scope="module")
def shared(databases: Any, city_template: str, library: Any) -> Iterator[Store]:
    with (
        databases.fresh(city_template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as opened,
    ):
        for n, ward in enumerate((EAST, NADA) * 4):
            move_in(
                opened,
                person(str(n + 1), shiteitoshi_gyoseikutokodo=ward, jusho_choaza=TOWNS[ward] + "一丁目"),
            )
        with opened.session(CITY_HALL) as session:
            for woman in WOMEN:
                home = household(opened, woman["setaibango"].lstrip("0"))
                session.record("設定", "home", [home, Change(JUMIN, woman, SINCE)])
        with opened.owner() as owner:
            owner.execute("ANALYZE")
        yield opened


def met(city: Store, actor: Actor, ask: Callable[[Session], object]) -> Counter[str]:
    """How many rows of each table a question of an actor meets, and how often each is looked into."""
    with psycopg.connect(city.server.owner_dsn, autocommit=True) as connection:
        connection.execute(
            "SET enable_seqscan = off"
        )  # a few rows are read through where thousands are looked up
        connection.execute("SET ROLE kiban_app")
        with begin(connection, actor, KEY, lambda *_: city.tables()) as session:
            ask(session)
            connection.execute("RESET ROLE")
            rows = connection.execute(
                "SELECT schemaname || '.' || relname, coalesce(seq_scan, 0) + coalesce(idx_scan, 0), seq_tup_read, "
                "coalesce(idx_tup_fetch, 0) "
                "FROM pg_stat_xact_user_tables"
            ).fetchall()
            connection.execute("SET ROLE kiban_app")
    found: Counter[str] = Counter()
    for name, scans, read, fetched in rows:
        found[f"looks into {name}"], found[f"rows of {name}"] = scans, read + fetched
    return found


def _address(woman: dict[str, Any], cut: int, right: bool) -> str:
    """The beginning of her address, or of one like it where nobody lives."""
    whole = woman["jusho_choaza"] + woman["jusho_banchigohyoki"]
    whole = whole[: len(whole) - cut]
    return whole if right else whole.replace("８番", "９番")


ADDRESSED: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "address": lambda _, where: {"address": where},
    "birthday and address": lambda _, where: {"address": where, "birth": (date(1990, 5, 17), date(1990, 5, 17))},
    "name and address": lambda woman, where: {"address": where, "name": woman["shimei"]},
    "kana, sex and address": lambda woman, where: {"address": where, "kana": woman["shimei_furigana"], "sex": "2"},
}  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(
    way=st.sampled_from(sorted(ADDRESSED)), woman=st.sampled_from(WOMEN), clerk=st.sampled_from(CLERKS),
    wards=st.sampled_from(["own", "all"]), cut=st.integers(0, 2),
)  # fmt: skip
def test_an_address_where_she_lives_is_one_where_nobody_lives(
    shared: Store, way: str, woman: dict[str, Any], clerk: Actor, wards: str, cut: int
) -> None:
    hers, nobodys = (
        met(shared, clerk, lambda session, right=right: session.search(
            JUMIN, Query(DAY.valid, wards=wards, **ADDRESSED[way](woman, _address(woman, cut, right)))
        ))
        for right in (True, False)
    )  # fmt: skip
    assert hers == nobodys


ASKED: dict[str, Ask] = {
    "read": lambda s, w: s.read(JUMIN, DAY, atenabango=w["atenabango"]),
    "read several": lambda s, w: s.read(JUMIN, DAY, atenabango=[w["atenabango"], "1".zfill(15)]),
    "history": lambda s, w: s.history(JUMIN, atenabango=w["atenabango"]),
    "since": lambda s, w: s.since(JUMIN, 0, ["shimei"], ("atenabango", [w["atenabango"]])),
    "after events": lambda s, w: s.after_events(JUMIN, [(99, {"atenabango": w["atenabango"]})], ["shimei"]),
    "after events by 個人番号": lambda s, w: s.after_events(JUMIN, [(99, {"kojinbango": w["kojinbango"]})], ["shimei"]),
    "household": lambda s, w: s.read("resident.setai", DAY, setaibango=w["setaibango"]),
    "people of the household": lambda s, w: s.read(JUMIN, DAY, setaibango=w["setaibango"]),
    "search by number": lambda s, w: s.search(JUMIN, Query(DAY.valid, number=("atenabango", w["atenabango"]))),
    "search by 個人番号": lambda s, w: s.search(JUMIN, Query(DAY.valid, number=("kojinbango", w["kojinbango"]))),
    "search by household": lambda s, w: s.search(JUMIN, Query(DAY.valid, number=("setaibango", w["setaibango"]))),
    "name": lambda s, w: s.search(JUMIN, Query(DAY.valid, name=w["shimei"])),
    "kana, everywhere": lambda s, w: s.search(JUMIN, Query(DAY.valid, kana=w["shimei_furigana"], wards="all")),
    "name and birthday": lambda s, w: s.search(
        JUMIN, Query(DAY.valid, name=w["shimei"], birth=(date(1990, 5, 17), date(1990, 5, 17)))
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", ASKED)
def test_her_ward_is_like_any_other(shared: Store, way: str) -> None:
    """Two women, one of whom lives in the ward of who asks."""
    for clerk in CLERKS:
        here, there = (met(shared, clerk, lambda s, w=w: ASKED[way](s, w)) for w in WOMEN[:2])
        assert here == there


@pytest.mark.parametrize(
    "way", [way for way in ASKED if "number" not in way and "個人番号" not in way and "several" not in way]
)
def test_no_row_of_hers_is_met_at_all(shared: Store, way: str) -> None:
    assert not met(shared, EAST_CLERK, lambda s: ASKED[way](s, WOMEN[0]))["rows of resident.jumin"]


def test_whoever_may_see_her_meets_her(shared: Store) -> None:
    """So the tests above can fail."""
    officer = replace(EAST_CLERK, protected=True)
    woman = WOMEN[0]
    address = [
        met(shared, officer, lambda s, r=r: s.search(JUMIN, Query(DAY.valid, address=_address(woman, 0, r))))
        for r in (True, False)
    ]
    assert address[0] != address[1]
    wards = [met(shared, officer, lambda s, w=w: ASKED["read"](s, w)) for w in WOMEN[:2]]
    assert wards[0]["rows of resident.jumin"]


def test_no_search_table_holds_an_entry_of_hers(shared: Store) -> None:
    numbers = [woman["atenabango"] for woman in WOMEN]
    with shared.owner() as owner:
        counted = owner.execute(
            "SELECT (SELECT count(*) FROM resident.jumin_search WHERE subject = ANY (%(n)s)), "
            "(SELECT count(*) FROM kiban.protected_name WHERE subject = ANY (%(n)s))",
            {"n": numbers},
        ).fetchone()
    assert counted == (0, len(WOMEN))


def test_an_entry_comes_back_when_protection_ends(shared: Store) -> None:
    woman = {**WOMEN[3], "rirekibango": 2, "shiensochifuragu": "0", "shimei": "別名　静"}
    for flag, others, apart in (("0", 2, 0), ("1", 0, 2)):
        with shared.session(CITY_HALL) as session:
            session.record(
                "支援", woman["atenabango"], [Change(JUMIN, {**woman, "shiensochifuragu": flag}, SINCE)]
            )
        with shared.owner() as owner:
            counted = owner.execute(
                "SELECT (SELECT count(*) FROM resident.jumin_search WHERE subject = %(n)s), "
                "(SELECT count(*) FROM kiban.protected_name WHERE subject = %(n)s)",
                {"n": woman["atenabango"]},
            ).fetchone()
        assert counted == (others, apart)
        with shared.session(NADA_CLERK) as session:
            [hit] = session.search(JUMIN, Query(DAY.valid, name="別名")).hits
        assert hit.protected == (flag == "1")
