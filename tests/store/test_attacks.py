"""Whoever gets SQL into the application's role, or wrong data into its door, learns and changes nothing of others."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from kiban import store
from kiban.kernel import ALL_WARDS, Actor, AsOf, Period, Problem, Problems
from kiban.store import Change, Query, Session, Store, claim
from kiban.store.errors import as_problems

from .conftest import CITY_HALL, EAST, EAST_CLERK, NADA, NADA_CLERK, SINCE, WIDE_CLERK, move_in, person

DAY = AsOf(date(2026, 1, 1))
SECRET = "宇治金時　抹茶"
HERS, MINE = "1".zfill(15), "2".zfill(15)


@pytest.fixture
def two(city: Store) -> Store:
    """A person in the ward of the victim, and one in the ward of the attacker."""
    move_in(city, person(HERS, name=SECRET, kana="ウジキントキ　マッチャ", kojinbango="123456789018"))
    move_in(city, person(MINE, shiteitoshi_gyoseikutokodo=NADA))
    return city


def bare(city: Store, session: Session, statement: str, *values: object) -> list[Any]:
    """Run a statement on the session's connection, beneath everything that Session does."""
    with session._connection.transaction():
        cursor = session._connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


# -- the door: record_event with data of the caller's making -------------------------------------------------------


def ask_door(session: Session, change: dict[str, Any], *, business: str = "resident", **given: Any) -> int:
    """kiban.record_event as whoever holds a connection may call it."""
    event = {"kind": "国内転入", "subject": "x", "valid": None, "changes": [change], "note": {}} | given
    with as_problems():
        row = session._connection.execute(
            "SELECT kiban.record_event(%s, %s, %s, %s::date, %s, %s)",
            (
                business,
                event["kind"],
                event["subject"],
                event["valid"],
                Jsonb(event["changes"]),
                Jsonb(event["note"]),
            ),
        ).fetchone()
    assert row is not None
    return int(row[0])


def honest(session: Session, **items: Any) -> dict[str, Any]:
    """A change as Session makes it, of a new person in the attacker's ward."""
    row = person("3", shiteitoshi_gyoseikutokodo=NADA, **items)
    return session._prepared(Change("resident.jumin", row, SINCE))


def test_a_row_of_the_own_ward_does_not_close_the_rows_of_somebody_else(two: Store) -> None:
    with pytest.raises(Problem, match="subject-mismatch"), two.session(NADA_CLERK) as session:
        ask_door(session, honest(session) | {"subject": {"atenabango": HERS}})
    with two.session(EAST_CLERK) as session:
        [row] = session.read("resident.jumin", DAY, atenabango=HERS)
    assert row["shimei"] == SECRET


