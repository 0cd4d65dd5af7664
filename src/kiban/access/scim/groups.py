"""Groups: the duties of the policy set at the offices there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from scim2_models import (
    Context,
    Group,
    InvalidFilterException,
    MutabilityException,
    NotFoundException,
    PatchOp,
    ScimFilter,
    SearchRequest,
)

from kiban.access.people import MOST, Assignment, Office, People
from kiban.access.policy import Duty, Policies
from kiban.access.scim.desk import Found, mapping
from kiban.access.scim.resources import group_of


class Groups:
    """Duties at offices as groups. To put somebody in is to assign the duty from this day on; to take out is to end it."""

    def __init__(self, people: People, policies: Policies, base: str) -> None:
        self._people, self._policies, self._base = people, policies, base

    def find(self, query: Mapping[str, str], on: date) -> Found:
        """A page of those that fit a filter, by offices and then duties."""
        asked = SearchRequest[Group].model_validate(dict(query))
        start, most = asked.start_index or 1, MOST if asked.count is None else min(asked.count, MOST)
        pairs = list(self._pairs(on))
        if asked.filter:
            fits = ScimFilter[Group](str(asked.filter))
            if "members" in str(fits).casefold():
                raise InvalidFilterException(
                    detail="members are not searched by; ask for the user, who has the groups"
                )
            pairs = [pair for pair in pairs if fits.match(group_of(*pair, (), self._base))]
        shown = pairs[start - 1 : start - 1 + most]
        return [self._group(*pair, on) for pair in shown], len(pairs), start

    def get(self, called: str, on: date) -> Group:
        """One duty at one office.

        Raises:
            SCIMException: 404.
        """
        return self._group(*self._pair(called, on), on)

    def create(self, body: Any, by: str, now: datetime, on: date) -> Group:
        """Never asked: groups follow from the policy set and the offices."""
        raise NotImplementedError

    def replace(self, called: str, body: Any, by: str, now: datetime, on: date) -> Group:
        """The duty held by those whom the body names, and nobody else."""
        wanted = Group.model_validate(mapping(body), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
        return self._put(called, wanted, by, now, on)

    def patch(self, called: str, body: Any, by: str, now: datetime, on: date) -> Group:
        """The duty with some people more or less."""
        wanted = self.get(called, on)
        PatchOp[Group].model_validate(mapping(body), scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(wanted)
        return self._put(called, wanted, by, now, on)

    def _put(self, called: str, wanted: Group, by: str, now: datetime, on: date) -> Group:
        duty, office = self._pair(called, on)
        there = self._group(duty, office, on)
        if wanted.display_name != there.display_name:
            raise MutabilityException(detail="the name of a group follows from the duty and the office")
        held = {each.staff: each for each in self._people.holders(duty.id, office.id, on)}
        named = {str(each.value) for each in wanted.members or []}
        ended = [replace(each, end=on) for number, each in held.items() if number not in named]
        begun = [Assignment(number, duty.id, office.id, on) for number in sorted(named - held.keys())]
        self._people.apply(
            [*ended, *begun],
            by,
            now,
            duties=self._policies.duties,
            seen=[(each, held[each.staff]) for each in ended],
        )
        return self.get(called, on)

    def _group(self, duty: Duty, office: Office, on: date) -> Group:
        members = [each.staff for each in self._people.holders(duty.id, office.id, on)]
        return group_of(duty, office, members, self._base)

    def _pairs(self, on: date) -> Iterator[tuple[Duty, Office]]:
        for office in self._people.offices(on):
            for duty in self._policies.duties.values():
                if office.kind in duty.offices:
                    yield duty, office

    def _pair(self, called: str, on: date) -> tuple[Duty, Office]:
        duty, _, office = called.partition("@")
        for known in self._people.offices(on):
            found = self._policies.duties.get(duty)
            if known.id == office and found is not None and known.kind in found.offices:
                return found, known
        raise NotFoundException(detail="there is no such resource")
