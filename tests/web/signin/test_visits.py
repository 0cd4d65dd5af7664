"""What other systems hold of a sign-in: it ends with what was stolen, with its time, with the person's word, and they are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

import jwt
import pytest
import requests
from idpyoidc.message.oidc.session import BackChannelLogoutRequest
from tests.web.conftest import _Quiet, _Server

from kiban.kernel import Problems
from kiban.web.signin import farewell
from kiban.web.signin.clients import Clients
from kiban.web.signin.models import Visit
from kiban.web.signin.wishes import Wish, check

from .conftest import Live, Person, Visitor, acts, lines
from .test_provider import BACK, BY, Vendor, anna, told, vendor, visitor

__all__ = ["anna", "vendor", "visitor"]


@dataclass
class Post:
    """Where a vendor is told that sign-ins are over; it may be out of order a few times."""

    url: str = ""
    letters: list[str] = field(default_factory=list)
    refused: int = 0

    def take(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        self.letters.append(parse_qs(body)["logout_token"][0])
        self.refused -= 1
        start("503 Down" if self.refused >= 0 else "204 Taken", [])
        return [b""]

    def wait(self, count: int = 1) -> list[str]:
        """The letters, once so many are there."""
        until = time.monotonic() + 30
        while len(self.letters) < count and time.monotonic() < until:
            time.sleep(0.05)
        return self.letters


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    monkeypatch.setattr(farewell, "_WAITS", (0, 0, 0))
    found = Post()
    with make_server("127.0.0.1", 0, found.take, _Server, _Quiet) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/told"
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield found
        server.shutdown()


@pytest.fixture
def renewing(live: Live, post: Post) -> Vendor:
    """A system that renews its tokens, and wants to be told."""
    assert live.house.city is not None
    wish = Wish("国保システム", (BACK,), scopes=("profile",), own=True, refresh=True, farewell=post.url)
    return Vendor(*Clients(live.house.city).register(wish, BY), live)


def tokens(system: Vendor, visitor: Visitor, **asked: str) -> dict[str, Any]:
    answer = system.redeem(told(visitor.go(system.authorize(scope="openid profile", **asked)))["code"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def renew(system: Vendor, token: str) -> requests.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    url = system.live.url + "/identity/o/api/token"
    return requests.post(url, data=form, auth=(system.id, system.secret), timeout=30)


def known(live: Live, held: dict[str, Any]) -> bool:
    """Whether a system that holds these tokens is told who it is."""
    claims = {"Authorization": f"Bearer {held['access_token']}"}
    answer = requests.get(live.url + "/identity/o/api/userinfo", headers=claims, timeout=30)
    return answer.status_code == 200


def claims(held: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(held["id_token"], options={"verify_signature": False})
    return found


def test_a_code_that_is_shown_again_ends_all_that_came_of_it(
    vendor: Vendor, visitor: Visitor, live: Live
) -> None:
    other = tokens(vendor, visitor)
    code = told(visitor.go(vendor.authorize()))["code"]
    held = vendor.redeem(code).json()
    assert known(live, held)
    assert vendor.redeem(code).json()["error"] == "invalid_grant"
    assert (known(live, held), known(live, other)) == (False, True)
    assert acts(live.house, "100001")[0] == ("token", "refused")


def test_a_refresh_token_that_is_shown_again_ends_all_that_came_of_it(
    renewing: Vendor, visitor: Visitor, live: Live
) -> None:
    first = tokens(renewing, visitor)
    second = renew(renewing, first["refresh_token"]).json()
    third = renew(renewing, second["refresh_token"]).json()
    assert known(live, third)
    assert claims(third)["sid"] == claims(first)["sid"]
    assert renew(renewing, first["refresh_token"]).json()["error"] == "invalid_grant"
    assert not known(live, third)
    assert renew(renewing, third["refresh_token"]).json()["error"] == "invalid_grant"


def test_who_does_not_know_the_secret_of_a_system_ends_nothing_of_it(
    renewing: Vendor, visitor: Visitor, live: Live
) -> None:
    first = tokens(renewing, visitor)
    second = renew(renewing, first["refresh_token"]).json()
    thief = Vendor(renewing.id, "guessed", live)
    assert renew(thief, first["refresh_token"]).json()["error"] == "invalid_client"
    assert known(live, second)


def test_tokens_end_with_their_sign_in_however_often_they_are_renewed(
    renewing: Vendor, visitor: Visitor
) -> None:
    from allauth.idp.oidc.models import Token

    held = tokens(renewing, visitor)
    visit = Visit.objects.get(client_id=renewing.id)
    assert visit.ends_at - visit.began_at == timedelta(hours=12)
    visit.ends_at = visit.began_at + timedelta(minutes=2)
    visit.save(update_fields=["ends_at"])
    renewed = renew(renewing, held["refresh_token"])
    assert renewed.status_code == 200
    assert {each.expires_at for each in Token.objects.filter(client_id=renewing.id)[1:]} == {visit.ends_at}


def test_a_system_learns_when_a_factor_was_shown_and_may_ask_for_a_fresher_one(
    vendor: Vendor, visitor: Visitor, anna: Person
) -> None:
    at = claims(tokens(vendor, visitor, max_age="3600"))["auth_time"]
    assert abs(at - time.time()) < 600
    _age(anna, 7200)
    assert claims(tokens(vendor, visitor))["auth_time"] == at - 7200
    assert told(visitor.go(vendor.authorize(max_age="60", prompt="none")))["error"] == "login_required"
    assert told(visitor.go(vendor.authorize(max_age="soon")))["error"] == "invalid_request"
    asked = visitor.go(vendor.authorize(max_age="60"))
    assert "本人の再確認" in asked.text
    visitor.show_again(anna)
    assert claims(tokens(vendor, visitor, max_age="0"))["auth_time"] >= at


def _age(person: Person, seconds: int) -> None:
    """Let the factors of all her sessions have been shown earlier."""
    from allauth.usersessions.models import UserSession
    from django.contrib.sessions.backends.db import SessionStore

    for each in UserSession.objects.filter(user__number=person.number):
        session = SessionStore(each.session_key)
        for record in session["account_authentication_methods"]:
            record["at"] -= seconds
        session.modified = True
        session.save()


def test_a_person_sees_what_systems_know_of_her_and_ends_one(
    vendor: Vendor, renewing: Vendor, visitor: Visitor, live: Live, post: Post
) -> None:
    kept, ended = tokens(vendor, visitor), tokens(renewing, visitor)
    page = visitor.go("/account/systems").text
    assert "税システム" in page and "国保システム" in page and "氏名" in page
    after = visitor.go("/account/systems", client=renewing.id).text
    assert "国保システム" not in after and "税システム" in after
    assert (known(live, kept), known(live, ended)) == (True, False)
    assert renew(renewing, ended["refresh_token"]).status_code == 400
    assert lines(live.house, "setting", "100001")[0].line.detail["what"] == "consent-withdrawn"
    assert len(post.wait()) == 1


def test_nobody_ends_or_sees_what_systems_know_of_somebody_else(
    renewing: Vendor, visitor: Visitor, live: Live, person: Any
) -> None:
    held, other = tokens(renewing, visitor), Visitor(live)
    other.sign_in(person("100002"))
    assert "国保システム" not in other.go("/account/systems").text
    other.go("/account/systems", client=renewing.id)
    assert known(live, held)


@pytest.mark.parametrize("way", ["here", "everywhere", "by an administrator"])
def test_a_system_is_told_when_a_sign_in_is_over(
    renewing: Vendor, visitor: Visitor, live: Live, anna: Person, post: Post, way: str
) -> None:
    from kiban.web.signin.accounts import Accounts

    held = tokens(renewing, visitor)
    if way == "here":
        visitor.go("/account/logout/", sure="1")
    elif way == "everywhere":
        visitor.sign_out_everywhere(anna)
    else:
        assert live.house.city is not None
        Accounts(live.house.city).sign_out(anna.number, BY)
    [letter] = post.wait()
    assert jwt.get_unverified_header(letter)["typ"] == "logout+jwt"
    library = renewing.library()  # the certified one, which fetches the keys
    library.begin("kiban")
    keyjar = library.issuer2rp[live.url].get_attribute("keyjar")
    said = BackChannelLogoutRequest(logout_token=letter)
    assert said.verify(keyjar=keyjar, iss=live.url, aud=renewing.id, skew=5)
    read = jwt.decode(letter, options={"verify_signature": False})
    assert (read["sub"], read["sid"]) == (claims(held)["sub"], claims(held)["sid"])
    assert not known(live, held)


def test_a_system_that_is_down_is_told_again_a_few_times_and_not_for_ever(
    renewing: Vendor, visitor: Visitor, live: Live, post: Post
) -> None:
    for down, outcome in ((2, "done"), (9, "failed")):
        post.letters.clear()
        post.refused = down
        tokens(renewing, visitor)
        visitor.go("/account/systems", client=renewing.id)
        assert len(set(post.wait(3))) == 1
        until = time.monotonic() + 30
        while acts(live.house, "100001")[0] != ("signout", outcome) and time.monotonic() < until:
            time.sleep(0.05)
        assert lines(live.house, "signin", "100001")[0].line.detail["client"] == renewing.id
        assert len(post.letters) == 3


def test_a_system_without_a_secret_always_asks_for_consent_and_is_told_by_tls_only() -> None:
    for wrong in ({"own": True, "public": True}, {"farewell": "http://vendor.example/told"}):
        with pytest.raises(Problems):
            check(Wish("画面だけ", (BACK,), **wrong))  # type: ignore[arg-type]
