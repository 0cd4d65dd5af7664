"""What has to hold of offices, staff and assignments: every fault of a change at once."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from kiban.access.people.values import OFFICE_KINDS, Assignment, Office, Staff
from kiban.kernel import Problem

Change = Office | Staff | Assignment
"""What stands afterwards: an office by its ID, a member of staff by the number, an assignment by staff, duty, office and start."""
Key = tuple[str, ...]

_NAME = re.compile(r"[^\s/\x00-\x1f\x7f]{1,64}")  # it stands in addresses
_WARD = re.compile(r"[0-9]{6}", re.ASCII)


def key(change: Change) -> Key:
    """What identifies it: its kind, then its own key."""
    if isinstance(change, Office):
        return ("office", change.id)
    if isinstance(change, Staff):
        return ("staff", change.number)
    return ("assignment", change.staff, change.duty, change.office, change.start.isoformat())


@dataclass
class State:
    """Offices, staff and assignments as they would stand after some changes.

    Attributes:
        offices: by ID, all of them.
        staff: by number, those whom a change concerns.
        assignments: by staff number and key, those of the people whom a change concerns, and of those they stand in for.
    """

    offices: dict[str, Office] = field(default_factory=dict)
    staff: dict[str, Staff] = field(default_factory=dict)
    assignments: dict[str, dict[Key, Assignment]] = field(default_factory=dict)

    def find(self, change: Change) -> Change | None:
        """What stands under the key of a change; None where nothing does."""
        if isinstance(change, Office):
            return self.offices.get(change.id)
        if isinstance(change, Staff):
            return self.staff.get(change.number)
        return self.assignments.get(change.staff, {}).get(key(change))

    def put(self, change: Change) -> None:
        """Let it stand."""
        if isinstance(change, Office):
            self.offices[change.id] = change
        elif isinstance(change, Staff):
            self.staff[change.number] = change
        else:
            self.assignments.setdefault(change.staff, {})[key(change)] = change

    def assigned(self, staff: str) -> Iterable[Assignment]:
        """The assignments of somebody."""
        return self.assignments.get(staff, {}).values()


def faults(
    change: Change, before: Change | None, state: State, where: str | None, duties: Container[str] | None
) -> Iterator[Problem]:
    """Everything that is wrong with a change, in the state after all of them.

    Args:
        change: one of them.
        before: what stood there; None where nothing did.
        state: what would stand.
        where: the place in the file; None where there is none.
        duties: IDs of the duties there are; None to take any.
    """
    if isinstance(change, Office):
        found = _office(change, state)
    elif isinstance(change, Staff):
        found = _staff(change)
    elif ends_earlier(change, before):
        # An end may always come earlier, whatever has become of the rest.
        found = _order(change.start, change.end)
    else:
        found = _assignment(change, state, duties)
    for code, what, fix in found:
        yield Problem(code, what, where, fix)


_Found = Iterator[tuple[str, str, str]]


def ends_earlier(change: Assignment, before: Change | None) -> bool:
    """Whether nothing changes of an assignment but that it ends sooner, or not at all."""
    if not isinstance(before, Assignment) or replace(before, end=change.end) != replace(change, id=before.id):
        return False
    return change.end == before.end or (
        change.end is not None and (before.end is None or change.end < before.end)
    )


def _office(office: Office, state: State) -> _Found:
    if not _NAME.fullmatch(office.id):
        yield (
            "office-id",
            "the ID of an office is 1 to 64 characters without blanks and slashes",
            "such as 1100 or higashinada",
        )
    if not office.name.strip():
        yield "office-unnamed", "the office has no name", "give its Japanese name"
    if office.kind not in OFFICE_KINDS:
        yield "office-kind", "the kind of the office is unknown", f"one of {', '.join(OFFICE_KINDS)}"
    if office.ward is not None and not _WARD.fullmatch(office.ward):
        yield (
            "office-ward",
            "the ward of the office is no code of six digits",
            "the code of the ward with its check digit",
        )
    if office.kind == "ward" and office.ward is None:
        yield "office-ward", "a ward office has no ward", "give the code of its ward"
    if (office.kind == "city") != (office.parent is None):
        yield (
            "office-parent",
            "the city hall stands above all others, and nothing else does",
            "give the office above",
        )
    yield from _order(office.start, office.end)
    above, seen = office, {office.id}
    while above.parent is not None:
        if above.parent not in state.offices:
            yield "office-unknown", "the office above is unknown", "record it first, or in the same file"
            return
        above = state.offices[above.parent]
        if above.id in seen:
            yield "office-circle", "the office stands above itself", "give another office above"
            return
        seen.add(above.id)
        if above.ward is not None and above.ward != office.ward:
            yield "office-ward", "the office lies in another ward than the office above", "give the same ward"
            return


def _staff(staff: Staff) -> _Found:
    if not _NAME.fullmatch(staff.number):
        yield (
            "staff-number",
            "a staff number is 1 to 64 characters without blanks and slashes",
            "such as 012345",
        )
    if not staff.name.strip() or not staff.kana.strip():
        yield "staff-unnamed", "the name or its reading is missing", "give 氏名 and フリガナ"
    yield from _order(staff.start, staff.end)


def _assignment(each: Assignment, state: State, duties: Container[str] | None) -> _Found:
    if not _NAME.fullmatch(each.duty) or (duties is not None and each.duty not in duties):
        yield "duty-unknown", "the policy set has no such duty", "kiban access policies show lists the duties"
    yield from _order(each.start, each.end)
    staff, office = state.staff.get(each.staff), state.offices.get(each.office)
    if staff is None:
        yield (
            "staff-unknown",
            "nobody has this staff number",
            "record the member of staff first, or in the same file",
        )
    elif not staff.serves(each.start):
        yield (
            "assignment-outside",
            "the assignment begins outside the person's service",
            "see the days of service",
        )
    if office is None:
        yield "office-unknown", "the office is unknown", "record it first, or in the same file"
    elif not office.open(each.start):
        yield (
            "assignment-outside",
            "the assignment begins when the office does not exist",
            "see the days of the office",
        )
    for other in state.assigned(each.staff):
        same = (other.duty, other.office) == (each.duty, each.office) and other.start != each.start
        if same and _overlap(each, other):
            yield (
                "assignment-overlap",
                "the same duty at the same office is assigned twice on a day",
                "end the one before",
            )
            break
    if each.substitutes is not None:
        yield from _substitute(each, each.substitutes, state)


def _substitute(each: Assignment, substituted: str, state: State) -> _Found:
    if substituted == each.staff:
        yield "substitute-self", "nobody stands in for himself", "give the person stood in for"
        return
    if substituted not in state.staff:
        yield "staff-unknown", "the person stood in for is unknown", "see the staff number"
        return
    own = [
        other
        for other in state.assigned(substituted)
        if (other.duty, other.office) == (each.duty, each.office) and other.substitutes is None
    ]
    if not any(_covers(other, each) for other in own):
        yield (
            "substitute-wider",
            "the person stood in for has not this duty at this office for the whole time",
            "give the same duty and office, within the other's term; who stands in for somebody is not stood in for",
        )


def _order(start: date | None, end: date | None) -> _Found:
    if start is not None and end is not None and end < start:
        yield "period-order", "the term ends before it begins", "the end is the day after the last"


def _overlap(one: Assignment, other: Assignment) -> bool:
    if one.start == one.end or other.start == other.end:
        return False  # withdrawn: it holds on no day
    return (one.end is None or other.start < one.end) and (other.end is None or one.start < other.end)


def _covers(outer: Assignment, inner: Assignment) -> bool:
    ends = outer.end is None or (inner.end is not None and inner.end <= outer.end)
    return outer.start <= inner.start and ends
