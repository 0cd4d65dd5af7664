"""The rules for days: of the Western calendar, in eras, and the ends of a period of validity."""

from __future__ import annotations

from datetime import date
from typing import Final

from kiban.kernel import FIRST_GREGORIAN_DAY, eras
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


def _ever(value: Pair) -> Pair:
    """A day of a year that calendars have: 0000 is none."""
    return value.where(value.matches("^0000").no())
