from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiban import store
from kiban.kernel import AsOf, Period, Problem
from kiban.store import Change, Store

from .conftest import CITY_HALL, EAST, EAST_CLERK, NADA, NADA_CLERK, WIDE_CLERK, move_in, person

TODAY = AsOf(date(2026, 10, 1))


def test_a_person_moved_in_is_read_back_as_written(city: Store) -> None:
    row = person("1", seinengappi=None, seinengappi_fushofuragu="1", seinengappi_fushohyoki="昭和２５年頃")
    event = move_in(city, row)
    with city.session(EAST_CLERK) as session:
        [found] = session.read("resident.jumin", TODAY, atenabango=row["atenabango"])
    assert {name: found[name] for name in row} == row
    assert (found["valid"], found["event"], found["known_to"]) == (Period(date(2020, 4, 1)), event, None)


def test_a_move_closes_the_old_address_the_day_before_and_keeps_what_was_known(city: Store) -> None:
    row = person("1")
    move_in(city, row)
    before = datetime.now(UTC)
    moved = row | {"rirekibango": 2, "jusho_banchigohyoki": "９番９号"}
    move_in(city, moved, Period(date(2024, 6, 1)))
    with city.session(CITY_HALL) as session:
        history = session.history("resident.jumin", atenabango=row["atenabango"])
        [old] = session.read("resident.jumin", AsOf(date(2024, 5, 31)), atenabango=row["atenabango"])
        [new] = session.read("resident.jumin", AsOf(date(2024, 6, 1)), atenabango=row["atenabango"])
        [then] = session.read("resident.jumin", AsOf(date(2024, 6, 1), before), atenabango=row["atenabango"])
    assert [r["valid"] for r in history] == [
        Period(date(2020, 4, 1), date(2024, 6, 1)),
        Period(date(2024, 6, 1)),
    ]
    assert (old["jusho_banchigohyoki"], new["jusho_banchigohyoki"]) == ("２番３号", "９番９号")
    assert then["jusho_banchigohyoki"] == "２番３号"


def test_a_correction_inside_a_period_leaves_the_days_before_and_after(city: Store) -> None:
    row = person("1")
    move_in(city, row)
    move_in(city, row | {"jusho_banchigohyoki": "５番"}, Period(date(2021, 1, 1), date(2022, 1, 1)))
    with city.session(CITY_HALL) as session:
        history = session.history("resident.jumin", atenabango=row["atenabango"])
    assert [(r["valid"].start.year, r["jusho_banchigohyoki"]) for r in history] == [
        (2020, "２番３号"),
        (2021, "５番"),
        (2022, "２番３号"),
    ]


def test_an_end_leaves_no_row_from_that_day(city: Store) -> None:
    row = person("1")
    move_in(city, row)
    with city.session(CITY_HALL) as session:
        gone = Change("resident.jumin", None, Period(date(2025, 1, 1)), {"atenabango": row["atenabango"]})
        session.record("死亡", row["atenabango"], [gone])
        assert session.read("resident.jumin", AsOf(date(2024, 12, 31)), atenabango=row["atenabango"])
        assert not session.read("resident.jumin", AsOf(date(2025, 1, 1)), atenabango=row["atenabango"])


_days = st.integers(0, 40).map(lambda n: date(2020, 1, 1) + timedelta(days=n))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(_days, st.one_of(st.none(), _days)).filter(lambda p: p[1] is None or p[0] < p[1]),
        min_size=1,
        max_size=6,
    )
)
def test_after_any_changes_each_day_shows_the_last_change_that_covers_it(
    city: Store, periods: list[tuple[date, date | None]]
) -> None:
    number = f"{abs(hash(tuple(periods))) % 10**12}"
    row = person(number)
    for count, (start, end) in enumerate(periods):
        move_in(city, row | {"rirekibango": count}, Period(start, end))
    with city.session(CITY_HALL) as session:
        for offset in range(42):
            day = date(2020, 1, 1) + timedelta(days=offset)
            rows = session.read("resident.jumin", AsOf(day), atenabango=row["atenabango"])
            wanted = [n for n, (start, end) in enumerate(periods) if day in Period(start, end)]
            assert [r["rirekibango"] for r in rows] == wanted[-1:]
    assert store.verify(city).problems == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"shimei": "長" * 101}, "value-refused"),
        ({"seibetsu": "9"}, "value-refused"),
        ({"zokugara1": None}, "value-missing"),
        ({"shorinengappi": "きのう"}, "value-unreadable"),
        ({"setaibango": "404"}, "reference-missing"),
        ({"nenrei": 36}, "item-unknown"),
        ({"atenabango": None}, "subject-missing"),
    ],
)
def test_a_bad_row_is_refused_by_name_and_changes_nothing(
    city: Store, change: dict[str, object], code: str
) -> None:
    with pytest.raises(Problem) as refused:
        move_in(city, person("1", **change))
    assert refused.value.code == code
    assert "渡邉" not in str(refused.value)
    with city.session(CITY_HALL) as session:
        assert session.sql("SELECT count(*) AS n FROM resident.jumin") == [{"n": 0}]
    assert store.verify(city).events == 3


