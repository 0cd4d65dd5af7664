"""When both sides of a flow were last compared row by row, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kiban.linkage import reconcile
from kiban.store import Books


@dataclass(frozen=True)
class LastCompared:
    """The last time when both sides of a flow were compared row by row.

    Attributes:
        at: when, in UTC.
        rows: how many rows the provider has.
        drifted: how many rows differ, are missing or too many at the consumer.
    """

    at: datetime
    rows: int
    drifted: int


def note_compared(books: Books, compared: reconcile.Compared, now: datetime) -> None:
    """Keep what a comparison found, to be shown.

    Args:
        books: of the linkage.
        compared: what it found.
        now: the moment, in UTC.
    """
    rows = sum(feed.provider for feed in compared.feeds)
    with books.transaction() as page:
        page.run(
            "INSERT INTO status_compared VALUES (%s, %s, %s, %s) ON CONFLICT (flow, at) DO NOTHING",
            (compared.flow, now, rows, len(compared.drifted)),
        )


def last_compared(books: Books) -> dict[str, LastCompared]:
    """The last comparison of each flow that was ever compared."""
    statement = (
        "SELECT DISTINCT ON (flow) flow, at, rows, drifted FROM status_compared ORDER BY flow, at DESC"
    )
    with books.transaction() as page:
        return {row.pop("flow"): LastCompared(**row) for row in page.rows(statement)}