_TAMPERED: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("no subject", lambda c: c.pop("subject"), "change-unreadable"),
    ("an empty subject", lambda c: c.update(subject={}), "subject-missing"),
    ("a subject of nobody", lambda c: c.update(subject={"atenabango": None}), "subject-missing"),
    ("more than the subject", lambda c: c["subject"].update(shimei=c["row"]["shimei"]), "subject-mismatch"),
    ("a subject that is a list", lambda c: c.update(subject=["atenabango"]), "change-unreadable"),
    ("a row without the subject", lambda c: c["row"].pop("atenabango"), "subject-mismatch"),
    ("no row at all", lambda c: c.pop("row"), "change-unreadable"),
    ("a row that is a list", lambda c: c.update(row=[c["row"]]), "change-unreadable"),
    ("a part nobody knows", lambda c: c.update(known_from="2020-01-01"), "change-unreadable"),
    ("a column of the store", lambda c: c["row"].update(closed_by=1), "item-unknown"),
    ("the period as items", lambda c: c["row"].update(valid_from="2020-01-01"), "item-unknown"),
    ("a register nobody knows", lambda c: c.update(register="resident.jumim"), "register-unknown"),
    ("a table of the frame", lambda c: c.update(register="kiban.secret"), "business-mismatch"),
    ("SQL as a register", lambda c: c.update(register="resident.jumin; --"), "register-unknown"),
    ("another business", lambda c: c.update(register="nonresident_addressee.x"), "business-mismatch"),
    ("an object for a text", lambda c: c["row"].update(shimei={"a": 1}), "value-unreadable"),
    ("a list for a text", lambda c: c["row"].update(shimei=["a"]), "value-unreadable"),
    ("a number for a text", lambda c: c["row"].update(shimei=5), "value-unreadable"),
    ("a truth for a text", lambda c: c["row"].update(shimei=True), "value-unreadable"),
    ("today for a date", lambda c: c["row"].update(shorinengappi="today"), "value-unreadable"),
    ("a date in any order", lambda c: c["row"].update(shorinengappi="01/02/2020"), "value-unreadable"),
    ("a day that is none", lambda c: c["row"].update(shorinengappi="2023-02-29"), "value-unreadable"),
    ("a number that is none", lambda c: c["row"].update(rirekibango="0x10"), "value-unreadable"),
    ("a fraction for a count", lambda c: c["row"].update(rirekibango=1.5), "value-unreadable"),
    ("a number beyond its type", lambda c: c["row"].update(rirekibango=10**30), "value-unreadable"),
    ("NUL in a text", lambda c: c["row"].update(shimei="渡\0邉"), "value-unreadable"),
    ("half a character", lambda c: c["row"].update(shimei="\ud800"), "value-unreadable"),
    ("a period that never was", lambda c: c.update(valid_from="2021-01-01", valid_to="2020-01-01"), "period-empty"),
    ("a period of no day", lambda c: c.update(valid_from="2021-01-01", valid_to="2021-01-01"), "period-empty"),
    ("a period from now", lambda c: c.update(valid_from="now"), "period-unreadable"),
    ("a period to infinity", lambda c: c.update(valid_to="infinity"), "period-unreadable"),
    ("a period of numbers", lambda c: c.update(valid_from=20200101), "period-unreadable"),
    ("no search entries", lambda c: c.pop("search"), "search-mismatch"),
    ("empty search entries", lambda c: c.update(search=[]), "search-mismatch"),
    ("an entry of somebody else", lambda c: c["search"][0].update(subject=HERS), "search-mismatch"),
    ("an entry of nobody", lambda c: c["search"][0].pop("subject"), "search-mismatch"),
    ("an entry of another ward", lambda c: c["search"][0].update(ward=EAST), "search-mismatch"),
    ("an entry of no ward", lambda c: c["search"][0].update(ward=None), "search-mismatch"),
    ("a column nobody knows", lambda c: c["search"][0].update(zip="650"), "search-mismatch"),
    ("an entry that is a text", lambda c: c.update(search=["x"]), "search-mismatch"),
    ("a key that is a number", lambda c: c["search"][0].update(name_key=5), "search-mismatch"),
    ("entries of an end", lambda c: c.update(row=None), "row-missing"),
]  # fmt: skip


def test_a_change_that_is_not_what_it_says_is_refused_by_name_and_without_its_values(two: Store) -> None:
    for what, tamper, code in _TAMPERED:
        with pytest.raises(Problem) as refused, two.session(NADA_CLERK) as session:
            change = honest(session, name=SECRET)
            tamper(change)
            ask_door(session, change)
        assert refused.value.code == code, what
        _tells_nothing(refused.value)
    assert store.verify(two).events == 5


_EVENTS: list[tuple[dict[str, Any], str]] = [
    ({"changes": []}, "event-empty"),
    ({"changes": {}}, "event-empty"),
    ({"changes": None}, "event-empty"),
    ({"changes": ["x"]}, "change-unreadable"),
    ({"changes": [None]}, "change-unreadable"),
    ({"kind": ""}, "event-unreadable"),
    ({"kind": None}, "event-unreadable"),
    ({"kind": "転入\x1fx"}, "event-unreadable"),
    ({"subject": "x" * 201}, "event-unreadable"),
    ({"subject": "1\n2"}, "event-unreadable"),
    ({"valid": "infinity"}, "event-unreadable"),
    ({"note": []}, "event-unreadable"),
    ({"note": {"scan": "x" * 2**24}}, "event-large"),
    ({"business": "nonresident_addressee"}, "business-mismatch"),
    ({"business": None}, "event-unreadable"),
]


