"""The endpoints of the authorization server, as Authlib runs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped]
    ClientCredentialsGrant,
    InvalidClientError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc7009 import RevocationEndpoint  # type: ignore[import-untyped]
from authlib.oauth2.rfc7662 import IntrospectionEndpoint  # type: ignore[import-untyped]

from kiban.access.asking import Request
from kiban.access.guard import WINDOW
from kiban.access.scopes import Scope
from kiban.access.signing_in import METHODS, Party
from kiban.access.tokens import Token
from kiban.kernel import Problem


class Grant(ClientCredentialsGrant):  # type: ignore[misc]
    """Client credentials (RFC 6749 4.4), for scopes of one provider; never a refresh token."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_requested_scope(self) -> None:
        """Known scopes that it may have, all of one provider."""
        asked = (self.request.payload.scope or "").split()
        if not asked:
            raise InvalidScopeError(description="the request names no scope")
        try:
            scopes = frozenset(map(Scope.parse, asked))
        except Problem as problem:
            raise InvalidScopeError(
                description="a scope has not the form PROVIDER:RESOURCE:OPERATION"
            ) from problem
        if len({scope.provider for scope in scopes}) > 1:
            raise InvalidScopeError(description="one token is for one provider; ask for one each")
        if not scopes <= self.request.client.scopes:
            raise InvalidScopeError(description="a scope is not granted to this client by a contract")
        self.request.scopes = scopes

    def generate_token(self, **asked: Any) -> Any:
        """The token, known to the books from this moment."""
        client, server = self.request.client, self.server
        token = super().generate_token(**asked)
        token["access_token"] = server.tokens.issue(client.client, self.request.scopes, server.now())
        return token


def no_value(**_: Any) -> str:
    """What stands for the token until the grant puts it there, which alone knows the scopes."""
    return ""


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """Introspection (RFC 7662): a provider learns of the tokens that are for itself, nobody of any other."""

    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, value: str, _hint: str | None) -> _Out | None:
        """The token, good or not."""
        return _out(self.server, value)

    def authenticate_endpoint_client(self, request: Request) -> Party:
        """Who asks: a provider, or it is refused."""
        party: Party = super().authenticate_endpoint_client(request)
        if not party.client.provides:
            raise UnauthorizedClientError(description="only providers may ask about tokens", status_code=403)
        return party

    def check_permission(self, token: _Out, client: Party, _request: Request) -> bool:
        """Whether the token is for the one who asks."""
        return token.token.provider == client.client.system

    def introspect_token(self, token: _Out) -> dict[str, Any]:
        """What a good token says."""
        said = token.token
        return {
            "active": True,
            "client_id": said.client_id,
            "sub": said.system,
            "aud": said.provider,
            "iss": self.server.issuer,
            "token_type": "Bearer",
            "scope": " ".join(sorted(map(str, said.scopes))),
            "iat": int(said.issued_at.timestamp()),
            "exp": int(said.expires_at.timestamp()),
        }


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """Revocation (RFC 7009): a client ends its own token, at once."""

    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, value: str, _hint: str | None) -> _Out | None:
        """The token, good or not."""
        return _out(self.server, value)

    def revoke_token(self, token: _Out, _request: Request) -> None:
        """Refuse it from now on."""
        self.server.tokens.revoke(token.value, self.server.now())


@dataclass(frozen=True)
class _Out:
    """A token that is out, as Authlib asks about it."""

    value: str = field(repr=False)
    token: Token
    now: datetime

    def check_client(self, client: Party) -> bool:
        return self.token.client_id == client.client_id

    def is_expired(self) -> bool:
        return not self.token.issued_at <= self.now < self.token.expires_at

    def is_revoked(self) -> bool:
        return self.token.revoked


def _out(server: Any, value: str) -> _Out | None:
    token = server.tokens.find(value)
    return None if token is None else _Out(value, token, server.now())


class LockedError(InvalidClientError):  # type: ignore[misc]
    """Too many failures."""

    status_code = 429
    description = "too many failed sign-ins from this address; wait"

    def get_headers(self) -> list[tuple[str, str]]:
        """When to try again."""
        return [*super().get_headers(), ("Retry-After", str(int(WINDOW.total_seconds())))]
