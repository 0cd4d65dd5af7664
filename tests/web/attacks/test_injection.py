"""Whatever is typed into whatever field stays text: the fields are read off the pages themselves."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from tests.web.attacks.conftest import COUNTER, EUC, at_work, text
from tests.web.housing import Client

from kiban import web
from kiban.access.audit import Wanted

POLYGLOT = (
    "'\";--)<script>alert(9)</script>{{913*7}}{%debug%}${913*7}%s%n\r\nX-Evil: 1\r\n\r\n<svg/onload=alert(9)>"
)
PAYLOADS = {
    "polyglot": POLYGLOT,
    "union": "' UNION SELECT number, password FROM accounts.account--",
    "nul": "a\x00b",
    "long": "あ" * 20_000,
    "path": "../../../../etc/passwd",
    "surrogate": "\U000e010f\ufeff\u202e",
    "digits": "９" * 400,
}


def fields(page: str) -> list[str]:
    """The names of fields of a page."""
    found = re.findall(r'<(?:input|select|textarea|button)[^>]* name="([^"]+)"', page)
    return [each for each in dict.fromkeys(found) if each != "csrfmiddlewaretoken"]


def taken_as_text(answer: Any) -> None:
    assert answer.status_code < 500, text(answer)[-800:]
    assert "X-Evil" not in answer.headers
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        said = text(answer)
        for run in ("<script>alert", "<svg/onload", "6391", "root:", "psycopg", "syntax error", "scrypt$"):
            assert run not in said, run


def attack(client: Client, path: str, form: dict[str, Any], names: list[str]) -> None:
    """Every payload in every field, one after the other, and then the page that keeps it."""
    for payload in PAYLOADS.values():
        for name in names:
            taken_as_text(client.post(path, {**form, name: payload}))
    taken_as_text(client.get(path))


@pytest.mark.parametrize(
    ("number", "path"),
    [
        (COUNTER, "/people"),
        ("900003", "/operations/audit/who"),
        ("900001", "/operations/accounts/500001"),
        ("900001", "/operations/sign-in"),
        ("900001", "/operations/clients"),
        ("900004", "/operations/standards/difference"),
        (COUNTER, "/account/password/change/"),
    ],
)
def test_no_field_of_a_page_runs_what_is_typed(town: web.House, number: str, path: str) -> None:
    client = at_work(town, number)
    names = fields(text(client.get(path)).split("<main")[1])
    assert names
    attack(client, path, {"register": "resident.jumin"} if path == "/people" else {}, names)


def test_no_step_of_an_extract_runs_what_is_typed(town: web.House) -> None:
    client = at_work(town, EUC)
    query = client.post("/extracts/new", {"group": "resident.jumin"})["Location"].removesuffix("/items")
    client.post(f"{query}/items", {"item": ["atenabango", "seinengappi"], "next": "1"})
    forms: dict[str, dict[str, Any]] = {
        "items": {"item": ["atenabango"], "age-item": "seinengappi", "age-add": "1"},
        "conditions": {"item": "shimei", "kind": "is", "value": "x", "add": "1"},
        "scope": {"time": "day", "result": "rows", "form": "csv-bom"},
    }
    for step, form in forms.items():
        names = fields(text(client.get(f"{query}/{step}")).split("<main")[1])
        assert set(form) - set(names) <= {"age-add"}
        attack(client, f"{query}/{step}", form, names)
        taken_as_text(client.get(f"{query}/preview"))
    fresh = client.post("/extracts/new", {"group": "resident.jumin"})["Location"].removesuffix("/items")
    client.post(f"{fresh}/items", {"item": ["atenabango"], "next": "1"})
    for payload in PAYLOADS.values():
        for act, name in (("run", "title"), ("run", "reason"), ("keep", "title")):
            answer = client.post(f"{fresh}/{act}", {"title": "x", "reason": "x", name: payload})
            taken_as_text(answer)
            if act == "run" and answer.status_code == 302:
                taken_as_text(client.get(answer["Location"]))
                client.post(answer["Location"] + "/cancel")
    taken_as_text(client.get("/extracts"))


@pytest.mark.parametrize("name", ["group", "register", "after", "before", "on", "known", "q", "next", "page"])
def test_no_query_of_an_address_runs(town: web.House, name: str) -> None:
    client = at_work(town, COUNTER)
    from tests.web.attacks.routes import pages

    for each in pages():
        if each.action in ("", "search", "read", "history"):
            taken_as_text(client.get(each.path, {name: POLYGLOT}))


def test_nothing_typed_makes_a_second_line_in_a_log_or_the_trail(town: web.House, caplog: Any) -> None:
    client = at_work(town, COUNTER)
    forged = "x\r\n2026-01-01 kiban.web INFO 000000 GET /forged 200"
    with caplog.at_level(logging.DEBUG, "kiban"):
        client.post("/people", {"box": forged, "register": forged})
        client.django.get("/people", headers={"User-Agent": forged, "Accept-Language": forged})
        client.post("/duty", {"choice": forged})
        Client(town).post("/account/login/", {"login": forged, "password": forged})
    for record in caplog.records:
        assert "forged" not in record.getMessage()
    assert town.city is not None
    for entry in town.city.audit.lines(Wanted(), limit=30).entries:
        assert "forged" not in str(entry.line)
