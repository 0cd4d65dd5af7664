"""How a client proves who it is: client_secret_jwt (HS256), and where its registration says so client_secret_basic.

The protocol is Authlib's; here stands what the common-function standard adds, and what Authlib leaves to its user.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError  # type: ignore[import-untyped]
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from kiban.access.guard import Guard
from kiban.access.scopes import Scope
from kiban.access.systems import Registration

LEEWAY, LONGEST = 30, 300
"""Seconds that clocks may differ, and for which an assertion may be good."""

BASIC, JWT = "client_secret_basic", "client_secret_jwt"
METHODS = [JWT, BASIC]


@dataclass(frozen=True)
class Party:
    """A client as Authlib asks about it.

    Attributes:
        client: its registration.
        secrets: those that are good now.
        scopes: all it may ask for.
        now: when it is asked about.
    """

    client: Registration
    secrets: tuple[str, ...]
    scopes: frozenset[Scope]
    now: datetime

    @property
    def client_id(self) -> str:
        """Its client ID."""
        return self.client.client_id

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Whether it may sign in so."""
        return method == JWT or (method == BASIC and self.client.basic(self.now.date()))

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may have tokens so: by its credentials only."""
        return grant_type == "client_credentials"

    def check_client_secret(self, secret: str) -> bool:
        """Whether this is one of its secrets; all are compared, in constant time."""
        given = secret.encode("utf-8", "surrogatepass")
        return any([hmac.compare_digest(given, one.encode()) for one in self.secrets])  # noqa: C419 - all of them

    def get_allowed_scope(self, asked: str | None) -> str | None:
        """What it gets of what it asks: exactly that, or nothing."""
        return asked


class SecretJwt(JWTBearerClientAssertion):  # type: ignore[misc]
    """client_secret_jwt: an assertion signed with the secret, for this server, good once and not for long."""

    CLIENT_AUTH_METHOD = JWT

    def __init__(self, audiences: tuple[str, ...], guard: Guard, now: Callable[[], datetime]) -> None:
        super().__init__(leeway=LEEWAY)
        self._audiences, self._guard, self._now = audiences, guard, now

    def resolve_client_public_key(self, client: Party) -> list[OctKey]:
        """The secrets that are good now."""
        return [OctKey.import_key(secret) for secret in client.secrets]

    def process_assertion_claims(self, assertion: str, keys: list[OctKey]) -> dict[str, Any]:
        """Verify the signature, then what it says."""
        for key in keys:
            try:
                token = jwt.decode(assertion, key, algorithms=["HS256"])
            except (JoseError, ValueError):
                continue
            self.verify_claims(token.claims)
            return token.claims
        raise InvalidClientError(status_code=401)

    def verify_claims(self, claims: dict[str, Any]) -> None:
        """Who, for whom, from when, until when; and used for the first time."""
        registry = jwt.JWTClaimsRegistry(
            now=int(self._now().timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": str(claims.get("sub"))},
            sub={"essential": True},
            aud={"essential": True, "values": list(self._audiences)},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise ProvedError(str(error.description)) from None
        if claims["exp"] - claims["iat"] > LONGEST:
            raise ProvedError(f"exp lies more than {LONGEST} seconds after iat")
        if not 1 <= len(claims["jti"]) <= 200:
            raise ProvedError("jti has not 1 to 200 characters")
        until = datetime.fromtimestamp(claims["exp"], UTC) + timedelta(seconds=LEEWAY + 1)
        if not self._guard.first_use(claims["sub"], claims["jti"], until, self._now()):
            raise ProvedError("jti was used before")


class ProvedError(InvalidClientError):  # type: ignore[misc]
    """The secret was right, the assertion is not: worth telling, and no guess."""

    proved = True

    def __init__(self, why: str) -> None:
        told = "".join(char for char in why if " " <= char <= "~" and char not in '"\\')
        super().__init__(description=told, status_code=401)


def by_basic(query_client: Callable[[str], Party | None], request: Any) -> Party | None:
    """client_secret_basic: the ID and the secret in the Authorization header, percent-encoded (RFC 6749 2.3.1)."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, colon, secret = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise InvalidRequestError(description="the Authorization header cannot be read") from None
    party = query_client(unquote_plus(name))
    if party is None or not colon or not party.check_client_secret(unquote_plus(secret)):
        raise InvalidClientError(status_code=401)
    if not party.check_endpoint_auth_method(BASIC, "token"):
        raise ProvedError(
            "client_secret_basic is not allowed to this client (any more); use client_secret_jwt"
        )
    return party
