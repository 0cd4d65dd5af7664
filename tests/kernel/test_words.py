"""Periods, the two dates of a question, actors and problems."""

import pickle
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban.kernel import ALL_WARDS, Actor, AsOf, Period, Problem, Problems, Ward

edges = st.none() | st.dates(date(2000, 1, 1), date(2000, 3, 1))


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start, end = draw(edges), draw(edges)
    if start is not None and end is not None and end <= start:
        end = start + timedelta(days=1)
    return Period(start, end)


@given(periods(), periods())
def test_overlap_is_mutual_and_means_a_shared_day(one: Period, two: Period) -> None:
    assert one.overlaps(two) == two.overlaps(one)
    assert one.overlaps(two) == (one.intersect(two) is not None)


@given(periods(), periods(), st.dates(date(1999, 12, 1), date(2000, 4, 1)))
def test_an_intersection_holds_just_the_days_of_both(one: Period, two: Period, day: date) -> None:
    shared = one.intersect(two)
    assert (shared is not None and day in shared) == (day in one and day in two)


@given(periods())
def test_a_period_meets_itself(period: Period) -> None:
    assert period.intersect(period) == period


@given(st.dates(date(2000, 1, 1), date(2000, 3, 1)), st.integers(0, 10))
def test_a_period_that_ends_before_its_second_day_is_refused(start: date, back: int) -> None:
    with pytest.raises(Problem) as caught:
        Period(start, start - timedelta(days=back))
    assert caught.value.code == "period-empty"


def test_the_end_is_not_in_the_period() -> None:
    period = Period(date(2024, 1, 1), date(2024, 1, 2))
    assert date(2024, 1, 1) in period
    assert date(2024, 1, 2) not in period


def test_knowledge_has_a_time_zone() -> None:
    assert AsOf(date(2024, 1, 1)).known is None
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    assert AsOf(date(2024, 1, 1), moment).known == moment
    with pytest.raises(Problem) as caught:
        AsOf(date(2024, 1, 1), moment.replace(tzinfo=None))
    assert caught.value.code == "known-without-zone"


def test_a_city_actor_sees_every_ward_and_a_ward_actor_their_own() -> None:
    assert Actor("a1", None, ALL_WARDS, "住民記録").may_see("281018")
    clerk = Actor("a2", "281018", frozenset({"281018"}), "住民記録")
    assert clerk.may_see("281018")
    assert not clerk.may_see("281026")


@pytest.mark.parametrize(
    ("who", "ward", "purpose", "code"),
    [
        ("", None, "住民記録", "actor-unnamed"),
        ("a" * 65, None, "住民記録", "actor-unnamed"),
        ("a1", None, "", "actor-purposeless"),
        ("a1", "281026", "住民記録", "actor-ward-outside"),
    ],
)
def test_an_actor_has_a_name_a_purpose_and_a_ward_of_their_duty(
    who: str, ward: str | None, purpose: str, code: str
) -> None:
    with pytest.raises(Problem) as caught:
        Actor(who, ward, frozenset({"281018"}), purpose)
    assert caught.value.code == code


def test_wards_sort_by_code() -> None:
    assert sorted([Ward("281026", "灘区"), Ward("281018", "東灘区")])[0].name == "東灘区"


def test_a_problem_says_what_where_and_the_next_step() -> None:
    full = Problem("row-short", "a row is too short", where="items.csv:3", fix="add the cell")
    assert str(full) == "items.csv:3: a row is too short [row-short]\n  fix: add the cell"
    assert str(Problem("row-short", "a row is too short")) == "a row is too short [row-short]"


def test_problems_are_told_together_and_counted() -> None:
    one = Problem("a-b", "one is wrong")
    assert str(Problems([one])) == "one is wrong [a-b]\n1 problem"
    assert str(Problems([one, one])).endswith("2 problems")
    assert Problems(iter([one])).problems == (one,)


def test_problems_come_whole_out_of_a_worker_process() -> None:
    first, second = Problem("a", "wrong", "here", "mend it"), Problem("b", "wrong too")
    again = pickle.loads(pickle.dumps(Problems([first, second])))
    assert [(one.code, one.what, one.where, one.fix) for one in again.problems] == [
        ("a", "wrong", "here", "mend it"),
        ("b", "wrong too", second.where, second.fix),
    ]
    assert str(again) == str(Problems([first, second]))
