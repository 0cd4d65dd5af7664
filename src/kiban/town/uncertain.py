"""Dates that are unknown in part, vague, or not in the calendar, as the official triple of columns."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from kiban.kernel import wareki
from kiban.town import days
from kiban.town.arrays import Bools, Ints
from kiban.town.columns import FULL_WIDTH, Column, flag
from kiban.town.days import NEVER
from kiban.town.lives import JAPANESE, YEAR, How
from kiban.town.unit import Unit

Triple = tuple[Column, Column, Column]
"""The date or null, 不詳フラグ, 不詳表記 or null."""


def births(unit: Unit) -> Triple:
    """Births of the unit's people.

    Where published ages must come out, residents' births keep telling their age: only the day is unknown, in a
    month that is not the month of the reference date.
    """
    persons, given, rng = unit.persons, unit.book.given, unit.stream(1)
    size, today = len(persons.birth), unit.book.today
    abroad = persons.nation != JAPANESE
    old = (persons.birth < today - int(80 * YEAR)) | (abroad & (persons.birth < today - int(60 * YEAR)))
    # Somebody born in the city has a birth certificate in it.
    doubtful = old & (persons.how != How.BIRTH) & (rng.random(size) < given.number("unknown.birth"))
    vague = rng.random(size) < given.number("unknown.birth_vague")
    if unit.book.exact_ages:
        resident = persons.end == NEVER
        same_month = _months(persons.birth) == unit.book.as_of.month
        doubtful &= ~(resident & same_month)
        vague &= ~resident
    words: list[str | None] = [None] * size
    for index in np.flatnonzero(doubtful):
        words[index] = _words(int(persons.birth[index]), bool(vague[index]), bool(abroad[index]), int(index))
    return _triple(unit, _with_leap_days(unit, rng), doubtful, words)


def resident_since(unit: Unit) -> Triple:
    """Days on which people became residents; for some of the old ones nobody knows."""
    persons = unit.persons
    old = persons.birth < unit.book.today - int(75 * YEAR)
    hidden = unit.changes.first > persons.start
    share = unit.book.given.number("unknown.resident_since")
    doubtful = old & hidden & (persons.how != How.BIRTH) & (unit.stream(2).random(len(old)) < share)
    words: list[str | None] = [None] * len(old)
    for index in np.flatnonzero(doubtful):
        words[index] = _words(int(persons.start[index]), bool(index % 2), False, int(index))
    return _triple(unit, days.written(persons.start), doubtful, words)


def _triple(unit: Unit, written: Column, doubtful: Bools, words: list[str | None]) -> Triple:
    """The three columns: where the day is doubtful there is no day, but words."""
    texts = written.take(pa.array(np.arange(len(doubtful)), mask=doubtful))
    known, unknown = (unit.book.words("jumin.seinengappi_fushofuragu", name) for name in ("no", "yes"))
    return texts, flag(doubtful, unknown, known), pa.array(words, pa.string())


def _with_leap_days(unit: Unit, rng: np.random.Generator) -> Column:
    """Births as written; some born at the end of February of a common year stand as 29 February."""
    persons = unit.persons
    old = persons.birth < unit.book.today - int(60 * YEAR)
    moments = persons.birth.astype("datetime64[D]")
    month_start = moments.astype("datetime64[M]").astype("datetime64[D]")
    february = (_months(persons.birth) == 2) & ((moments - month_start).astype(np.int64) >= 14)
    year = days.years_of(persons.birth)
    common = (year % 4 != 0) | ((year % 100 == 0) & (year % 400 != 0))
    # On the last days of February the age would not be told by such a day.
    told = (unit.book.as_of.month, unit.book.as_of.day) < (2, 14) or unit.book.as_of.month > 2
    share = unit.book.given.number("unknown.noncalendar")
    picked = old & february & common & told & (rng.random(len(old)) < share)
    impossible = pa.array([f"{value:04d}-02-29" for value in year[picked]], pa.string())
    written = days.written(persons.birth)
    place = np.arange(len(old))
    place[picked] = len(old) + np.arange(int(picked.sum()))
    return pa.concat_arrays([written, impossible]).take(pa.array(place))


def _months(numbers: Ints) -> Ints:
    months: Ints = numbers.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    return months


def _words(number: int, vague: bool, western: bool, turn: int) -> str:
    """昭和１０年頃, 昭和１０年月日不詳, 昭和１０年５月頃 or 昭和１０年５月日不詳; foreigners' in Western years."""
    day = date(1970, 1, 1) + timedelta(days=number)
    era = wareki(day)
    year = str(day.year) if western else f"{era.era}{era.year}"
    month = f"{day.month}月" if not vague or turn % 4 == 0 else ""
    unknown = f"{year}年{month or '月'}日不詳"
    text = f"{year}年{month}頃" if vague and turn % 2 else unknown
    return text.translate(FULL_WIDTH)
