"""Look-ups of staff and their assignments on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from kiban.access.people.recording import ASSIGNMENT, STAFF
from kiban.access.people.values import Assignment, Staff
from kiban.kernel import Problem
from kiban.store import BookPage

_HELD = f"""SELECT {ASSIGNMENT} FROM assignment a WHERE staff = ANY(%s) AND start_on <= %s AND (end_on IS NULL OR end_on > %s)
    AND EXISTS (SELECT FROM office o WHERE o.id = a.office AND coalesce(o.start_on, '-infinity') <= %s
        AND coalesce(o.end_on, 'infinity') > %s)
    AND (substitutes IS NULL OR EXISTS (SELECT FROM assignment b JOIN staff s ON s.number = b.staff
        WHERE b.staff = a.substitutes AND b.duty = a.duty AND b.office = a.office AND b.substitutes IS NULL
        AND b.start_on <= %s AND (b.end_on IS NULL OR b.end_on > %s)
        AND s.start_on <= %s AND (s.end_on IS NULL OR s.end_on > %s)))
    ORDER BY substitutes IS NOT NULL, start_on, id"""


def person(page: BookPage, number: str) -> Staff:
    """A member of staff.

    Raises:
        Problem: `staff-unknown`.
    """
    rows = page.rows(f"SELECT {STAFF} FROM staff WHERE number = %s", (number,))
    if not rows:
        raise Problem("staff-unknown", "nobody has this staff number", fix="see the staff number")
    return Staff(**rows[0])


def in_force(page: BookPage, numbers: Sequence[str], on: date) -> list[Assignment]:
    """The assignments of some people that are in force on a day; see `People.assignments`."""
    return [Assignment(**row) for row in page.rows(_HELD, (list(numbers), *[on] * 8))]


def chosen_of(found: Sequence[Assignment], wanted: int | None) -> Assignment:
    """The one that is wanted, or the only one.

    Raises:
        Problem: `assignment-none`, `assignment-choose`, `assignment-over`.
    """
    if not found:
        raise Problem(
            "assignment-none",
            "nothing is assigned to the person on this day",
            fix="see the personnel section",
        )
    if wanted is None:
        if len(found) > 1:
            raise Problem(
                "assignment-choose", "the person has several duties on this day", fix="choose one of them"
            )
        return found[0]
    for each in found:
        if each.id == wanted:
            return each
    raise Problem("assignment-over", "the assignment is not in force on this day", fix="choose another duty")
