"""People who sign in by hand: number and password, then a code."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest
from tests.web.housing import Client, Clock

from kiban import web
from kiban.access.audit import Entry, Wanted
from kiban.web.house import NAME

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