def test_an_event_that_is_not_one_is_refused_before_it_takes_the_chain(two: Store) -> None:
    for parts, code in _EVENTS:
        with pytest.raises(Problem) as refused, two.session(NADA_CLERK) as session:
            ask_door(session, honest(session), **parts)
        assert refused.value.code == code, parts.keys()
    assert store.verify(two).events == 5


def test_a_log_is_added_to_never_ended_and_has_no_period(two: Store) -> None:
    with two.session(NADA_CLERK) as session:
        memo = {"atenabango": MINE, "shiteitoshi_gyoseikutokodo": NADA}
        change = session._prepared(Change("resident.memo", memo | _filled(two, "memo"), None))
    for tampered, code in (
        (change | {"row": None}, "row-missing"),
        (change | {"valid_from": "2020-01-01"}, "period-unreadable"),
        (change | {"search": [{"subject": MINE}]}, "search-mismatch"),
    ):
        with pytest.raises(Problem) as refused, two.session(NADA_CLERK) as session:
            ask_door(session, tampered)
        assert refused.value.code == code
    with two.session(NADA_CLERK) as session:
        ask_door(session, change)


def _filled(city: Store, group: str) -> dict[str, Any]:
    """A value for each mandatory item of a group but those that the test gives."""
    edition = city.edition("resident")
    given = {"atenabango", "shiteitoshi_gyoseikutokodo"}
    made: dict[str, Any] = {}
    for item in edition.group(group).items:
        if item.required and item.romaji not in given:
            listed = edition.code_list(item)
            sample = {"9": 1, "DATE": "2024-01-01", "TIME": "09:00:00", "YEAR": "2024"}.get(item.type, "1")
            made[item.romaji] = listed.codes[0].value if listed and listed.codes else sample
    return made


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_caller_hands_over_it_is_done_or_told_as_a_problem(
    two: Store, data: st.DataObject
) -> None:
    names = sorted(person("3"))
    row = person("3") | data.draw(st.dictionaries(st.sampled_from(names), _JSON, max_size=3))
    call: Callable[[Session], Any] = data.draw(
        st.sampled_from(
            [
                lambda s: s.record("国内転入", "3", [Change("resident.jumin", row, SINCE)]),
                lambda s: s.record(
                    data.draw(st.text()), data.draw(st.text()), [Change("resident.jumin", row, SINCE)]
                ),
                lambda s: s.read(
                    "resident.jumin", DAY, **{data.draw(st.sampled_from(names)): data.draw(_JSON)}
                ),
                lambda s: s.history("resident.jumin", atenabango=data.draw(st.text())),
                lambda s: s.search("resident.jumin", Query(DAY.valid, name=data.draw(st.text(min_size=1)))),
                lambda s: s.search(
                    "resident.jumin", Query(DAY.valid, birth=(data.draw(st.dates()), DAY.valid))
                ),
                lambda s: s.search("resident.jumin", Query(DAY.valid, kana="ア"), data.draw(st.text())),
            ]
        )
    )
    with two.session(CITY_HALL) as session:
        try:
            call(session)
        except (Problem, Problems) as problem:
            assert SECRET not in str(problem)
            session._connection.execute("ROLLBACK")
    assert two.session  # the store answers still
    with two.session(CITY_HALL) as session:
        assert session.read("resident.jumin", DAY, atenabango=HERS)


def test_a_list_of_something_else_than_texts_is_refused_before_anything_is_asked(two: Store) -> None:
    with two.session(CITY_HALL) as session, pytest.raises(Problem) as refused:
        session.read("resident.jumin", DAY, atenabango=[b""])  # type: ignore[list-item]
    assert refused.value.code == "value-unreadable"


