"""Who calls: the bearer of a token, which stands in the Authorization header and nowhere else (RFC 6750)."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse

from kiban.access import Scope, Token
from kiban.kernel import Problem
from kiban.web import answers
from kiban.web.house import SYSTEM, House

_BEARER = re.compile(r"Bearer +([0-9A-Za-z._~+/-]{1,200}=*)", re.IGNORECASE | re.ASCII)
_SIGN_IN = "get a token from the token endpoint: see /.well-known/oauth-authorization-server"


class Denied(Exception):  # noqa: N818 - a refusal, no error of ours
    """A request whose token is missing, not good, or good for something else.

    Attributes:
        status: of HTTP: 401 or 403.
        problem: why.
        challenge: the WWW-Authenticate header.
    """

    def __init__(self, status: int, problem: Problem, error: str, scope: Scope) -> None:
        super().__init__()
        self.status, self.problem = status, problem
        parts = ['realm="kiban"', *([f'error="{error}"', f'scope="{scope}"'] if error else [])]
        self.challenge = "Bearer " + ", ".join(parts)

    def answer(self, path: str) -> HttpResponse:
        """The refusal."""
        told = answers.refused(self.status, path, [self.problem])
        told.headers["WWW-Authenticate"] = self.challenge
        return told


def bearer(request: HttpRequest, house: House, scope: Scope) -> Token:
    """The token of a request, good now and for this scope.

    Raises:
        Denied: otherwise.
    """
    given = request.headers.get("Authorization", "")
    if not given:
        raise Denied(401, Problem("token-missing", "the request has no token", fix=_SIGN_IN), "", scope)
    match = _BEARER.fullmatch(given)
    token = house.authority.tokens.find(match[1]) if match else None
    if token is None or not token.good(house.now()):
        raise Denied(
            401, Problem("token-invalid", "the token is not good", fix=_SIGN_IN), "invalid_token", scope
        )
    request.META[SYSTEM] = token.system
    if scope not in token.scopes:
        problem = Problem(
            "scope-insufficient", "the token is good for something else", fix=f"ask for {scope}"
        )
        raise Denied(403, problem, "insufficient_scope", scope)
    return token
