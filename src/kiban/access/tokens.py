"""Access tokens: random, short-lived, known here only by their digest, and refused the moment they are revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kiban.access.scopes import Scope
from kiban.access.systems import Registration
from kiban.store import Books

KEPT = timedelta(days=1)
"""How long an expired token is remembered, so that its revocation is still answered."""


@dataclass(frozen=True)
class Token:
    """What a token says.

    Attributes:
        client_id: whose it is.
        system: 業務ID or 独自施策システム等ID of the client.
        provider: whose API it is for: one only.
        scopes: what it is good for, all of that provider.
        issued_at: when, in UTC.
        expires_at: from when it is refused.
        revoked: whether it, or its system, was revoked.
    """

    client_id: str
    system: str
    provider: str
    scopes: frozenset[Scope]
    issued_at: datetime
    expires_at: datetime
    revoked: bool

    def good(self, now: datetime) -> bool:
        """Whether it is to be accepted now."""
        return not self.revoked and self.issued_at <= now < self.expires_at


class Tokens:
    """The tokens that are out. Safe to share between threads."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def issue(self, client: Registration, scopes: Iterable[Scope], now: datetime) -> str:
        """A new token: 43 characters that only its bearer knows."""
        value, wanted = secrets.token_urlsafe(32), sorted(scopes)
        row = (
            _digest(value),
            client.client_id,
            wanted[0].provider,
            [str(scope) for scope in wanted],
            now,
            now + timedelta(seconds=client.seconds),
        )
        with self._books.transaction() as page:
            page.run("DELETE FROM token WHERE expires_at < %s", (now - KEPT,))
            page.run("INSERT INTO token VALUES (%s, %s, %s, %s, %s, %s)", row)
        return value

    def find(self, value: str) -> Token | None:
        """What a token says, good or not; None where it was never given out, or so long ago that it is forgotten."""
        with self._books.transaction() as page:
            rows = page.rows(_FIND, (_digest(value),))
        if not rows:
            return None
        row = rows[0]
        return Token(**{**row, "scopes": frozenset(map(Scope.parse, row["scopes"]))})

    def revoke(self, value: str, now: datetime) -> None:
        """Refuse a token from now on."""
        with self._books.transaction() as page:
            page.run(
                "UPDATE token SET revoked_at = %s WHERE digest = %s AND revoked_at IS NULL",
                (now, _digest(value)),
            )


_FIND = """
    SELECT t.client_id, s.system, t.provider, t.scopes, t.issued_at, t.expires_at,
        t.revoked_at IS NOT NULL OR s.revoked_at IS NOT NULL AS revoked
    FROM token t JOIN system s USING (client_id) WHERE t.digest = %s
"""


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