def test_no_exception_carries_the_row_not_even_in_its_context(two: Store) -> None:
    for broken in (
        {"seibetsu": "9"},
        {"zokugara1": None},
        {"shimei": SECRET * 99},
        {"shorinengappi": "2023-02-29"},
    ):
        with pytest.raises(Problem) as refused:
            move_in(two, person("3", name=SECRET) | broken)
        _tells_nothing(refused.value)
    with pytest.raises(Problem) as refused, two.session(EAST_CLERK) as session:
        session.sql("SELECT shimei::int FROM resident.jumin")
    _tells_nothing(refused.value)


def _tells_nothing(problem: BaseException) -> None:
    """Neither the exception nor anything it hangs on, as a logger would write it, names the person."""
    seen: BaseException | None = problem
    while seen is not None:
        told = "".join(traceback.format_exception_only(seen)) + repr(seen.args)
        assert SECRET not in told
        assert "ウジ" not in told
        seen = seen.__cause__ or seen.__context__


# -- reading beneath the session ------------------------------------------------------------------------------------

_PROBES = [  # each shows, or tells by failing, something of a row that it gets to see before ward scope does
    f"SELECT shimei FROM resident.jumin WHERE atenabango = '{HERS}'",
    f"SELECT 1 / (atenabango = '{HERS}')::int::text::int FROM resident.jumin WHERE atenabango <> '{MINE}'",
    f"SELECT 1 FROM resident.jumin WHERE 1 / (CASE WHEN atenabango = '{HERS}' THEN 0 ELSE 1 END) = 1 AND false",
    f"SELECT 1 FROM resident.jumin WHERE atenabango = '{HERS}' AND shimei::int = 1",
    f"SELECT 1 FROM resident.jumin WHERE atenabango = '{HERS}' AND 'x' ~ ('[' || shimei)",
    f"SELECT 1 FROM resident.jumin WHERE atenabango = '{HERS}' AND query_to_xml(shimei, true, true, '') IS NULL",
    f"SELECT 1 FROM resident.jumin j WHERE atenabango = '{HERS}' AND set_config('x.y', shimei, true) IS NULL",
    f"SELECT sum(shimei::int) FILTER (WHERE atenabango = '{HERS}') FROM resident.jumin",
    f"SELECT 1 FROM resident.jumin j JOIN (VALUES ('{HERS}')) v(n) ON j.atenabango = v.n WHERE j.shimei::int > 0",
    f"SELECT shimei FROM (VALUES (1)) v LEFT JOIN resident.jumin ON atenabango = '{HERS}' WHERE shimei <> ''",
    f"SELECT shimei FROM resident.jumin TABLESAMPLE SYSTEM (100) WHERE atenabango = '{HERS}'",
    "SELECT shimei FROM ONLY resident.jumin WHERE atenabango <> '" + MINE + "'",
    "SELECT min(kojinbango) FROM resident.jumin WHERE kojinbango > '0'",
    "SELECT kojinbango FROM resident.jumin WHERE kojinbango IS NOT NULL ORDER BY 1 LIMIT 1",
    "SELECT kana_key FROM resident.jumin_search WHERE kana_key >= 'ウジ' AND kana_key < 'ウス'",
    "SELECT DISTINCT subject FROM resident.jumin_search WHERE subject < '" + MINE + "'",
    'SELECT "氏名" FROM "住民基本台帳"."住民" WHERE "宛名番号" = \'' + HERS + "'",
    'SELECT "氏名" FROM "住民基本台帳"."住民_全記録" WHERE "宛名番号"::bigint = 1',
    f"SELECT * FROM ts_stat($$SELECT to_tsvector(shimei) FROM resident.jumin WHERE atenabango = '{HERS}'$$)",
    "SELECT most_common_vals FROM pg_stats WHERE schemaname = 'resident' AND tablename LIKE 'jumin%'",
    "SELECT * FROM pg_stats_ext UNION ALL SELECT * FROM pg_stats_ext",
    "SELECT current_setting('x.y', true) WHERE current_setting('x.y', true) <> ''",
]


