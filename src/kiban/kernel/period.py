"""Half-open periods, and the two dates of every question put to a register."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from kiban.kernel.problem import Problem


@dataclass(frozen=True, order=True)
class Period:
    """The days from `start` up to, but not including, `end`.

    Attributes:
        start: first day; None where the period has always been.
        end: the day after the last; None while the period goes on.

    Raises:
        Problem: `period-empty` where the end is not after the start.
    """

    start: date | None
    end: date | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise Problem(
                "period-empty",
                f"the period ends ({self.end}) on or before the day it starts ({self.start})",
                fix="the end is the day after the last day; leave it open if the period goes on",
            )

    def __contains__(self, day: date) -> bool:
        """Whether a day lies in the period.

        >>> date(2024, 1, 1) in Period(date(2023, 1, 1), date(2024, 1, 1))
        False
        """
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)

    def overlaps(self, other: Period) -> bool:
        """Whether the two periods share a day."""
        return (self.start is None or other.end is None or self.start < other.end) and (
            other.start is None or self.end is None or other.start < self.end
        )

    def intersect(self, other: Period) -> Period | None:
        """The days that both periods have; None where there is none."""
        if not self.overlaps(other):
            return None
        starts = [s for s in (self.start, other.start) if s is not None]
        ends = [e for e in (self.end, other.end) if e is not None]
        return Period(max(starts, default=None), min(ends, default=None))


@dataclass(frozen=True)
class AsOf:
    """The two dates of a question: true in the town on which day, as known to us at which moment.

    Attributes:
        valid: the day in the town.
        known: the moment of our knowledge, with its time zone; None for all that is known by now.

    Raises:
        Problem: `known-without-zone` where `known` has no time zone.
    """

    valid: date
    known: datetime | None = None

    def __post_init__(self) -> None:
        if self.known is not None and self.known.tzinfo is None:
            raise Problem(
                "known-without-zone",
                "the moment of knowledge has no time zone",
                fix="give the zone, for example 2026-04-01T09:00:00+09:00",
            )
