"""Whether members of staff looked at themselves, their household, or people of their name at their address."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from kiban import store
from kiban.access.audit.trail import Audit
from kiban.kernel import AsOf, Problem
from kiban.standard import Edition
from kiban.store import LookupsWanted, Query, Session

_MOST = 200


@dataclass(frozen=True)
class KinLook:
    """A look at somebody near.

    Attributes:
        actor: staff number.
        subject: 宛名番号 of who was looked at.
        relation: 本人, 同一世帯 or 同姓同住所.
        number: of the look-up.
        at: when, in UTC.
        register: where.
        purpose: what for, as stated.
    """

    actor: str
    subject: str
    relation: str
    number: int
    at: datetime
    register: str
    purpose: str


def kin(session: Session, edition: Edition, own: str, on: date) -> dict[str, str]:
    """Who is near to a person on a day: 宛名番号 -> relation. What is read for it is witnessed like every read.

    Args:
        session: of the auditor.
        edition: of the residents; its sections `protection` and search say which items tell household, name and address.
        own: 宛名番号 of the person.
        on: the day.

    Raises:
        Problem: `kin-unsaid` where the edition has not the sections; those of `Session.read`.
    """
    members = edition.protection
    section = edition.group(members.group).search if members else None
    if members is None or section is None:
        raise Problem(
            "kin-unsaid",
            f"{edition.id} does not say who belongs to a household, or how to search",
            fix="see business.yaml",
        )
    register = f"{edition.id}.{members.group}"
    rows = session.read(register, AsOf(on), **{members.person: own})
    found: dict[str, str] = {}
    for row in rows:
        surname = re.split(r"[\s\u3000]", row.get(section.names[0][0]) or "")[0]
        address = "".join(row.get(name) or "" for name in section.address)
        if surname and address:
            page = session.search(
                register, Query(on, name=surname, address=address, wards="all", limit=_MOST)
            )
            found |= {hit.subject: "同姓同住所" for hit in page.hits}
        if household := row.get(members.household):
            same = session.read(register, AsOf(on), **{members.household: household})
            found |= {str(each[members.person]): "同一世帯" for each in same}
    return {**found, own: "本人"}


def kin_looks(
    audit: Audit, actor: str, near: Mapping[str, str], since: datetime, until: datetime
) -> Iterator[KinLook]:
    """The look-ups by which an actor saw somebody near, the newest first.

    Args:
        audit: the trail.
        actor: staff number.
        near: what `kin` told of the actor.
        since: from this moment on.
        until: before this one.

    Raises:
        Problem: `database-unreachable`.
    """
    before: int | None = None
    wanted = LookupsWanted(since, until, actor, tuple(near))
    while True:
        page = store.lookups(audit.registers, wanted, before, _MOST)
        for each in page:
            for subject in each.found:
                if subject in near:
                    yield KinLook(
                        actor, subject, near[subject], each.number, each.at, each.register, each.purpose
                    )
        if len(page) < _MOST:
            return
        before = page[-1].number
