"""Fiscal years (年度) and their names, which have a table of their own: eras begin in mid-year."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cache

from kiban.kernel.eras import era_named, read_table
from kiban.kernel.problem import Problem


class FiscalStyle(StrEnum):
    """How a document names a fiscal year in which the era changed; each document chooses for itself.

    Attributes:
        OPENING: by the era of its first day: fiscal 2019 is 平成31年度.
        RENAMED: by the new era, for the whole year: fiscal 2019 is 令和元年度.
    """

    OPENING = "opening"
    RENAMED = "renamed"


def fiscal_year(day: date) -> int:
    """The fiscal year of a day, from April to March, by the Western year of its first day.

    >>> fiscal_year(date(2019, 4, 30)), fiscal_year(date(2020, 3, 31)), fiscal_year(date(2020, 4, 1))
    (2019, 2019, 2020)
    """
    return day.year if day.month >= 4 else day.year - 1


def fiscal_wareki(year: int, style: FiscalStyle | None = None) -> str:
    """The name of a fiscal year in the Japanese calendar.

    >>> fiscal_wareki(2026), fiscal_wareki(2019, FiscalStyle.OPENING)
    ('令和8年度', '平成31年度')
    >>> fiscal_wareki(2019, FiscalStyle.RENAMED)
    '令和元年度'

    Args:
        year: the fiscal year, by the Western year of its first day; from 1886 on.
        style: needed only for years in which the two styles differ.

    Raises:
        Problem: `fiscal-style-unset` where the styles differ and none is chosen;
            `fiscal-year-unknown` before fiscal 1886.
    """
    names = {each: _name(year, each) for each in ([style] if style else FiscalStyle)}
    if len(set(names.values())) > 1:
        raise Problem(
            "fiscal-style-unset",
            f"fiscal {year} is called {' or '.join(names.values())}, by document",
            fix="choose the style of the document",
        )
    return next(iter(names.values()))


@cache
def _first_years() -> dict[FiscalStyle, list[tuple[int, str]]]:
    table: dict[FiscalStyle, list[tuple[int, str]]] = {style: [] for style in FiscalStyle}
    for row in read_table("fiscal_eras.csv"):
        table[FiscalStyle(row["style"])].append((int(row["first_fiscal_year"]), row["era"]))
    return table


def _name(year: int, style: FiscalStyle) -> str:
    begun = [era for first, era in _first_years()[style] if first <= year]
    if not begun:
        raise Problem(
            "fiscal-year-unknown",
            f"the fiscal year {year} is before the first that began in April (1886)",
            fix="give a year from 1886 on",
        )
    of_era = year - era_named(begun[-1]).first_year + 1
    return f"{begun[-1]}{'元' if of_era == 1 else of_era}年度"