def test_variation_selectors_do_not_count_as_characters(city: Store) -> None:
    move_in(city, person("1", shimei="邉\U000e010f" * 100))


def test_a_ward_clerk_changes_only_rows_that_touch_the_own_ward(city: Store) -> None:
    move_in(city, person("1"))
    with pytest.raises(Problem, match="ward-outside"):
        move_in(city, person("1", jusho_katagaki="乗っ取り"), actor=NADA_CLERK)
    moved = person("1", shiteitoshi_gyoseikutokodo=NADA, jusho_shikuchosonkodo=NADA, rirekibango=2)
    move_in(city, moved, Period(date(2025, 5, 1)), actor=NADA_CLERK)
    with city.session(EAST_CLERK) as session:
        rows = session.history("resident.jumin", atenabango=moved["atenabango"])
    assert [(r["shiteitoshi_gyoseikutokodo"], r["valid"].end) for r in rows] == [(EAST, date(2025, 5, 1))]


def test_nothing_but_an_event_changes_a_register_not_even_for_the_owner(city: Store) -> None:
    move_in(city, person("1"))
    attempts = [
        "UPDATE resident.jumin SET shimei = 'x'",
        "DELETE FROM resident.jumin",
        "TRUNCATE resident.jumin",
        "INSERT INTO resident.jumin SELECT * FROM resident.jumin",
        "UPDATE kiban.event SET actor = 'x'",
        "DELETE FROM kiban.event",
        "DELETE FROM kiban.lookup",
        "SELECT kiban.open_event()",
    ]
    with psycopg.connect(city.server.owner_dsn, autocommit=True) as owner:
        for attempt in attempts:
            with pytest.raises(psycopg.Error) as refused:
                owner.execute(attempt.encode())
            assert refused.value.sqlstate == "KB001", attempt
    assert store.verify(city).problems == ()


def test_every_event_leaves_its_outbox_row_in_the_same_transaction(city: Store) -> None:
    event = move_in(city, person("1"))
    with pytest.raises(RuntimeError), city.session(CITY_HALL) as session:
        session.record("国内転入", "2", [Change("resident.jumin", person("2"), Period(date(2020, 1, 1)))])
        raise RuntimeError
    with psycopg.connect(city.server.owner_dsn) as owner:
        rows = owner.execute("SELECT event, kind FROM kiban.outbox ORDER BY event DESC LIMIT 1").fetchall()
        events = owner.execute("SELECT max(event) FROM kiban.event").fetchall()
    assert rows == [(event, "国内転入")]
    assert events == [(event,)]


def test_an_actor_that_signs_with_another_key_does_nothing(city: Store) -> None:
    move_in(city, person("1"))
    with Store(city.server, city.library, b"another key, of thirty-two bytes") as forged:
        with forged.session(CITY_HALL) as session, pytest.raises(Problem, match="actor-missing"):
            session.record("国内転入", "2", [Change("resident.jumin", person("2"), Period(date(2020, 1, 1)))])
        with pytest.raises(Problem, match="actor-missing"), forged.session(CITY_HALL) as session:
            session.sql("SELECT 1 FROM resident.jumin")


def test_the_wide_clerk_sees_both_wards_and_works_in_one(city: Store) -> None:
    move_in(city, person("1"))
    move_in(city, person("2", shiteitoshi_gyoseikutokodo=NADA))
    with city.session(WIDE_CLERK) as session:
        assert session.sql("SELECT count(*) AS n FROM resident.jumin") == [{"n": 2}]
    with city.session(replace(WIDE_CLERK, wards=frozenset({NADA}))) as session:
        assert session.sql("SELECT count(*) AS n FROM resident.jumin") == [{"n": 1}]
