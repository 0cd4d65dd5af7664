"""On which days nobody should be at work: weekends, and the days of a file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from pathlib import Path

from kiban.kernel import Problem, Problems

_HEADS = ["国民の祝日・休日月日", "国民の祝日・休日名称"]
_WEEKEND = {5: "土曜日", 6: "日曜日"}


@dataclass(frozen=True)
class Holidays:
    """Holidays by their day.

    Attributes:
        names: day -> name. Of a year without any day nothing is known.
    """

    names: Mapping[date, str] = field(hash=False)

    def why(self, day: date) -> str:
        """Why a day is none of work: name of the holiday, or of the day of the week; empty for a working day.

        Raises:
            Problem: `holidays-unknown` for a year of which the file has no day.
        """
        if not any(known.year == day.year for known in self.names):
            raise Problem(
                "holidays-unknown",
                f"the holidays of {day.year} are not known",
                fix="add them to audit/holidays.csv in the home, as the Cabinet Office publishes them",
            )
        return self.names.get(day) or _WEEKEND.get(day.weekday(), "")


def read_holidays(file: Path | None = None) -> Holidays:
    """The holidays of a file in UTF-8 with the columns of the Cabinet Office (内閣府「国民の祝日」).

    Args:
        file: of the city, with its own days such as 年末年始, too; None, or one that is not there, for the file that comes with
            Kiban: the national holidays of 2026.

    Raises:
        Problems: `holidays-heads`, `holidays-day` for each line.
    """
    shipped = resources.files("kiban.access.audit").joinpath("holidays.csv")
    path = file if file is not None and file.exists() else None
    text = path.read_text(encoding="utf-8-sig") if path else shipped.read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    where = str(path or "holidays.csv")
    if not rows or rows[0] != _HEADS:
        raise Problems(
            [Problem("holidays-heads", "the columns are others", f"{where}:1", f"write {','.join(_HEADS)}")]
        )
    names: dict[date, str] = {}
    problems = []
    for number, row in enumerate(rows[1:], 2):
        try:
            day, name = row
            names[date(*map(int, day.replace("/", "-").split("-")))] = name
        except (ValueError, TypeError):
            problems.append(
                Problem(
                    "holidays-day", "the line is no day with a name", f"{where}:{number}", "2026-01-01,元日"
                )
            )
    if problems:
        raise Problems(problems)
    return Holidays(names)
