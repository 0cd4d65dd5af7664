"""Who looked at somebody, and at whom somebody looked: lines and look-ups of registers together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kiban import store
from kiban.access.audit.trail import PAGE_MOST, Audit, Wanted
from kiban.kernel import Problem
from kiban.store import LookupsWanted


@dataclass(frozen=True)
class Look:
    """Something done about persons.

    Attributes:
        source: `line` for what was done on pages and by commands, `lookup` for a read of a register.
        number: of the line or look-up.
        at: when, in UTC.
        actor: who.
        office: ID of the office; ward for a look-up.
        purpose: 事務.
        what: kind of the line, or register of the look-up.
        outcome: of the line; `done` for a look-up.
        subjects: whom.
        asked: what was asked of the registers, JSON; empty for a line.
    """

    source: str
    number: int
    at: datetime
    actor: str
    office: str
    purpose: str
    what: str
    outcome: str
    subjects: tuple[str, ...]
    asked: str = ""


@dataclass(frozen=True)
class Looks:
    """A page of looks, the newest first.

    Attributes:
        looks: what was done.
        next: what to give as `before` for the next page; None where there is none.
    """

    looks: tuple[Look, ...]
    next: tuple[int, int] | None


def looks(
    audit: Audit,
    *,
    subject: str = "",
    actor: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: tuple[int, int] | None = None,
    limit: int = 50,
) -> Looks:
    """A page of who looked at a person, or of whom an actor looked at.

    Args:
        audit: the trail.
        subject: 宛名番号; "" for anybody.
        actor: staff number or ID of a system; "" for anybody.
        since: from this moment on.
        until: before this one.
        before: the `next` of the page before.
        limit: how many, 1 to 1,000.

    Raises:
        Problem: `audit-nobody` where neither a subject nor an actor is named, `audit-limit`, `database-unreachable`.
    """
    if not subject and not actor:
        raise Problem("audit-nobody", "neither a person nor an actor is named", fix="name one of both")
    if not 1 <= limit <= PAGE_MOST:
        raise Problem("audit-limit", f"a page has 1 to {PAGE_MOST} looks", fix="ask for fewer")
    line, lookup = before or (None, None)
    written = audit.lines(Wanted(since, until, actor=actor, subject=subject), line, limit).entries
    wanted = LookupsWanted(since, until, actor, (subject,) if subject else ())
    read = store.lookups(audit.registers, wanted, lookup, limit)
    found = [
        Look(
            "line",
            e.number,
            e.line.at,
            e.line.actor,
            e.line.office,
            e.line.purpose,
            e.line.kind,
            e.line.outcome,
            e.line.subjects,
        )
        for e in written
    ]
    found += [
        Look("lookup", e.number, e.at, e.actor, e.ward, e.purpose, e.register, "done", e.found, e.asked)
        for e in read
    ]
    found.sort(key=lambda each: (each.at, each.source, each.number), reverse=True)
    shown = found[:limit]
    if len(found) <= limit and max(len(written), len(read)) < limit:
        return Looks(tuple(shown), None)
    return Looks(tuple(shown), (_least(shown, "line", line), _least(shown, "lookup", lookup)))


_NONE = 2**63 - 1


def _least(shown: list[Look], source: str, before: int | None) -> int:
    """The mark of a source behind what is shown of it."""
    return min(
        (each.number for each in shown if each.source == source), default=_NONE if before is None else before
    )
