"""Forged hosts, ways out, sessions planted by somebody else, headers and cookies, errors that would tell too much."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from tests.web.attacks.conftest import COUNTER, HER, NUMBER, at_work, searched, text
from tests.web.attacks.routes import pages, routes
from tests.web.signin.conftest import Browser, codes

from kiban import web
from kiban.access.audit import Wanted
from kiban.web.house import NAME

OUTSIDE = (
    "https://evil.example/", "//evil.example/", "/\\evil.example/", "\\\\evil.example/", "/\t/evil.example/", "https:evil.example",
    "http:///evil.example/", "javascript:alert(1)", "https://localhost@evil.example/", "https://localhost.evil.example/", " //evil.example",
)  # fmt: skip


def outside(location: str) -> bool:
    """Whether a browser would leave the city."""
    read = "".join(each for each in location if each > " ").replace("\\", "/")
    return urlsplit(urljoin("http://localhost/x", read)).netloc != "localhost"


@pytest.mark.parametrize("wanted", OUTSIDE, ids=repr)
def test_no_next_leads_out_of_the_city(town: web.House, wanted: str) -> None:
    client = at_work(town, COUNTER)
    for each in pages():
        if each.name == "account_logout":
            continue
        for answer in (client.get(each.path, {"next": wanted}), client.post(each.path, {"next": wanted})):
            assert not outside(answer.headers.get("Location", "")), each


@pytest.mark.parametrize("wanted", OUTSIDE, ids=repr)
def test_signing_in_leads_nowhere_else(browser: Browser, account: Any, wanted: str) -> None:
    anna = account("100001")
    answer = browser.send(
        "/account/login/", login=anna.number, password="紫陽花 の 三つ編み 2026", next=wanted
    )
    assert answer.status_code == 302
    assert not outside(answer["Location"])
    answer = browser.send("/account/2fa/authenticate/", code=codes(anna.secret), next=wanted)
    assert answer.status_code == 302
    assert not outside(answer["Location"])


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"]
)
def test_a_header_of_a_proxy_that_is_not_there_is_not_believed(town: web.House, header: str) -> None:
    client = at_work(town, COUNTER)
    for path in ("/", "/people", "/account/login/", "/.well-known/openid-configuration"):
        plain, forged = client.get(path), client.django.get(path, headers={header: "evil.example"})
        assert forged.status_code == plain.status_code
        assert "evil.example" not in text(forged) + str(forged.headers)


def test_a_post_does_not_pass_for_another_method(town: web.House) -> None:
    client = at_work(town, COUNTER)
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = client.django.get("/account/sessions/end-all", headers={header: "POST"})
        assert answer.status_code == 405
    assert client.get("/duty").status_code == 200


def test_the_address_of_a_forged_proxy_is_not_written_down(town: web.House) -> None:
    client = at_work(town, COUNTER)
    client.django.get("/people/at/x", headers={"X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6"})
    searched(client, box=HER)
    assert town.city is not None
    [entry] = town.city.audit.lines(Wanted(actor=COUNTER), limit=1).entries
    assert entry.line.address == "127.0.0.1"


def test_a_planted_session_is_worth_nothing_after_signing_in(town: web.House, account: Any) -> None:
    anna, browser = account("100001"), Browser(town)
    browser.django.cookies["kiban-session"] = "a" * 32  # never given out
    browser.get("/account/login/")
    assert "a" * 32 not in str(browser.django.cookies.output())
    token = browser.token()
    browser.enter(anna)
    between = browser.django.cookies["kiban-session"].value
    browser.send("/account/2fa/authenticate/", code=codes(anna.secret))
    after = browser.django.cookies["kiban-session"].value
    assert after not in ("a" * 32, between)
    assert browser.django.cookies["kiban-csrf"].value != token
    thief = Browser(town)
    for old in ("a" * 32, between):
        thief.django.cookies["kiban-session"] = old
        assert thief.get("/account").status_code == 302
    browser.send("/account/logout/")
    thief.django.cookies["kiban-session"] = after
    assert thief.get("/account").status_code == 302


@pytest.mark.parametrize("number", ["", COUNTER])
def test_every_answer_keeps_itself_to_itself(town: web.House, number: str) -> None:
    client = at_work(town, number) if number else Browser(town)
    for each in routes():
        if each.name == "account_logout":
            continue
        answer = client.get(each.path)
        said = answer.headers
        assert "frame-ancestors 'none'" in said["Content-Security-Policy"], each
        assert "default-src 'none'" in said["Content-Security-Policy"], each
        assert "unsafe" not in said["Content-Security-Policy"], each
        assert said["X-Frame-Options"] == "DENY", each
        assert said["X-Content-Type-Options"] == "nosniff", each
        assert said["Referrer-Policy"] in ("same-origin", "no-referrer"), each
        assert "no-store" in said["Cache-Control"] or each.name in ("configuration", "jwks"), each
        assert "Access-Control-Allow-Origin" not in said or each.name in _FOR_SCRIPTS, each
        assert "Server" not in said and "X-Powered-By" not in said, each


_FOR_SCRIPTS = {"configuration", "jwks", "token", "revoke", "userinfo"}
"""What an app in a browser may read of another origin; none of it looks at a session."""


def test_cookies_are_out_of_reach(town: web.House) -> None:
    from django.conf import settings

    client = at_work(town, COUNTER)
    client.get("/people")
    assert {"kiban-session", "kiban-csrf"} <= set(client.django.cookies)
    for each in client.django.cookies.values():
        assert each["httponly"] and each["samesite"] == "Lax" and not each["domain"], each
        assert HER not in each.value and COUNTER not in each.value
    settled = web.django_settings("x" * 64, secure=True)
    assert settled["SESSION_COOKIE_NAME"].startswith("__Host-") and settled["CSRF_COOKIE_SECURE"]
    assert settings.SESSION_ENGINE.endswith(".db")  # nothing in the cookie but a random name


def test_over_tls_browsers_are_told_to_stay_there(town: web.House) -> None:
    client = at_work(town, COUNTER)
    authority: Any = type("Authority", (), {"issuer": "https://localhost"})()
    client.django.defaults[NAME] = replace(town, authority=authority)
    assert client.get("/")["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


WHO = "000000000093999"
"""A number that this test alone asks for."""


@pytest.mark.parametrize(
    "path", ["/people/at/{}", "/{}", "/extracts/q/{}/items", "/operations/accounts/{}", "/people?q={}"]
)
def test_an_error_quotes_nothing(town: web.House, path: str, caplog: Any) -> None:
    client = at_work(town, COUNTER)
    evil = "<script>alert(9)</script>%0d%0aX-Evil:%201"
    with caplog.at_level(logging.DEBUG, "kiban"):
        for asked in (path.format(evil), path.format(WHO)):
            answer = client.get(asked)
            assert "<script>alert" not in text(answer) and WHO not in text(answer)
            assert "X-Evil" not in answer.headers
    for record in caplog.records:
        said = record.getMessage()
        assert WHO not in said and "alert" not in said and "\n" not in said and "\r" not in said


def test_a_mistake_of_ours_tells_a_number_and_nothing_else(
    town: web.House, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    client = at_work(town, COUNTER)

    def broken(*_: object) -> None:
        raise RuntimeError(f"SELECT * FROM jumin -- {HER} {NUMBER}")

    monkeypatch.setattr(type(town.city.policies), "grant", broken)  # type: ignore[union-attr]
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/people")
    said = text(answer)
    assert answer.status_code == 500
    for inside in ("RuntimeError", "SELECT", "Traceback", "kiban/web", HER, NUMBER, "django"):
        assert inside not in said
    assert HER not in caplog.text and NUMBER not in caplog.text
    assert "問い合わせ番号" in said


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "GE\xc9"])
def test_a_method_that_is_not_for_here_is_refused_and_nothing_is_echoed(town: web.House, method: str) -> None:
    answer = at_work(town, COUNTER).django.generic(method, "/people", "told", headers={"x-said": "told"})
    assert answer.status_code == 405
    assert "told" not in text(answer) + str(answer.headers)


@pytest.mark.parametrize("query", ["next=/a&next=/b", "next=/a%00", "ne%00xt=/a", "client_id=x&client_id=y"])
def test_a_parameter_comes_once_and_no_text_has_a_nul(town: web.House, query: str) -> None:
    client, form = at_work(town, COUNTER), "application/x-www-form-urlencoded"
    for path in ("/people", "/duty", "/account/sessions/"):
        assert client.get(f"{path}?{query}").status_code == 400
        assert client.post(path, query, form).status_code == 400
    assert client.get("/people?next=/a").status_code == 200


def test_a_system_that_asks_with_a_nul_is_refused(town: web.House) -> None:
    assert at_work(town, COUNTER).get("/identity/o/authorize?client_id=%00").status_code == 400
