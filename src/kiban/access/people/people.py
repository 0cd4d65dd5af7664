"""People of the city: who works where under which duty, on any day, and how all of it changed."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from kiban.access.audit import Audit, Line
from kiban.access.people import bulk, recording
from kiban.access.people.checking import Change
from kiban.access.people.looking import chosen_of, in_force, person
from kiban.access.people.recording import ASSIGNMENT, OFFICE, STAFF
from kiban.access.people.values import Acting, Assignment, Office, Staff
from kiban.kernel import Problem, Problems
from kiban.store import Books

MOST = 200
"""Most members of staff on a page of a list."""


@dataclass(frozen=True)
class Changed:
    """A line of the history.

    Attributes:
        change: its number, growing.
        at: when, in UTC.
        by: who changed it: staff number, or the ID of a system.
        kind: `office`, `staff` or `assignment`.
        key: the ID of the office, the staff number, or staff, duty, office and start of an assignment.
        before: what stood there, by the names of the value; None where it was made.
        after: what stands since.
    """

    change: int
    at: datetime
    by: str
    kind: str
    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


class People:
    """Offices, staff and assignments. Safe to share between threads.

    What begins on a day to come is a scheduled change: it holds from that day by itself.
    """

    def __init__(self, books: Books, audit: Audit) -> None:
        self._books, self._audit = books, audit

    def offices(self, on: date | None = None) -> list[Office]:
        """The offices of a day in the order of their IDs; None: all, ended and to come too."""
        with self._books.transaction() as page:
            found = [Office(**row) for row in page.rows(f"SELECT {OFFICE} FROM office ORDER BY id")]
        return [each for each in found if on is None or each.open(on)]

    def office(self, office: str) -> Office:
        """An office.

        Raises:
            Problem: `office-unknown`.
        """
        with self._books.transaction() as page:
            rows = page.rows(f"SELECT {OFFICE} FROM office WHERE id = %s", (office,))
        if not rows:
            raise Problem("office-unknown", "the office is unknown", fix="kiban access office list shows all")
        return Office(**rows[0])

    def staff(self, number: str) -> Staff:
        """A member of staff, in service or not.

        Raises:
            Problem: `staff-unknown`.
        """
        with self._books.transaction() as page:
            return person(page, number)

    def page(self, after: str = "", on: date | None = None, most: int = MOST) -> list[Staff]:
        """Staff in the order of their numbers.

        Args:
            after: the last number of the page before.
            on: only who serves on this day; None for everybody ever.
            most: how many at most.
        """
        query = f"""SELECT {STAFF} FROM staff WHERE number > %s AND (%s::date IS NULL OR (start_on <= %s
            AND (end_on IS NULL OR end_on > %s))) ORDER BY number LIMIT %s"""
        with self._books.transaction() as page:
            return [Staff(**row) for row in page.rows(query, (after, on, on, on, most))]

    def span(self, offset: int, most: int) -> tuple[list[Staff], int]:
        """Some of everybody ever on the staff in the order of their numbers, and how many there are in all."""
        query = f"SELECT {STAFF} FROM staff ORDER BY number OFFSET %s LIMIT %s"
        with self._books.transaction() as page:
            total = page.rows("SELECT count(*) AS total FROM staff")[0]["total"]
            return [Staff(**row) for row in page.rows(query, (offset, most))], int(total)

    def known_as(self, what: Literal["number", "external_id"], value: str) -> list[Staff]:
        """Who has this number, or this ID in the personnel system; at most one."""
        column = {"number": "number", "external_id": "external_id"}[what]
        with self._books.transaction() as page:
            rows = page.rows(f"SELECT {STAFF} FROM staff WHERE {column} = %s AND {column} <> ''", (value,))
        return [Staff(**row) for row in rows]

    def holders(self, duty: str, office: str, on: date) -> list[Assignment]:
        """The assignments of a duty at an office on a day, by staff number; nobody who stands in for another."""
        query = f"""SELECT {ASSIGNMENT} FROM assignment WHERE duty = %s AND office = %s AND substitutes IS NULL
            AND start_on <= %s AND (end_on IS NULL OR end_on > %s)
            AND EXISTS (SELECT FROM staff s WHERE s.number = staff AND s.start_on <= %s AND (s.end_on IS NULL OR s.end_on > %s))
            ORDER BY staff"""
        with self._books.transaction() as page:
            return [Assignment(**row) for row in page.rows(query, (duty, office, on, on, on, on))]

    def assignments(self, number: str, on: date | None = None) -> list[Assignment]:
        """What a member of staff is assigned to on a day, own duties first; None: all ever.

        On a day only those that are in force: not where the office is closed, nor a substitution whose other has not the duty then.
        """
        with self._books.transaction() as page:
            if on is not None:
                return in_force(page, [number], on)
            query = f"SELECT {ASSIGNMENT} FROM assignment WHERE staff = %s ORDER BY start_on, id"
            return [Assignment(**row) for row in page.rows(query, (number,))]

    def assigned(self, numbers: Sequence[str], on: date) -> dict[str, list[Assignment]]:
        """The same of many people on a day; who has none is left out."""
        made: dict[str, list[Assignment]] = {}
        with self._books.transaction() as page:
            for each in in_force(page, numbers, on):
                made.setdefault(each.staff, []).append(each)
        return made

    def acting(self, number: str, on: date, purpose: str, assignment: int | None = None) -> Acting:
        """A member of staff at work.

        Args:
            number: staff number.
            on: the day.
            purpose: the work (事務); the policy set says whether the duty has it.
            assignment: its ID; None where there is only one on this day.

        Raises:
            Problem: `staff-unknown`, `staff-left` outside the days of service, `assignment-none` where nothing is assigned on
                this day, `assignment-choose` where there are several, `assignment-over` where this one is not in force.
        """
        with self._books.transaction() as page:
            staff = person(page, number)
            if not staff.serves(on):
                raise Problem(
                    "staff-left", "the person is not in service on this day", fix="see the personnel section"
                )
            found = in_force(page, [number], on)
            chosen = chosen_of(found, assignment)
            row = page.rows(f"SELECT {OFFICE} FROM office WHERE id = %s", (chosen.office,))[0]
        return Acting(staff, chosen, Office(**row), purpose, on)

    def may_sign_in(self, number: str, on: date) -> bool:
        """Whether somebody is on the staff on a day; whoever is unknown is not."""
        try:
            return self.staff(number).serves(on)
        except Problem:
            return False

    def gone(self, on: date) -> list[str]:
        """The numbers of all who were on the staff and are not on this day: they sign in no more."""
        query = "SELECT number FROM staff WHERE end_on <= %s ORDER BY number"
        with self._books.transaction() as page:
            return [str(row["number"]) for row in page.rows(query, (on,))]

    def apply(
        self,
        changes: Sequence[Change],
        by: str,
        at: datetime,
        *,
        duties: Container[str] | None = None,
        places: Sequence[str] = (),
        seen: Sequence[tuple[Change, Change | None]] = (),
        dry_run: bool = False,
    ) -> list[Change]:
        """Let offices, staff and assignments stand as given, all or nothing; each change is kept in the history, and leaves a line.

        Args:
            changes: what stands afterwards. What is not named stays as it is.
            by: who changes it: staff number, or the ID of a system.
            at: when, in UTC.
            duties: IDs of the duties there are (`Policies.duties`); None to take any.
            places: where each change stands in a file, for problems.
            seen: of some changes what stood there when somebody decided on them; None for nothing.
            dry_run: whether to look only for faults.

        Returns:
            Those that change anything.

        Raises:
            Problem: `change-stale` where something else stands there by now than was seen.
            Problems: all faults: `change-twice`, `office-id`, `office-unnamed`, `office-kind`, `office-ward`, `office-parent`,
                `office-unknown`, `office-circle`, `staff-number`, `staff-unnamed`, `staff-unknown`, `staff-external-id`,
                `period-order`, `duty-unknown`, `assignment-outside`, `assignment-overlap`, `assignment-own`,
                `substitute-self`, `substitute-wider`.
        """
        with self._books.transaction() as page:
            real = recording.record(page, changes, by, at, duties, places, seen, dry_run=dry_run)
            if real and not dry_run:
                self._audit.write(_line(real, by, at), page=page)
            return real

    def take(
        self,
        files: Iterable[tuple[str, Path]],
        by: str,
        at: datetime,
        *,
        duties: Container[str] | None = None,
        dry_run: bool = False,
    ) -> list[Change]:
        """Let everything stand as CSV files say, all or nothing; see `apply` and `bulk.COLUMNS`.

        Args:
            files: kind (`offices`, `staff` or `assignments`) and path of each.
            by: as for `apply`, like all that follows.
            at: when, in UTC.
            duties: IDs of the duties there are.
            dry_run: whether to look only for faults.

        Raises:
            Problems: every fault of every row, with file and line: those of `apply`, what is wrong with a file, `day-unreadable`.
        """
        read = bulk.read_files(files)
        if not read.faults:
            return self.apply(read.changes, by, at, duties=duties, places=read.places, dry_run=dry_run)
        more: list[Problem] = []
        try:
            self.apply(read.changes, by, at, duties=duties, places=read.places, dry_run=True)
        except Problems as found:
            more = list(bulk.rest(found.problems))
        raise Problems([*read.faults, *more])

    def history(self, kind: str, of: str) -> list[Changed]:
        """How an office (by ID) or a member of staff (by number, with all assignments) came to be as it is, the oldest first."""
        query = """SELECT * FROM people_change WHERE kind = %s AND key = %s
            UNION ALL SELECT * FROM people_change WHERE %s = 'staff' AND kind = 'assignment' AND after ->> 'staff' = %s
            ORDER BY change"""
        with self._books.transaction() as page:
            return [Changed(**row) for row in page.rows(query, (kind, of, kind, of))]


def _line(changes: Sequence[Change], by: str, at: datetime) -> Line:
    """What the audit trail says of changes; the history says the rest."""
    kinds = {"offices": Office, "staff": Staff, "assignments": Assignment}
    counts = {name: sum(isinstance(each, kind) for each in changes) for name, kind in kinds.items()}
    return Line("setting", "done", by, at, detail={"act": "people", **counts})
