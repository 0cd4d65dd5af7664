"""Staff and duties as resources of SCIM 2.0 (RFC 7643)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import quote

from scim2_models import (
    URN,
    Context,
    EnterpriseUser,
    Extension,
    Group,
    GroupMember,
    GroupMembership,
    InvalidValueException,
    Meta,
    MutabilityException,
    Name,
    Resource,
    User,
)

from kiban.access.people import Assignment, Office, Staff
from kiban.access.policy import Duty


class StaffTerm(Extension):
    """What SCIM has no word for: the reading of the name, and the days of service.

    Attributes:
        kana: フリガナ.
        first_day: first day of service, YYYY-MM-DD; without one the day of the request.
        last_day: last day of service, YYYY-MM-DD; absent while there is none.
    """

    __schema__ = URN("urn:kiban:params:scim:schemas:extension:staff:1.0:User")

    kana: str | None = None
    first_day: str | None = None
    last_day: str | None = None


KibanUser = User[EnterpriseUser | StaffTerm]
"""A member of staff: `userName` and `id` are the staff number."""


def user_of(staff: Staff, assignments: Iterable[Assignment], base: str, on: date) -> KibanUser:
    """A member of staff as a user; active on the days of service, in a group for each duty of the day."""
    family, _, given = staff.name.partition("　")
    groups = [
        _membership(group_id(each.duty, each.office), base)
        for each in assignments
        if each.substitutes is None
    ]
    made = KibanUser(
        id=staff.number,
        external_id=staff.external_id or None,
        user_name=staff.number,
        name=Name(formatted=staff.name, family_name=family if given else None, given_name=given or None),
        active=staff.serves(on),
        groups=groups or None,
        meta=Meta(resource_type="User", location=f"{base}/Users/{quote(staff.number)}"),
    )
    last = staff.end - timedelta(days=1) if staff.end else None
    made[StaffTerm] = StaffTerm(
        kana=staff.kana,
        first_day=staff.start.isoformat(),
        last_day=last.isoformat() if last else None,
    )
    return made


def staff_of(user: KibanUser, before: Staff | None, on: date) -> Staff:
    """The member of staff that a user stands for.

    `active` counts where it is changed: false ends the service on this day, true takes back an end that has passed.

    Args:
        user: what the personnel system says.
        before: what stood there; None for a new one.
        on: the day.

    Raises:
        SCIMException: `mutability` for another number, `invalidValue` for what cannot be.
    """
    number = user.user_name or ""
    if before is not None and number != before.number:
        raise MutabilityException(detail="userName is the staff number and does not change")
    term = user[StaffTerm]
    given = term or StaffTerm()
    start = _day(given.first_day, "firstDay") or (before.start if before else on)
    last = _day(given.last_day, "lastDay")
    end = last + timedelta(days=1) if last else (before.end if before and term is None else None)
    made = Staff(
        number,
        _name(user.name, before),
        given.kana or (before.kana if before else ""),
        start,
        end,
        user.external_id or "",
    )
    was = before.serves(on) if before else None
    if user.active is None or user.active == was or user.active == made.serves(on):
        return made
    if not user.active:
        return replace(made, end=max(on, start))
    if before is None or end != before.end:
        raise InvalidValueException(detail="active does not fit the days of service")
    return replace(made, end=None) if end is not None and end <= on else made


def group_of(duty: Duty, office: Office, members: Iterable[str], base: str) -> Group:
    """A duty at an office as a group; its members are those who hold it in their own right."""
    made = group_id(duty.id, office.id)
    return Group(
        id=made,
        display_name=f"{office.name}・{duty.title}",
        members=[_member(each, base) for each in members] or None,
        meta=Meta(resource_type="Group", location=f"{base}/Groups/{quote(made)}"),
    )


def group_id(duty: str, office: str) -> str:
    """The ID of a group."""
    return f"{duty}@{office}"


def _member(number: str, base: str) -> GroupMember:
    return GroupMember.model_validate(
        {"value": number, "$ref": f"{base}/Users/{quote(number)}", "type": "User"}
    )


def _membership(called: str, base: str) -> GroupMembership:
    told = {"value": called, "$ref": f"{base}/Groups/{quote(called)}", "type": "direct"}
    return GroupMembership.model_validate(told)


def version(resource: Resource) -> str:  # type: ignore[type-arg]
    """The entity tag of a resource as it is: another one whenever anybody would see a difference."""
    told = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    told.pop("meta", None)
    text = json.dumps(told, sort_keys=True, ensure_ascii=False)
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def _name(name: Name | None, before: Staff | None) -> str:
    """The whole name; where only its parts were changed, they make it."""
    if name is None:
        return before.name if before else ""
    parts = f"{name.family_name}　{name.given_name}" if name.family_name and name.given_name else ""
    formatted = name.formatted or ""
    if parts and (not formatted or (before is not None and formatted == before.name)):
        return parts
    return formatted or (before.name if before else "")


def _day(text: str | None, called: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise InvalidValueException(detail=f"{called} is no day; write it as 2027-03-31") from None
    if found.year >= 9999:
        raise InvalidValueException(detail=f"{called} is too far away; leave it out")
    return found
