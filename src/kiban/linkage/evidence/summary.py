"""What passed on a day, per flow: for the status page and the monthly page of an owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from kiban.kernel import moments
from kiban.store import Books


@dataclass(frozen=True)
class FlowDay:
    """One way of one flow on one day, as the platform wrote it down.

    Attributes:
        flow: `Contract.flow`.
        way: `event`, `file` or `api`.
        sent: different messages, sets or answers that went out.
        received: different ones that came in.
        rows: sum of the counts of the lines that say `offered` or `accepted`.
        outcomes: outcome -> how many lines say so.
        last: written moment of the last line.
    """

    flow: str
    way: str
    sent: int
    received: int
    rows: int
    outcomes: Mapping[str, int] = field(hash=False)
    last: str


def summary(books: Books, day: date) -> tuple[FlowDay, ...]:
    """What passed on a day of Japan, in the order of flows and ways; flows without a line are not there.

    Raises:
        Problem: `database-unreachable`.
    """
    with books.transaction() as page:
        counted = page.rows(_COUNTED, moments(day))
        told = page.rows(_OUTCOMES, moments(day))
    outcomes: dict[tuple[str, str], dict[str, int]] = {}
    for row in told:
        outcomes.setdefault((row["flow"], row["way"]), {})[row["outcome"]] = row["lines"]
    return tuple(FlowDay(**row, outcomes=outcomes[row["flow"], row["way"]]) for row in counted)


_COUNTED = """
    SELECT flow, way, count(DISTINCT item) FILTER (WHERE direction = 'sent') AS sent,
        count(DISTINCT item) FILTER (WHERE direction = 'received') AS received,
        coalesce(sum(count) FILTER (WHERE outcome IN ('offered', 'accepted')), 0)::bigint AS rows, max(at) AS last
    FROM evidence_line WHERE at >= %s AND at < %s GROUP BY flow, way ORDER BY flow, way
"""
_OUTCOMES = """
    SELECT flow, way, outcome, count(*) AS lines
    FROM evidence_line WHERE at >= %s AND at < %s GROUP BY flow, way, outcome ORDER BY outcome
"""
