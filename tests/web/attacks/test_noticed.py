"""What nobody does by accident leaves a line; what somebody does too often is slowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.web.attacks.conftest import COUNTER, HER, PLAIN, at_work, searched, text
from tests.web.signin.conftest import Browser

from kiban import web
from kiban.access.audit import Line, Wanted
from kiban.web.house import NAME
from kiban.web.pages import measure


@pytest.fixture(autouse=True)
def fresh_measures() -> None:
    measure._HELD.clear()


def newest(town: web.House, **wanted: Any) -> Line:
    assert town.city is not None
    [entry] = town.city.audit.lines(Wanted(**wanted), limit=1).entries
    return entry.line


def forged_form(town: web.House) -> None:
    browser = Browser(town)
    assert browser.django.post("/account/welcome", {"code": "what was typed"}).status_code == 403


def forged_host(town: web.House) -> None:
    assert Browser(town, host="evil.example").get("/people").status_code == 400


def secret_in_an_address(town: web.House) -> None:
    assert Browser(town).get("/people?access_token=whattypedstood").status_code == 400


def method_that_is_not_for_here(town: web.House) -> None:
    assert Browser(town).django.generic("TRACE", "/people").status_code == 405


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (forged_form, "form-forged"),
        (forged_host, "host-unknown"),
        (secret_in_an_address, "secret-in-address"),
        (method_that_is_not_for_here, "method-unknown"),
    ],
)
def test_a_refusal_of_what_no_page_sends_leaves_a_line(town: web.House, act: Any, code: str) -> None:
    act(town)
    line = newest(town, kinds=("error",))
    assert (line.outcome, line.detail, line.address) == ("refused", {"problem": code}, "127.0.0.1")
    assert "typed" not in str(line)


def test_a_handle_of_somebody_else_leaves_a_line_with_the_name_of_who_tried(town: web.House) -> None:
    client = at_work(town, COUNTER)
    address = searched(client, atenabango=PLAIN).redirect_chain[-1][0]
    other = at_work(town, "500002")
    assert other.get(address).status_code == 404
    line = newest(town, kinds=("error",))
    assert (line.actor, line.detail) == ("500002", {"problem": "handle-foreign"})
    assert line.session


def test_nobody_fills_the_trail_from_outside(town: web.House) -> None:
    assert town.city is not None
    for _ in range(150):
        forged_host(town)
    found = town.city.audit.lines(Wanted(kinds=("error",)), limit=200).entries
    assert (
        sum(each.line.detail == {"problem": "host-unknown"} for each in found) <= 122
    )  # two minutes at most


def test_who_searches_without_end_is_stopped_and_told_what_to_do(town: web.House) -> None:
    assert town.city is not None
    client, other = at_work(town, COUNTER), at_work(town, "500002")
    client.django.defaults[NAME] = other.django.defaults[NAME] = replace(
        town, city=replace(town.city, searches=5)
    )
    measure._HELD.clear()
    answers = [client.get("/people") for _ in range(8)]
    assert [each.status_code for each in answers][:5] == [200] * 5
    assert answers[-1].status_code == 429
    assert "10分ほど待ってから" in text(answers[-1]) and HER not in text(answers[-1])
    line = newest(town, actor=COUNTER, outcome="refused")
    assert (line.kind, line.detail["reason"]) == ("search", "searches-many")
    assert other.get("/people").status_code == 200
