"""A house with pages on a small city, and browsers in front of it. One database of accounts for all tests of a process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.store.conftest import KEY

from kiban import access, store, web
from kiban.access import REFERENCE, Assignment, Office, Staff, load_policies
from kiban.store import Store

SECRET = "a secret of the web, for tests only, long enough to be taken for one"


BEGAN = date(2020, 4, 1)
EAST, NADA = "281018", "281026"
OFFICES = (
    Office("hall", "市役所", "city"),
    Office("hall-it", "情報システム課", "section", "hall"),
    Office("east", "東灘区役所", "ward", "hall", EAST),
    Office("east-residents", "市民課", "section", "east", EAST),
    Office("nada", "灘区役所", "ward", "hall", NADA),
)
STAFF = {  # number -> name, duties at offices
    "100001": ("東灘　花子", [("resident-counter", "east-residents")]),
    "100002": ("灘　次郎", [("resident-records", "nada")]),
    "100003": ("支援　三奈", [("support-measures", "hall")]),
    "900001": ("管理　一郎", [("accounts", "hall-it")]),
    "900002": ("管理　二美", [("accounts", "hall-it")]),
    "900003": ("監査　四郎", [("audit", "hall")]),
    "900004": ("運用　五月", [("operations", "hall-it")]),
}


class Clock:
    """The time of the house; tests move it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def hire(opened: access.Access) -> None:
    """People at work in two wards and the city hall."""
    staff = [Staff(number, name, "カナ", BEGAN) for number, (name, _) in STAFF.items()]
    duties = [
        Assignment(number, duty, office, BEGAN)
        for number, (_, given) in STAFF.items()
        for duty, office in given
    ]
    opened.people.apply([*OFFICES, *staff, *duties], "test", datetime.now(UTC))


class Client:
    """A browser without scripts: keeps cookies and follows where it is sent."""

    def __init__(self, house: web.House) -> None:
        from django.test import Client as DjangoClient

        from kiban.web.house import NAME

        self.django = DjangoClient(headers={"accept": "text/html", "host": "localhost"}, **{NAME: house})
        self.get, self.post = self.django.get, self.django.post

    def sign_in(self, number: str) -> Client:
        """Be signed in with two factors, with a fresh account where there is none."""
        from kiban.web.signin.models import Account

        account, _ = Account.objects.get_or_create(number=number)
        self.django.force_login(account)
        session = self.django.session
        session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": 0}]
        session["account_authentication_methods_user"] = str(account.pk)
        session.save()
        return self

    def work(self, number: str, duty: int = 0) -> Client:
        """Be signed in, and have chosen one of the duties of today."""
        self.sign_in(number)
        page = self.get("/duty").content.decode()
        choices = re.findall(r'name="choice" value="([^"]+)"', page)
        assert self.post("/duty", {"choice": choices[duty]}).status_code == 302
        return self


@contextmanager
def housed(database: Any, library: Any, home: Path) -> Iterator[web.House]:
    """The house of a city with pages, on an open database with residents."""
    with (
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,
        access.open_access(city, access.seal(home / "access.key")) as opened,
    ):
        hire(opened)
        accounts = web.install_accounts(city, SECRET)
        authority: Any = type("Authority", (), {"issuer": "http://localhost"})()
        policies = load_policies([REFERENCE], library)
        found = web.City("試験市", city, opened, policies, accounts, Clock(), home, home / "extracts")
        found = replace(found, keeping=home / "audit", migrations=home / "migrations", searches=1_000_000)
        served = web.House(authority, None, None, lambda: None, found.now, ("localhost",), city=found)  # type: ignore[arg-type]
        web.install_signing_keys(home, found.now())
        web.application(served, SECRET)
        yield served
        from django.db import connections

        connections.close_all()
