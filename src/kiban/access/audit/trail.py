"""Where lines are written and read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from kiban.access.audit.line import COLUMNS, Line, check, utc
from kiban.kernel import Problem
from kiban.store import BookPage, Books, Store

GROWS = ("audit_line", "audit_seal", "audit_block", "audit_root")
"""Tables to which the room may only add."""
PAGE_MOST = 1_000
_CHOSEN = ", ".join(("number", *COLUMNS))


@dataclass(frozen=True)
class Entry:
    """A line in its place.

    Attributes:
        number: in the order of writing; numbers of acts that were undone are missing.
        line: what it says; its moment in UTC.
    """

    number: int
    line: Line


@dataclass(frozen=True)
class Lines:
    """A page of lines, the newest first.

    Attributes:
        entries: the lines.
        next: what to give as `before` for the next page; None where there is none.
    """

    entries: tuple[Entry, ...]
    next: int | None


@dataclass(frozen=True)
class Wanted:
    """Which lines are wanted; None and empty for any.

    Attributes:
        since: from this moment on.
        until: before this moment.
        kinds: one of these kinds.
        outcome: this outcome.
        actor: of this actor.
        subject: about this 宛名番号.
        session: of the session with this mark.
        request: of the request with this number.
        business: of this business.
    """

    since: datetime | None = None
    until: datetime | None = None
    kinds: tuple[str, ...] = ()
    outcome: str = ""
    actor: str = ""
    subject: str = ""
    session: str = ""
    request: str = ""
    business: str = ""


class Audit:
    """The audit trail. Safe to share between threads and processes.

    Whoever acts writes the line before the act is answered; what cannot be written is not done.

    Attributes:
        registers: the store whose look-ups belong to the trail.
        books: where the lines stand.
    """

    def __init__(self, books: Books, registers: Store) -> None:
        self.books, self.registers = books, registers

    def write(self, *lines: Line, page: BookPage | None = None) -> None:
        """Write lines, all or none; durable when it returns.

        Args:
            lines: at least one.
            page: a transaction in the books of this room, where the act itself is a change in them: both are there, or neither.

        Raises:
            Problems: those of `line.check`, before anything is written.
            Problem: `audit-unwritten` where the trail cannot be reached: do not do the act.
        """
        for line in lines:
            check(line)
        try:
            with self._page(page) as opened:
                opened.many(_INSERT, map(_row, lines))
        except Problem as problem:
            what = f"the line of an act cannot be written ({problem.code}), so the act was not done"
            fix = "bring the database back (kiban db status), then do it again"
            raise Problem("audit-unwritten", what, fix=fix) from problem

    def lines(self, wanted: Wanted, before: int | None = None, limit: int = 50) -> Lines:
        """A page of lines, the newest first.

        Args:
            wanted: which; see `Wanted`.
            before: the `next` of the page before.
            limit: how many, 1 to 1,000.

        Raises:
            Problem: `audit-limit`, `database-unreachable`.
        """
        return select(self.books, wanted, before, limit)

    @contextmanager
    def _page(self, page: BookPage | None) -> Iterator[BookPage]:
        if page is not None:
            yield page
            return
        with self.books.transaction() as opened:
            yield opened


def select(
    books: Books,
    wanted: Wanted,
    before: int | None,
    limit: int,
    also: str = "true",
    order: str = "number DESC",
) -> Lines:
    """A page of lines; see `Audit.lines`.

    Args:
        books: where they stand.
        wanted: which.
        before: the `next` of the page before.
        limit: how many.
        also: a further condition, in SQL of ours.
        order: another order, of which there is one page only.
    """
    if not 1 <= limit <= PAGE_MOST:
        raise Problem("audit-limit", f"a page has 1 to {PAGE_MOST} lines", fix="ask for fewer")
    conditions, values = conditions_of(wanted)
    if before is not None:
        conditions, values = [*conditions, "number < %s"], [*values, before]
    where = " AND ".join([*conditions, also])
    query = f"SELECT {_CHOSEN} FROM audit_line WHERE {where} ORDER BY {order} LIMIT %s"
    with books.transaction() as page:
        found = [entry(row) for row in page.rows(query, [*values, limit + 1])]
    shown = tuple(found[:limit])
    return Lines(shown, shown[-1].number if len(found) > limit else None)


def conditions_of(wanted: Wanted) -> tuple[list[str], list[object]]:
    """Conditions in SQL and their values."""
    asked: Iterable[tuple[str, object]] = (
        ("at >= %s", wanted.since),
        ("at < %s", wanted.until),
        ("kind = ANY (%s)", list(wanted.kinds)),
        ("outcome = %s", wanted.outcome),
        ("actor = %s", wanted.actor),
        ("subjects @> ARRAY[%s] AND subjects <> '{}'", wanted.subject),
        ("session = %s AND session <> ''", wanted.session),
        ("request = %s AND request <> ''", wanted.request),
        ("business = %s", wanted.business),
    )
    given = [(condition, value) for condition, value in asked if value]
    return [condition for condition, _ in given], [value for _, value in given]


_INSERT = f"INSERT INTO audit_line ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"


def _row(line: Line) -> list[object]:
    values = {name: getattr(line, name) for name in COLUMNS}
    values |= {"subjects": list(line.subjects), "detail": orjson.dumps(dict(line.detail)).decode()}
    return [values[name] for name in COLUMNS]


def entry(row: Mapping[str, Any]) -> Entry:
    """The entry of a row of the table."""
    said = {name: row[name] for name in COLUMNS}
    said |= {"at": utc(row["at"]), "subjects": tuple(row["subjects"])}
    return Entry(row["number"], Line(**said))
