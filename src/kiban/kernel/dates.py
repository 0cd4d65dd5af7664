"""Dates as registers hold them: known in part, in words, or not in the calendar; never invented."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date as Date  # noqa: N812 - `date` is the name of an official part of the triple
from enum import StrEnum
from functools import total_ordering

from kiban.kernel.problem import Problem
from kiban.kernel.written_dates import OPEN_HI, OPEN_LO, DateKind, Reading, days_in_month, read_written


class AgeRule(StrEnum):
    """Which day a rule of law takes where a birth is uncertain; the caller names it and its reason.

    Attributes:
        EARLIEST_BIRTH: the first day it can be, so the person is as old as possible.
        LATEST_BIRTH: the last day it can be, so the person is as young as possible.
    """

    EARLIEST_BIRTH = "earliest_birth"
    LATEST_BIRTH = "latest_birth"


@total_ordering
@dataclass(frozen=True)
class UncertainDate:
    """A date that keeps what was written: the official triple, and what can be said of it.

    Where the date is flagged unknown, what is known comes from the words alone: a day beside the flag is some
    system's substitute, kept for the round trip and used for nothing. Equality and order disregard the flag
    where it changes nothing in what can be said. Source: 住民記録システム標準仕様書 1.1.8.

    Attributes:
        date: `YYYY-MM-DD` as written, possibly not in the calendar; None where unknown.
        flag: 不詳フラグ, "0" or "1"; None where the layout has none.
        notation: 不詳表記, the words as written; None where there are none.
        kind: how much is known.
        year: Western year; None where unknown. Likewise `month` and `day`.
        sort_lo: the first day it can be, ISO text, not always in the calendar; 0000-01-01 where open.
        sort_hi: the last day it can be; 9999-12-31 where open.
        approximate: whether the words say about or estimated, so that the bounds are no promise.

    Raises:
        Problem: `date-empty` where all three are missing (hold None instead of a date); `date-form` where the
            date is not of the form YYYY-MM-DD with month 1-12 and day 1-31; `date-flag` for another flag.
    """

    date: str | None
    flag: str | None = field(default=None, compare=False)
    notation: str | None = None
    kind: DateKind = field(init=False)
    year: int | None = field(init=False, compare=False)
    month: int | None = field(init=False, compare=False)
    day: int | None = field(init=False, compare=False)
    sort_lo: str = field(init=False, compare=False)
    sort_hi: str = field(init=False, compare=False)
    approximate: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if self.flag not in (None, "0", "1"):
            raise Problem("date-flag", "the flag of an unknown date is neither 0 nor 1", fix="give 0 or 1")
        reading = _read(self.date, self.flag, self.notation)
        for name in ("kind", "year", "month", "day", "approximate"):
            object.__setattr__(self, name, getattr(reading, name))
        object.__setattr__(self, "sort_lo", reading.lo)
        object.__setattr__(self, "sort_hi", reading.hi)

    @classmethod
    def parse(cls, date: str | None, flag: str | None = None, notation: str | None = None) -> UncertainDate:
        """Read the official triple; empty texts count as missing.

        >>> UncertainDate.parse(None, "1", "昭和25年頃").kind.value
        'year'
        """
        return cls(date or None, flag or None, notation or None)

    @classmethod
    def exact(cls, day: Date) -> UncertainDate:
        """A day that is known."""
        return cls(day.isoformat(), "0")

    @classmethod
    def written(cls, notation: str) -> UncertainDate:
        """A date of which only words are known, flagged unknown."""
        return cls(None, "1", notation)

    def triple(self) -> tuple[str | None, str | None, str | None]:
        """The official triple, just as it came: date, 不詳フラグ, 不詳表記."""
        return self.date, self.flag, self.notation

    def __str__(self) -> str:
        return self.notation or (self.date if self.flag != "1" and self.date else "不詳")

    @property
    def calendar_day(self) -> Date | None:
        """The day, where it is exactly known and in the calendar; else None."""
        return Date.fromisoformat(self.sort_lo) if self.kind is DateKind.EXACT else None

    @property
    def earliest(self) -> Date | None:
        """The first calendar day it can be, for rules and statistics; None where there is no bound.

        A day that is not in the calendar counts as the last day of its month here, the first of the next in
        `latest`.
        """
        return None if self.sort_lo == OPEN_LO else _calendar(self.sort_lo, late=False)

    @property
    def latest(self) -> Date | None:
        """The last calendar day it can be; None where there is no bound."""
        return None if self.sort_hi == OPEN_HI else _calendar(self.sort_hi, late=True)

    @property
    def sort_key(self) -> tuple[str, str, str, str, str]:
        """A total order: by first possible day, by last, then by what is written."""
        return self.sort_lo, self.sort_hi, self.kind.value, self.date or "", self.notation or ""

    def __lt__(self, other: UncertainDate) -> bool:
        return self.sort_key < other.sort_key

    def age_on(self, day: Date, rule: AgeRule | None = None) -> int:
        """Completed years on a day, for a date of birth; certain, or by a named rule, never guessed.

        An uncertain birth has an age without any rule where every possible birthday gives the same. Someone
        born on 29 February completes a year on 1 March of common years.

        >>> UncertainDate.parse("2000-02-29").age_on(Date(2025, 2, 28))
        24
        >>> UncertainDate.written("昭和25年").age_on(Date(2025, 12, 31))
        75

        Raises:
            Problem: `age-uncertain` where the possible births give different ages and no rule is named;
                `age-unknown` where there is no bound to apply the rule to; `age-before-birth`.
        """
        first, last = self.earliest, self.latest
        if rule is None and self.kind is not DateKind.EXACT:
            if first and last and not self.approximate and _age(first, day) == _age(last, day):
                return _born(_age(first, day))
            raise Problem(
                "age-uncertain",
                f"the date of birth is not known to the day (kind {self.kind})",
                fix="name the rule of the law that applies (AgeRule), or ask an officer",
            )
        birth = last if rule is AgeRule.LATEST_BIRTH else first
        if birth is None:
            raise Problem(
                "age-unknown", "the date of birth has no bound from which to count", fix="ask an officer"
            )
        return _born(_age(birth, day))


def _read(date: str | None, flag: str | None, notation: str | None) -> Reading:
    if date is None and flag != "1" and notation is None:
        raise Problem("date-empty", "there is neither a date nor words", fix="hold no date at all")
    given = _read_date(date) if date is not None else None
    if given is not None and flag != "1":
        return given
    if notation is None:
        return Reading(DateKind.UNKNOWN)
    words = read_written(notation)
    if words.kind is DateKind.EXACT and flag == "1":
        # The flag doubts a day that the words state in full: keep its place, promise nothing.
        return Reading(
            DateKind.TEXT, words.year, words.month, words.day, words.lo, words.hi, approximate=True
        )
    return words


def _read_date(text: str) -> Reading:
    if text in (OPEN_LO, OPEN_HI):
        return Reading(DateKind.OPEN, lo=text, hi=text)
    match = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", text, re.ASCII)
    if match is None or match[1] == "0000":
        raise Problem(
            "date-form",
            "a date is not of the form YYYY-MM-DD",
            fix="where it is not known, leave the date out and give the words (不詳表記)",
        )
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    kind = DateKind.EXACT if day <= days_in_month(year, month) else DateKind.NONCALENDAR
    return Reading(kind, year, month, day, text, text)


def _calendar(iso: str, *, late: bool) -> Date:
    year, month, day = int(iso[:4]), int(iso[5:7]), int(iso[8:])
    length = days_in_month(year, month)
    if day <= length:
        return Date(year, month, day)
    # No month overruns December, so the next month is of the same year.
    return Date(year, month + 1, 1) if late else Date(year, month, length)


def _age(birth: Date, day: Date) -> int:
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _born(age: int) -> int:
    if age < 0:
        raise Problem("age-before-birth", "the day is before the date of birth", fix="check both dates")
    return age
