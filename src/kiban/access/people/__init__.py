"""People of the city: offices, staff, assignments and substitutes, with their days and their history."""

from kiban.access.people.people import MOST, Changed, People
from kiban.access.people.values import OFFICE_KINDS, Acting, Assignment, Office, OfficeKind, Staff

__all__ = [
    "MOST",
    "OFFICE_KINDS",
    "Acting",
    "Assignment",
    "Changed",
    "Office",
    "OfficeKind",
    "People",
    "Staff",
]
