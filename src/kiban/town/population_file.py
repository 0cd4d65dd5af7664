"""Reads the table of residents by town that a city publishes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiban.kernel import Problem, Problems
from kiban.town import places
from kiban.town.assumptions import OLDEST

TOTALS = ("households", "male", "female", "total")
HEADER = ("ward", "ward_code", "town_code", "town", *TOTALS, *(str(age) for age in range(OLDEST + 1)))
LARGEST = 10_000_000


@dataclass(frozen=True)
class PopulationRow:
    """One town of a population file.

    Attributes:
        line: the line in the file.
        ward: the ward, or the branch office, as written.
        ward_code: six digits.
        town_code: as written.
        town: the town, as written.
        households: None where the city did not publish the town.
        male: likewise.
        total: likewise.
        ages: 101 counts, or None where the city did not publish them.
    """

    line: int
    ward: str
    ward_code: str
    town_code: str
    town: str
    households: int | None
    male: int | None
    total: int | None
    ages: tuple[int, ...] | None


def read_rows(path: Path, city: places.City) -> list[PopulationRow]:
    """Every town of the file, in file order.

    Raises:
        Problem: `population-missing`, `population-encoding`, `population-header`.
        Problems: every wrong row at once, by line.
    """
    lines = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    if tuple(next(lines, ())) != HEADER:
        raise Problem(
            "population-header",
            "the first line is not the expected header",
            where=f"{path}:1",
            fix=f"name the columns {','.join(HEADER[:8])} and then the ages 0 to {OLDEST}",
        )
    rows: list[PopulationRow] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    wards = {ward.code[:5]: ward.code for ward in city.wards}
    for line, cells in enumerate(_records(lines, path), start=2):
        row = _row(cells, line, path, wards, city.name)
        if isinstance(row, PopulationRow):
            if row.town_code in seen:
                row = [
                    Problem(
                        "population-duplicate", f"town {row.town_code} appears twice", where=f"{path}:{line}"
                    )
                ]
            else:
                seen.add(row.town_code)
        if isinstance(row, PopulationRow):
            rows.append(row)
        else:
            problems.extend(row)
    if problems:
        raise Problems(problems)
    return rows


def _records(lines: Iterable[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from lines
    except csv.Error as error:
        raise Problem("population-csv", f"not readable as CSV: {error}", where=str(path)) from None


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Problem(
            "population-missing", f"cannot read the file: {error.strerror}", where=str(path)
        ) from None
    except UnicodeDecodeError as error:
        raise Problem("population-encoding", f"not UTF-8 at byte {error.start}", where=str(path)) from None


def _row(
    cells: Sequence[str], line: int, path: Path, wards: dict[str, str], city: str
) -> PopulationRow | list[Problem]:
    where = f"{path}:{line}"
    if len(cells) != len(HEADER):
        return [Problem("population-width", f"{len(cells)} columns instead of {len(HEADER)}", where=where)]
    counts, problems = _numbers(cells[4:], where)
    ward_code = wards.get(cells[1][:5])
    if ward_code is None or cells[1] not in {ward_code, ward_code[:5]}:
        problems.append(Problem("population-ward", f"{cells[1]!r} is not a ward of {city}", where=where))
    if not (cells[2].isascii() and cells[2].isdigit() and len(cells[2]) in {7, 9}):
        problems.append(
            Problem("population-town", f"{cells[2]!r} is not a town code of 7 or 9 digits", where=where)
        )
    if not cells[3].strip():
        problems.append(Problem("population-town", "the town has no name", where=where))
    problems.extend(_sums(counts[:4], counts[4:], where) if not problems else [])
    if problems or ward_code is None:
        return problems
    households, male, _, total = counts[:4]
    ages = tuple(count for count in counts[4:] if count is not None) or None
    return PopulationRow(line, cells[0], ward_code, cells[2], cells[3].strip(), households, male, total, ages)


def _numbers(cells: Sequence[str], where: str) -> tuple[list[int | None], list[Problem]]:
    counts: list[int | None] = []
    problems = []
    for name, text in zip(HEADER[4:], cells, strict=True):
        stripped = text.strip()
        good = not stripped or (stripped.isascii() and stripped.isdigit() and int(stripped[:9]) < LARGEST)
        if not good:
            problems.append(
                Problem("population-number", f"column {name}: {text!r} is not a count of people", where=where)
            )
        counts.append(int(stripped) if stripped and good else None)
    return counts, problems


def _sums(totals: Sequence[int | None], ages: Sequence[int | None], where: str) -> list[Problem]:
    """What does not add up in one town."""
    blank_ages = [count is None for count in ages]
    if any(blank_ages) and not all(blank_ages):
        return [Problem("population-blank", "some ages are blank and others are not", where=where)]
    households, male, female, total = totals
    if households is None or male is None or female is None or total is None:
        if any(count is not None for count in (*totals, *ages)):
            return [Problem("population-blank", "some totals are blank and others are not", where=where)]
        return []
    problems = []
    if male + female != total:
        problems.append(
            Problem("population-sum", f"{male} men and {female} women are not {total}", where=where)
        )
    by_age = sum(count or 0 for count in ages)
    if not any(blank_ages) and by_age != total:
        problems.append(Problem("population-sum", f"the ages add up to {by_age}, not {total}", where=where))
    if households > total or (total and not households):
        problems.append(
            Problem("population-sum", f"{households} households cannot hold {total} people", where=where)
        )
    return problems