def test_no_query_of_a_clerk_shows_or_stumbles_over_a_row_of_another_ward(two: Store) -> None:
    with two.owner() as owner:
        owner.execute("ANALYZE resident.jumin, resident.jumin_search")
    with two.session(NADA_CLERK) as session:
        for probe in _PROBES:
            rows = bare(two, session, probe)
            assert [row for row in rows if row != (None,)] == [], probe
        copied = session.copy_out(
            f"COPY (SELECT shimei FROM resident.jumin WHERE atenabango = '{HERS}') TO STDOUT"
        )
        assert b"".join(copied) == b""
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            bare(two, session, "SET LOCAL row_security = off; SELECT * FROM resident.jumin")


_FORBIDDEN = [
    "CREATE TEMP TABLE jumin (x text)",
    "CREATE TEMP VIEW v AS SELECT * FROM resident.jumin",
    "SELECT * INTO TEMP stolen FROM resident.jumin",
    "CREATE TABLE public.t (x text)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.f(text) RETURNS boolean LANGUAGE sql COST 0.0001 RETURN true",
    "CREATE FUNCTION pg_temp.f(text) RETURNS boolean LANGUAGE sql COST 0.0001 AS 'SELECT true'",
    "CREATE FUNCTION resident.f() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END'",
    "CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
    "CREATE DOMAIN pg_temp.text AS pg_catalog.text",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION postgres_fdw",
    "CREATE EXTENSION plperl",
    "DO $$ BEGIN RAISE NOTICE 'x'; END $$",
    "SET SESSION AUTHORIZATION kiban_owner",
    "SET ROLE kiban_owner",
    "SET ROLE pg_read_all_data",
    "SET session_replication_role = replica",
    "SET log_statement = 'all'",
    "ALTER TABLE resident.jumin OWNER TO kiban_app",
    "ALTER DATABASE kiban SET search_path = public",
    "DROP POLICY actor_scope ON resident.jumin",
    "CREATE RULE r AS ON SELECT TO resident.jumin DO INSTEAD NOTHING",
    "CREATE TRIGGER t BEFORE INSERT ON resident.jumin EXECUTE FUNCTION kiban.guard()",
    "CREATE STATISTICS s ON shimei, seibetsu FROM resident.jumin",
    "REINDEX TABLE resident.jumin",
    "LOCK TABLE resident.jumin IN SHARE MODE",
    "LOCK TABLE kiban.head IN ACCESS SHARE MODE",
    "SELECT 1 FROM resident.jumin FOR SHARE",
    "SELECT * FROM kiban.head",
    "SELECT * FROM kiban.outbox",
    "SELECT * FROM kiban.job",
    "SELECT seal_digest, seal_rows FROM kiban.register",
    "SELECT last_value FROM kiban.lookup_lookup_seq",
    "SELECT kiban.check_references('[]')",
    "SELECT kiban.put(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    "SELECT kiban.close_event('x', 'x', 'x', NULL, '{}', '{}', '{}', '{}')",
    "COPY resident.jumin TO '/tmp/x'",
    "COPY resident.jumin TO PROGRAM 'cat'",
    "COPY resident.jumin FROM STDIN",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_stat_file('PG_VERSION')",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_try_advisory_lock(1)",
    "SELECT pg_advisory_xact_lock_shared(1)",
    "SELECT pg_cancel_backend(1)",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_notify('x', 'y')",
    "SELECT pg_export_snapshot()",
    "SELECT pg_stat_reset()",
    "SELECT query FROM pg_stat_activity",
    "SELECT seq_tup_read FROM pg_stat_xact_user_tables",
    "SELECT n_live_tup FROM pg_stat_user_tables",
    "SELECT pg_stat_get_xact_tuples_returned('resident.jumin'::regclass)",
    "SELECT * FROM pg_statistic",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_largeobject",
]


