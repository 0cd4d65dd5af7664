"""Paper: what for and how much of it is written down before it is shown; nothing that may not be read gets there."""

from __future__ import annotations

from typing import Any

import pytest
from tests.web.counter.conftest import (
    CHILD,
    CLERK,
    HANAKO,
    KEPT,
    SUPPORT,
    TARO,
    at_work,
    links,
    opened,
    text,
    words,
)
from tests.web.housing import Client

from kiban import web
from kiban.access.audit import Line, Wanted

GOOD: dict[str, Any] = {"what": ["resident.jumin", "history"], "reason": "届出の確認", "copies": "2"}


def lines(house: web.House, outcome: str = "") -> list[Line]:
    assert house.city is not None
    return [each.line for each in house.city.audit.lines(Wanted(kinds=("print",), outcome=outcome)).entries]


def test_a_print_leaves_who_whom_what_how_many_and_what_for(clerk: Client, peopled: web.House) -> None:
    address = links(opened(clerk, HANAKO), r"/people/at/[^\"/?#]+/print")[0]
    assert "照会結果の印刷" in text(clerk.get(address))
    before = len(lines(peopled))
    answer = clerk.post(address, GOOD)
    page = words(text(answer))
    for told in (
        "証明書ではありません",
        "東灘　花子（100001）",
        "届出の確認",
        "2部",
        "市民課",
        "渡邉",
        "転居",
    ):
        assert told in page, told
    line, *older = lines(peopled)
    assert len(older) == before
    assert (line.outcome, line.actor, line.subjects) == ("done", CLERK, (HANAKO, TARO))
    assert line.detail["registers"] == "resident.jumin,history"
    assert (line.detail["copies"], line.detail["reason"]) == (2, "届出の確認")
    assert int(line.detail["items"]) > 20
    assert line.request in page


def test_as_of_the_dates_shown(clerk: Client, peopled: web.House) -> None:
    address = links(opened(clerk, HANAKO), r"/people/at/[^\"/?#]+/print")[0]
    page = words(text(clerk.post(f"{address}?on=2023-04-01", {**GOOD, "what": "resident.jumin"})))
    assert "令和5年4月1日の状態" in page
    assert "９番９号" not in page
    assert lines(peopled)[0].detail["on"] == "2023-04-01"


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": " "},
        {"reason": "x" * 201},
        {"reason": "番号 1234-5678-9018 の方"},
        {"copies": "0"},
        {"copies": "二"},
        {"what": "resident.nothing"},
    ],
)
def test_without_a_purpose_or_anything_to_print_nothing_is(
    clerk: Client, peopled: web.House, wrong: dict[str, str]
) -> None:
    address = links(opened(clerk, HANAKO), r"/people/at/[^\"/?#]+/print")[0]
    before = len(lines(peopled))
    answer = clerk.post(address, {**GOOD, **wrong})
    assert answer.status_code == 422
    assert "証明書ではありません</strong>" not in text(answer)
    assert len(lines(peopled)) == before


def test_hidden_items_stay_hidden_on_paper(clerk: Client) -> None:
    address = links(opened(clerk, HANAKO), r"/people/at/[^\"/?#]+/print")[0]
    page = text(clerk.post(address, {**GOOD, "blank": "1"}))
    assert "123456789018" not in page
    assert "権限がないため表示しません" in page


def test_a_protected_person_is_not_printed_and_the_refusal_leaves_its_line(peopled: web.House) -> None:
    from kiban.web.counter import views

    client = at_work(peopled, CLERK)
    request = client.get("/people").wsgi_request
    assert peopled.city is not None
    roll = views.rolls(peopled.city.store, ["resident"])[0]
    for number in (KEPT, CHILD):
        address = views.person_address(request, roll, number) + "/print"
        for answer in (client.get(address), client.post(address, GOOD)):
            assert answer.status_code == 403
            assert "支援措置担当に連絡" in text(answer)
            line = lines(peopled, "refused")[0]
            assert (line.subjects, line.detail["reason"]) == ((number,), "protected")


def test_who_may_not_print_is_offered_no_print(peopled: web.House) -> None:
    client = at_work(peopled, SUPPORT)
    page = opened(client, HANAKO)
    assert "/print" not in page
    address = links(page)[0]
    assert client.post(f"{address}/print", GOOD).status_code == 403
