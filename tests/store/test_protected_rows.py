"""Whoever may not see protected rows finds that there is such a person, and nothing more, by whatever way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from tests.linkage.protection.conftest import measure, number, suppression

from kiban import store
from kiban.kernel import AsOf, Period, Problem
from kiban.store import Change, Query, Store, soundness
from kiban.store.errors import as_problems

from .conftest import CITY_HALL, EAST, EAST_CLERK, KEY, NADA, SINCE, move_in, person
from .test_protected_units import household

DAY = AsOf(date(2026, 1, 1))
JUMIN = "resident.jumin"
HER, MOTHER, OTHER, FORMER = number("1"), number("2"), number("3"), number("4")
HOME = number("901")
CITY_CLERK = replace(CITY_HALL, id="clerk", protected=False)
OFFICER = replace(CITY_HALL, id="officer")
NOW = datetime.now(UTC)
EARLIER = Period(date(2020, 4, 1), date(2025, 1, 1))


def her(name: str = "秋山　静", kana: str = "アキヤマ　シズカ", **items: Any) -> dict[str, Any]:
    given = {"setaibango": HOME, "kojinbango": "111111111111", "shiteitoshi_gyoseikutokodo": NADA}
    return person(HER, name, kana, **given, **items)


def live(city: Store) -> None:
    """She and her mother live in one household, which the one whom she fled has left; another person lives elsewhere."""
    with city.session(CITY_HALL) as session:
        session.record("設定", "home", [household(city, "901")])
    move_in(city, her())
    move_in(
        city, person(MOTHER, "秋山　母", "アキヤマ　ハハ", setaibango=HOME, shiteitoshi_gyoseikutokodo=NADA)
    )
    move_in(city, person(OTHER, "秋山　隣", "アキヤマ　トナリ"))
    move_in(city, person(FORMER, "秋山　前", "アキヤマ　マエ", setaibango=HOME), EARLIER)
    move_in(city, person(FORMER, "秋山　前", "アキヤマ　マエ"), Period(date(2025, 1, 1)))
    with city.session(CITY_HALL) as session:
        session.record("支援", HER, [Change(JUMIN, her(shiensochifuragu="1"), SINCE), *measure("1", HER)])


@pytest.fixture(scope="module")
def shared(databases: Any, city_template: str, library: Any) -> Iterator[Store]:
    with (
        databases.fresh(city_template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as opened,
    ):
        live(opened)
        yield opened


def owner_asks(city: Store, query: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(city.server.owner_dsn) as owner:
        return owner.execute(query.encode(), values).fetchall()


def test_no_way_of_reading_shows_a_row_of_hers_or_of_her_household(shared: Store) -> None:
    moment = datetime.now(UTC)
    with shared.session(CITY_CLERK) as session:
        for named in (
            {"atenabango": HER},
            {"atenabango": MOTHER},
            {"setaibango": HOME},
            {"kojinbango": "111111111111"},
        ):
            assert session.read(JUMIN, DAY, **named) == []
            assert session.read(JUMIN, AsOf(date(2021, 1, 1), moment), **named) == []
            assert session.history(JUMIN, **named) == []
        assert session.read("resident.setai", DAY, setaibango=HOME) == []
        assert session.read("resident.shiensochi_taishosha", DAY, atenabango=HER) == []
        assert session.after_events(JUMIN, [(99, {"atenabango": HER})], ["shimei"]) == [[]]
        assert {row["shimei"] for row in session.since(JUMIN, 0, ["shimei"])} == {"秋山　隣", "秋山　前"}
        assert [row["setaibango"] for row in session.history(JUMIN, atenabango=FORMER)] == [number("900")]


COUNTED = {
    "raw": "SELECT count(*) AS n FROM resident.jumin WHERE atenabango IN (%s, %s)",
    "search table": "SELECT count(*) AS n FROM resident.jumin_search WHERE subject IN (%s, %s)",
    "view": "SELECT count(*) AS n FROM 住民基本台帳.住民 WHERE 宛名番号 IN (%s, %s)",
    "view of everything": "SELECT count(*) AS n FROM 住民基本台帳.住民_全記録 WHERE 宛名番号 IN (%s, %s)",
    "join": "SELECT count(*) AS n FROM resident.setai s LEFT JOIN resident.jumin j USING (setaibango) WHERE j.atenabango IN (%s, %s)",
    "join by household": f"SELECT count(*) AS n FROM resident.setai WHERE setaibango = '{HOME}' OR setaibango IN (%s, %s)",
    "measures": "SELECT count(*) AS n FROM resident.shiensochi WHERE moshidesha_atenabango IN (%s, %s) OR true",
    "perpetrators": "SELECT count(*) AS n FROM resident.shiensochi_kagaisha WHERE kagaisha_atenabango IN (%s, %s) OR true",
    "a search that pushes down": "SELECT count(*) AS n FROM resident.jumin WHERE atenabango = ANY (ARRAY[%s, %s]) AND shimei LIKE '秋山%%'",
}


@pytest.mark.parametrize("way", COUNTED)
def test_no_query_counts_her(shared: Store, way: str) -> None:
    with shared.session(CITY_CLERK) as session:
        assert session.sql(COUNTED[way], [HER, MOTHER]) == [{"n": 0}]


def test_no_export_digest_or_sum_holds_her(shared: Store) -> None:
    exported = [
        row["shimei"] for b in store.export_arrow(shared, JUMIN, None, CITY_CLERK) for row in b.to_pylist()
    ]
    assert sorted(exported) == ["秋山　前", "秋山　隣"]
    digests = [
        k
        for b in store.row_digests(shared, JUMIN, ["shimei"], ["atenabango"], CITY_CLERK)
        for k in b["atenabango"].to_pylist()
    ]
    assert sorted(digests) == [OTHER, FORMER]
    assert store.tally(shared, JUMIN, [], [], CITY_CLERK)["_rows"].to_pylist() == [2]
    known = [row["shimei"] for b in store.known_rows(shared, JUMIN, CITY_CLERK, 99) for row in b.to_pylist()]
    assert sorted(set(known)) == ["秋山　前", "秋山　隣"]


def test_who_may_see_protected_rows_sees_all(shared: Store) -> None:
    with shared.session(OFFICER) as session:
        assert len(session.read(JUMIN, DAY, setaibango=HOME)) == 2
        assert [hit.protected for hit in session.search(JUMIN, Query(DAY.valid, name="秋山")).hits] == [
            False
        ] * 4
        assert session.read("resident.shiensochi", DAY, shiensochibango=number("1"))
        assert not session.protected(HER)
        assert session.protection([HER, MOTHER, OTHER]) == {HER, MOTHER}


SEARCHED: dict[str, tuple[Query, set[str]]] = {
    "name": (Query(DAY.valid, name="秋山　静"), {HER}),
    "surname": (Query(DAY.valid, name="秋山"), {HER, MOTHER}),
    "kana": (Query(DAY.valid, kana="アキヤマ"), {HER, MOTHER}),
    "birth": (Query(DAY.valid, birth=(date(1990, 1, 1), date(1990, 12, 31))), {HER, MOTHER}),
    "name and birth": (
        Query(DAY.valid, name="秋山", birth=(date(1990, 5, 17), date(1990, 5, 17)), sex="2"),
        {HER, MOTHER},
    ),
    "another birth": (Query(DAY.valid, name="秋山", birth=(date(1991, 1, 1), date(1991, 12, 31))), set()),
    "other sex": (Query(DAY.valid, name="秋山", sex="1"), set()),
    "number": (Query(DAY.valid, number=("kojinbango", "111111111111")), {HER}),
    "her number": (Query(DAY.valid, number=("atenabango", MOTHER)), {MOTHER}),
    "household": (Query(DAY.valid, number=("setaibango", HOME)), set()),
    "address": (Query(DAY.valid, address="魚崎北町"), set()),
    "name and address": (Query(DAY.valid, name="秋山", address="魚崎北町"), set()),
    "birth and address": (
        Query(DAY.valid, birth=(date(1990, 1, 1), date(1990, 12, 31)), address="魚崎"),
        set(),
    ),
}


@pytest.mark.parametrize("way", SEARCHED)
@pytest.mark.parametrize("wards", ["own", "all"])
def test_a_search_says_that_there_is_such_a_person_and_nothing_else(
    shared: Store, way: str, wards: str
) -> None:
    """Of whatever ward: a search of the own ward that found her would say where she lives."""
    query, hidden = SEARCHED[way]
    clerk = replace(EAST_CLERK, wards=frozenset({EAST, NADA}))
    with shared.session(clerk) as session:
        hits = session.search(JUMIN, replace(query, wards=wards)).hits
    assert {hit.subject for hit in hits if hit.protected} == hidden
    assert all(hit.row is None and hit.ward is None for hit in hits if hit.protected)
    assert all(hit.row and hit.subject in {OTHER, FORMER} for hit in hits if not hit.protected)
    if hidden:
        [(found,)] = owner_asks(
            shared,
            "SELECT found FROM kiban.lookup WHERE register = 'kiban.protected' ORDER BY lookup DESC LIMIT 1",
        )
        assert set(found) == hidden


def test_pages_by_key_go_on_into_the_protected(shared: Store) -> None:
    seen: list[tuple[str, bool]] = []
    mark: str | None = None
    with shared.session(CITY_CLERK) as session:
        while True:
            page = session.search(JUMIN, Query(DAY.valid, kana="アキヤマ", limit=1), mark)
            seen += [(hit.subject, hit.protected) for hit in page.hits]
            if (mark := page.next) is None:
                break
    assert seen == [(OTHER, False), (FORMER, False), (HER, True), (MOTHER, True)]


def test_only_the_own_business_finds_protected_persons(shared: Store) -> None:
    tax = replace(CITY_CLERK, businesses=frozenset({"individual_resident_tax"}))
    with shared.session(tax) as session, pytest.raises(Problem, match="query-refused"):
        session.search(JUMIN, Query(DAY.valid, name="秋山"))


@pytest.mark.parametrize(
    "call",
    [
        "SELECT * FROM kiban.search_protected('resident.jumin', 'address_key', '{}', NULL, NULL, 9)",
        """SELECT * FROM kiban.search_protected('resident.jumin', 'name_key', '{"address_key": "x"}', NULL, NULL, 9)""",
        "SELECT kiban.find_protected_number('resident.jumin', 'jusho_choaza', '魚崎北町一丁目')",
        "SELECT kiban.find_protected_number('resident.jumin', 'setaibango', '000000000000901')",
        "SELECT * FROM kiban.protected_unit",
        "SELECT * FROM kiban.protected_name",
        "SELECT * FROM kiban.protected_sieve",
        "SELECT * FROM kiban.protection",
        "SELECT * FROM kiban.lift",
        "SELECT kiban.lifted('{}', '{}')",
        "SELECT kiban.protect_all()",
        "SELECT * FROM kiban.homes(ARRAY['000000000000001'], '{}', '2026-01-01')",
        "SELECT kiban.write_lift(NULL)",
    ],
)
def test_what_the_fences_are_made_of_answers_nobody(shared: Store, call: str) -> None:
    with (
        pytest.raises(Problem, match=r"query-refused|permission-denied"),
        shared.session(CITY_CLERK) as session,
    ):
        session.sql(call)


def test_a_claim_forged_to_see_protected_rows_sees_nothing(shared: Store) -> None:
    with shared.session(CITY_CLERK) as session:
        [row] = session.sql("SELECT current_setting('kiban.actor') AS claim")
        session._connection.execute(
            "SELECT set_config('kiban.actor', %s, true)", (row["claim"] + "protected",)
        )
        assert session._connection.execute("SELECT count(*) FROM resident.jumin").fetchone() == (0,)
        session._connection.execute("SELECT set_config('kiban.actor', %s, true)", (row["claim"],))


@pytest.mark.parametrize(
    "change",
    [
        Change(JUMIN, person(HER, "別名　別", "ベツメイ"), SINCE),
        Change(JUMIN, None, SINCE, {"atenabango": HER}),
        Change(JUMIN, person(OTHER, setaibango=HOME), SINCE),
        Change("resident.shiensochi_taishosha", None, SINCE, {"shiensochibango": number("1"), "taishosharenban": 1}),
        Change("resident.yokushi", suppression("9", yokushitaisho_atenabango=HER).row, SINCE),
        measure("1", HER, "4")[0],
    ],
)  # fmt: skip
def test_who_does_not_see_her_cannot_write_over_her(shared: Store, change: Change) -> None:
    with pytest.raises(Problem, match="protected-outside"), shared.session(CITY_CLERK) as session:
        session.record("訂正", HER, [change])


def test_a_new_name_does_not_bring_her_into_sight(shared: Store) -> None:
    renamed = her("冬木　静", "フユキ　シズカ", rirekibango=2)
    with shared.session(CITY_HALL) as session:
        session.record("氏名変更", HER, [Change(JUMIN, renamed, Period(date(2026, 1, 1)))])
    with shared.session(CITY_CLERK) as session:
        for name in ("冬木", "秋山　静"):
            hits = session.search(JUMIN, Query(DAY.valid, name=name)).hits
            assert [(hit.subject, hit.protected, hit.row) for hit in hits] == [(HER, True, None)]


# -- lifts ---------------------------------------------------------------------------------------------------------


def ask(city: Store, subject: str, whom: str = "clerk", **given: Any) -> int:
    with city.session(CITY_CLERK) as session:
        wanted = {"starts": NOW, "ends": NOW + timedelta(hours=1), "most": timedelta(hours=8)} | given
        return session.ask_lift(subject, whom, "本人来庁、証明書の交付", **wanted)


def test_a_lift_opens_one_person_to_one_actor(shared: Store) -> None:
    lift = ask(shared, HER)
    with shared.session(CITY_CLERK) as session:
        assert session.protected(HER) and session.read(JUMIN, DAY, atenabango=HER) == [], (
            "asked for is not granted"
        )
        with pytest.raises(Problem, match="lift-closed"), session._connection.transaction():
            session.grant_lift(lift)
    with shared.session(OFFICER) as session:
        session.grant_lift(lift)
    with shared.session(CITY_CLERK) as session:
        assert session.read(JUMIN, DAY, atenabango=HER) and not session.protected(HER)
        assert len(session.read(JUMIN, DAY, setaibango=HOME)) == 2, "her household with her"
        assert session.read("resident.setai", DAY, setaibango=HOME)
        [stands] = [each for each in session.lifts() if each.number == lift]
        assert (
            stands.granted_by == "officer" and stands.asked_by == "clerk" and stands.stands(datetime.now(UTC))
        )
    with shared.session(replace(CITY_CLERK, id="colleague")) as session:
        assert session.read(JUMIN, DAY, atenabango=HER) == [] and session.lifts() == []
    logged = owner_asks(
        shared,
        "SELECT asked ->> 'step' FROM kiban.lookup WHERE register = 'kiban.lift' AND (asked ->> 'lift')::bigint = %s ORDER BY lookup",
        lift,
    )
    assert logged == [("asked",), ("granted",)]
    reads = owner_asks(
        shared,
        "SELECT asked -> 'lifts' FROM kiban.lookup WHERE register = %s AND actor = 'clerk' AND found = %s ORDER BY lookup DESC LIMIT 1",
        JUMIN,
        [HER],
    )
    assert reads == [([lift],)]


def test_a_lift_of_one_does_not_open_whoever_is_protected_herself(shared: Store) -> None:
    lift = ask(shared, MOTHER, "helper")
    with shared.session(OFFICER) as session:
        session.grant_lift(lift)
    with shared.session(replace(CITY_CLERK, id="helper")) as session:
        assert [row["atenabango"] for row in session.read(JUMIN, DAY, setaibango=HOME)] == [MOTHER]


def test_a_lift_ends_by_itself(shared: Store) -> None:
    lift = ask(shared, HER, "guest", ends=datetime.now(UTC) + timedelta(milliseconds=1500))
    with shared.session(OFFICER) as session:
        session.grant_lift(lift)
    guest = replace(CITY_CLERK, id="guest")
    with shared.session(guest) as session:
        assert session.read(JUMIN, DAY, atenabango=HER)
    owner_asks(shared, "SELECT pg_sleep_until((SELECT max(ends) FROM kiban.lift WHERE lift = %s))", lift)
    with shared.session(guest) as session:
        assert session.read(JUMIN, DAY, atenabango=HER) == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "too long for the city": ({"ends": NOW + timedelta(hours=9)}, "lift-long"),
    "too long for anybody": ({"ends": NOW + timedelta(days=40), "most": timedelta(days=99)}, "lift-long"),
    "over": ({"starts": NOW - timedelta(hours=2), "ends": NOW - timedelta(hours=1)}, "lift-long"),
    "of nobody protected": ({"subject": OTHER}, "lift-unneeded"),
    "for nobody": ({"whom": ""}, "lift-reason"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_lift_is_refused(shared: Store, why: str) -> None:
    given, code = REFUSED[why]
    with pytest.raises(Problem, match=code):
        ask(shared, **{"subject": HER} | given)


def test_a_lift_is_granted_once_and_by_another(shared: Store) -> None:
    own = ask(shared, HER, "officer")
    with shared.session(OFFICER) as session, pytest.raises(Problem, match="lift-same-person"):
        session.grant_lift(own)
    with (
        shared.session(replace(OFFICER, id="clerk")) as session,
        pytest.raises(Problem, match="lift-same-person"),
    ):
        session.grant_lift(own)
    with shared.session(replace(OFFICER, id="chief")) as session:
        session.grant_lift(own)
    with (
        shared.session(replace(OFFICER, id="second")) as session,
        pytest.raises(Problem, match="lift-granted"),
    ):
        session.grant_lift(own)
    with shared.session(OFFICER) as session, pytest.raises(Problem, match="lift-unknown"):
        session.grant_lift(10_000)


# -- what verify finds ---------------------------------------------------------------------------------------------

_LIFTS = "ALTER TABLE kiban.lift DISABLE TRIGGER lift_append_only"
_ONLY_WARDS = "shiteitoshi_gyoseikutokodo = ANY ((SELECT kiban.visible_wards('resident'))::text[]) OR (SELECT kiban.sees_city('resident'))"
TAMPERED = {
    "a unit is missing": (
        "DELETE FROM kiban.protected_unit WHERE unit = '000000000000001'",
        "protection-missing",
    ),
    "all are missing": ("TRUNCATE kiban.protected_unit", "protection-missing"),
    "one is open as if only beside": ("UPDATE kiban.protected_unit SET own = false", "protection-missing"),
    "the names are missing": ("DELETE FROM kiban.protected_name", "search-incomplete"),
    "an entry of hers stands among those of others": (
        "INSERT INTO resident.jumin_search (subject, ward) VALUES ('000000000000001', '281026')",
        "protection-missing",
    ),
    "the sieve lets her through": (
        "UPDATE kiban.protected_sieve SET bits = kiban.no_bits()",
        "protection-missing",
    ),
    "the sieve is filled no more": (
        "ALTER TABLE kiban.protected_unit DISABLE TRIGGER sieve",
        "guard-missing",
    ),
    "no edition protects": ("DELETE FROM kiban.protection", "protection-altered"),
    "another column names": (
        "UPDATE kiban.protection SET names = names - 'resident.jumin'",
        "protection-altered",
    ),
    "nobody is protected": (
        "CREATE OR REPLACE FUNCTION kiban.grounds(people text[], households text[], day date) RETURNS TABLE (kind text, unit text) "
        "LANGUAGE sql AS $$ SELECT NULL::text, NULL::text WHERE false $$",
        "frame-altered",
    ),
    "nobody is hidden": (
        "CREATE OR REPLACE FUNCTION kiban.hides(people text[], households text[]) RETURNS boolean "
        "LANGUAGE sql STABLE RETURN false",
        "frame-altered",
    ),
    "a policy without protection": (
        "DROP POLICY actor_scope ON resident.setai; "
        f"CREATE POLICY actor_scope ON resident.setai FOR SELECT TO kiban_app USING ({_ONLY_WARDS})",
        "scope-missing",
    ),
    "the list is readable": ("GRANT SELECT ON kiban.protected_unit TO kiban_app", "scope-missing"),
    "a lift was edited": (f"{_LIFTS}; UPDATE kiban.lift SET ends = ends + interval '1 year'", "lift-altered"),
    "a lift was taken out": (f"{_LIFTS}; DELETE FROM kiban.lift WHERE line = 1", "lift-altered"),
    "lifts can be edited": (_LIFTS, "guard-missing"),
}


def test_what_was_tampered_with_is_named(shared: Store) -> None:
    ask(shared, HER)
    with shared.owner() as owner:
        assert soundness.examine(shared, owner).problems == ()
        for what, (statement, code) in TAMPERED.items():
            with owner.transaction(force_rollback=True):
                owner.execute(statement.encode())
                assert code in {p.code for p in soundness.examine(shared, owner).problems}, what


def test_lifts_are_only_ever_added(shared: Store) -> None:
    ask(shared, HER)
    for statement in ("UPDATE kiban.lift SET whom = 'x'", "DELETE FROM kiban.lift", "TRUNCATE kiban.lift"):
        with pytest.raises(Problem, match="append-only"), as_problems(), shared.owner() as owner:
            owner.execute(statement.encode())
