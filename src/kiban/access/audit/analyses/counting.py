"""Mass search, failed sign-ins, what left the house, lifts of protection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from kiban import store
from kiban.access.audit.line import utc
from kiban.access.audit.trail import PAGE_MOST, Audit, Entry, Lines, Wanted, select
from kiban.kernel import JAPAN, Problem


@dataclass(frozen=True)
class Busy:
    """Somebody who looked at very many persons on one day.

    Attributes:
        day: in Japan.
        actor: staff number or ID of a system.
        subjects: how many different persons came into sight.
        lookups: by how many reads.
        searches: how many of them searched.
    """

    day: date
    actor: str
    subjects: int
    lookups: int
    searches: int


def busy(audit: Audit, since: date, until: date, threshold: int) -> Iterator[Busy]:
    """Who looked at so many different persons on a day, day by day; within a day the most first.

    Args:
        audit: the trail.
        since: first day, in Japan.
        until: the day after the last.
        threshold: from how many persons a day on.

    Raises:
        Problem: `audit-threshold` below 1; `database-unreachable`.
    """
    if threshold < 1:
        raise Problem("audit-threshold", "the threshold is below 1", fix="such as 200 persons a day")
    for ahead in range((until - since).days):
        day = since + timedelta(days=ahead)
        start = datetime.combine(day, time(), JAPAN).astimezone(UTC)
        for each in store.many_subjects(audit.registers, start, start + timedelta(days=1), threshold):
            yield Busy(day, each.actor, each.subjects, each.lookups, each.searches)


@dataclass(frozen=True)
class Failures:
    """Sign-ins of one actor from one address that failed.

    Attributes:
        actor: empty where the name was none of the city's.
        address: of the network.
        failures: how many.
        lock_outs: how often it led to a lock-out.
        first: when, in UTC.
        last: when.
    """

    actor: str
    address: str
    failures: int
    lock_outs: int
    first: datetime
    last: datetime


_FAILURES = """
    SELECT actor, address, count(*) FILTER (WHERE detail ->> 'act' <> 'lock-out') AS failures,
        count(*) FILTER (WHERE detail ->> 'act' = 'lock-out') AS lock_outs, min(at) AS first, max(at) AS last
    FROM audit_line WHERE kind = 'signin' AND (outcome <> 'done' OR detail ->> 'act' = 'lock-out') AND at >= %s AND at < %s
    GROUP BY actor, address ORDER BY 3 DESC, 1, 2 LIMIT %s
"""


def failures(audit: Audit, since: datetime, until: datetime, limit: int = PAGE_MOST) -> list[Failures]:
    """Failed sign-ins by actor and address, the most first.

    Args:
        audit: the trail.
        since: from this moment on.
        until: before this one.
        limit: how many at most.
    """
    with audit.books.transaction() as page:
        rows = page.rows(_FAILURES, [since, until, limit])
    return [Failures(**{**row, "first": utc(row["first"]), "last": utc(row["last"])}) for row in rows]


def lock_outs(audit: Audit, wanted: Wanted, before: int | None = None, limit: int = 50) -> Lines:
    """A page of lock-outs, the newest first; see `Audit.lines`."""
    return select(audit.books, wanted, before, limit, "kind = 'signin' AND detail ->> 'act' = 'lock-out'")


def lifts(audit: Audit, wanted: Wanted, before: int | None = None, limit: int = 50) -> Lines:
    """A page of lifts of protection (一時解除): asked for, granted, refused; the newest first."""
    return select(audit.books, wanted, before, limit, "kind = 'lift'")


@dataclass(frozen=True)
class Export:
    """What left the house in one file.

    Attributes:
        entry: its line.
        rows: how many rows, as the line says (`rows` in its detail); None where it does not.
    """

    entry: Entry
    rows: int | None


_SIZE = "CASE WHEN jsonb_typeof(detail -> 'rows') = 'number' THEN (detail ->> 'rows')::numeric END"


def exports(audit: Audit, since: datetime, until: datetime, limit: int = PAGE_MOST) -> list[Export]:
    """Extracts and files, those of unknown size first, then the largest.

    Args:
        audit: the trail.
        since: from this moment on.
        until: before this one.
        limit: how many at most.
    """
    found = select(
        audit.books,
        Wanted(since, until),
        None,
        limit,
        "kind IN ('extract', 'export')",
        f"{_SIZE} DESC NULLS FIRST, number DESC",
    )
    return [Export(each, _rows(each)) for each in found.entries]


def _rows(entry: Entry) -> int | None:
    rows = entry.line.detail.get("rows")
    return rows if isinstance(rows, int) and not isinstance(rows, bool) else None
