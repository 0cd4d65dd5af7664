"""A protected person and her household: that there is such a person is told, and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from tests.web.counter.conftest import (
    CHILD,
    CLERK,
    HANAKO,
    KEPT,
    RECORDS,
    SUPPORT,
    at_work,
    links,
    searched,
    text,
    words,
)
from tests.web.housing import Client

from kiban import web
from kiban.access.audit import Wanted
from kiban.store import Lift

SECRETS = ("守田", "７番７号", "モリタ", "魚崎北町")


@pytest.mark.parametrize("number", [KEPT, CHILD])
def test_a_search_says_that_there_is_such_a_person_and_no_more(clerk: Client, number: str) -> None:
    for form in ({"box": number}, {"kana": "モリタ", "wards": "all"}, {"name": "守田"}):
        answer = searched(clerk, **form)
        page = words(text(answer))
        assert number in page
        assert "支援措置等の対象者です" in page
        asked = form.get("kana") or form.get("name") or "-"
        assert not [each for each in SECRETS if each != asked and each in page]
        assert not links(text(answer))


def test_no_search_by_address_finds_her(clerk: Client) -> None:
    page = words(text(searched(clerk, address="魚崎北町一丁目７", wards="all")))
    assert KEPT not in page
    assert CHILD not in page


def test_her_page_is_refused_in_words_that_say_what_to_do_and_the_refusal_leaves_a_line(
    peopled: web.House,
) -> None:
    from kiban.web.counter import views

    client = at_work(peopled, CLERK)
    request = client.get("/people").wsgi_request
    assert peopled.city is not None
    roll = views.rolls(peopled.city.store, ["resident"])[0]
    address = views.person_address(request, roll, KEPT)
    for page in (address, f"{address}/history", f"{address}/characters", f"{address}/rows/resident.ido"):
        answer = client.get(page)
        assert answer.status_code == 403
        assert "支援措置担当に連絡" in text(answer)
        assert "問い合わせ番号" in text(answer)
        assert not [each for each in SECRETS if each in text(answer)]
        line = peopled.city.audit.lines(Wanted(actor=CLERK, outcome="refused")).entries[0].line
        assert (line.subjects, line.detail["reason"]) == ((KEPT,), "protected")


def test_who_cares_for_protected_persons_sees_her_with_the_mark(peopled: web.House) -> None:
    page = text(searched(at_work(peopled, SUPPORT), box=KEPT, wards="all"))
    assert "支援措置等の対象者（または同じ世帯の方）です" in page
    assert "７番７号" in page


def test_nobody_else_carries_the_mark(clerk: Client) -> None:
    assert "支援措置等の対象者" not in text(searched(clerk, box=HANAKO))


def test_a_lift_is_asked_by_one_granted_by_another_and_ends_by_itself(peopled: web.House) -> None:
    clerk, carer = at_work(peopled, RECORDS), at_work(peopled, SUPPORT)
    page = text(searched(clerk, box=KEPT, wards="all"))
    ask = links(page, r"/people/at/[^\"]+/lift")[0]
    assert clerk.post(ask, {"reason": " ", "minutes": "30"}).status_code == 422
    assert clerk.post(ask, {"reason": "本人が来庁", "minutes": "30"}).status_code == 302
    assert "承認待ち" in text(clerk.get("/operations/lifts"))
    assert not links(text(searched(clerk, box=KEPT, wards="all")), r"/people/at/[^\"/]+")
    grant = re.findall(r'action="(/operations/lifts/\d+/grant)"', text(carer.get("/operations/lifts")))[0]
    assert clerk.post(grant).status_code == 403
    assert "承認待ち" in text(clerk.get("/operations/lifts"))
    assert carer.post(grant).status_code == 302
    opened = text(searched(clerk, box=KEPT, wards="all"))
    assert "７番７号" in opened
    assert "支援措置等の対象者（または同じ世帯の方）です" in opened
    assert peopled.city is not None
    lines = [entry.line for entry in peopled.city.audit.lines(Wanted(kinds=("lift",))).entries]
    assert [(line.outcome, line.detail.get("act") or line.detail["action"]) for line in lines[:4]] == [
        ("done", "granted"), ("refused", "grant-lift"), ("done", "asked"), ("refused", "asked"),
    ]  # fmt: skip
    assert {line.subjects for line in lines[:1] + lines[2:4]} == {(KEPT,)}


def test_who_may_not_lift_is_offered_no_lift(clerk: Client) -> None:
    assert not links(text(searched(clerk, box=KEPT)), r"/people/at/[^\"]+")
    assert clerk.get("/operations/lifts").status_code == 403


def test_a_lift_is_over_by_itself() -> None:
    now = datetime.now(UTC)
    lift = Lift(1, KEPT, RECORDS, "x", RECORDS, now, now, now + timedelta(minutes=30), SUPPORT, now)
    assert lift.stands(now + timedelta(minutes=29))
    assert not lift.stands(now + timedelta(minutes=30))
