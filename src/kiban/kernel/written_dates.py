"""Reads dates in words (不詳表記): 昭和25年頃, 明治45年7月日不詳, 大正年月日不詳, and ranges of such.

The standard requires fourteen patterns of vague dates, whose list we have not seen. So the words are data, in
the table beside this file, and every text that the table does not explain is kept as it is, as kind `text`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from kiban.kernel.eras import FIRST_GREGORIAN_DAY, Era, era_named, eras, read_table
from kiban.kernel.numerals import number_of
from kiban.kernel.wareki import NUMBER_PATTERN, era_pattern

OPEN_LO, OPEN_HI = "0000-01-01", "9999-12-31"
"""The bounds of what is not known at all; as official dates they mean that a range is open."""


class DateKind(StrEnum):
    """How much of a date is known.

    Attributes:
        EXACT: a calendar day.
        NONCALENDAR: a written day that the calendar does not have, such as 1951-02-29.
        YEAR_MONTH: year and month.
        YEAR: the year.
        RANGE: between two days, or within an era.
        TEXT: words that are kept but not understood, or a day that the words themselves doubt.
        OPEN: no limit, as 0000-01-01 and 9999-12-31 say.
        UNKNOWN: nothing.
    """

    EXACT = "exact"
    NONCALENDAR = "noncalendar"
    YEAR_MONTH = "year_month"
    YEAR = "year"
    RANGE = "range"
    TEXT = "text"
    OPEN = "open"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Reading:
    """What the words of a date say.

    Attributes:
        kind: how much is known.
        year: Western year; None where unknown.
        month: None where unknown.
        day: None where unknown.
        lo: the first day it can be, as ISO text, not always in the calendar.
        hi: the last day it can be.
        approximate: whether the words say about (頃) or estimated (推定), so that the bounds are no promise.
    """

    kind: DateKind
    year: int | None = None
    month: int | None = None
    day: int | None = None
    lo: str = OPEN_LO
    hi: str = OPEN_HI
    approximate: bool = False


def read_written(notation: str) -> Reading:
    """What a date in words says; kind `text` with open bounds where the words are not understood.

    >>> reading = read_written("昭和２５年３月頃")
    >>> reading.kind.value, reading.lo, reading.hi, reading.approximate
    ('year_month', '1950-03-01', '1950-03-31', True)
    """
    plain = re.sub(r"[\s()「」、,]", "", unicodedata.normalize("NFKC", notation))
    return _single(plain) or _range(plain) or Reading(DateKind.TEXT)


@cache
def _words(role: str) -> str:
    found = sorted((row["word"] for row in read_table("vague_dates.csv") if row["role"] == role), key=len)
    return "|".join(re.escape(word) for word in reversed(found))


@cache
def _parts() -> dict[str, tuple[int, int]]:
    return {
        row["word"]: (int(row["first_day"]), int(row["last_day"]))
        for row in read_table("vague_dates.csv")
        if row["role"] == "part"
    }


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    number, unknown = NUMBER_PATTERN, f"(?:{_words('unknown')})"
    year = rf"(?:(?P<era>{era_pattern()})(?P<ey>{number})|(?P<wy>[0-9]{{4}}))"
    about = rf"(?P<about>{_words('about')})?"
    estimated = rf"(?P<estimated>{_words('estimated')})?"
    day_unknown = rf"日?{unknown}日?"
    rest_unknown = rf"(?:月日)?{unknown}(?:月日)?|{unknown}月{unknown}日|月{unknown}日{unknown}"
    dated = re.compile(
        rf"{estimated}{year}(?:年?(?P<season>{_words('season')})?|年(?:{rest_unknown})|年(?P<m>{number})月"
        rf"(?:(?P<part>{_words('part')})|{day_unknown}|(?P<d>{number})日)?"
        rf"|[./-](?P<m2>{number})(?:[./-](?P<d2>{number}))?){about}",
        re.IGNORECASE,
    )
    era_only = re.compile(
        rf"{estimated}(?P<era>{'|'.join(era.name for era in eras())})"
        rf"(?:(?:年(?:月日)?)?{unknown}(?:年(?:月日)?)?|年月日|年間|{unknown}年{unknown}月{unknown}日)?{about}"
    )
    nothing = re.compile(rf"(?:(?:生|出生)?年?月?日?)?{unknown}|{unknown}年{unknown}月{unknown}日")
    return dated, era_only, nothing


def _single(plain: str) -> Reading | None:
    dated, era_only, nothing = _patterns()
    if nothing.fullmatch(plain):
        return Reading(DateKind.UNKNOWN)
    match = era_only.fullmatch(plain)
    if match:
        era = era_named(match["era"])
        lo, hi = _era_bounds(era)
        return Reading(DateKind.RANGE, lo=lo, hi=hi, approximate=bool(match["estimated"] or match["about"]))
    match = dated.fullmatch(plain)
    return _dated(match.groupdict()) if match else None


def _dated(found: dict[str, str | None]) -> Reading | None:
    era = era_named(found["era"]) if found["era"] else None
    number = number_of(found["ey"] or found["wy"] or "")
    month = number_of(found["m"] or found["m2"] or "")
    day = number_of(found["d"] or found["d2"] or "")
    if not number or (month is None) != (not (found["m"] or found["m2"])):
        return None
    year = era.first_year + number - 1 if era else number
    vague = bool(found["about"] or found["estimated"] or found["season"])
    reading = _known(year, month, day, found["part"])
    if reading is None:
        return None
    if era:
        reading = _within(era, reading)
    if reading and vague:
        kind = DateKind.TEXT if reading.day else reading.kind
        reading = replace(reading, kind=kind, approximate=True)
    return reading


def _known(year: int, month: int | None, day: int | None, part: str | None) -> Reading | None:
    if year > 9999 or month not in (None, *range(1, 13)) or day not in (None, *range(1, 32)):
        return None
    if month is None:
        return Reading(DateKind.YEAR, year, lo=f"{year:04}-01-01", hi=f"{year:04}-12-31")
    if day is None:
        first, last = _parts()[part] if part else (1, 31)
        end = min(last, days_in_month(year, month))
        return Reading(
            DateKind.YEAR_MONTH,
            year,
            month,
            lo=f"{year:04}-{month:02}-{first:02}",
            hi=f"{year:04}-{month:02}-{end:02}",
        )
    kind = DateKind.EXACT if day <= days_in_month(year, month) else DateKind.NONCALENDAR
    iso = f"{year:04}-{month:02}-{day:02}"
    return Reading(kind, year, month, day, iso, iso)


def days_in_month(year: int, month: int) -> int:
    """The number of days of a month in the Gregorian calendar."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _era_bounds(era: Era) -> tuple[str, str]:
    return era.first_day.isoformat(), era.last_day.isoformat() if era.last_day else OPEN_HI