def test_the_application_role_makes_and_reaches_nothing_beside_its_registers(two: Store) -> None:
    with two.session(NADA_CLERK) as session:
        for statement in _FORBIDDEN:
            with pytest.raises(psycopg.Error) as refused:
                bare(two, session, statement)
            # Extensions may not be at hand at all; whatever the server has, the role may not.
            allowed = {"42501", "0A000"} if "EXTENSION" in statement else {"42501"}
            assert refused.value.sqlstate in allowed, statement


def test_every_function_of_the_frame_names_where_it_looks_with_temporary_objects_last(two: Store) -> None:
    with two.owner() as owner:
        loose = owner.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'kiban'::regnamespace AND proname <> 'character_count' "
            "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e') "
            "AND NOT coalesce(proconfig @> '{\"search_path=pg_catalog, pg_temp\"}', false)"
        ).fetchall()
        definers = owner.execute(
            "SELECT array_agg(proname::text ORDER BY proname) FROM pg_proc WHERE prosecdef "
            "AND has_function_privilege('kiban_app', oid, 'EXECUTE')"
        ).fetchone()
    assert loose == []
    protection = {
        "sieve",
        "hides",
        "open_among",
        "open_numbers",
        "search_protected",
        "find_protected_number",
        "protected_among",
        "ask_lift",
        "grant_lift",
        "lifts",
    }
    assert definers == (sorted({"record_event", "record_lookup", "settle", "verified_actor"} | protection),)


# -- the session and the pool ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "ROLLBACK",
        "COMMIT",
        "EXPLAIN SELECT 1",
        "PREPARE x AS SELECT 1",
        "DEALLOCATE ALL",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
        "LISTEN x",
        "ALTER ROLE kiban_app PASSWORD 'x'",
        "/* */ EXPLAIN SELECT 1",
        "",
    ],
)
def test_only_a_query_is_run_for_a_caller(two: Store, statement: str) -> None:
    with two.session(NADA_CLERK) as session, pytest.raises(Problem, match="query-refused"):
        session.sql(statement)


def test_a_second_statement_behind_a_semicolon_is_refused(two: Store) -> None:
    for second in ("ROLLBACK", "ALTER ROLE kiban_app PASSWORD 'x'", "SELECT 2"):
        with pytest.raises(Problem, match="database-refused"), two.session(NADA_CLERK) as session:
            session.sql(f"SELECT 1; {second}")


def test_nothing_that_a_query_leaves_on_the_connection_reaches_the_next_actor(two: Store) -> None:
    with Store(two.server, two.library, two._actor_key, connections=1) as narrow:
        with narrow.session(NADA_CLERK) as session:
            left = session._connection.info.backend_pid
            session.sql(
                "SELECT set_config('search_path', 'public', false), set_config('kiban.trap', 'x', false)"
            )
            held = "DECLARE held CURSOR WITH HOLD FOR SELECT shimei FROM resident.jumin"
            for statement in (held, "LISTEN trap", "PREPARE trap AS SELECT shimei FROM resident.jumin"):
                session._connection.execute(statement.encode())
        with narrow.session(EAST_CLERK) as session:
            assert session._connection.info.backend_pid == left
            for seen in (
                "SELECT name FROM pg_cursors",
                "SELECT pg_listening_channels()",
                "SELECT name FROM pg_prepared_statements WHERE name NOT LIKE '\\_pg3%'",
                "SELECT 1 WHERE current_setting('kiban.trap', true) <> ''",
                "SELECT 1 WHERE current_setting('search_path') <> 'pg_catalog,pg_temp'",
            ):
                assert bare(narrow, session, seen) == [], seen


