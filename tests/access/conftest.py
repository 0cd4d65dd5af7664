"""An authorization server on a real database, and clocks that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from kiban import access, standard, store
from kiban.access import Access, Answer, Asked, Authority, Credentials, Registration, Scope
from kiban.store import Store

KEY = b"a key of tests, thirty-two bytes!"
ISSUER = "https://kiban.example.lg.jp"
NUMBERING = Scope.parse("031:app_submit/v10/jutogaishaatenabangofuban:Create")
READING = Scope.parse("001:link/tosho.v1/jumin:Read")


@dataclass
class Clock:
    """The time, as a test says it is."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 24, 3, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def registers(databases: Any) -> Iterator[Store]:
    """A database with no register in it."""
    with (
        databases.fresh() as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), standard.Library(()), KEY) as empty,
    ):
        yield empty


@pytest.fixture(scope="module")
def shared(registers: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    key = tmp_path_factory.mktemp("home") / "access.key"
    with access.open_access(registers, access.seal(key)) as opened:
        yield opened


@pytest.fixture
def opened(shared: Access) -> Access:
    """The room with nobody registered."""
    with shared.books.transaction() as page:
        for table in ("failure", "assertion", "token", "secret", "system"):
            page.run(f"DELETE FROM {table}")
    return shared


@pytest.fixture
def authority(opened: Access, clock: Clock) -> Authority:
    grants = {"Z01": [READING], "001": [], "031": []}
    return Authority(opened.systems, opened.tokens, opened.guard, ISSUER, lambda s: grants.get(s, []), clock)


@pytest.fixture
def library_card(opened: Access, clock: Clock) -> Credentials:
    """The library card system: its contract lets it read, its registration lets it have persons numbered."""
    return opened.systems.add(Registration("Z01", "図書館カード", scopes=frozenset({NUMBERING})), clock())


@pytest.fixture
def provider(opened: Access, clock: Clock) -> Credentials:
    return opened.systems.add(Registration("031", "住登外者宛名番号管理", provides=True), clock())


def claims(client_id: str, clock: Clock, **changed: Any) -> dict[str, Any]:
    now = int(clock().timestamp())
    made: dict[str, Any] = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER + "/oauth/token",
        "iat": now,
        "exp": now + 60,
        "jti": f"jti-{now}-{len(changed)}",
    }
    return {name: value for name, value in {**made, **changed}.items() if value is not None}


def signed(
    given: Credentials, clock: Clock, algorithm: str = "HS256", **changed: Any
) -> dict[str, list[str]]:
    """The parameters that sign a client in."""
    key = OctKey.import_key(given.secret)
    text = jwt.encode(
        {"alg": algorithm}, claims(given.client_id, clock, **changed), key, algorithms=[algorithm]
    )
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return {"client_assertion_type": [kind], "client_assertion": [text]}


def ask(authority: Authority, form: dict[str, list[str]], scope: Any = NUMBERING, **more: Any) -> Answer:
    asked = {"grant_type": ["client_credentials"], "scope": [str(scope)], **form}
    return authority.answer(
        Asked("token", asked, more.get("authorization", ""), more.get("address", "192.0.2.1"))
    )


def token(authority: Authority, given: Credentials, clock: Clock, scope: Any = NUMBERING) -> str:
    answer = ask(
        authority, signed(given, clock, jti=f"{scope} {clock.at.timestamp()} {given.client_id}"), scope
    )
    assert answer.status == 200, answer.body
    return str(answer.body["access_token"])
