"""Who has acknowledged that a person is protected, and who has not answered in time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kiban.linkage.contracts.model import PATIENCE
from kiban.linkage.message import UNKNOWN
from kiban.store import Books


@dataclass(frozen=True)
class Unanswered:
    """A flow whose consumer has not acknowledged in time: there everybody counts as protected.

    Attributes:
        flow: `Contract.flow`; empty where the publisher has told nobody yet: then everybody is late.
        notices: how many protect-on notices are open beyond the time.
        since: when the oldest of them was decided.
        published: how many of them the broker has; the others are still with the platform.
    """

    flow: str
    notices: int
    since: datetime
    published: int


def acknowledge(books: Books, flow: str, held: Iterable[tuple[str, str, int]], now: datetime) -> None:
    """Note which states the consumer of a flow holds. A version answers the notices of it and of older ones; no other.

    Args:
        books: of the linkage.
        flow: `Contract.flow`.
        held: unit, state and version. Who says unknown has not acknowledged anything.
        now: in UTC.
    """
    with books.transaction() as page:
        told = [[now, version, flow, unit, version] for unit, state, version in held if state != UNKNOWN]
        page.many(_ANSWERED, told)


_ANSWERED = """
    UPDATE protection_notice SET acknowledged_at = coalesce(acknowledged_at, %s), held = greatest(held, %s)
    WHERE flow = %s AND unit = %s AND event <= %s
"""


def unacknowledged(books: Books, now: datetime, patience: timedelta = PATIENCE) -> tuple[Unanswered, ...]:
    """The flows of which a protect-on is open longer than the patience, in their order.

    Args:
        books: of the linkage.
        now: in UTC.
        patience: from the decision on.
    """
    with books.transaction() as page:
        return tuple(Unanswered(**row) for row in page.rows(_OPEN, [now - patience] * 2))


_OPEN = """
    SELECT flow, count(*) AS notices, min(decided_at) AS since, count(published_at) AS published
    FROM protection_notice WHERE state = 'protected' AND acknowledged_at IS NULL AND decided_at <= %s GROUP BY flow
    UNION ALL SELECT '', count(*), min(decided_at), 0
    FROM protection_untold JOIN protection_change c USING (kind, unit, event, release)
    WHERE NOT release AND c.decided_at <= %s HAVING count(*) > 0
    ORDER BY flow
"""


@dataclass(frozen=True)
class FlowProtection:
    """How the lane of one flow stands, for the status page.

    Attributes:
        flow: `Contract.flow`.
        told: protect-on notices so far.
        open: those without an acknowledgement, however new.
        late: those of them beyond the patience.
        slowest: longest time from decision to acknowledgement; None where there is none.
    """

    flow: str
    told: int
    open: int
    late: int
    slowest: timedelta | None


def status(
    books: Books, now: datetime, patience: timedelta = PATIENCE, flows: Collection[str] = ()
) -> tuple[FlowProtection, ...]:
    """How the lane of each flow stands; flows that were never told anything are there when they are named."""
    with books.transaction() as page:
        rows = {row["flow"]: row for row in page.rows(_STATUS, [now - patience])}
    none = {"told": 0, "open": 0, "late": 0, "slowest": None}
    return tuple(
        FlowProtection(**{**none, **rows.get(flow, {}), "flow": flow}) for flow in _names(rows, flows)
    )


def _names(rows: Iterable[str], flows: Iterable[str]) -> list[str]:
    return sorted({*rows, *flows})


_STATUS = """
    SELECT flow, count(*) AS told, count(*) FILTER (WHERE acknowledged_at IS NULL) AS open,
        count(*) FILTER (WHERE acknowledged_at IS NULL AND decided_at <= %s) AS late,
        max(acknowledged_at - decided_at) AS slowest
    FROM protection_notice WHERE state = 'protected' GROUP BY flow
"""