def test_a_statement_swapped_for_a_trap_does_not_wait_for_the_next_actor(two: Store) -> None:
    """psycopg prepares by name: whoever replaces its statement would run in the next actor's transaction."""
    with Store(two.server, two.library, two._actor_key, connections=1) as narrow:
        for _ in range(2):
            with narrow.session(NADA_CLERK) as session:
                session.read("resident.jumin", DAY, atenabango=MINE)
        with narrow.session(NADA_CLERK) as session:
            session.sql("SELECT 1")
            for (name,) in bare(narrow, session, "SELECT name FROM pg_prepared_statements"):
                session._connection.execute(f'DEALLOCATE "{name}"'.encode())
                trap = f'PREPARE "{name}" AS SELECT 1 / (current_setting($$x$$, true) IS NOT NULL)::int'
                session._connection.execute(trap.encode())
        with narrow.session(EAST_CLERK) as session:
            assert session.read("resident.jumin", DAY, atenabango=HERS)[0]["shimei"] == SECRET


def test_a_prepared_statement_shows_the_rows_of_whoever_runs_it(two: Store) -> None:
    with Store(two.server, two.library, two._actor_key, connections=1) as narrow:
        for _ in range(7):  # past the fifth, when the server keeps one plan for all
            for actor, number in ((EAST_CLERK, HERS), (NADA_CLERK, MINE), (CITY_HALL, None)):
                with narrow.session(actor) as session:
                    for asked in (HERS, MINE):
                        found = session.read("resident.jumin", DAY, atenabango=asked)
                        assert bool(found) == (number in (asked, None))


def test_a_role_setting_of_the_application_does_not_change_where_names_are_looked_up(two: Store) -> None:
    with psycopg.connect(two.server.app_dsn, autocommit=True) as attacker:
        attacker.execute("ALTER ROLE kiban_app SET search_path = public")
    try:
        with Store(two.server, two.library, two._actor_key) as fresh, fresh.session(NADA_CLERK) as session:
            assert session.sql("SELECT current_setting('search_path') AS s") == [{"s": "pg_catalog,pg_temp"}]
    finally:
        with two.owner() as owner:
            owner.execute("ALTER ROLE kiban_app RESET ALL")


@pytest.mark.parametrize(
    "actor",
    [
        Actor("x", None, frozenset({"*", NADA}), "試験"),
        Actor("x", None, frozenset({f"{EAST},{NADA}"}), "試験"),
        Actor("x\x1f*", None, ALL_WARDS, "試験"),
        Actor("x", None, ALL_WARDS, "試験\n"),
        Actor("x\u200e", None, ALL_WARDS, "試験"),
    ],
)
def test_an_actor_who_would_be_read_otherwise_is_not_signed(actor: Actor) -> None:
    with pytest.raises(Problem, match="actor-unreadable"):
        claim.sign(actor, b"k" * 32, backend=1, started_at=1)


# -- the log of look-ups --------------------------------------------------------------------------------------------


def logged(city: Store) -> list[tuple[str, Any, list[str]]]:
    with city.owner() as owner:
        return owner.execute("SELECT register, asked, found FROM kiban.lookup ORDER BY lookup").fetchall()


def test_every_way_of_reading_is_logged_even_where_nothing_is_found(two: Store) -> None:
    then = datetime.now(UTC) - timedelta(minutes=1)
    with two.session(NADA_CLERK) as session:
        session.read("resident.jumin", AsOf(DAY.valid, then), atenabango=HERS)
        session.history("resident.jumin", atenabango=HERS)
        session.search("resident.jumin", Query(DAY.valid, name="抹茶", sex="2", birth=(DAY.valid, DAY.valid)))
        session.sql("SELECT 1 FROM resident.jumin WHERE shimei = %s", [SECRET])
    list(store.export_arrow(two, "resident.setai", None, NADA_CLERK))
    log = logged(two)
    assert [register for register, _, _ in log] == [
        "resident.jumin", "resident.jumin", "resident.jumin", "sql", "resident.setai", "sql",
    ]  # fmt: skip
    assert [found for _, _, found in log] == [[]] * 6
    asked = [asked for _, asked, _ in log]
    assert (asked[0]["items"], asked[0]["known"]) == ({"atenabango": HERS}, then.isoformat())
    assert asked[2]["search"]["name"] == "抹茶"
    assert SECRET not in asked[3]["statement"]


