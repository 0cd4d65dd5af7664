"""Where the last searches of a person are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from kiban.store import Books

MOST = 20
"""How many searches are kept of a person."""
DAYS = 7
"""After how many days one is forgotten."""


@dataclass(frozen=True)
class Remembered:
    """One search.

    Attributes:
        asked: what was asked, as it was given.
        at: when it was asked last.
    """

    asked: Mapping[str, str] = field(hash=False)
    at: datetime


class Recent:
    """The last searches. Safe to share between threads and processes."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def remember(self, account: str, asked: Mapping[str, str], now: datetime) -> None:
        """Keep a search of a person; the oldest ones beyond `MOST`, and all that are too old, go.

        Raises:
            Problem: `database-unreachable`.
        """
        text = orjson.dumps(dict(asked), option=orjson.OPT_SORT_KEYS)
        with self._books.transaction() as page:
            page.run(_KEEP, (account, hashlib.sha256(text).hexdigest(), text.decode(), now))
            page.run(_FORGET, (now - timedelta(days=DAYS), account, account, MOST))

    def searches(self, account: str, now: datetime) -> list[Remembered]:
        """The last searches of a person, the newest first.

        Raises:
            Problem: `database-unreachable`.
        """
        with self._books.transaction() as page:
            rows = page.rows(_LIST, (account, now - timedelta(days=DAYS), MOST))
        return [Remembered(row["asked"], row["at"]) for row in rows]

    def forget(self, account: str) -> None:
        """Forget all searches of a person.

        Raises:
            Problem: `database-unreachable`.
        """
        with self._books.transaction() as page:
            page.run("DELETE FROM recent_search WHERE account = %s", (account,))


_KEEP = """
    INSERT INTO recent_search (account, digest, asked, at) VALUES (%s, %s, %s, %s)
    ON CONFLICT (account, digest) DO UPDATE SET at = excluded.at
"""
_FORGET = """
    DELETE FROM recent_search WHERE at < %s OR account = %s AND digest NOT IN
        (SELECT digest FROM recent_search WHERE account = %s ORDER BY at DESC, digest LIMIT %s)
"""
_LIST = (
    "SELECT asked, at FROM recent_search WHERE account = %s AND at >= %s ORDER BY at DESC, digest LIMIT %s"
)
