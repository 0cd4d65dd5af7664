"""What keeps sign-ins honest: an assertion is good once, and who guesses is locked out."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from kiban.store import Books

FAILURES, WINDOW = 10, timedelta(minutes=5)
"""So many failures of one client from one address within so long lock it out from there: an attacker elsewhere locks out nobody."""


class Guard:
    """Remembers assertions and failures. Safe to share between threads."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def first_use(self, client_id: str, jti: str, until: datetime, now: datetime) -> bool:
        """Whether an assertion is used for the first time; until when it has to be remembered."""
        digest = hashlib.sha256(jti.encode("utf-8", "surrogatepass")).digest()
        with self._books.transaction() as page:
            page.run("DELETE FROM assertion WHERE until < %s", (now,))
            return bool(
                page.run(
                    "INSERT INTO assertion VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                    (client_id, digest, until),
                )
            )

    def locked(self, client_id: str, address: str, now: datetime) -> bool:
        """Whether this client has failed too often from this address."""
        with self._books.transaction() as page:
            rows = page.rows(
                "SELECT count(*) AS failures FROM failure WHERE client_id = %s AND address = %s AND failed_at > %s",
                (client_id, address, now - WINDOW),
            )
        return int(rows[0]["failures"]) >= FAILURES

    def failed(self, client_id: str, address: str, now: datetime) -> None:
        """Note a failure. Failures outside the window are forgotten."""
        with self._books.transaction() as page:
            page.run("DELETE FROM failure WHERE failed_at <= %s", (now - WINDOW,))
            page.run("INSERT INTO failure VALUES (%s, %s, %s)", (client_id, address, now))
