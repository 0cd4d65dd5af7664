"""Queries that people keep."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from kiban.kernel import Problem
from kiban.store import BookPage, Books

_COLUMNS = "query, owner, shared, draft, title, business, body, changed_at"
MOST = 200
"""Most queries that one person keeps; drafts count."""


@dataclass(frozen=True)
class Saved:
    """A query that somebody keeps.

    Attributes:
        query: random handle.
        owner: staff number.
        shared: whether others who may extract from the business may see, run and copy it.
        draft: whether it is still being put together.
        title: what the owner calls it.
        business: ID of the edition.
        body: the query as `plain` makes it; of a draft maybe not whole.
        changed_at: the moment of the last change.
    """

    query: str
    owner: str
    shared: bool
    draft: bool
    title: str
    business: str
    body: Mapping[str, Any]
    changed_at: datetime


class Shelf:
    """The queries that people keep. Safe to share between threads.

    Whatever is asked says who asks: the queries of others are not there, unless they are shared, and then only to be read.
    """

    def __init__(self, books: Books) -> None:
        self._books = books

    def page(self, owner: str) -> list[Saved]:
        """What somebody may see: the own queries, the latest first, then those that others share."""
        query = f"""SELECT {_COLUMNS} FROM extract_query WHERE owner = %s OR (shared AND NOT draft)
            ORDER BY owner <> %s, changed_at DESC LIMIT 500"""
        with self._books.transaction() as page:
            return [Saved(**row) for row in page.rows(query, (owner, owner))]

    def saved(self, query: str, owner: str) -> Saved:
        """One query.

        Raises:
            Problem: `query-unknown` where there is none that this person may see.
        """
        with self._books.transaction() as page:
            return _saved(page, query, owner)

    def begin(self, owner: str, body: Mapping[str, Any], now: datetime) -> str:
        """Begin a draft; its handle.

        Raises:
            Problem: `queries-many`.
        """
        handle = f"q{secrets.token_hex(12)}"
        with self._books.transaction() as page:
            held = page.rows("SELECT count(*) AS n FROM extract_query WHERE owner = %s", (owner,))[0]["n"]
            if held >= MOST:
                raise Problem("queries-many", f"one person keeps at most {MOST} queries", fix="delete some")
            page.run(
                "INSERT INTO extract_query VALUES (%s, %s, false, true, '', %s, %s::jsonb, %s)",
                (handle, owner, body.get("business", ""), orjson.dumps(body).decode(), now),
            )
        return handle

    def change(self, query: str, owner: str, body: Mapping[str, Any], now: datetime) -> None:
        """Give a query of one's own another content.

        Raises:
            Problem: `query-unknown`.
        """
        self._touch(
            "UPDATE extract_query SET body = %s::jsonb, business = %s, changed_at = %s WHERE query = %s AND owner = %s",
            (orjson.dumps(body).decode(), body.get("business", ""), now, query, owner),
        )

    def keep(self, query: str, owner: str, title: str, now: datetime, *, shared: bool) -> None:
        """Keep a draft under a title, or call a query of one's own otherwise.

        Raises:
            Problem: `query-unknown`.
        """
        self._touch(
            "UPDATE extract_query SET draft = false, title = %s, shared = %s, changed_at = %s WHERE query = %s AND owner = %s",
            (title, shared, now, query, owner),
        )

    def delete(self, query: str, owner: str) -> None:
        """Delete a query of one's own.

        Raises:
            Problem: `query-unknown`.
        """
        self._touch("DELETE FROM extract_query WHERE query = %s AND owner = %s", (query, owner))

    def sweep(self, before: datetime) -> int:
        """Delete drafts that nobody has touched since a moment; how many."""
        with self._books.transaction() as page:
            return page.run("DELETE FROM extract_query WHERE draft AND changed_at < %s", (before,))

    def _touch(self, statement: str, values: tuple[object, ...]) -> None:
        with self._books.transaction() as page:
            if page.run(statement, values) != 1:
                raise _unknown()


def _saved(page: BookPage, query: str, owner: str) -> Saved:
    found = page.rows(
        f"SELECT {_COLUMNS} FROM extract_query WHERE query = %s AND (owner = %s OR (shared AND NOT draft))",
        (query, owner),
    )
    if not found:
        raise _unknown()
    return Saved(**found[0])


def _unknown() -> Problem:
    return Problem("query-unknown", "there is no such query of this person", fix="choose one of the list")
