"""A live server on a real city: two systems, contracts that let one of them read, numbers set apart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
import requests
from requests_oauth2client import ClientSecretJwt, OAuth2Client
from tests.store.conftest import CITY_HALL, KEY, move_in, person, settle
from tests.web.housing import Client, housed

from kiban import access, linkage, main, standard, store, web
from kiban.access import Access, Authority, Credentials, Registration
from kiban.kernel import Period
from kiban.linkage import SAMPLES, Contract, api
from kiban.linkage.evidence import BookLedger
from kiban.settings import Settings
from kiban.store import Change, Store

SECRET = b"a secret of the city, for tests only"
RULE = api.Rule(90_000_000_000_000, 90_000_000_999_999)
NUMBERING = "031:app_submit/v10/jutogaishaatenabangofuban:Create"
READING = "001:link/resident-library.v1/jumin:Read"
PEOPLE = 40


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 256


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Clock:
    """The time of the service; tests move it."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Live:
    """The service, and how tests reach what lies behind it."""

    url: str
    house: web.House
    access: Access
    books: store.Books
    clock: Clock
    library: Credentials
    tax: Credentials
    numberer: Credentials
    contract: Contract
    protections: dict[str, tuple[str, int]]
    serving: list[web.House]

    def oauth(self, given: Credentials, auth: Any = None) -> OAuth2Client:
        return OAuth2Client(
            token_endpoint=self.url + "/oauth/token",
            introspection_endpoint=self.url + "/oauth/introspect",
            revocation_endpoint=self.url + "/oauth/revoke",
            auth=auth or ClientSecretJwt(given.client_id, given.secret),
            testing=True,
        )

    def token(self, given: Credentials, scope: str) -> str:
        return str(self.oauth(given).client_credentials(scope=scope).access_token)

    def get(self, path: str, **more: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=30, **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        return requests.post(self.url + path, timeout=30, **more)


def fill(database: Any, library: standard.Library) -> None:
    with Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city:
        store.apply(city, library.edition("resident", "kiban-2026.1"), CITY_HALL)
        store.apply(city, library.edition("nonresident_addressee", "kiban-api-2.0"), CITY_HALL)
        settle(city)
        since = Period(datetime(2020, 4, 1, tzinfo=UTC).date())
        rows = [person(str(n), f"市民　{n}号".translate(_WIDE)) for n in range(1, PEOPLE + 1)]
        with city.session(CITY_HALL) as session:
            session.record("国内転入", "all", [Change("resident.jumin", row, since) for row in rows])


_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.fixture(scope="session")
def library() -> standard.Library:
    return main.library(given=Settings(home=Path("unused")))


@pytest.fixture(scope="session")
def contract(library: standard.Library) -> Contract:
    return linkage.load_contracts([SAMPLES], library).flow("resident-library.v1")


@pytest.fixture(scope="module")
def live(databases: Any, library: Any, contract: Contract, tmp_path_factory: Any) -> Iterator[Live]:
    template = databases.template("web", lambda database: fill(database, library))
    home, clock = tmp_path_factory.mktemp("home"), Clock()
    with (
        databases.fresh(template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,
        access.open_access(city, access.seal(home / "access.key")) as opened,
        linkage.open_linkage(city) as books,
    ):
        serving: list[web.House] = []
        application = web.application  # one process, one Django; the house is looked up at each request
        secret = web.web_secret(home / "web.secret")

        def serve(environ: dict[str, Any], start_response: Any) -> Any:
            return application(serving[-1], secret)(environ, start_response)

        with make_server("127.0.0.1", 0, serve, _Server, _Quiet) as server:
            url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield _live(url, serving, city, opened, books, clock, contract, library)
            finally:
                server.shutdown()
                thread.join()


def _live(
    url: str,
    serving: list[web.House],
    city: Any,
    opened: Any,
    books: Any,
    clock: Any,
    contract: Any,
    library: Any,
) -> Live:
    numbers = api.Numbers(books, SECRET)
    numbers.set_rule(RULE)
    known: dict[str, tuple[str, int]] = {}
    reading = api.Reading(
        city, lambda _: [contract], BookLedger(books).append, SECRET, lambda _, units: known, clock
    )
    numbering = api.Numbering(api.numbering_spec(library), city, numbers, SECRET, clock)
    authority = Authority(opened.systems, opened.tokens, opened.guard, url, reading.scopes, clock)

    def healthy() -> None:
        with opened.books.transaction() as page:
            page.rows("SELECT 1")

    serving.append(web.House(authority, reading, numbering, healthy, clock, ("127.0.0.1",)))
    scopes = frozenset({access.Scope.parse(NUMBERING)})
    made = [
        opened.systems.add(Registration("L01", "図書館カードシステム", scopes=scopes), clock()),
        opened.systems.add(Registration("T01", "税", scopes=scopes), clock()),
        opened.systems.add(Registration("031", "住登外者宛名番号管理", provides=True), clock()),
    ]
    return Live(url, serving[-1], opened, books, clock, *made, contract, known, serving)


@pytest.fixture
def served(live: Live) -> Iterator[Live]:
    """The service for one test, which may put another house there; put back afterwards."""
    before, ahead = live.serving[-1], live.clock.ahead
    live.protections.clear()
    yield live
    live.serving[-1], live.clock.ahead = before, ahead


__all__ = ["move_in", "replace"]


@pytest.fixture(scope="session")
def house(databases: Any, library: Any, tmp_path_factory: Any) -> Iterator[web.House]:
    """A house with pages."""
    template = databases.template("web", lambda database: fill(database, library))
    with (
        databases.fresh(template) as database,
        housed(database, library, tmp_path_factory.mktemp("home")) as found,
    ):
        yield found


@pytest.fixture
def client(house: web.House) -> Client:
    """A browser that has not been here."""
    return Client(house)
