"""People who sign in by hand: number and password, then a code; a live service for those who come from outside."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from wsgiref.simple_server import make_server

import pytest
import requests
from django.conf import settings
from tests.web.conftest import _Quiet, _Server
from tests.web.housing import SECRET, Client, Clock

from kiban import web
from kiban.access.audit import Entry, Wanted
from kiban.web.configured import set_up
from kiban.web.house import NAME

set_up(SECRET)  # models can be imported only now
_FAST = "django.contrib.auth.hashers.MD5PasswordHasher"  # test_attacks looks at the real one
settings.PASSWORD_HASHERS = [_FAST]
PASSWORD = "紫陽花 の 三つ編み 2026"


def codes(secret: str) -> str:
    """The code of an app now."""
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


@dataclass
class Person:
    """Somebody with an account, a password and an app."""

    number: str
    secret: str


class Browser(Client):
    """A browser that checks forms as a real one would have to send them."""

    def __init__(self, house: web.House, host: str = "localhost", address: str = "127.0.0.1") -> None:
        from django.test import Client as DjangoClient

        super().__init__(house)
        self.django = DjangoClient(
            enforce_csrf_checks=True,
            headers={"accept": "text/html", "host": host},
            **{NAME: house, "REMOTE_ADDR": address},  # type: ignore[arg-type]
        )
        self.get = self.django.get

    def token(self) -> str:
        """The token of forms; made by any page with one."""
        if "kiban-csrf" not in self.django.cookies:
            self.django.get("/account/welcome")
        return str(self.django.cookies["kiban-csrf"].value)

    def send(self, address: str, **fields: Any) -> Any:
        """Send a form."""
        return self.django.post(address, {"csrfmiddlewaretoken": self.token(), **fields})

    def enter(self, person: Person, password: str = PASSWORD, **more: Any) -> Any:
        """Number and password."""
        return self.send("/account/login/", login=person.number, password=password, **more)

    def sign_in_by_hand(self, person: Person) -> Any:
        """Number and password, then the code."""
        from django.core.cache import cache

        cache.clear()  # a code is good once in its half minute; tests are faster
        assert self.enter(person).status_code == 302
        return self.send("/account/2fa/authenticate/", code=codes(person.secret))

    def show_again(self, person: Person, wanted: str = "/account/sessions/") -> Any:
        """The code once more, as before anything that ends or changes what opens the account."""
        from django.core.cache import cache

        cache.clear()
        return self.send("/account/2fa/reauthenticate/", code=codes(person.secret), next=wanted)


@pytest.fixture
def browser(house: web.House) -> Browser:
    return Browser(house)


@pytest.fixture(autouse=True)
def fresh(house: web.House) -> Any:
    """Nobody is locked out by the test before, and the clock is right."""
    from django.core.cache import cache

    clock = house.city.now  # type: ignore[union-attr]
    assert isinstance(clock, Clock)
    clock.ahead *= 0
    cache.clear()
    return None


@pytest.fixture
def person(house: web.House) -> Any:
    """Makes the account of somebody on the staff, ready to sign in."""

    def made(number: str = "100001") -> Person:
        from allauth.mfa.models import Authenticator
        from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

        from kiban.web.signin.models import Account

        Account.objects.filter(number=number).delete()
        account = Account(number=number)
        account.set_password(PASSWORD)
        account.save()
        secret = generate_totp_secret()
        TOTP.activate(account, secret)
        assert Authenticator.objects.filter(user=account).count() == 1
        return Person(number, secret)

    return made


def lines(house: web.House, kind: str = "signin", actor: str = "") -> list[Entry]:
    """The lines of a kind, the newest first."""
    assert house.city is not None
    return list(house.city.audit.lines(Wanted(kinds=(kind,), actor=actor)).entries)


def acts(house: web.House, actor: str = "") -> list[tuple[str, str]]:
    """What happened at sign-ins, the newest first."""
    return [(str(each.line.detail["act"]), each.line.outcome) for each in lines(house, "signin", actor)]


@dataclass
class Live:
    """The service on a port of this machine."""

    url: str
    house: web.House


@pytest.fixture(scope="package")
def live(house: web.House) -> Iterator[Live]:
    """The city with pages, live."""
    from django.db import connections

    server = make_server(
        "127.0.0.1", 0, lambda environ, start: [], server_class=_Server, handler_class=_Quiet
    )
    url = f"http://localhost:{server.server_port}"
    authority: Any = type("Authority", (), {"issuer": url})()
    served = replace(house, authority=authority, hosts=("localhost",))
    application = web.application(served, "unused: Django is set up")

    def answered(environ: dict[str, Any], start: Any) -> list[bytes]:
        try:
            answer: Any = application(environ, start)
            parts = list(answer)
            answer.close()
            return parts
        finally:
            connections.close_all()  # each request has a thread of its own here

    server.set_app(answered)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield Live(url, served)
    server.shutdown()
    thread.join()
    server.server_close()


class Visitor:
    """A browser over the wire, without scripts."""

    def __init__(self, live: Live) -> None:
        self.live, self.session = live, requests.Session()
        self.session.headers["Accept"] = "text/html"

    def go(self, address: str, **form: str) -> requests.Response:
        """Open a page, or send a form that stands on a page like any; follow while it leads about in the city."""
        whole = address if address.startswith("http") else self.live.url + address
        if form:
            page = self.session.get(self.live.url + "/account/welcome")
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
            assert token is not None
            sent = {"csrfmiddlewaretoken": token[1], **form}
            answer = self.session.post(
                whole, data=sent, headers={"Origin": self.live.url}, allow_redirects=False
            )
        else:
            answer = self.session.get(whole, allow_redirects=False)
        while answer.is_redirect and self._inside(answer.headers["Location"]):
            answer = self.session.get(self._whole(answer.headers["Location"]), allow_redirects=False)
        return answer

    def sign_out_everywhere(self, person: Person) -> requests.Response:
        """After the code once more."""
        self.show_again(person)
        return self.go("/account/sessions/end-all", sure="1")

    def show_again(self, person: Person) -> requests.Response:
        """The code once more."""
        from django.core.cache import cache

        cache.clear()
        return self.go("/account/2fa/reauthenticate/", code=codes(person.secret))

    def sign_in(self, person: Person, wanted: str = "/account") -> requests.Response:
        """By number, password and code."""
        self.go("/account/login/", login=person.number, password=PASSWORD, next=wanted)
        return self.go("/account/2fa/authenticate/", code=codes(person.secret))

    def _whole(self, address: str) -> str:
        return address if address.startswith("http") else self.live.url + address

    def _inside(self, address: str) -> bool:
        return self._whole(address).startswith(self.live.url + "/")
