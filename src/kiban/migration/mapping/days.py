"""The rules for days and years: of the Western calendar, in eras, fiscal years, and the ends of a period of validity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Final

from kiban.kernel import FIRST_GREGORIAN_DAY, FiscalStyle, eras, fiscal_wareki
from kiban.migration.mapping.pair import Pair

ERAS: Final = tuple(
    (
        str(number),
        era.first_year,
        max(era.first_day, FIRST_GREGORIAN_DAY).isoformat(),  # older days are lunar and are not converted
        (era.last_day or date.max).isoformat(),
    )
    for number, era in enumerate(eras(), 1)
)
_OFFSETS: Final = {era: str(first - 1) for era, first, _, _ in ERAS}
_BEGINS: Final = {era: begun for era, _, begun, _ in ERAS}
_ENDS: Final = {era: ended for era, _, _, ended in ERAS}

STYLES: Final = {"初日の元号": FiscalStyle.OPENING, "新しい元号": FiscalStyle.RENAMED}
"""How a legacy system counts a fiscal year in which the era changed, as 引数 says it: 2019 is 431 or 501."""

_MONTH_DAY: Final = "(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
_LEAP: Final = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
_DAY: Final = f"^[0-9]{{4}}{_MONTH_DAY}$"
_CALENDAR: Final = (
    "^([0-9]{4}((0[13578]|1[02])(0[1-9]|[12][0-9]|3[01])|(0[469]|11)(0[1-9]|[12][0-9]|30)"
    f"|02(0[1-9]|1[0-9]|2[0-8]))|{_LEAP}0229)$"
)
"""A day YYYYMMDD that the calendar has; the year 0000, which stands for "always", is a leap year."""
_ERA_DAY: Final = f"^[1-5][0-9]{{2}}{_MONTH_DAY}$"
_ZEROS: Final = "^0+$"
_OPEN: Final = "99999999"

Made = tuple[Pair, list[tuple[Pair, str]]]
"""A value that is null where it is refused, and the reasons to refuse it, the first that is true being told."""


def western(text: Pair, *, loose: bool) -> Made:
    """A day written YYYYMMDD, maybe without leading zeros, as YYYY-MM-DD; only zeros hold nothing.

    Refuses with `date-form`, `date-calendar`.

    Args:
        text: what is held.
        loose: whether a day that only its month does not have is kept as written, as a family register does.
    """
    wide, held = text.padded(8), text.matches(_ZEROS).no()
    value = wide.parts("-", 4, 2, 2).where(wide.matches(_DAY if loose else _CALENDAR))
    return value, [
        (wide.matches(_DAY).no().both(held), "date-form"),
        (value.missing().both(held), "date-calendar"),
    ]


def begin(text: Pair) -> Made:
    """The first day of a period, YYYYMMDD; only zeros say that it has none.

    Refuses with `period-missing` for an empty field, `date-form`, `date-calendar`.
    """
    value, faults = western(text, loose=False)
    return _ever(value), [(text.missing(), "period-missing"), *faults, (value.matches("^0000"), "date-form")]


def end(text: Pair) -> Made:
    """The day after the last of a period, YYYYMMDD; only 99999999 says that it is open.

    Refuses with `period-missing` for an empty field, `date-form`, `date-calendar`.
    """
    wide, held = text.padded(8), text.among([_OPEN]).no()
    value = wide.parts("-", 4, 2, 2).where(wide.matches(_CALENDAR))
    faults = [
        (wide.matches(_DAY).no().both(held), "date-form"),
        (value.missing().both(held), "date-calendar"),
    ]
    return _ever(value), [(text.missing(), "period-missing"), *faults, (value.matches("^0000"), "date-form")]


def in_era(text: Pair, *, loose: bool) -> Made:
    """A day written GYYMMDD, G from 1 for 明治 to 5 for 令和, as YYYY-MM-DD; only zeros hold nothing.

    Refuses with `date-era` a day outside its era, an impossible month, and a day before 1873, whose calendar was lunar; and with
    `date-calendar`.

    Args:
        text: what is held.
        loose: as for `western`.
    """
    era, held = text.cut(0, 1), text.matches(_ZEROS).no()
    digits = text.cut(1, 2).plus(era.translated(_OFFSETS)).then(text.cut(3, 4))
    day = digits.parts("-", 4, 2, 2)
    within = day.between(era.translated(_BEGINS), era.translated(_ENDS)).both(text.matches(_ERA_DAY))
    good = within if loose else within.both(digits.matches(_CALENDAR))
    value = day.where(good)
    return value, [(within.yes().no().both(held), "date-era"), (value.missing().both(held), "date-calendar")]


def fiscal(text: Pair, style: str) -> Made:
    """A fiscal year written GYY, G from 1 for 明治 to 5 for 令和, as YYYY; only zeros hold nothing.

    Refuses with `year-era` what no fiscal year is called.

    Args:
        text: what is held.
        style: of `STYLES`.
    """
    wide, held, years = text.padded(3), text.matches(_ZEROS).no(), fiscal_years(style)
    return wide.translated(years), [(wide.among(list(years)).no().both(held), "year-era")]


@cache
def fiscal_years(style: str) -> Mapping[str, str]:
    """GYY to YYYY, one to one: the first fiscal year that began in April (1886) up to the last that two digits can count."""
    found = {}
    last = eras()[-1].first_year + 98
    for year in range(1886, last + 1):
        name = fiscal_wareki(year, STYLES[style]).removesuffix("年度")
        number, era = next((at, era) for at, era in enumerate(eras(), 1) if name.startswith(era.name))
        of_era = name.removeprefix(era.name).replace("元", "1")
        found[f"{number}{int(of_era):02d}"] = str(year)
    return found


def _ever(value: Pair) -> Pair:
    """A day of a year that calendars have: 0000 is none."""
    return value.where(value.matches("^0000").no())
