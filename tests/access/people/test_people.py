"""Who works where under which duty, on any day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from kiban.access import Access, Assignment, Office, People, Staff
from kiban.kernel import Problem, Problems

from .conftest import AT, BEGAN, DAY, EAST, NADA

COUNTER = ("resident-counter", "east")
Hire = Callable[..., Staff]


def codes(error: pytest.ExceptionInfo[Problems]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def test_a_clerk_acts_under_her_duty_at_her_office(people: People, hire: Hire) -> None:
    clerk = hire(COUNTER)
    acting = people.acting(clerk.number, DAY, "住民基本台帳事務")
    assert (acting.staff, acting.office.ward, acting.assignment.duty) == (clerk, EAST, "resident-counter")
    assert acting.in_force and acting.purpose == "住民基本台帳事務"


def test_with_two_duties_one_is_chosen(people: People, hire: Hire) -> None:
    clerk = hire(COUNTER, ("resident-records", "east-residents"))
    first, second = people.assignments(clerk.number, DAY)
    with pytest.raises(Problem) as error:
        people.acting(clerk.number, DAY, "x")
    assert error.value.code == "assignment-choose"
    assert people.acting(clerk.number, DAY, "x", second.id).assignment == second
    assert first.id != second.id


def test_who_has_left_acts_no_more_and_may_not_sign_in(people: People, hire: Hire) -> None:
    clerk = hire(COUNTER)
    people.apply([replace(clerk, end=DAY)], "personnel", AT)
    with pytest.raises(Problem) as error:
        people.acting(clerk.number, DAY, "x")
    assert error.value.code == "staff-left"
    yesterday = DAY - timedelta(days=1)
    assert people.acting(clerk.number, yesterday, "x").in_force
    assert people.may_sign_in(clerk.number, yesterday) and not people.may_sign_in(clerk.number, DAY)
    assert clerk.number in people.gone(DAY) and clerk.number not in people.gone(yesterday)
    assert not people.may_sign_in("nobody", DAY)


def test_a_transfer_takes_place_on_its_day_by_itself(people: People, hire: Hire) -> None:
    clerk = hire(COUNTER)
    moves = date(2027, 4, 1)
    people.apply(
        [
            Assignment(clerk.number, *COUNTER, BEGAN, moves),
            Assignment(clerk.number, "resident-counter", "nada", moves),
        ],
        "personnel",
        AT,
    )
    assert people.acting(clerk.number, moves - timedelta(days=1), "x").office.ward == EAST
    assert people.acting(clerk.number, moves, "x").office.ward == NADA


def test_nobody_acts_at_an_office_that_is_closed(people: People, hire: Hire) -> None:
    clerk = hire(("resident-counter", "old-branch"))
    assert people.acting(clerk.number, date(2026, 9, 30), "x").in_force
    with pytest.raises(Problem) as error:
        people.acting(clerk.number, DAY, "x")
    assert error.value.code == "assignment-none"


def test_a_substitute_stands_in_within_the_term_of_the_other(people: People, hire: Hire) -> None:
    head, other = hire(COUNTER), hire()
    people.apply([Assignment(head.number, *COUNTER, BEGAN, date(2027, 4, 1))], "personnel", AT)
    stands_in = Assignment(other.number, *COUNTER, DAY, DAY + timedelta(days=7), head.number)
    people.apply([stands_in], "personnel", AT)
    assert people.acting(other.number, DAY, "x").assignment.substitutes == head.number
    for wider in (
        replace(stands_in, start=date(2026, 12, 10), end=None),
        replace(stands_in, start=date(2026, 12, 10), end=date(2027, 4, 2)),
        replace(stands_in, start=date(2026, 12, 10), duty="resident-records", end=date(2026, 12, 11)),
        replace(stands_in, start=date(2026, 12, 10), office="nada", end=date(2026, 12, 11)),
    ):
        with pytest.raises(Problems) as error:
            people.apply([wider], "personnel", AT)
        assert codes(error) == ["substitute-wider"]


def test_a_substitute_ends_with_the_duty_of_the_other(people: People, hire: Hire) -> None:
    head, other = hire(COUNTER), hire()
    week = DAY + timedelta(days=7)
    people.apply([Assignment(other.number, *COUNTER, DAY, week, head.number)], "personnel", AT)
    people.apply([replace(head, end=DAY + timedelta(days=2))], "personnel", AT)
    assert people.assignments(other.number, DAY + timedelta(days=1))
    assert people.assignments(other.number, DAY + timedelta(days=2)) == []


def test_who_stands_in_is_not_stood_in_for(people: People, hire: Hire) -> None:
    head, second, third = hire(COUNTER), hire(), hire()
    week = DAY + timedelta(days=7)
    people.apply([Assignment(second.number, *COUNTER, DAY, week, head.number)], "personnel", AT)
    with pytest.raises(Problems) as error:
        people.apply([Assignment(third.number, *COUNTER, DAY, week, second.number)], "personnel", AT)
    assert codes(error) == ["substitute-wider"]


def test_every_fault_is_told_and_nothing_changes(people: People, hire: Hire) -> None:
    clerk = hire(COUNTER)
    with pytest.raises(Problems) as error:
        people.apply(
            [
                replace(clerk, name="改姓　花子"),
                Office("ward office", "", "ward", "nowhere", "1"),
                Staff("", "", "", DAY, BEGAN),
                Assignment("nobody", "no-duty", "no-office", DAY),
                Assignment(clerk.number, "resident-counter", "east", date(2026, 5, 1)),
            ],
            "personnel",
            AT,
            duties={"resident-counter"},
            places=[f"file:{line}" for line in range(1, 6)],
        )
    assert codes(error) == [
        *("office-id", "office-unnamed", "office-ward", "office-unknown"),
        *("staff-number", "staff-unnamed", "period-order"),
        *("duty-unknown", "staff-unknown", "office-unknown", "assignment-overlap"),
    ]
    assert error.value.problems[-1].where == "file:5"
    assert people.staff(clerk.number) == clerk


@pytest.mark.parametrize(
    ("office", "code"),
    [
        (Office("a", "課", "section", "a"), "office-circle"),
        (Office("a", "課", "section", None), "office-parent"),
        (Office("a", "第二市役所", "city", "hall"), "office-parent"),
        (Office("a", "課", "section", "east", NADA), "office-ward"),
        (Office("a", "区役所", "ward", "hall"), "office-ward"),
        (Office("a", "課", "team", "hall"), "office-kind"),  # type: ignore[arg-type]
    ],
)
def test_an_office_has_its_place(people: People, office: Office, code: str) -> None:
    with pytest.raises(Problems) as error:
        people.apply([office], "test", AT)
    assert codes(error) == [code]


def test_an_end_may_come_earlier_whatever_became_of_the_rest(people: People, hire: Hire) -> None:
    clerk = hire(COUNTER)
    ended = Assignment(clerk.number, *COUNTER, BEGAN, DAY)
    people.apply([ended], "personnel", AT, duties=())  # the policy set knows the duty no more
    assert people.assignments(clerk.number, DAY) == []


def test_nobody_gives_a_duty_to_himself(people: People, hire: Hire) -> None:
    manager, head = hire(("accounts", "hall")), hire(COUNTER)
    own = people.assignments(manager.number, DAY)[0]
    for more in (
        Assignment(manager.number, *COUNTER, DAY),
        Assignment(manager.number, *COUNTER, DAY, DAY + timedelta(days=1), head.number),
    ):
        with pytest.raises(Problems) as error:
            people.apply([more], manager.number, AT)
        assert codes(error) == ["assignment-own"]
    assert people.apply([own], manager.number, AT) == []  # as it is
    assert people.apply([replace(own, end=DAY)], manager.number, AT)  # less is no harm
    with pytest.raises(Problems) as error:
        people.apply([own], manager.number, AT)
    assert codes(error) == ["assignment-own"]


def test_history_says_who_changed_what_when(people: People, hire: Hire) -> None:
    clerk = hire(COUNTER)
    people.apply([replace(clerk, end=DAY)], "000099", AT + timedelta(hours=1))
    people.apply([replace(clerk, end=DAY)], "000099", AT + timedelta(hours=2))  # changes nothing
    made, assigned, left = people.history("staff", clerk.number)
    assert (made.before, assigned.kind, left.by) == (None, "assignment", "000099")
    assert left.before and (left.before["end"], left.after["end"]) == (None, DAY.isoformat())


@pytest.mark.parametrize(
    "statement", ["DELETE FROM people_change", "UPDATE people_change SET by = ''", "DELETE FROM staff"]
)
def test_history_is_only_added_to(room: Access, statement: str) -> None:
    with pytest.raises(Problem), room.books.transaction() as page:
        page.run(statement)


def test_a_dry_run_changes_nothing(people: People, hire: Hire) -> None:
    clerk = hire()
    changed: list[Any] = [replace(clerk, name="改姓　花子"), Assignment(clerk.number, *COUNTER, DAY)]
    assert people.apply(changed, "x", AT, dry_run=True) == changed
    assert people.staff(clerk.number) == clerk and people.assignments(clerk.number) == []


def test_lists_of_staff_are_paged(people: People, hire: Hire) -> None:
    made = sorted(hire().number for _ in range(3))
    after = f"{int(made[0]) - 1:06}"
    assert [each.number for each in people.page(after, DAY, 2)] == made[:2]
    assert made[2] in [each.number for each in people.page(made[1], DAY)]
