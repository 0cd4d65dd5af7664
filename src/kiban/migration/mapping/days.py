"""The rules for days: of the Western calendar, in eras, and the ends of a period of validity."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from kiban.kernel import FIRST_GREGORIAN_DAY, eras
from kiban.migration.mapping.pair import Pair, quoted

ERAS: Final = tuple(
    (
        str(number),
        era.first_year,
        max(era.first_day, FIRST_GREGORIAN_DAY).isoformat(),  # older days are lunar and are not converted
        (era.last_day or date.max).isoformat(),
    )
    for number, era in enumerate(eras(), 1)
)
_DAY: Final = "^[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$"
_ERA_DAY: Final = "^[1-5][0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$"
_ZEROS: Final = "^0+$"
_NINES: Final = "^99999999$"
_LEAP: Final = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
CALENDAR: Final = (
    "^([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    f"|02-(0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)$"
)
"""A day YYYY-MM-DD that the calendar has; 0000, which stands for "always", counts as a leap year."""


def western(text: Pair, *, loose: bool) -> tuple[Pair, Pair]:
    """A day written YYYYMMDD, maybe without leading zeros; only zeros hold nothing.

    Args:
        text: what is held.
        loose: whether a day that only its month does not have is kept as written, as a family register does.

    Returns:
        The day as YYYY-MM-DD, and the fault: `date-form`, `date-calendar`.
    """
    return _day(text.where(text.matches(_ZEROS).no()), loose=loose)


def begin(text: Pair) -> tuple[Pair, Pair]:
    """The first day of a period, YYYYMMDD; only zeros say that it has none.

    Returns:
        The day, and the fault: `period-missing` for an empty field, `date-form`, `date-calendar`.
    """
    return _end_of_period(text, text.matches(_ZEROS))


def end(text: Pair) -> tuple[Pair, Pair]:
    """The day after the last of a period, YYYYMMDD; only 99999999 says that it is open.

    Returns:
        The day, and the fault: `period-missing` for an empty field, `date-form`, `date-calendar`.
    """
    return _end_of_period(text, text.matches(_NINES))


def in_era(text: Pair, *, loose: bool) -> tuple[Pair, Pair]:
    """A day written GYYMMDD, G from 1 for 明治 to 5 for 令和; only zeros hold nothing.

    Returns:
        The day as YYYY-MM-DD, and the fault: `date-era` for a day outside its era, an impossible month, or a day before
        1873, whose calendar was lunar; `date-calendar`.
    """
    held = text.where(text.matches(_ZEROS).no())
    form = held.matches(_ERA_DAY)
    expr: pl.Expr = pl.lit(None, pl.String)
    arms = ""
    for era, first, begun, ended in ERAS:
        year, rest = held.cut(1, 2).plus(first - 1), held.cut(3, 4).parts("-", 2, 2)
        day = pl.concat_str([year.expr, rest.expr], separator="-")
        within = held.expr.str.starts_with(era) & day.is_between(pl.lit(begun), pl.lit(ended))
        expr = pl.when(form.expr & within).then(day).otherwise(expr)
        day_sql = f"{year.sql} || '-' || {rest.sql}"
        arms += f" when substr({held.sql}, 1, 1) = '{era}' and {day_sql} between '{begun}' and '{ended}' then {day_sql}"
    value = Pair(expr, f"case when regexp_matches({held.sql}, {quoted(_ERA_DAY)}) then case{arms} end end")
    faults = [(held.missing().no().both(value.missing()), "date-era")]
    return value, Pair.first_fault(*faults, *_outside(value, loose=loose))


def _day(held: Pair, *, loose: bool) -> tuple[Pair, Pair]:
    wide = held.padded(8)
    good = wide.matches(_DAY).both(held.matches("^[0-9]+$"))
    value = wide.parts("-", 4, 2, 2).where(good)
    return value, Pair.first_fault((good.no(), "date-form"), *_outside(value, loose=loose))


def _outside(value: Pair, *, loose: bool) -> list[tuple[Pair, str]]:
    return [] if loose else [(value.matches(CALENDAR).no(), "date-calendar")]


def _end_of_period(text: Pair, unbound: Pair) -> tuple[Pair, Pair]:
    value, fault = _day(text.where(unbound.no()), loose=False)
    first = Pair.first_fault(
        (text.missing(), "period-missing"), (value.matches("^0000"), "date-form")  # no calendar has a year 0
    )  # fmt: skip
    return value, Pair(pl.coalesce(first.expr, fault.expr), f"coalesce({first.sql}, {fault.sql})")