def _within(era: Era, reading: Reading) -> Reading | None:
    """The reading cut to its era; lunar days lose their place, days outside the era are not understood."""
    assert reading.year is not None
    if reading.year < FIRST_GREGORIAN_DAY.year:
        # A lunar year runs into the second month of the next Gregorian one.
        lo, hi = f"{reading.year}-01-01", f"{reading.year + 1}-02-28"
        return Reading(DateKind.TEXT, reading.year, lo=lo, hi=hi, approximate=True)
    first, last = _era_bounds(era)
    lo, hi = max(reading.lo, first), min(reading.hi, last)
    return replace(reading, lo=lo, hi=hi) if lo <= hi else None


def _range(plain: str) -> Reading | None:
    match = re.fullmatch(
        rf"(?P<estimated>{_words('estimated')})?(?P<from>.+?)(?:{_words('until')})(?P<to>.+?)(?:まで)?(?:の間)?"
        rf"(?P<about>{_words('about')})?",
        plain,
    )
    if match is None:
        return None
    first = _single(match["from"])
    if first is None:
        return None
    head = re.match(
        rf"(?P<y>(?:(?:{era_pattern()}){NUMBER_PATTERN}|[0-9]{{4}})年)(?P<m>{NUMBER_PATTERN}月)?",
        match["from"],
    )
    year, month = (head["y"], head["m"] or "") if head else ("", "")
    for prefix in ("", year, year + month):
        last = _single(prefix + match["to"])
        if last and first.lo <= last.hi and DateKind.UNKNOWN not in (first.kind, last.kind):
            approximate = bool(first.approximate or last.approximate or match["estimated"] or match["about"])
            return Reading(DateKind.RANGE, lo=first.lo, hi=last.hi, approximate=approximate)
    return None
