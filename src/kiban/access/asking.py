"""What comes to the authorization server, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload  # type: ignore[import-untyped]

from kiban.access.scopes import Scope


@dataclass(frozen=True)
class Asked:
    """What came to an endpoint of the authorization server.

    Attributes:
        endpoint: `token`, `introspection` or `revocation`.
        form: each parameter of the body with all its values. Holds secrets, so it is no part of the printed form.
        authorization: the Authorization header; empty where there is none. Likewise.
        address: where it came from.
    """

    endpoint: str
    form: Mapping[str, Sequence[str]] = field(repr=False)
    authorization: str = field(repr=False)
    address: str


@dataclass(frozen=True)
class Answer:
    """What it answers.

    Attributes:
        status: of HTTP.
        body: of JSON. May hold a token, so it is no part of the printed form.
        headers: further headers.
    """

    status: int
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str]


class Request(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib takes it.

    Attributes:
        asked: what came.
        tried: the client that it named, once it is looked up; empty where there is no such one.
        scopes: what the token is to be good for, once it is known.
    """

    def __init__(self, url: str, asked: Asked) -> None:
        headers = {"Authorization": asked.authorization} if asked.authorization else {}
        super().__init__("POST", url, headers=headers)
        self.asked = asked
        self.tried: str | None = None
        self.scopes: frozenset[Scope] = frozenset()
        self._form = {name: values[0] for name, values in asked.form.items() if values}
        self.payload = BasicOAuth2Payload(self._form)

    @property
    def form(self) -> dict[str, str]:
        """The parameters."""
        return self._form


def check_form(asked: Asked) -> None:
    """Refuse what no endpoint takes: twice the same, a secret in the body, two ways to sign in.

    Raises:
        OAuth2Error: `invalid_request`.
    """
    if any(len(values) > 1 for values in asked.form.values()):
        raise InvalidRequestError(description="a parameter is given more than once")
    if "client_secret" in asked.form:
        raise InvalidRequestError(description="a secret never stands in the body; use client_secret_jwt")
    if asked.authorization and "client_assertion" in asked.form:
        raise InvalidRequestError(description="the client signs in by two methods at once")
