"""A system that asks: signs in, writes its evidence, asks, and gives an answer only when it is proved."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import orjson
from joserfc import jwt
from joserfc.jwk import OctKey

from kiban.kernel import Problem
from kiban.linkage.api.asking import envelope, proved
from kiban.linkage.api.question import ID, Envelope
from kiban.linkage.api.scopes import read_scope
from kiban.linkage.contracts.model import Contract
from kiban.linkage.evidence import RECEIVED, SENT, Line, stamp

_KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_EARLY = timedelta(seconds=30)
_OURSELVES = [("http", host) for host in ("127.0.0.1", "localhost", "::1")]


@dataclass(frozen=True)
class Why:
    """What every question has to say: it stands in the evidence of both sides and in the log of the registers.

    Attributes:
        purpose: the duty (事務).
        user: the officer.
        case: the case (事案).
    """

    purpose: str
    user: str
    case: str


class Asker:
    """One consumer under one contract. Not shared between threads.

    Args:
        url: of the service, such as https://api.city.example.
        contract: the consumer's copy of the contract.
        client_id: as the city gave it.
        secret: likewise; no part of any printed form.
        evidence: writes lines of the consumer's own ledger durably, or raises.
        now: the time in UTC.

    Raises:
        Problem: `service-insecure` for an address that is neither https nor on this machine.
    """

    def __init__(
        self,
        url: str,
        contract: Contract,
        client_id: str,
        secret: str,
        evidence: Callable[[Sequence[Line]], object],
        now: Callable[[], datetime],
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and (parts.scheme, parts.hostname) not in _OURSELVES:
            raise Problem(
                "service-insecure", "the address of the service is not https", fix="give https://HOST"
            )
        self._url, self._contract, self._evidence, self._now = url.rstrip("/"), contract, evidence, now
        self._client_id, self._key = client_id, OctKey.import_key(secret)
        self._tokens: dict[str, _Token] = {}

    def ask(self, feed: str, asked: Mapping[str, Any], why: Why) -> dict[str, Any]:
        """The answer to a question, once it is shown to be whole and to belong to it.

        The question is in the evidence before it is sent, the answer before it is given.

        Raises:
            KeyError: where the contract has no such feed.
            Problem: `service-unreachable`, `answer-damaged`, `answer-unbound`, and those of the service by their codes.
        """
        contract, system = self._contract, self._contract.consumer.id
        token = self._token(str(read_scope(contract, contract.feed(feed))))
        made = envelope(
            f"/link/{contract.flow}/{feed}",
            asked,
            id=str(uuid.uuid4()),
            purpose=why.purpose,
            user=why.user,
            case=why.case,
        )
        self._evidence([self._line(made, why, SENT, made.said(system), 1, "offered")])
        headers = {**made.headers, "Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        given, body = _sent(self._url + made.target, made.body, headers)
        told = proved(made, system, given, body)
        self._evidence([self._line(made, why, RECEIVED, body, len(told["rows"]), "accepted")])
        return told

    def _token(self, scope: str) -> str:
        held, now = self._tokens.get(scope), self._now()
        if held is None or held.until <= now:
            body = urlencode(
                {
                    "grant_type": "client_credentials",
                    "scope": scope,
                    "client_assertion_type": _KIND,
                    "client_assertion": self._assertion(now),
                }
            ).encode()
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            said = orjson.loads(_sent(self._url + "/oauth/token", body, kind)[1])
            until = now + timedelta(seconds=said["expires_in"]) - _EARLY
            held = self._tokens[scope] = _Token(said["access_token"], until)
        return held.value

    def _assertion(self, now: datetime) -> str:
        at = int(now.timestamp())
        claims = {"aud": self._url + "/oauth/token", "iat": at, "exp": at + 60, "jti": str(uuid.uuid4())}
        who = {"iss": self._client_id, "sub": self._client_id}
        return jwt.encode({"alg": "HS256"}, {**who, **claims}, self._key)

    def _line(self, made: Envelope, why: Why, direction: str, said: bytes, count: int, outcome: str) -> Line:
        contract = self._contract
        return Line(
            stamp(self._now()),
            contract.flow,
            contract.digest,
            f"{why.purpose}（{why.case}）",
            f"{contract.provider.id}:{why.user}",
            "api",
            direction,
            made.headers[ID],
            None,
            None,
            hashlib.sha256(said).hexdigest(),
            count,
            outcome,
        )


@dataclass(frozen=True)
class _Token:
    value: str = field(repr=False)
    until: datetime


class _Straight(HTTPRedirectHandler):
    """Goes nowhere else: what is asked holds a token, or the number of a person."""

    def redirect_request(self, *_: Any) -> None:
        """Nothing; the answer then counts as refused."""


_OPENER = build_opener(_Straight)


def _sent(url: str, body: bytes, headers: dict[str, str]) -> tuple[dict[str, str], bytes]:
    request = Request(url, body, headers)  # noqa: S310 - https, or this machine: see Asker
    try:
        with _OPENER.open(request, timeout=60) as answer:
            return dict(answer.headers), answer.read()
    except HTTPError as error:
        raise _problem(error.read(), error.code) from None
    except (URLError, HTTPException, OSError):
        raise Problem(
            "service-unreachable", "the service did not answer", fix="ask again; nothing may be used"
        ) from None


def _problem(body: bytes, status: int) -> Problem:
    """What the service refused, by its own code."""
    try:
        told = orjson.loads(body)
        code = str(told.get("code") or told.get("error") or "refused").replace("_", "-")
        what = str(told.get("detail") or told.get("error_description") or "the service refused")
    except (orjson.JSONDecodeError, AttributeError):
        code, what = "refused", "the service refused"
    return Problem(code, what, f"HTTP {status}", "see docs/api.md")
