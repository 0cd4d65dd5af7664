"""A house with pages on a small city; one database of accounts for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.store.conftest import KEY
from tests.web.conftest import fill

from kiban import access, store, web
from kiban.store import Store

SECRET = "a secret of the web, for tests only, long enough to be taken for one"


class Client:
    """A browser without scripts: keeps cookies and follows where it is sent."""

    def __init__(self, house: web.House) -> None:
        from django.test import Client as DjangoClient

        from kiban.web.house import NAME

        self.django = DjangoClient(headers={"accept": "text/html", "host": "localhost"}, **{NAME: house})
        self.get, self.post = self.django.get, self.django.post

    def sign_in(self, number: str) -> Client:
        """Be signed in, with a fresh account where there is none."""
        from kiban.web.signin.models import Account

        account, _ = Account.objects.get_or_create(number=number)
        self.django.force_login(account)
        return self


@pytest.fixture(scope="session")
def house(databases: Any, library: Any, tmp_path_factory: Any) -> Iterator[web.House]:
    template = databases.template("web", lambda database: fill(database, library))
    home = tmp_path_factory.mktemp("home")
    with (
        databases.fresh(template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,
        access.open_access(city, access.seal(home / "access.key")) as opened,
    ):
        accounts = web.install_accounts(city, SECRET)
        authority: Any = type("Authority", (), {"issuer": "http://localhost"})()
        found = web.City("試験市", city, opened, accounts, lambda: datetime.now(UTC))
        served = web.House(authority, None, None, lambda: None, found.now, ("localhost",), city=found)  # type: ignore[arg-type]
        web.application(served, SECRET)
        yield served
        from django.db import connections

        connections.close_all()


@pytest.fixture
def client(house: web.House) -> Client:
    return Client(house)
