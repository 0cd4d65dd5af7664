"""Offices, staff and assignments from the CSV files of a personnel section: all of them, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from kiban.access.people.checking import Change
from kiban.access.people.values import OFFICE_KINDS, Assignment, Office, OfficeKind, Staff
from kiban.kernel import Problem
from kiban.standard import Findings, read_rows

COLUMNS = {
    "offices": ("組織コード", "組織名", "種別", "上位組織コード", "行政区コード", "開始日", "最終日"),
    "staff": ("職員番号", "氏名", "フリガナ", "採用日", "最終日", "外部ID"),
    "assignments": ("職員番号", "職務", "組織コード", "開始日", "最終日", "代理される職員番号"),
}
"""The header of each file. 最終日 is the last day itself; empty while there is none."""
FOLLOWS = frozenset(
    {"staff-unknown", "office-unknown", "assignment-outside", "substitute-wider", "staff-external-id"}
)
"""Faults that may only follow from a row that could not be read."""


@dataclass
class Bulk:
    """What files say.

    Attributes:
        changes: of the rows that can be read.
        places: file and line of each.
        faults: of the others.
    """

    changes: list[Change] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)


def read_files(files: Iterable[tuple[str, Path]]) -> Bulk:
    """What files say.

    Args:
        files: kind (`offices`, `staff` or `assignments`) and path of each.

    Finds: what is wrong with a file, `day-unreadable`, `office-kind`.
    """
    made, findings = Bulk(), Findings()
    for kind, path in files:
        for row in read_rows(path, path.name, COLUMNS[kind], findings):
            where = f"{path.name}:{row.line}"
            before = len(findings.found)
            change = _CHANGES[kind](_Cells(row.values, where, findings))
            if len(findings.found) == before:
                made.changes.append(change)
                made.places.append(where)
    made.faults = list(findings.faults)
    return made


@dataclass(frozen=True)
class _Cells:
    values: dict[str, str]
    where: str
    findings: Findings

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")

    def day(self, column: str, *, needed: bool = False) -> date | None:
        text = self[column]
        if not text and not needed:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            what = f"{column} is no day" if text else f"{column} is missing"
            self.findings.fault("day-unreadable", what, self.where, "write it as 2027-03-31")
            return None

    def end(self) -> date | None:
        last = self.day("最終日")
        if last == date.max:
            self.findings.fault("day-unreadable", "最終日 is too far away", self.where, "leave it empty")
            return None
        return last + timedelta(days=1) if last else None


def _office(cells: _Cells) -> Change:
    kinds: dict[str, OfficeKind] = {title: kind for kind, title in OFFICE_KINDS.items()}
    kind = kinds.get(cells["種別"])
    if kind is None:
        cells.findings.fault("office-kind", "種別 is unknown", cells.where, f"one of {'、'.join(kinds)}")
    parent, ward = cells["上位組織コード"] or None, cells["行政区コード"] or None
    days = cells.day("開始日"), cells.end()
    return Office(cells["組織コード"], cells["組織名"], kind or "section", parent, ward, *days)


def _staff(cells: _Cells) -> Change:
    start = cells.day("採用日", needed=True) or date.min
    return Staff(cells["職員番号"], cells["氏名"], cells["フリガナ"], start, cells.end(), cells["外部ID"])


def _assignment(cells: _Cells) -> Change:
    start = cells.day("開始日", needed=True) or date.min
    other = cells["代理される職員番号"] or None
    return Assignment(cells["職員番号"], cells["職務"], cells["組織コード"], start, cells.end(), other)


_CHANGES: dict[str, Callable[[_Cells], Change]] = {
    "offices": _office,
    "staff": _staff,
    "assignments": _assignment,
}


def rest(faults: Iterable[Problem]) -> Iterator[Problem]:
    """The faults that do not follow from rows that could not be read."""
    return (each for each in faults if each.code not in FOLLOWS)