def test_a_read_is_logged_although_its_session_was_undone(two: Store) -> None:
    with pytest.raises(RuntimeError), two.session(EAST_CLERK) as session:
        session.read("resident.jumin", DAY, atenabango=HERS)
        session.record("訂正", HERS, [Change("resident.jumin", person(HERS, name="別人"), SINCE)])
        raise RuntimeError
    with pytest.raises(Problem), two.session(EAST_CLERK) as session:
        session.sql("SELECT shimei::int FROM resident.jumin")
    export = store.export_arrow(two, "resident.jumin", None, EAST_CLERK)
    next(export)
    export.close()  # a reader that stops half-way has read half
    log = logged(two)
    assert [(register, found) for register, _, found in log] == [
        ("resident.jumin", [HERS]), ("sql", []), ("resident.jumin", []), ("sql", []),
    ]  # fmt: skip
    with two.session(EAST_CLERK) as session:
        assert session.read("resident.jumin", DAY, atenabango=HERS)[0]["shimei"] == SECRET


def test_nobody_reads_or_rewrites_the_log_in_the_application_role(two: Store) -> None:
    with two.session(CITY_HALL) as session:
        for statement in (
            "SELECT * FROM kiban.lookup",
            "DELETE FROM kiban.lookup",
            "INSERT INTO kiban.lookup DEFAULT VALUES",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                bare(two, session, statement)


def test_a_read_without_a_value_is_refused_not_answered_with_nothing(two: Store) -> None:
    reads: list[Callable[[Session], Any]] = [
        lambda s: s.read("resident.jumin", DAY, atenabango=None),  # type: ignore[arg-type]
        lambda s: s.history("resident.jumin"),
        lambda s: s.history("resident.jumin", atenabango=None),  # type: ignore[arg-type]
    ]
    for read in reads:
        with two.session(CITY_HALL) as session, pytest.raises(Problem, match="read-unbounded"):
            read(session)


# -- what the answers of the door tell -------------------------------------------------------------------------------


def test_an_attempt_on_a_person_elsewhere_is_answered_alike_whether_she_exists(two: Store) -> None:
    answers = []
    for number in (HERS, "9".zfill(15)):
        for row in (person(number), None):
            gone = Change("resident.jumin", row, SINCE, {} if row else {"atenabango": number})
            with pytest.raises(Problem) as refused, two.session(NADA_CLERK) as session:
                session.record("死亡", number, [gone])
            answers.append(str(refused.value))
    assert len(set(answers)) == 1
    assert "ward-outside" in answers[0]


def test_a_page_mark_of_the_callers_making_shows_nothing_more(two: Store) -> None:
    import base64
    import json

    for mark in (
        [1, ["", ""]],
        [-1, None],
        [0, [{"a": 1}, "x"]],
        [True, 5],
        {},
        [0],
        "x",
        [0, ["a", "b", "c"]],
    ):
        after = base64.urlsafe_b64encode(json.dumps(mark).encode()).decode()
        with two.session(NADA_CLERK) as session:
            try:
                page = session.search("resident.jumin", Query(DAY.valid, kana="ウジ", wards="all"), after)
                assert page.hits == ()
            except Problem as refused:
                assert refused.code == "page-unreadable"
    deep = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    for after in (deep, "%%%", "é", "\0"):
        with two.session(NADA_CLERK) as session, pytest.raises(Problem, match="page-unreadable"):
            session.search("resident.jumin", Query(DAY.valid, kana="ウジ"), after)


def test_what_is_read_can_be_written_back(two: Store) -> None:
    with two.session(WIDE_CLERK) as session:
        [row] = session.read("resident.jumin", DAY, atenabango=HERS)
        items = two.table("resident.jumin").items
        session.record(
            "訂正", HERS, [Change("resident.jumin", {name: row[name] for name in items}, Period(DAY.valid))]
        )
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", row["shorinengappi"])
