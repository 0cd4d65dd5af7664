"""Why something is allowed or not, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from kiban.access import Policies

from .conftest import DAY, EAST_OFFICE, HALL, SECTION, at_work

COUNTER = at_work("resident-counter")
NADA = "281026"


def test_what_is_allowed_names_the_policy_that_permits_it(policies: Policies) -> None:
    told = policies.explain(COUNTER, "read", "resident", "registered-domicile")
    assert told.allowed and told.missing == () and told.asked == "住民基本台帳・本籍・筆頭者・照会"
    assert [reason.policy for reason in told.reasons] == ["counter-read", "counter-classes"]
    assert all(reason.reason and ".cedar:" in reason.where for reason in told.reasons)


def test_what_nobody_permits_says_who_could(policies: Policies) -> None:
    told = policies.explain(COUNTER, "read", "resident", "individual-number")
    assert not told.allowed
    assert told.missing == (
        "住民基本台帳・個人番号・照会：許す方針がない",
        "住民基本台帳・個人番号・照会：この組織でこれができる職務は、住民記録担当、税担当",
    )


def test_what_is_forbidden_names_the_policy_that_forbids_it(policies: Policies) -> None:
    told = policies.explain(at_work("resident-records"), "extract", "resident", "individual-number")
    assert not told.allowed and "never-extract-numbers" in told.missing[0]
    assert ("never-extract-numbers", "forbid") in [(each.policy, each.effect) for each in told.reasons]


def test_another_ward_needs_more_than_the_own_one(policies: Policies) -> None:
    welfare = at_work("welfare", "福祉事務")
    assert policies.explain(welfare, "read", "resident", ward=EAST_OFFICE.ward or "").allowed
    elsewhere = policies.explain(welfare, "read", "resident", ward=NADA)
    assert not elsewhere.allowed and "他区の照会" in elsewhere.missing[0]
    assert policies.explain(COUNTER, "read", "resident", ward=NADA).allowed
    assert policies.explain(COUNTER, "read", ward=NADA).missing == ("区は業務とともに問う",)


def test_a_term_that_is_over_is_told(policies: Policies) -> None:
    told = policies.explain(at_work("resident-counter", end=DAY), "read", "resident")
    assert told.missing == ("2026-11-24は発令の期間（2026-04-01～2026-11-24の前日）の外である",)


def test_everything_that_does_not_fit_is_told_at_once(policies: Policies) -> None:
    wrong = replace(at_work("audit", "住民基本台帳事務"), on=date(2020, 1, 1))
    assert len(policies.explain(wrong, "fly", "nowhere", "nothing").missing) == 7


_QUESTIONS = st.tuples(
    st.sampled_from(["search", "read", "extract", "record", "ask-lift", "audit", "recover", "fly"]),
    st.sampled_from(["", "resident", "individual_resident_tax", "nonresident_addressee", "nowhere"]),
    st.sampled_from(["", "individual-number", "support-measures", "memo", "income-and-tax", "nothing"]),
)


@given(data=st.data(), question=_QUESTIONS)
def test_the_explanation_never_says_otherwise_than_the_grant(
    policies: Policies, data: st.DataObject, question: tuple[str, str, str]
) -> None:
    duty = policies.duties[data.draw(st.sampled_from(sorted(policies.duties)))]
    purpose = data.draw(st.sampled_from([*duty.purposes, "住民基本台帳事務"]))
    office = data.draw(st.sampled_from([EAST_OFFICE, HALL, SECTION]))
    substitutes = data.draw(st.sampled_from([None, "000009"]))
    on = data.draw(st.sampled_from([DAY, date(2026, 3, 31)]))
    acting = at_work(duty.id, purpose, office, on, substitutes=substitutes)
    told = policies.explain(acting, *question)
    assert told.allowed == policies.grant(acting).allows(*question)
    assert told.allowed == (not told.missing)
