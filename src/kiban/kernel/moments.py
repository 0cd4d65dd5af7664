"""Moments and the days of Japan: moments are written in UTC, so that text sorts as time does."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

from kiban.kernel.problem import Problem

JAPAN = timezone(timedelta(hours=9))
_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


def stamp(moment: datetime) -> str:
    """A moment as lines and documents write it: UTC with microseconds.

    >>> stamp(datetime(2026, 4, 1, tzinfo=UTC))
    '2026-04-01T00:00:00.000000Z'

    Raises:
        Problem: `moment-without-zone`.
    """
    if moment.tzinfo is None:
        raise Problem("moment-without-zone", "a moment has no time zone", fix="give it in UTC")
    return moment.astimezone(UTC).strftime(_FORM)


def day_of(written: str) -> date:
    """The day in Japan of a written moment.

    >>> day_of("2026-03-31T15:00:00.000000Z")
    datetime.date(2026, 4, 1)
    """
    return datetime.strptime(written, _FORM).replace(tzinfo=UTC).astimezone(JAPAN).date()


def moments(day: date) -> tuple[str, str]:
    """The written moments at which a day of Japan begins and ends."""
    start = datetime.combine(day, time(), JAPAN)
    return stamp(start), stamp(start + timedelta(days=1))
