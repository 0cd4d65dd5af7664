"""Every door, from the urlconf: shut to strangers, to one factor, to a duty that does not open it, to forms of other sites."""

from __future__ import annotations

from typing import Any

import pytest
from tests.web.attacks.conftest import COUNTER, EUC, RECORDS
from tests.web.attacks.routes import pages, routes
from tests.web.housing import Client
from tests.web.signin.conftest import Browser

from kiban import web
from kiban.kernel import Problem

FOR_EVERYBODY = {
    "account_login",
    "account_welcome",
    "configuration",
    "jwks",
    "/metrics",  # to the networks of the house only
    "/healthz",
    "/.well-known/oauth-authorization-server",
}
"""What answers without anybody signed in. To add something is a decision, not an accident."""
_OF_THE_API = "/link/x/x", "/openapi.json"
"""Not served by a house of pages alone; tests/web/test_link.py and test_oauth.py attack them."""
OWN = "/account", "/identity/", "/.well-known/", "/duty", "/metrics"
"""Pages of whoever is signed in, under any duty, and what says nothing of anybody; all others stand behind `needs`."""


def led(answer: Any) -> str:
    """Where an answer leads, without what comes after."""
    return str(answer.headers.get("Location", "")).partition("?")[0]


_NOWHERE = "/account/login/", "/identity/o/authorize"  # the second asks who one is by a GET


def shut(answer: Any) -> bool:
    return answer.status_code in (400, 401, 403, 404, 405, 415, 501) or led(answer) in _NOWHERE


def test_there_are_doors_and_each_page_is_guarded_or_ones_own() -> None:
    assert len(routes()) > 70
    unguarded = [each.path for each in pages() if each.action is None and not each.path.startswith(OWN)]
    assert unguarded == []


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_a_stranger_gets_in_nowhere(town: web.House, method: str) -> None:
    opened = set()
    for each in routes():
        if each.path in _OF_THE_API:
            continue
        answer = getattr(Client(town).django, method)(each.path)
        if not shut(answer):
            opened.add(each.name)
    assert not opened - FOR_EVERYBODY
    assert method != "get" or opened == FOR_EVERYBODY


def test_whoever_showed_one_factor_gets_in_nowhere(town: web.House) -> None:
    """With an account that has a second factor and did not show it: the session ends. Without any: only the way to the first."""
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from kiban.web.signin.models import Account

    account, _ = Account.objects.get_or_create(number=RECORDS)
    account.authenticator_set.all().delete()
    first = {"mfa_index", "mfa_activate_totp", "mfa_list_webauthn", "mfa_add_webauthn", "account_logout"}
    for has_one in (False, True):
        if has_one:
            TOTP.activate(account, generate_totp_secret())
        for each in pages():
            if each.name in FOR_EVERYBODY | first:
                continue
            client = Client(town)
            client.django.force_login(account)
            answer = client.get(each.path)
            assert led(answer) == ("/account/login/" if has_one else "/account/2fa/"), (each, has_one)
    account.authenticator_set.all().delete()


@pytest.mark.parametrize("number", [COUNTER, RECORDS, EUC, "100003", "900001", "900003", "900004"])
def test_a_duty_opens_only_what_its_policy_says(town: web.House, number: str) -> None:
    assert town.city is not None
    client = Client(town).work(number)
    grant = client.get("/").wsgi_request.grant  # type: ignore[attr-defined]
    refused = [each for each in pages() if each.action and not grant.allows(each.action, each.business)]
    assert refused
    for each in refused:
        answers = [client.get(each.path), client.post(each.path)]
        assert {answer.status_code for answer in answers} <= {403, 405}, each
        assert 403 in {answer.status_code for answer in answers}, each


def test_a_duty_that_is_over_opens_nothing_at_the_next_click(
    town: web.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kiban.access import People

    client = Client(town).work(EUC)
    assert client.get("/extracts").status_code == 200

    def over(*_: object) -> None:
        raise Problem("assignment-over", "the duty is over", fix="choose another")

    monkeypatch.setattr(People, "acting", over)
    for each in pages():
        if each.action:
            answer = client.get(each.path)
            assert led(answer) == "/duty" or answer.status_code == 405, each


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_form_of_another_site_is_refused_at_every_page(town: web.House, method: str) -> None:
    browser = Browser(town)
    browser.sign_in("900001")
    for each in pages():
        for sent in ({}, {"HTTP_ORIGIN": "https://evil.example", "HTTP_REFERER": "https://evil.example/"}):
            answer = getattr(browser.django, method)(each.path, **sent)
            assert answer.status_code == 403, each
            assert "form-forged" in answer.content.decode(), each


def test_what_takes_forms_of_other_sites_takes_no_session_for_it(town: web.House) -> None:
    signed_in, stranger = Browser(town), Client(town)
    signed_in.sign_in("900001")
    taken = [each for each in routes() if each.open]
    assert taken
    for each in taken:
        for body in ({}, {"grant_type": "client_credentials"}, {"action": "logout"}):
            mine, theirs = signed_in.django.post(each.path, body), stranger.post(each.path, body)
            asks = each.name == "logout" and "csrfmiddlewaretoken" in mine.content.decode()
            assert asks or mine.status_code == theirs.status_code >= 400, each
    assert signed_in.get("/account").status_code == 200  # nobody was signed out, either


def test_reading_changes_nothing(town: web.House) -> None:
    """Sign-out, ends of sessions, runs and deletions are no links."""
    client = Client(town).work("900001")
    acts = [each for each in pages() if each.path.rsplit("/", 1)[1] in _ACTS]
    assert len(acts) >= 9
    for each in acts:
        assert client.get(each.path).status_code in (403, 405), each
    client.get("/account/logout/")
    assert client.get("/duty").status_code == 200


_ACTS = {
    "forget",
    "run",
    "keep",
    "copy",
    "delete",
    "cancel",
    "remove",
    "verify",
    "end",
    "end-others",
    "end-all",
}
