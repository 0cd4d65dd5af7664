"""What the reference policy set allows, and what a grant makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from kiban.access import Acting, Policies
from kiban.kernel import ALL_WARDS, Problem

from .conftest import BEGAN, CLERK, DAY, EAST, EAST_OFFICE, HALL, SECTION, at_work

COUNTER = at_work("resident-counter")


def test_a_counter_clerk_reads_residents_but_not_their_numbers(policies: Policies) -> None:
    grant = policies.grant(COUNTER)
    assert grant.allows("read", "resident") and grant.allows("search") and grant.allows("record", "resident")
    assert not grant.allows("read", "individual_resident_tax") and not grant.allows("audit")
    assert grant.allows("read", "resident", "registered-domicile")
    assert not grant.allows("read", "resident", "individual-number")
    assert not grant.allows("read", "resident", "no-such-class") and not grant.allows("fly")


def test_the_database_is_told_what_the_duty_allows(policies: Policies) -> None:
    actor = policies.grant(COUNTER).actor()
    assert (actor.id, actor.ward, actor.wards, actor.purpose) == (
        CLERK.number,
        EAST,
        ALL_WARDS,
        "住民基本台帳事務",
    )
    assert actor.businesses == {"resident"} and not actor.protected
    assert {
        "resident.jumin.kojinbango",
        "resident.jumin.juminhyokodo",
        "resident.gaikokujin.zairyushikaku",
    } <= actor.hidden
    assert not {"resident.jumin.shimei", "resident.jumin.hittosha", "resident.memo.memonaiyo"} & actor.hidden


def test_welfare_stays_in_its_own_ward(policies: Policies) -> None:
    actor = policies.grant(at_work("welfare", "福祉事務")).actor("read", "resident")
    assert actor.wards == {EAST} and actor.businesses == {"resident"}
    hall = policies.grant(at_work("welfare", "福祉事務", HALL)).actor()
    assert hall.ward is None and hall.wards == frozenset()


def test_another_ward_is_open_only_where_every_business_of_the_actor_says_so(policies: Policies) -> None:
    mixed = policies.grant(replace(at_work("tax", "個人住民税事務"), office=EAST_OFFICE))
    assert mixed.actor().wards == ALL_WARDS
    without = replace(mixed, decisions=mixed.decisions - {("other-wards", "resident", "")})
    assert without.actor().wards == {EAST}
    assert without.actor("read", "individual_resident_tax").wards == ALL_WARDS


def test_protected_rows_are_open_to_support_measures_alone(policies: Policies) -> None:
    support = policies.grant(at_work("support-measures", "支援措置事務"))
    assert support.actor().protected and not policies.grant(at_work("resident-records")).actor().protected


def test_what_is_not_allowed_is_a_problem(policies: Policies) -> None:
    grant = policies.grant(at_work("audit", "監査事務", SECTION))
    grant.need("audit")
    for ask in (lambda: grant.need("read", "resident"), grant.actor):
        with pytest.raises(Problem) as error:
            ask()
        assert error.value.code == "not-allowed"


@pytest.mark.parametrize(
    "acting",
    [
        replace(COUNTER, on=date(2026, 3, 31)),
        at_work("resident-counter", end=DAY),
        replace(COUNTER, staff=replace(CLERK, end=DAY)),
        replace(COUNTER, office=replace(EAST_OFFICE, end=DAY)),
        replace(COUNTER, office=replace(EAST_OFFICE, start=date(2026, 12, 1))),
        replace(COUNTER, staff=replace(CLERK, number="000002")),
        replace(COUNTER, office=replace(EAST_OFFICE, id="nada")),
        at_work("resident-counter", "個人住民税事務"),
        at_work("resident-counter", office=HALL),
        at_work("no-such-duty"),
    ],
    ids=[
        "too early",
        "over",
        "left",
        "closed",
        "not open",
        "somebody else's",
        "elsewhere",
        "other work",
        "no such office",
        "unknown",
    ],
)
def test_an_assignment_that_does_not_hold_allows_nothing(policies: Policies, acting: Acting) -> None:
    assert policies.grant(acting).decisions == frozenset()


def test_a_substitute_may_not_lift_protection(policies: Policies) -> None:
    stands_in = at_work("support-measures", "支援措置事務", substitutes="000009")
    own, other = (
        policies.grant(replace(stands_in, assignment=replace(stands_in.assignment, substitutes=None))),
        policies.grant(stands_in),
    )
    assert other.decisions < own.decisions
    assert own.allows("grant-lift", "resident") and not other.allows("grant-lift", "resident")


def test_who_asks_for_a_lift_does_not_grant_it_and_the_other_way_round(policies: Policies) -> None:
    asks, grants = (
        policies.grant(at_work("resident-records")),
        policies.grant(at_work("support-measures", "支援措置事務")),
    )
    assert asks.allows("ask-lift", "resident") and not asks.allows("grant-lift", "resident")
    assert grants.allows("grant-lift", "resident") and not grants.allows("ask-lift", "resident")


def test_grants_are_kept_for_one_day_and_one_work(policies: Policies) -> None:
    assert policies.grant(COUNTER).decisions is policies.grant(COUNTER).decisions
    assert policies.grant(replace(COUNTER, on=BEGAN)).decisions is not policies.grant(COUNTER).decisions
