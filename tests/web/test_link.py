"""The read API of a contract: only what it gives, to whom it gives it, told before it is given, bound to its question."""

from __future__ import annotations

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import requests

from kiban.kernel import Problem
from kiban.linkage import api
from kiban.linkage.evidence import BookLedger, unit_hash

from .conftest import PEOPLE, READING, SECRET, Live
from .test_numbering_api import city_down

PATH = "/link/resident-library.v1/jumin"
FIELDS = ["atenabango", "shimei", "jusho_choaza", "valid_from"]
__all__ = ["city_down"]


def number(n: int) -> str:
    return str(n).zfill(15)


@pytest.fixture
def token(served: Live) -> str:
    return served.token(served.library, READING)


def question(token: str, asked: Any, **said: str | None) -> tuple[api.Envelope, dict[str, str]]:
    names = {"id": str(uuid.uuid4()), "purpose": "利用カードの発行", "user": "職員１", "case": "令和8-123"}
    made = api.envelope(PATH, asked, **{**names, **{n: v for n, v in said.items() if v}})
    dropped = {f"X-Kiban-{n.title()}" for n, v in said.items() if v is None}
    headers = {n: v for n, v in made.headers.items() if n not in dropped}
    return made, {**headers, "Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def ask(served: Live, token: str, asked: Any, **said: str | None) -> requests.Response:
    envelope, headers = question(token, asked, **said)
    return served.post(PATH, data=envelope.body, headers=headers)


def asked(*who: int, fields: list[str] = FIELDS, **more: Any) -> dict[str, Any]:
    return {"fields": fields, "keys": {"atenabango": [number(n) for n in who]}, **more}


def test_the_fields_asked_for_are_given_and_no_other(served: Live, token: str) -> None:
    served.protections[number(1)] = ("clear", 7)
    answer = ask(served, token, asked(1))
    assert answer.status_code == 200, answer.text
    [row] = answer.json()["rows"]
    assert row == {
        "unit": number(1),
        "protection": {"state": "clear", "event": 7},
        "items": {
            "atenabango": number(1),
            "shimei": "市民　１号",
            "jusho_choaza": "魚崎北町一丁目",
            "valid_from": "2020-04-01",
        },
        "withheld": [],
    }


def test_the_answer_is_bound_to_its_question(served: Live, token: str) -> None:
    envelope, headers = question(token, asked(1))
    answer = served.post(PATH, data=envelope.body, headers=headers)
    told = api.proved(envelope, "L01", answer.headers, answer.content)
    assert told["question"]["hash"] == envelope.hash("L01") == answer.headers["X-Kiban-Request-Hash"]
    other, _ = question(token, asked(2))
    with pytest.raises(Problem, match="answer-unbound"):
        api.proved(other, "L01", answer.headers, answer.content)
    with pytest.raises(Problem, match="answer-unbound"):
        api.proved(envelope, "T01", answer.headers, answer.content)
    with pytest.raises(Problem, match="answer-damaged"):
        api.proved(envelope, "L01", answer.headers, answer.content.replace("１".encode(), "２".encode()))


def test_the_hash_is_what_the_page_for_vendors_says(served: Live, token: str) -> None:
    envelope, headers = question(token, asked(1))
    lines = ["kiban-question-1", "POST", PATH, "L01"]
    lines += [headers[f"X-Kiban-{name}"] for name in ("Id", "Purpose", "User", "Case")] + ["", ""]
    lines.append(hashlib.sha512(envelope.body).hexdigest())
    assert envelope.hash("L01") == hashlib.sha512("\n".join(lines).encode()).hexdigest()


@pytest.mark.parametrize(
    ("known", "hidden"),
    [(("protected", 9), True), (("unknown", 0), True), (None, True), (("clear", 3), False)],
)
def test_the_address_of_who_may_be_protected_is_left_empty(
    served: Live, token: str, known: tuple[str, int] | None, hidden: bool
) -> None:
    if known:
        served.protections[number(2)] = known
    [row] = ask(served, token, asked(2)).json()["rows"]
    assert row["protection"]["state"] == (known[0] if known else "unknown")
    assert (row["items"]["jusho_choaza"] is None) is hidden
    assert row["withheld"] == (["jusho_choaza"] if hidden else [])
    assert row["items"]["shimei"] == "市民　２号"


def test_where_protection_cannot_be_told_everybody_counts_as_protected(served: Live, token: str) -> None:
    def fails(*_: Any) -> Any:
        raise Problem("database-unreachable", "gone")

    reading = api.Reading(
        served.house.reading._store, lambda _: [served.contract], lambda _: None, SECRET, fails, served.clock
    )
    served.serving[-1] = replace(served.house, reading=reading)
    [row] = ask(served, token, asked(1)).json()["rows"]
    assert (row["protection"]["state"], row["items"]["jusho_choaza"]) == ("unknown", None)


@pytest.mark.parametrize("name", ["id", "purpose", "user", "case"])
def test_who_does_not_say_why_gets_nothing(served: Live, token: str, name: str) -> None:
    answer = ask(served, token, asked(1), **{name: None})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "header-missing"
    assert answer.json()["problems"][0]["where"] == f"X-Kiban-{name.title()}"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "fields-missing"),
        (asked(1, fields=[]), "fields-missing"),
        (asked(1, fields=["kojinbango"]), "field-unknown"),
        ({"fields": FIELDS}, "keys-missing"),
        ({"fields": FIELDS, "keys": {}}, "keys-missing"),
        ({"fields": FIELDS, "keys": {"shimei": ["市民　１号"]}}, "key-unknown"),
        ({"fields": FIELDS, "keys": {"atenabango": []}}, "keys-many"),
        ({"fields": FIELDS, "keys": {"atenabango": ["x"] * 101}}, "keys-many"),
        ({"fields": FIELDS, "keys": {"atenabango": "1"}}, "keys-many"),
        ({"fields": FIELDS, "keys": {"atenabango": ["\u0000"]}}, "keys-many"),
        (asked(1, as_of="yesterday"), "day-unreadable"),
        (asked(1, known="2026-01-01T00:00:00"), "moment-unreadable"),
        (asked(1, known="2999-01-01T00:00:00Z"), "known-future"),
        (asked(1, limit=0), "limit-unreadable"),
        (asked(1, limit=1001), "limit-unreadable"),
        (asked(1, limit=True), "limit-unreadable"),
        (asked(1, after="x"), "after-unreadable"),
        (asked(1, after=1), "after-unreadable"),
        (asked(1, everything=True), "question-unknown"),
        ([], "body-unreadable"),
    ],
)
def test_a_question_that_says_something_else_is_refused(
    served: Live, token: str, body: Any, code: str
) -> None:
    answer = ask(served, token, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert "市民" not in answer.text


def test_every_fault_is_told_at_once(served: Live, token: str) -> None:
    answer = ask(served, token, {"limit": 0}, purpose=None)
    assert [problem["code"] for problem in answer.json()["problems"]] == [
        "header-missing", "fields-missing", "keys-missing", "limit-unreadable",
    ]  # fmt: skip


def test_who_has_no_contract_learns_nothing(served: Live, token: str) -> None:
    assert ask(served, "", asked(1)).status_code == 401
    assert ask(served, "x", asked(1)).status_code == 401
    with pytest.raises(Exception, match="not granted"):
        served.token(served.tax, READING)
    numbering = served.token(served.library, "031:app_submit/v10/jutogaishaatenabangofuban:Create")
    assert ask(served, numbering, asked(1)).json()["code"] == "scope-insufficient"
    unknown = served.post("/link/nothing.v1/jumin", json={}, headers={"Authorization": f"Bearer {token}"})
    assert unknown.status_code == 403


def test_a_contract_that_ended_gives_nothing(served: Live, token: str, library: Any) -> None:
    over = replace(served.contract, until=served.clock().date() - timedelta(days=1))
    reading = api.Reading(
        served.house.reading._store, lambda _: [over], lambda _: None, SECRET, api.nothing_known, served.clock
    )
    served.serving[-1] = replace(served.house, reading=reading)
    assert ask(served, token, asked(1)).status_code == 403


def test_evidence_has_both_lines_before_the_answer(served: Live, token: str) -> None:
    ledger = BookLedger(served.books)
    before, _ = ledger.head()
    envelope, headers = question(token, asked(1))
    answer = served.post(PATH, data=envelope.body, headers=headers)
    received, sent = [entry.line for entry in ledger.entries(before)]
    assert (received.direction, received.outcome, sent.direction, sent.outcome) == (
        "received", "accepted", "sent", "offered",
    )  # fmt: skip
    assert received.item == sent.item == answer.json()["question"]["id"]
    assert received.digest == hashlib.sha256(envelope.said("L01")).hexdigest()
    assert sent.digest == hashlib.sha256(answer.content).hexdigest()
    assert (received.purpose, received.who) == ("利用カードの発行（令和8-123）", "L01:職員１")
    assert sent.unit == unit_hash(SECRET, number(1))
    ask(served, token, {})
    refused = [entry.line.outcome for entry in ledger.entries(before)][2:]
    assert refused == ["refused"]


def test_without_evidence_there_is_no_answer(served: Live, token: str) -> None:
    def full(_: Any) -> None:
        raise Problem("database-full", "the disk is full")

    reading = api.Reading(
        served.house.reading._store,
        lambda _: [served.contract],
        full,
        SECRET,
        api.nothing_known,
        served.clock,
    )
    served.serving[-1] = replace(served.house, reading=reading)
    answer = ask(served, token, asked(1))
    assert (answer.status_code, answer.json()["code"]) == (503, "database-full")
    assert answer.json()["title"] == "想定外のエラーが発生しました。"


def test_a_back_end_that_is_down_is_503_and_no_empty_list(served: Live, token: str, city_down: Any) -> None:
    answer = ask(served, token, asked(1))
    assert answer.status_code == 503
    assert "rows" not in answer.json()
    assert answer.json()["_links"] == {"self": {"href": PATH}}


def test_pages_follow_each_other_by_key(served: Live, token: str) -> None:
    found: list[str] = []
    after = None
    while True:
        more = {"after": after} if after else {}
        told = ask(served, token, asked(*range(1, PEOPLE + 1), fields=["atenabango"], limit=7, **more)).json()
        assert len(told["rows"]) <= 7
        found += [row["unit"] for row in told["rows"]]
        after = told["next"]
        if after is None:
            break
    assert found == [number(n) for n in range(1, PEOPLE + 1)]


def test_nobody_is_an_empty_answer_and_the_past_is_another(served: Live, token: str) -> None:
    assert ask(served, token, asked(999)).json()["rows"] == []
    assert ask(served, token, asked(1, as_of="2019-01-01")).json()["rows"] == []
    assert ask(served, token, asked(1, as_of="2021-01-01")).json()["rows"]


def test_a_get_names_persons_in_headers_only(served: Live, token: str) -> None:
    _, headers = question(token, {})
    keyed = {**headers, "X-Kiban-Keys": f"atenabango={number(1)},{number(2)}"}
    answer = served.get(f"{PATH}?fields=shimei,atenabango&limit=1", headers=keyed)
    assert answer.status_code == 200
    assert [row["unit"] for row in answer.json()["rows"]] == [number(1)]
    target = f"{PATH}?fields=shimei,atenabango&limit=1"
    envelope = api.Envelope("GET", target, {n: keyed.get(n, "") for n in api.HEADERS}, b"")
    assert api.proved(envelope, "L01", answer.headers, answer.content)["next"] == answer.json()["next"]
    following = served.get(target, headers={**keyed, "X-Kiban-After": answer.json()["next"]})
    assert [row["unit"] for row in following.json()["rows"]] == [number(2)]
    refused = served.get(f"{PATH}?fields=shimei&keys=atenabango={number(1)}", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "number-in-address")
    broken = served.get(f"{PATH}?fields=shimei", headers={**headers, "X-Kiban-Keys": "atenabango=%ff"})
    assert (broken.status_code, broken.json()["code"]) == (400, "query-unreadable")


def test_the_look_up_log_of_the_registers_says_who_and_why(served: Live, token: str) -> None:
    import psycopg

    ask(served, token, asked(3))
    with psycopg.connect(served.house.reading._store.server.owner_dsn) as connection:
        row = connection.execute(
            "SELECT actor, purpose, found FROM kiban.lookup ORDER BY lookup DESC LIMIT 1"
        ).fetchone()
    assert row == ("L01:職員１", "利用カードの発行（令和8-123）", [number(3)])


def test_each_of_many_answers_at_once_belongs_to_its_question(served: Live, token: str) -> None:
    def once(n: int) -> None:
        who = n % PEOPLE + 1
        envelope, headers = question(token, asked(who), case=quote(str(n)))
        answer = served.post(PATH, data=envelope.body, headers=headers)
        told = api.proved(envelope, "L01", answer.headers, answer.content)
        assert [row["unit"] for row in told["rows"]] == [number(who)]

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(once, range(160)))
