"""Systems that may call the API: registered once each, with a secret that is shown once."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from kiban.access.scopes import Scope
from kiban.access.sealing import Seal
from kiban.kernel import Problem, Problems
from kiban.store import BookPage, Books

MOST_SECONDS = 600
"""How long a token may live at most (共通機能標準仕様書 2.2: 10 minutes)."""

_LETTERS = string.ascii_letters + string.digits
_SYSTEM = re.compile(r"[0-9A-Z]{3}", re.ASCII)


@dataclass(frozen=True)
class Registration:
    """A system as it is registered.

    Attributes:
        system: 業務ID or 独自施策システム等ID.
        name: its Japanese name.
        provides: whether it provides an API itself, and may ask whether tokens for it are good.
        scopes: what it may ask for beyond what its contracts give it.
        seconds: how long its tokens live, 1 to 600.
        basic_until: the day from which the provisional client_secret_basic is refused; None where it is never allowed.
        client_id: 32 letters and digits; given at the registration.
        registered_at: when, in UTC.
        revoked_at: since when nothing of it is good any more; None while it is.
    """

    system: str
    name: str
    provides: bool = False
    scopes: frozenset[Scope] = frozenset()
    seconds: int = MOST_SECONDS
    basic_until: date | None = None
    client_id: str = ""
    registered_at: datetime | None = None
    revoked_at: datetime | None = None

    def basic(self, day: date) -> bool:
        """Whether client_secret_basic is allowed on a day."""
        return self.basic_until is not None and day < self.basic_until


@dataclass(frozen=True)
class Credentials:
    """What a system signs in with. The secret is shown once and is no part of the printed form.

    Attributes:
        client_id: 32 letters and digits.
        secret: 43 letters and digits.
    """

    client_id: str
    secret: str = field(repr=False)


class Systems:
    """The register of systems. Safe to share between threads."""

    def __init__(self, books: Books, seal: Seal) -> None:
        self._books, self._seal = books, seal

    def add(self, wanted: Registration, now: datetime) -> Credentials:
        """Register a system; its secret can never be read again.

        Args:
            wanted: what to register; its `client_id` and times are not looked at.
            now: when, in UTC.

        Raises:
            Problems: `system-id`, `system-unnamed`, `token-life`, `basic-over`.
            Problem: `system-known` where it is registered already.
        """
        faults = list(_faults(wanted, now.date()))
        if faults:
            raise Problems(faults)
        client_id = _random(32)
        with self._books.transaction() as page:
            made = page.run(
                "INSERT INTO system VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (
                    client_id,
                    wanted.system,
                    wanted.name,
                    wanted.provides,
                    sorted(map(str, wanted.scopes)),
                    wanted.seconds,
                    wanted.basic_until,
                    now,
                ),
            )
            if not made:
                raise Problem(
                    "system-known",
                    f"system {wanted.system} is registered already: it has one client",
                    fix="give it a new secret (rotate), or revoke it first",
                )
            return Credentials(client_id, self._fresh(page, client_id, now))

    def rotate(self, system: str, now: datetime, overlap: timedelta) -> Credentials:
        """A new secret; the one before stays good for a while, any older one ends.

        Raises:
            Problem: `system-unknown`; `overlap-negative`.
        """
        if overlap < timedelta(0):
            raise Problem("overlap-negative", "the overlap is below zero", fix="give 0 or more days")
        with self._books.transaction() as page:
            client_id = _open(page, system)
            page.run(
                "UPDATE secret SET until = least(coalesce(until, 'infinity'), %s) WHERE client_id = %s",
                (now + overlap, client_id),
            )
            page.run(
                "UPDATE secret SET until = least(until, %s) WHERE client_id = %s AND secret < "
                "(SELECT max(secret) FROM secret WHERE client_id = %s)",
                (now, client_id, client_id),
            )
            return Credentials(client_id, self._fresh(page, client_id, now))

    def revoke(self, system: str, now: datetime) -> None:
        """End a system: its secrets and tokens are refused from now on. It may be registered anew.

        Raises:
            Problem: `system-unknown`.
        """
        with self._books.transaction() as page:
            client_id = _open(page, system)
            page.run("UPDATE system SET revoked_at = %s WHERE client_id = %s", (now, client_id))
            page.run(
                "UPDATE token SET revoked_at = %s WHERE client_id = %s AND revoked_at IS NULL",
                (now, client_id),
            )
            page.run("DELETE FROM secret WHERE client_id = %s", (client_id,))

    def all(self) -> list[Registration]:
        """Every system ever registered, in the order of registration."""
        with self._books.transaction() as page:
            return [_registration(row) for row in page.rows("SELECT * FROM system ORDER BY registered_at")]

    def client(self, client_id: str) -> Registration | None:
        """The system of a client; None where it is unknown or revoked."""
        with self._books.transaction() as page:
            rows = page.rows("SELECT * FROM system WHERE client_id = %s AND revoked_at IS NULL", (client_id,))
        return _registration(rows[0]) if rows else None

    def secrets(self, client_id: str, now: datetime) -> list[str]:
        """The secrets of a client that are good now, at most two, the newest first.

        Raises:
            Problem: `secret-unreadable`.
        """
        with self._books.transaction() as page:
            rows = page.rows(
                "SELECT sealed FROM secret WHERE client_id = %s AND (until IS NULL OR until > %s) ORDER BY secret DESC",
                (client_id, now),
            )
        return [self._seal.open(client_id, row["sealed"]) for row in rows]

    def _fresh(self, page: BookPage, client_id: str, now: datetime) -> str:
        secret = _random(43)
        page.run(
            "INSERT INTO secret (client_id, sealed, made_at) VALUES (%s, %s, %s)",
            (client_id, self._seal.close(client_id, secret), now),
        )
        return secret


def _faults(wanted: Registration, today: date) -> Iterable[Problem]:
    if not _SYSTEM.fullmatch(wanted.system):
        yield Problem(
            "system-id", "the ID of a system is three upper-case letters or digits", fix="such as 001 or Z01"
        )
    if not wanted.name.strip():
        yield Problem("system-unnamed", "the system has no name", fix="give its Japanese name")
    if not 1 <= wanted.seconds <= MOST_SECONDS:
        yield Problem("token-life", f"a token lives 1 to {MOST_SECONDS} seconds", fix="give less")
    if wanted.basic_until is not None and wanted.basic_until <= today:
        yield Problem(
            "basic-over",
            "the end of client_secret_basic has passed already",
            fix="name a day to come, or leave it out: client_secret_jwt is always allowed",
        )


def _open(page: BookPage, system: str) -> str:
    rows = page.rows(
        "SELECT client_id FROM system WHERE system = %s AND revoked_at IS NULL FOR UPDATE", (system,)
    )
    if not rows:
        raise Problem(
            "system-unknown", f"system {system} is not registered", fix="kiban link systems list shows who is"
        )
    return str(rows[0]["client_id"])


def _registration(row: dict[str, object]) -> Registration:
    scopes = row.pop("scopes")
    assert isinstance(scopes, list)
    return Registration(scopes=frozenset(map(Scope.parse, scopes)), **row)  # type: ignore[arg-type]


def _random(length: int) -> str:
    """Letters and digits, 5.95 bits each."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
