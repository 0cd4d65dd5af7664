"""What holds of every policy set: terms bind, a forbid never opens anything, a substitute never gets more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from kiban import access, standard
from kiban.access import Acting, Policies

from .conftest import BEGAN, CLERK, DAY, EAST_OFFICE, HALL, SECTION, at_work

DUTIES = (
    "resident-counter",
    "resident-records",
    "support-measures",
    "tax",
    "welfare",
    "euc",
    "audit",
    "accounts",
)
CONDITIONS = (
    "true",
    "principal.substitute",
    "!principal.substitute",
    'principal.number == "000001"',
    'principal.office_kind == "ward"',
    'principal has ward && principal.ward == "281018"',
    'context.on >= datetime("2026-11-24")',
    'context.purpose == "住民基本台帳事務"',
)
_policy = st.builds(
    "permit ({0}, action in [{1}], resource) when {{ {2} && {3} }};".format,
    st.sampled_from(["principal", *(f'principal in Duty::"{duty}"' for duty in DUTIES)]),
    st.lists(st.sampled_from(["read", "search", "extract", "grant-lift", "other-wards"]), min_size=1).map(
        lambda names: ", ".join(f'Action::"{name}"' for name in names)
    ),
    st.sampled_from(
        ["true", 'resource in ItemClass::"individual-number"', 'resource in Business::"resident"']
    ),
    st.sampled_from(CONDITIONS),
)


def extended(library: standard.Library, effect: str, texts: list[str]) -> Policies:
    with TemporaryDirectory() as folder:
        written = [
            f'@id("own-{n}") @reason("試験") {text.replace("permit", effect, 1)}'
            for n, text in enumerate(texts)
        ]
        Path(folder, "own.cedar").write_text("\n".join(written), encoding="utf-8")
        return access.load_policies([access.REFERENCE, Path(folder)], library)


def situations(policies: Policies) -> list[Acting]:
    return [
        at_work(duty.id, duty.purposes[0], office)
        for duty in policies.duties.values()
        for office in (EAST_OFFICE, SECTION)
        if office.kind in duty.offices
    ]


@settings(max_examples=25)
@given(texts=st.lists(_policy, min_size=1, max_size=3))
def test_a_forbid_never_allows_more(policies: Policies, library: standard.Library, texts: list[str]) -> None:
    stricter = extended(library, "forbid", texts)
    for acting in situations(policies):
        assert stricter.grant(acting).decisions <= policies.grant(acting).decisions


@settings(max_examples=15)
@given(texts=st.lists(_policy, min_size=1, max_size=3), effect=st.sampled_from(["permit", "forbid"]))
def test_a_substitute_never_gets_more_than_the_substituted(
    policies: Policies, library: standard.Library, texts: list[str], effect: str
) -> None:
    changed = extended(library, effect, texts)
    other = replace(CLERK, number="000009")
    for acting in situations(policies):
        substituted = replace(acting, staff=other, assignment=replace(acting.assignment, staff=other.number))
        stands_in = replace(acting, assignment=replace(acting.assignment, substitutes=other.number))
        assert changed.grant(stands_in).decisions <= changed.grant(substituted).decisions


_days = st.dates(DAY - timedelta(days=3), DAY + timedelta(days=3))
_ends = st.none() | _days


@given(
    on=_days,
    began=_days,
    ends=st.tuples(_ends, _ends, _ends),
    duty=st.sampled_from(DUTIES),
    wrong=st.booleans(),
)
def test_no_grant_allows_what_the_duty_on_that_day_does_not(
    policies: Policies,
    on: date,
    began: date,
    ends: tuple[date | None, date | None, date | None],
    duty: str,
    wrong: bool,
) -> None:
    known = policies.duties[duty]
    office = replace(EAST_OFFICE if "ward" in known.offices else SECTION, end=ends[0])
    acting = at_work(duty, "釣り" if wrong else known.purposes[0], office, on)
    acting = replace(
        acting,
        staff=replace(CLERK, end=ends[1]),
        assignment=replace(acting.assignment, start=began, end=ends[2]),
    )
    held = began <= on and all(end is None or on < end for end in ends) and not wrong
    allowed = policies.grant(acting).decisions
    usual = policies.grant(at_work(duty, known.purposes[0], replace(office, end=None), on)).decisions
    assert allowed == (usual if held else frozenset())
    assert usual


def test_a_policy_that_cannot_be_evaluated_allows_nothing(
    policies: Policies, library: standard.Library
) -> None:
    broken = 'permit (principal, action == Action::"read", resource) when { 9223372036854775807 + 1 > 0 };'
    found = extended(library, "permit", [broken]).grant(at_work("resident-counter"))
    assert not found.allows("read", "resident") and found.allows("search", "resident")
    assert policies.grant(at_work("resident-counter")).allows("read", "resident")


def test_a_duty_that_needs_a_ward_is_not_held_at_the_city_hall(policies: Policies) -> None:
    assert policies.grant(at_work("resident-counter", office=HALL, on=BEGAN)).decisions == frozenset()
