# mypy: disable-error-code="import-untyped"
"""Tells other systems that a sign-in is over (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Thread

import jwt
import requests
from allauth.core.internal import jwkkit

from kiban.kernel import Problem
from kiban.web.city import City
from kiban.web.signin import keys, lines
from kiban.web.signin.models import Visit

log = logging.getLogger("kiban.web")

WHERE = "backchannel_logout_uri"
"""Under which name the registration of a system holds the address."""
_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_SECONDS = 120
"""How long a letter is good."""
_PATIENCE = 5
_WAITS = (0, 2, 10)
"""Seconds before each attempt."""


@dataclass(frozen=True)
class Letter:
    """What a system is told.

    Attributes:
        client: its ID.
        number: staff number of whose sign-in is over, for the line.
        address: where to.
        token: signed; names the person by her subject only.
    """

    client: str
    number: str
    address: str
    token: str = field(repr=False)


def letters(city: City, ended: Iterable[Visit]) -> Sequence[Letter]:
    """A letter for each sign-in that is over, at a system that asked to be told."""
    found = []
    for each in ended:
        address = ((each.client.data or {}).get("client_metadata") or {}).get(WHERE)
        if address and city.home is not None:
            number = each.account.number
            found.append(Letter(each.client_id, number, address, _token(city, each)))
    return found


def _token(city: City, visit: Visit) -> str:
    assert city.home is not None
    signing = next(each for each in keys.read(city.home) if each.state == "current")
    public, private = jwkkit.load_jwk_from_pem(signing.pem)
    now = int(city.now().timestamp())
    said = {
        "iss": visit.issuer,
        "aud": visit.client_id,
        "sub": visit.account.subject.hex,
        "sid": visit.sid.hex,
        "iat": now,
        "exp": now + _SECONDS,
        "jti": secrets.token_urlsafe(16),
        "events": {_EVENT: {}},
    }
    return jwt.encode(said, private, "RS256", headers={"kid": public["kid"], "typ": "logout+jwt"})


def send(city: City, written: Iterable[Letter]) -> None:
    """Send letters beside the work of this process, each a few times at most; what came of it is a line of the trail."""
    for each in written:
        Thread(target=_deliver, args=(city, each), name="farewell").start()


def _deliver(city: City, letter: Letter) -> None:
    outcome = "done" if any(_taken(letter, wait) for wait in _WAITS) else "failed"
    log.log(
        logging.INFO if outcome == "done" else logging.ERROR,
        "sign-out told to %s: %s",
        letter.client,
        outcome,
    )
    try:
        lines.signin(city, lines.By(letter.number), "signout", outcome, client=letter.client)
    except Problem as problem:
        log.error("the line of a sign-out elsewhere cannot be written (%s)", problem.code)


def _taken(letter: Letter, wait: int) -> bool:
    time.sleep(wait)
    try:
        answer = requests.post(
            letter.address, data={"logout_token": letter.token}, timeout=_PATIENCE, allow_redirects=False
        )
    except requests.RequestException:
        return False
    return answer.status_code in (200, 204)
