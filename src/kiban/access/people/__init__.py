"""People of the city: offices, staff, assignments and substitutes, with their days and their history."""

from kiban.access.people.bulk import COLUMNS
from kiban.access.people.checking import Change
from kiban.access.people.people import MOST, Changed, People
from kiban.access.people.values import OFFICE_KINDS, Acting, Assignment, Office, OfficeKind, Staff

__all__ = [
    "COLUMNS",
    "MOST",
    "OFFICE_KINDS",
    "Acting",
    "Assignment",
    "Change",
    "Changed",
    "Office",
    "OfficeKind",
    "People",
    "Staff",
]
