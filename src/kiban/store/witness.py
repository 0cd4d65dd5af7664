"""Look-ups read again: who read what of whom. For the audit trail; nobody else reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from kiban.kernel import Problem
from kiban.store.books import Page
from kiban.store.errors import as_problems
from kiban.store.settling import settled

if TYPE_CHECKING:
    from kiban.store.database import Store

LOOKUPS_MOST = 5_000
"""How many are read at once at most."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One read of registers, as it was witnessed in the transaction that made it.

    Attributes:
        number: in the order of reading; numbers of reads that were undone are missing.
        at: when, in UTC.
        actor: who; staff number or ID of a system.
        ward: the actor's ward; empty for the city hall.
        purpose: 事務.
        register: schema.table; `sql` for a query of one's own.
        asked: what was asked, JSON.
        found: 宛名番号, or what else identifies the rows that were given.
    """

    number: int
    at: datetime
    actor: str
    ward: str
    purpose: str
    register: str
    asked: str
    found: tuple[str, ...]


@dataclass(frozen=True)
class LookupCount:
    """How often one actor read in one span of time.

    Attributes:
        start: when the span begins, in UTC.
        actor: who.
        lookups: how many reads.
    """

    start: datetime
    actor: str
    lookups: int


@dataclass(frozen=True)
class ManySubjects:
    """Somebody who saw many different persons in a time.

    Attributes:
        actor: who.
        subjects: how many different persons (or what else identifies rows).
        lookups: by how many reads.
        searches: how many of them searched.
    """

    actor: str
    subjects: int
    lookups: int
    searches: int


@dataclass(frozen=True)
class LookupsWanted:
    """Which look-ups are wanted; None and empty for any.

    Attributes:
        since: from this moment on.
        until: before this moment.
        actor: of this actor.
        subjects: that gave one of these.
    """

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    subjects: tuple[str, ...] = ()


def lookups_after(store: Store, number: int, until: int, limit: int = LOOKUPS_MOST) -> list[Lookup]:
    """The look-ups that follow a number, in their order.

    Args:
        store: an open store.
        number: of the last one that is known already.
        until: number of the last one wanted.
        limit: how many at most, 1 to 5,000.

    Raises:
        Problem: `lookups-limit`, `permission-denied`, `database-unreachable`.
    """
    query = f"SELECT {_CHOSEN} FROM kiban.lookup WHERE lookup > %s AND lookup <= %s ORDER BY lookup LIMIT %s"
    with _witness(store, limit) as page:
        return [_lookup(row) for row in page.rows(query, [number, until, limit])]


def lookups(store: Store, wanted: LookupsWanted, before: int | None = None, limit: int = 50) -> list[Lookup]:
    """Look-ups, the newest first.

    Args:
        store: an open store.
        wanted: which.
        before: number of the last one of the page before.
        limit: how many at most, 1 to 5,000.

    Raises:
        Problem: `lookups-limit`, `permission-denied`, `database-unreachable`; `database-refused` where it takes longer
            than a minute.
    """
    asked: Sequence[tuple[str, object]] = (
        ("looked_at >= %s", wanted.since),
        ("looked_at < %s", wanted.until),
        ("actor = %s", wanted.actor),
        ("found && %s::text[]", list(wanted.subjects)),
        ("lookup < %s", before),
    )
    given = [(condition, value) for condition, value in asked if value]
    where = " AND ".join(condition for condition, _ in given) or "true"
    query = f"SELECT {_CHOSEN} FROM kiban.lookup WHERE {where} ORDER BY lookup DESC LIMIT %s"
    with _witness(store, limit) as page:
        return [_lookup(row) for row in page.rows(query, [*(value for _, value in given), limit])]


def lookup_counts(store: Store, since: datetime, until: datetime, minutes: int) -> list[LookupCount]:
    """How often each actor read in each span of a time, in the order of spans and actors.

    Args:
        store: an open store.
        since: where the first span begins; what is asked at once should be a day, so that the answer stays small.
        until: where the last one ends.
        minutes: how long a span is.

    Raises:
        Problem: those of `lookups`.
    """
    with _witness(store, 1) as page:
        values = [f"{minutes} minutes", since, since, until]
        return [LookupCount(**row) for row in page.rows(_COUNTED, values)]


def many_subjects(store: Store, since: datetime, until: datetime, threshold: int) -> list[ManySubjects]:
    """Who saw at least so many different persons in a time, the most first.

    Args:
        store: an open store.
        since: from this moment on; what is asked at once should be a day.
        until: before this one.
        threshold: how many, at least 1.

    Raises:
        Problem: those of `lookups`.
    """
    with _witness(store, 1) as page:
        values = [since, until, threshold] * 2
        return [ManySubjects(**row) for row in page.rows(_MANY, values)]


def count_lookups(store: Store, after: int) -> int:
    """How many look-ups there are behind a number.

    Raises:
        Problem: `permission-denied`, `database-unreachable`.
    """
    with _witness(store, 1) as page:
        [row] = page.rows("SELECT count(*) AS lookups FROM kiban.lookup WHERE lookup > %s", [after])
    return int(row["lookups"])


def last_settled_lookup(store: Store, patience: float) -> int | None:
    """The number up to which all look-ups are there; see `settled`.

    Raises:
        Problem: `permission-denied`, `database-unreachable`.
    """
    with _witness(store, 1, patience) as page:
        return settled(page, "kiban.lookup", "lookup", patience)


_CHOSEN = "lookup AS number, looked_at AS at, actor, ward, purpose, register, asked::text AS asked, found"
_COUNTED = """
    SELECT date_bin(%s::interval, looked_at, %s) AS start, actor, count(*) AS lookups
    FROM kiban.lookup WHERE looked_at >= %s AND looked_at < %s GROUP BY 1, 2 ORDER BY 1, 2
"""
_MANY = """
    WITH busy AS (   -- to see so many different persons takes at least so many rows: few actors are left to be looked at closely
        SELECT actor, count(*) AS lookups, count(*) FILTER (WHERE asked ? 'search') AS searches
        FROM kiban.lookup WHERE looked_at >= %s AND looked_at < %s
        GROUP BY actor HAVING sum(cardinality(found)) >= %s
    ), seen AS (
        SELECT DISTINCT l.actor, f FROM busy JOIN kiban.lookup l USING (actor), unnest(l.found) f
        WHERE l.looked_at >= %s AND l.looked_at < %s
    )
    SELECT actor, count(*) AS subjects, min(lookups) AS lookups, min(searches) AS searches
    FROM seen JOIN busy USING (actor) GROUP BY actor HAVING count(*) >= %s ORDER BY 2 DESC, 1
"""


@contextmanager
def _witness(store: Store, limit: int, patience: float = 0) -> Iterator[Page]:
    """A transaction that can do nothing else than read look-ups, and not for long."""
    if not 1 <= limit <= LOOKUPS_MOST:
        raise Problem("lookups-limit", f"1 to {LOOKUPS_MOST} look-ups are read at once", fix="ask for fewer")
    with store.owner() as connection, as_problems(), connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute("SET LOCAL statement_timeout = '60s'")
        connection.execute("SET LOCAL ROLE kiban_witness")
        yield Page(connection)


def _lookup(row: dict[str, object]) -> Lookup:
    row["found"] = tuple(row["found"])  # type: ignore[arg-type]
    return Lookup(**row)  # type: ignore[arg-type]
