"""Offices, staff and their assignments, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from kiban.kernel import Period

OfficeKind = Literal["city", "ward", "section", "branch"]
OFFICE_KINDS: dict[OfficeKind, str] = {"city": "市", "ward": "区", "section": "課", "branch": "支所"}
"""Kinds of offices with their Japanese names."""


@dataclass(frozen=True)
class Office:
    """An office (組織): the city hall, a ward office, a section, a branch.

    Attributes:
        id: the city's own code of it, at most 64 characters.
        name: its Japanese name.
        kind: `city` (市), `ward` (区), `section` (課) or `branch` (支所).
        parent: ID of the office above; None for the city hall.
        ward: six-digit code of the ward it belongs to; None for the city hall and its sections.
        start: first day; None where it has always been.
        end: the day after the last; None while it goes on.
    """

    id: str
    name: str
    kind: OfficeKind
    parent: str | None = None
    ward: str | None = None
    start: date | None = None
    end: date | None = None

    def open(self, on: date) -> bool:
        """Whether the office exists on a day."""
        return _within(self.start, self.end, on)


@dataclass(frozen=True)
class Staff:
    """A member of staff (職員).

    Attributes:
        number: the staff number (職員番号), at most 64 characters; it signs in and stands in every log.
        name: 氏名.
        kana: its reading, in katakana.
        start: first day of service.
        end: the day after the last; None while the service goes on.
        external_id: what the personnel system calls this person; empty where it does not say.
    """

    number: str
    name: str
    kana: str
    start: date
    end: date | None = None
    external_id: str = ""

    def serves(self, on: date) -> bool:
        """Whether this person is on the staff on a day."""
        return _within(self.start, self.end, on)


@dataclass(frozen=True)
class Assignment:
    """A duty (職務) of a member of staff at an office for a time.

    Staff, duty, office and start identify it.

    Attributes:
        staff: staff number.
        duty: ID of the duty, as the policy set names it.
        office: ID of the office.
        start: first day.
        end: the day after the last; None while it goes on.
        substitutes: staff number of the person stood in for (代理); None for a duty of one's own.
        id: given when it is recorded; 0 before.
    """

    staff: str
    duty: str
    office: str
    start: date
    end: date | None = None
    substitutes: str | None = None
    id: int = 0

    @property
    def period(self) -> Period:
        """The days of the assignment."""
        return Period(self.start, self.end)

    def holds(self, on: date) -> bool:
        """Whether a day lies in the assignment."""
        return _within(self.start, self.end, on)


@dataclass(frozen=True)
class Acting:
    """A member of staff at work under one assignment on one day; made by `People.acting`.

    Attributes:
        staff: who.
        assignment: under which duty.
        office: where.
        purpose: for which work (事務), in the words of the policy set.
        on: the day.
    """

    staff: Staff
    assignment: Assignment
    office: Office
    purpose: str
    on: date

    @property
    def in_force(self) -> bool:
        """Whether the person serves, the assignment holds and the office exists on this day, and all three belong together."""
        mine = self.assignment.staff == self.staff.number and self.assignment.office == self.office.id
        return (
            mine
            and self.staff.serves(self.on)
            and self.assignment.holds(self.on)
            and self.office.open(self.on)
        )


def _within(start: date | None, end: date | None, day: date) -> bool:
    # Not by Period: a term that ends before it begins (an appointment that was withdrawn) holds on no day.
    return (start is None or start <= day) and (end is None or day < end)
