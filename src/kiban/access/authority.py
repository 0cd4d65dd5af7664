"""The authorization server: tokens by client credentials, introspection, revocation, and what it says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped]
    AuthorizationServer,
    InvalidClientError,
    OAuth2Error,
)
from authlib.oauth2.rfc6750 import BearerTokenGenerator  # type: ignore[import-untyped]
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata  # type: ignore[import-untyped]

from kiban.access.asking import Answer, Asked, Request, check_form
from kiban.access.endpoints import Grant, Introspection, LockedError, Revocation, no_value
from kiban.access.guard import Guard
from kiban.access.scopes import Scope
from kiban.access.signing_in import BASIC, JWT, METHODS, Party, SecretJwt, by_basic
from kiban.access.systems import Systems
from kiban.access.tokens import Tokens
from kiban.kernel import Problem

PATHS = {"token": "/oauth/token", "introspection": "/oauth/introspect", "revocation": "/oauth/revoke"}
_CLIENT_ID = re.compile(r"[0-9A-Za-z]{32}", re.ASCII)


class Authority(AuthorizationServer):  # type: ignore[misc]
    """The authorization server of the city. Safe to share between threads.

    Args:
        systems: who is registered.
        tokens: what is out.
        guard: what keeps sign-ins honest.
        issuer: its address as its clients write it: https, or http on this machine.
        scopes_of: what the contracts in force give a system, beyond its registration.
        now: the time in UTC.

    Raises:
        Problem: `issuer-insecure`.
    """

    def __init__(
        self,
        systems: Systems,
        tokens: Tokens,
        guard: Guard,
        issuer: str,
        scopes_of: Callable[[str], Iterable[Scope]],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__()
        self.systems, self.tokens, self.guard, self.now = systems, tokens, guard, now
        self.issuer, self._scopes_of = issuer.rstrip("/"), scopes_of
        self.register_grant(Grant)
        self.register_endpoint(Introspection)
        self.register_endpoint(Revocation)
        self.register_token_generator(
            "default",
            BearerTokenGenerator(no_value, expires_generator=lambda client, _: client.client.seconds),
        )
        audiences = (self.issuer, *(self.issuer + path for path in PATHS.values()))
        assertion = SecretJwt(audiences, guard, now)
        self.register_client_auth_method(JWT, lambda _, asked: assertion(self._party_of(asked), asked))
        self.register_client_auth_method(BASIC, lambda _, asked: by_basic(self._party_of(asked), asked))
        try:
            self._metadata().validate_issuer()
        except ValueError:
            raise Problem(
                "issuer-insecure",
                "the address of the authorization server is not https",
                fix="give https://HOST, as clients reach it; http only on this machine",
            ) from None

    def answer(self, asked: Asked) -> Answer:
        """Answer a request. Every refusal is an answer, too (RFC 6749 5.2)."""
        request = Request(self.issuer + PATHS[asked.endpoint], asked)
        try:
            check_form(asked)
            if asked.endpoint == "token":
                return self._told(self.create_token_response(request))
            return self._told(self.create_endpoint_response(asked.endpoint, request))
        except OAuth2Error as error:
            return self._told(self.handle_error_response(request, error))

    def metadata(self) -> dict[str, Any]:
        """What it says of itself (RFC 8414)."""
        return dict(self._metadata())

    def _metadata(self) -> AuthorizationServerMetadata:
        about: dict[str, Any] = {
            "issuer": self.issuer,
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
        }
        for name, path in PATHS.items():
            about[f"{name}_endpoint"] = self.issuer + path
            about[f"{name}_endpoint_auth_methods_supported"] = METHODS
            about[f"{name}_endpoint_auth_signing_alg_values_supported"] = ["HS256"]
        return AuthorizationServerMetadata(about)

    def _party_of(self, request: Request) -> Callable[[str], Party | None]:
        def query(client_id: str) -> Party | None:
            now = self.now()
            said = request.form.get(
                "client_id", client_id
            )  # may be left out; else it is the same (RFC 7521 4.2)
            fits = said == client_id and _CLIENT_ID.fullmatch(client_id)
            known = self.systems.client(client_id) if fits else None
            request.tried = known.client_id if known else ""
            if self.guard.locked(request.tried, request.asked.address, now):
                raise LockedError
            if known is None:
                return None
            scopes = known.scopes | frozenset(self._scopes_of(known.system))
            return Party(known, tuple(self.systems.secrets(client_id, now)), scopes, now)

        return query

    @staticmethod
    def _told(answer: Any) -> Answer:
        assert isinstance(answer, Answer)
        return answer

    # What Authlib asks of whoever uses it:

    def create_oauth2_request(self, request: Request) -> Request:
        """The request is one already."""
        return request

    def handle_response(self, status: int, body: Mapping[str, Any], headers: list[tuple[str, str]]) -> Answer:
        """The answer as a value."""
        return Answer(status, body, dict(headers))

    def handle_error_response(self, request: Request, error: OAuth2Error) -> Answer:
        """The refusal; one that looks like guessing is noted, and does not say what was wrong."""
        if isinstance(error, InvalidClientError) and not getattr(error, "proved", False):
            if request.tried is not None and not isinstance(error, LockedError):
                self.guard.failed(request.tried, request.asked.address, self.now())
            if not isinstance(error, LockedError):
                error = InvalidClientError(description="the client did not prove who it is", status_code=401)
        answer: Answer = super().handle_error_response(request, error)
        return answer

    def save_token(self, token: Mapping[str, Any], request: Request) -> None:
        """Saved when it was made."""

    def send_signal(self, name: str, *_: Any, **__: Any) -> None:
        """Nobody listens."""
