"""Dates in the Japanese calendar (和暦): 令和元年5月1日, 令和1年5月1日, R01.05.01."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache

from kiban.kernel.eras import FIRST_GREGORIAN_DAY, Era, era_named, eras
from kiban.kernel.numerals import KANJI_NUMERALS, number_of
from kiban.kernel.problem import Problem


@dataclass(frozen=True)
class Wareki:
    """A calendar day written in an era.

    Attributes:
        era: name of the era, such as 昭和.
        year: year of the era, 1 for 元年.
        month: 1 to 12.
        day: day of the month.

    Raises:
        Problem: `era-unknown`; `wareki-before-gregorian` before 明治6年1月1日, where days are lunar;
            `wareki-not-a-day` where the calendar has no such day;
            `wareki-outside-era` where the era was over or had not begun.
    """

    era: str
    year: int
    month: int
    day: int

    def __post_init__(self) -> None:
        day = self.date
        if day not in era_named(self.era):
            raise Problem(
                "wareki-outside-era",
                f"the day does not lie in {self.era}",
                fix="write it in the era that was in force on that day",
            )

    @property
    def date(self) -> date:
        """The day in the Western calendar."""
        western = era_named(self.era).first_year + self.year - 1
        if self.year < 1 or western < FIRST_GREGORIAN_DAY.year:
            raise Problem(
                "wareki-before-gregorian",
                "days before 明治6年1月1日 are lunar and cannot be computed",
                fix="keep what is written, as an uncertain date",
            )
        try:
            return date(western, self.month, self.day)
        except (ValueError, OverflowError):
            raise Problem(
                "wareki-not-a-day",
                "the calendar has no such day",
                fix="correct it, or keep what is written, as an uncertain date",
            ) from None

    def long(self) -> str:
        """As on certificates, 元年 for the first year: 令和元年5月1日."""
        return f"{self.era}{'元' if self.year == 1 else self.year}年{self.month}月{self.day}日"

    def plain(self) -> str:
        """With figures only: 令和1年5月1日."""
        return f"{self.era}{self.year}年{self.month}月{self.day}日"

    def short(self) -> str:
        """With the Latin initial and two figures each: R01.05.01."""
        return f"{era_named(self.era).letter}{self.year:02}.{self.month:02}.{self.day:02}"

    def __str__(self) -> str:
        return self.long()


def wareki(day: date) -> Wareki:
    """The day in the Japanese calendar; in the new era where a day belongs to two.

    >>> str(wareki(date(2019, 5, 1))), wareki(date(2019, 4, 30)).short()
    ('令和元年5月1日', 'H31.04.30')

    Raises:
        Problem: `wareki-before-gregorian` before 1873-01-01.
    """
    return warekis(day)[-1]


def warekis(day: date) -> tuple[Wareki, ...]:
    """Every way to write the day, older era first: 明治45年7月30日 and 大正元年7月30日 are one day.

    Raises:
        Problem: `wareki-before-gregorian` before 1873-01-01.
    """
    if day < FIRST_GREGORIAN_DAY:
        raise Problem(
            "wareki-before-gregorian",
            "days before 1873-01-01 (明治6年1月1日) are lunar and cannot be computed",
            fix="keep what is written, as an uncertain date",
        )
    return tuple(
        Wareki(era.name, day.year - era.first_year + 1, day.month, day.day) for era in eras() if day in era
    )


@cache
def era_pattern() -> str:
    """A regular expression for an era by name, initial or letter."""
    return "|".join([e.name for e in eras()] + [e.initial for e in eras()] + [e.letter for e in eras()])


NUMBER_PATTERN = f"(?:[0-9]{{1,2}}|元|[{KANJI_NUMERALS}]{{1,3}})"
"""A regular expression for a year of an era, a month or a day, in figures or kanji."""


@cache
def _pattern() -> re.Pattern[str]:
    number = NUMBER_PATTERN
    return re.compile(
        rf"(?P<era>{era_pattern()})(?P<y>{number})(?:年(?P<m>{number})月(?P<d>{number})日"
        rf"|[./-](?P<m2>{number})[./-](?P<d2>{number}))",
        re.IGNORECASE,
    )


def parse_wareki(text: str) -> Wareki:
    """Read a day in the Japanese calendar, in any width, with 元年, figures or kanji numbers.

    >>> parse_wareki("Ｒ０１．０５．０１").long(), parse_wareki("昭和二十五年三月五日").plain()
    ('令和元年5月1日', '昭和25年3月5日')

    Raises:
        Problem: `wareki-form` where the text is of another form; else the problems of `Wareki`.
    """
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    match = _pattern().fullmatch(plain)
    if match is None:
        raise Problem(
            "wareki-form", "the text is not a day in the Japanese calendar", fix="write it as 令和元年5月1日"
        )
    found = match.groupdict()
    numbers = [number_of(found[a] or found[b] or "") for a, b in (("y", "y"), ("m", "m2"), ("d", "d2"))]
    era: Era = era_named(found["era"])
    year, month, day = (0 if number is None else number for number in numbers)
    return Wareki(era.name, year, month, day)
