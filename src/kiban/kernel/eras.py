"""Japanese eras (元号), read once from the dated table beside this file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from kiban.kernel.problem import Problem

FIRST_GREGORIAN_DAY = date(1873, 1, 1)
"""明治6年1月1日: dates before it were written in the old lunar calendar and cannot be computed."""


@dataclass(frozen=True)
class Era:
    """An era (元号).

    Attributes:
        name: in kanji, such as 昭和.
        initial: the first kanji, as in old forms (昭25.3.5).
        letter: the Latin initial, as in S25.3.5.
        first_day: the first day that may be written in the era.
        last_day: the last day that may be; None for the present era. The day of the changes of 1912 and 1926
            belongs to both eras; those of 1989 and 2019 do not.
        first_year: the Western year of the year 1 (元年).
    """

    name: str
    initial: str
    letter: str
    first_day: date
    last_day: date | None
    first_year: int

    def __contains__(self, day: date) -> bool:
        """Whether a day may be written in this era."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    @property
    def last_year(self) -> int:
        """The Western year in which the era ended; 9999 for the present one."""
        return self.last_day.year if self.last_day else date.max.year


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of a CSV table of this room; blank cells are empty strings."""
    text = resources.files("kiban.kernel").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def eras() -> tuple[Era, ...]:
    """All eras, oldest first: 明治 to the present one. Source: the Cabinet orders that named them."""
    return tuple(
        Era(
            row["era"],
            row["initial"],
            row["letter"],
            date.fromisoformat(row["first_day"]),
            date.fromisoformat(row["last_day"]) if row["last_day"] else None,
            int(row["first_year"]),
        )
        for row in read_table("eras.csv")
    )


def era_named(text: str) -> Era:
    """The era of a name, initial kanji or Latin letter: 昭和, 昭, S or s.

    Raises:
        Problem: `era-unknown` where no era is called so.
    """
    for era in eras():
        if text.upper() in (era.name, era.initial, era.letter):
            return era
    raise Problem("era-unknown", "there is no such era", fix="use " + ", ".join(era.name for era in eras()))
