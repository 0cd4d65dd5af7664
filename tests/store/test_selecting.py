"""Selections: rows and sums of registers that people put together, fenced like every read."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from kiban.kernel import Problem
from kiban.store import Bounds, Link, Selection, Store, Sum, Term, Test

from .conftest import CITY_HALL, EAST, EAST_CLERK, NADA
from .people import key

JUMIN, SETAI = "resident.jumin", "resident.setai"
NUMBER = Term(JUMIN, "atenabango")
WARD = Term(JUMIN, "shiteitoshi_gyoseikutokodo")
DAY = date(2026, 10, 1)


def rows(city: Store, selection: Selection, actor: Any = CITY_HALL) -> list[tuple[Any, ...]]:
    with city.session(actor) as session:
        batches = list(session.select(selection, Bounds(seconds=60), {"extract": "試験"}))
    return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]


def numbers(found: list[tuple[Any, ...]]) -> set[int]:
    return {int(row[0]) for row in found}


def test_rows_are_those_of_the_day(town: Store) -> None:
    chosen = Selection(JUMIN, (NUMBER, Term(JUMIN, "shimei")), valid=DAY, order=((NUMBER, False),))
    found = rows(town, chosen)
    assert [int(row[0]) for row in found] == [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]  # the fourth has died
    assert len(rows(town, replace(chosen, valid=date(2024, 1, 1)))) == 12
    assert rows(town, replace(chosen, limit=2)) == found[:2]
    assert rows(town, replace(chosen, order=((NUMBER, True),))) == found[::-1]


def test_the_history_has_every_period_with_its_days(town: Store) -> None:
    one = Test(NUMBER, "is", (key(1),))
    chosen = Selection(
        JUMIN,
        (Term(JUMIN, "valid_from"), Term(JUMIN, "valid_to")),
        tests=(one,),
        order=((Term(JUMIN, "valid_from"), False),),
    )
    assert rows(town, chosen) == [
        (date(2020, 4, 1), date(2021, 1, 1)),
        (date(2021, 1, 1), date(2022, 1, 1)),
        (date(2022, 1, 1), date(2023, 1, 1)),
        (date(2023, 1, 1), None),
    ]


def test_a_moment_of_knowledge_in_the_future_is_refused(town: Store) -> None:
    with pytest.raises(Problem) as refused:
        rows(town, Selection(JUMIN, (NUMBER,), known=datetime(2999, 1, 1, tzinfo=UTC)))
    assert refused.value.code == "known-future"


def test_a_clerk_gets_the_rows_of_her_ward_and_sums_over_no_others(town: Store) -> None:
    chosen = Selection(JUMIN, (WARD, Sum("count"), Sum("distinct", NUMBER)), valid=DAY)
    assert sorted(rows(town, chosen)) == [(EAST, 7, 7), (NADA, 4, 4)]
    assert rows(town, chosen, EAST_CLERK) == [(EAST, 7, 7)]


def test_what_is_hidden_is_in_no_column_condition_order_sum_or_join(town: Store) -> None:
    clerk = replace(EAST_CLERK, hidden=frozenset({f"{JUMIN}.kojinbango", f"{JUMIN}.setaibango"}))
    hidden = Term(JUMIN, "kojinbango")
    plain = Selection(JUMIN, (NUMBER,))
    for asked in (
        Selection(JUMIN, (hidden,)),
        replace(plain, tests=(Test(hidden, "empty"),)),
        replace(plain, order=((hidden, False),)),
        Selection(JUMIN, (Sum("distinct", hidden),)),
        replace(plain, links=(Link(SETAI, "setaibango", Term(JUMIN, "setaibango")),)),
    ):
        with pytest.raises(Problem) as refused:
            rows(town, asked, clerk)
        assert refused.value.code == "item-hidden"
    assert rows(town, plain, clerk)


def test_registers_of_another_business_are_empty(town: Store) -> None:
    clerk = replace(EAST_CLERK, businesses=frozenset({"nonresident_addressee"}))
    assert rows(town, Selection(JUMIN, (NUMBER,)), clerk) == []


def test_joined_rows_hold_on_the_same_day_and_a_missing_partner_loses_nothing(town: Store) -> None:
    link = Link("resident.kojinbangokado", "atenabango", NUMBER)
    card = Term("resident.kojinbangokado", "jukikado_hakkojokyo")
    chosen = Selection(JUMIN, (NUMBER, card), (link,), valid=DAY, order=((NUMBER, False),))
    found = rows(town, chosen)
    assert len(found) == 11
    assert found[0] == (key(1), "0")
    assert found[1][1] is None
    needed = replace(chosen, links=(replace(link, needed=True),))
    assert rows(town, needed) == [(key(1), "0")]
    assert rows(town, replace(needed, valid=date(2020, 3, 31))) == []


def test_an_age_is_in_completed_years_and_none_where_the_day_is_not_known(town: Store) -> None:
    birth = Term(JUMIN, "seinengappi", age_on=date(2026, 5, 16))
    assert {row[0] for row in rows(town, Selection(JUMIN, (birth,), valid=DAY))} == {35}
    assert {row[0] for row in rows(town, Selection(JUMIN, (replace(birth, age_on=date(2026, 5, 17)),)))} == {
        36
    }
    assert {row[0] for row in rows(town, Selection(JUMIN, (replace(birth, step=5),)))} == {35}
    assert {row[0] for row in rows(town, Selection(JUMIN, (replace(birth, age_on=date(1980, 1, 1)),)))} == {
        None
    }


@pytest.mark.parametrize("text", ["'; DROP TABLE kiban.event; --", "%s", "%(x)s", "\\", "$1", "\x1f", "１'"])
def test_what_a_person_writes_is_never_a_part_of_the_statement(town: Store, text: str) -> None:
    name = Term(JUMIN, "shimei")
    for kind in ("is", "begins", "one"):
        assert rows(town, Selection(JUMIN, (NUMBER,), tests=(Test(name, kind, (text,)),))) == []  # type: ignore[arg-type]
    assert rows(town, Selection(JUMIN, (NUMBER,), tests=(Test(name, "not", (text,)),)))


@pytest.mark.parametrize("name", ['shimei"; DROP TABLE kiban.event; --', "event", "closed_by", "nothing"])
def test_a_name_that_no_edition_lists_is_refused(town: Store, name: str) -> None:
    with pytest.raises(Problem) as refused:
        rows(town, Selection(JUMIN, (Term(JUMIN, name),)))
    assert refused.value.code == "item-unknown"


def test_a_selection_that_takes_too_long_is_ended_by_the_server_and_told(town: Store) -> None:
    with pytest.raises(Problem) as refused, town.session(CITY_HALL) as session:
        found = session.select(Selection(JUMIN, (NUMBER,)), Bounds(), {})
        session.interrupt()  # nothing runs yet: nothing ends
        assert list(found)
        session._connection.execute("SET statement_timeout = '50ms'")
        session.sql("SELECT pg_sleep(10)")
    assert refused.value.code == "time-exceeded"


def test_the_server_steps_back_for_an_extract_and_for_nobody_else(town: Store) -> None:
    chosen = Selection(JUMIN, (NUMBER,))
    seen = []
    for bounds in (Bounds(), Bounds(last=True), Bounds()):
        with town.session(CITY_HALL) as session:
            assert list(session.select(chosen, bounds, {}))
            server = session._connection.info.backend_pid
            seen.append((os.getpriority(os.PRIO_PROCESS, server), server))
    (before, _), (during, extract), (after, other) = seen
    assert during == 19
    assert before == after < 19
    assert other != extract
