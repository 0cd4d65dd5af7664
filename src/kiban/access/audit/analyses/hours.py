"""Use at night, on weekends and on holidays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from kiban import store
from kiban.access.audit.analyses.holidays import Holidays
from kiban.access.audit.trail import Audit
from kiban.kernel import JAPAN, Problem

STEP = 15
"""Minutes; opening times are multiples of it."""
_COUNTED = f"""
    SELECT date_bin('{STEP} minutes', at, %s) AS start, actor, count(*) AS lines
    FROM audit_line WHERE at >= %s AND at < %s AND actor <> '' GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Hours:
    """When work is usual, in Japan.

    Attributes:
        opens: from then on.
        closes: until then.

    Raises:
        Problem: `audit-hours` where they are not multiples of 15 minutes in their order.
    """

    opens: time = time(8, 30)
    closes: time = time(17, 15)

    def __post_init__(self) -> None:
        odd = any(each.minute % STEP or each.second or each.microsecond for each in (self.opens, self.closes))
        if odd or self.opens >= self.closes:
            raise Problem(
                "audit-hours",
                "the hours of work are not multiples of 15 minutes in their order",
                fix="such as 08:30 and 17:15",
            )


@dataclass(frozen=True)
class Outside:
    """What one actor did outside the hours of one day.

    Attributes:
        day: in Japan.
        actor: staff number or ID of a system.
        why: 夜間, 土曜日, 日曜日, or the name of the holiday.
        lines: how many lines.
        lookups: how many look-ups of registers.
        first: when the first quarter of an hour with one began, in UTC.
        last: when the last did.
    """

    day: date
    actor: str
    why: str
    lines: int
    lookups: int
    first: datetime
    last: datetime


def outside(audit: Audit, since: date, until: date, hours: Hours, holidays: Holidays) -> Iterator[Outside]:
    """Who worked at night, on weekends and on holidays, day by day; within a day in the order of actors.

    Args:
        audit: the trail.
        since: first day, in Japan.
        until: the day after the last.
        hours: when work is usual.
        holidays: on which days it is not.

    Raises:
        Problem: `holidays-unknown`, before the day concerned; `database-unreachable`.
    """
    for ahead in range((until - since).days):
        yield from _of_day(audit, since + timedelta(days=ahead), hours, holidays)


def _of_day(audit: Audit, day: date, hours: Hours, holidays: Holidays) -> Iterator[Outside]:
    holiday = holidays.why(day)
    start = datetime.combine(day, time(), JAPAN).astimezone(UTC)
    end = start + timedelta(days=1)
    with audit.books.transaction() as page:
        lines = page.rows(_COUNTED, [start, start, end])
    counted = [(row["start"], row["actor"], row["lines"], 0) for row in lines]
    counted += [
        (each.start, each.actor, 0, each.lookups)
        for each in store.lookup_counts(audit.registers, start, end, STEP)
    ]
    found: dict[str, list[tuple[datetime, int, int]]] = {}
    for moment, actor, written, read in counted:
        if holiday or not hours.opens <= moment.astimezone(JAPAN).time() < hours.closes:
            found.setdefault(actor, []).append((moment, written, read))
    for actor in sorted(found):
        moments = [moment for moment, _, _ in found[actor]]
        sums = (sum(each[1] for each in found[actor]), sum(each[2] for each in found[actor]))
        yield Outside(day, actor, holiday or "夜間", *sums, min(moments), max(moments))
