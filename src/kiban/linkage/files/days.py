"""When files are due: days and minutes in Japan's time, which has no summer time."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from kiban.linkage.contracts.model import Contract, Due

JAPAN = timezone(timedelta(hours=9), "JST")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Moment:
    """One time at which a set is due.

    Attributes:
        due: what is due.
        day: the day in Japan, which the set names as that of its data.
        at: the moment, in UTC.
        before: the moment at which the one before was due.
    """

    due: Due
    day: date
    at: datetime
    before: datetime

    @property
    def patience_ends(self) -> datetime:
        """When it counts as missing."""
        return self.at + self.due.within


def japan_day(now: datetime) -> date:
    """The day in Japan."""
    return now.astimezone(JAPAN).date()


def moments(contract: Contract, since: datetime, until: datetime) -> list[Moment]:
    """All times at which sets of a contract are due, behind one moment and up to another, in order.

    A day of the month beyond its end means its last day. Days before the contract is in force, or behind it, have none.
    """
    found = [
        moment for due in contract.due if due.kind != "event" for moment in _of(contract, due, since, until)
    ]
    return sorted(found, key=lambda moment: (moment.at, moment.due.kind))


def _of(contract: Contract, due: Due, since: datetime, until: datetime) -> Iterator[Moment]:
    before: datetime | None = None
    day = japan_day(since) - timedelta(days=63)  # far enough for the month before
    while day <= japan_day(until):
        if _falls(due, day):
            at = _moment(due, day)
            in_force = contract.effective <= day and (contract.until is None or day < contract.until)
            if before is not None and in_force and since < at <= until:
                yield Moment(due, day, at, before)
            before = at
        day += timedelta(days=1)


def _falls(due: Due, day: date) -> bool:
    if due.every == "day":
        return True
    if due.every == "month":
        return day.day == min(due.day or 1, calendar.monthrange(day.year, day.month)[1])
    return _WEEKDAYS[day.weekday()] == due.every


def _moment(due: Due, day: date) -> datetime:
    """Minutes beyond a day's end belong to the day all the same: 25:30 is half past one in the next night."""
    midnight = datetime.combine(day, time(), JAPAN)
    return (midnight + timedelta(minutes=due.at or 0)).astimezone(UTC)
