"""Users: the staff."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from scim2_models import (
    Context,
    InvalidFilterException,
    PatchOp,
    ScimFilter,
    SearchRequest,
    UniquenessException,
)

from kiban.access.people import MOST, People, Staff
from kiban.access.scim.desk import Found, mapping
from kiban.access.scim.problems import of_problem
from kiban.access.scim.resources import KibanUser, staff_of, user_of
from kiban.kernel import Problem

_Column = Literal["number", "external_id"]


class Users:
    """The staff as users."""

    def __init__(self, people: People, base: str) -> None:
        self._people, self._base = people, base

    def find(self, query: Mapping[str, str], on: date) -> Found:
        """A page of those who fit a filter, in the order of their numbers."""
        asked = SearchRequest[KibanUser].model_validate(dict(query))
        start, most = asked.start_index or 1, MOST if asked.count is None else min(asked.count, MOST)
        staff, total = (
            self._people.span(start - 1, most) if not asked.filter else self._fitting(asked, start, most, on)
        )
        held = self._people.assigned([each.number for each in staff if each.serves(on)], on)
        return [user_of(each, held.get(each.number, ()), self._base, on) for each in staff], total, start

    def _fitting(self, asked: SearchRequest[Any], start: int, most: int, on: date) -> tuple[list[Staff], int]:
        fits = ScimFilter[KibanUser](str(asked.filter))
        if "groups" in str(fits).casefold():
            raise InvalidFilterException(detail="groups are not searched by; ask for the group")
        known = _known(str(fits))
        if known is not None:
            staff = self._people.known_as(*known)
        else:
            staff, after = [], ""
            while page := self._people.page(after):
                staff, after = [*staff, *page], page[-1].number
        fitting = [each for each in staff if fits.match(user_of(each, (), self._base, on))]
        return fitting[start - 1 : start - 1 + most], len(fitting)

    def get(self, number: str, on: date) -> KibanUser:
        """One of the staff.

        Raises:
            SCIMException: 404.
        """
        return self._user(self._staff(number), on)

    def create(self, body: Any, by: str, now: datetime, on: date) -> KibanUser:
        """A new member of staff.

        Raises:
            SCIMException: `uniqueness` where the number is taken; what is wrong with the body.
        """
        user = KibanUser.model_validate(mapping(body), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
        made = staff_of(user, None, on)
        if self._people.known_as("number", made.number):
            raise UniquenessException(detail="the staff number is taken")
        self._people.apply([made], by, now, seen=[(made, None)])
        return self.get(made.number, on)

    def replace(self, number: str, body: Any, by: str, now: datetime, on: date) -> KibanUser:
        """Somebody as the body says."""
        user = KibanUser.model_validate(mapping(body), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
        return self._put(number, user, by, now, on)

    def patch(self, number: str, body: Any, by: str, now: datetime, on: date) -> KibanUser:
        """Somebody with some changes."""
        user = self.get(number, on)
        operations = PatchOp[KibanUser].model_validate(mapping(body), scim_ctx=Context.RESOURCE_PATCH_REQUEST)
        operations.patch(user)
        return self._put(number, user, by, now, on)

    def _put(self, number: str, user: KibanUser, by: str, now: datetime, on: date) -> KibanUser:
        before = self._staff(number)
        made = staff_of(user, before, on)
        self._people.apply([made], by, now, seen=[(made, before)])
        return self.get(number, on)

    def _staff(self, number: str) -> Staff:
        try:
            return self._people.staff(number)
        except Problem as problem:
            raise of_problem(problem, named=True) from None

    def _user(self, staff: Staff, on: date) -> KibanUser:
        held = self._people.assignments(staff.number, on) if staff.serves(on) else []
        return user_of(staff, held, self._base, on)


def _known(text: str) -> tuple[_Column, str] | None:
    """What a filter compares as a whole, where the register has an index for it."""
    parts = text.split(" ", 2)
    columns: dict[str, _Column] = {"username": "number", "id": "number", "externalid": "external_id"}
    if len(parts) != 3 or parts[0].casefold() not in columns or parts[1].casefold() != "eq":
        return None
    value = parts[2]
    plain = len(value) > 2 and value[0] == value[-1] == '"' and not set(value[1:-1]) & {'"', "\\"}
    return (columns[parts[0].casefold()], value[1:-1]) if plain else None
