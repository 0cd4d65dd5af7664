"""The end of a protection: decided by two people, on the version they saw; whatever is newer wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiban.kernel import Problem
from kiban.linkage.protection import journal
from kiban.linkage.protection.answers import acknowledge
from kiban.linkage.protection.lane import Lane
from kiban.linkage.protection.unit import Unit
from kiban.store import BookPage, Books

WAITS = {
    "confirm": "a second person has to sign",
    "register": "the register still protects the person: record the end there",
    "subscribers": "not every subscriber has acknowledged that the person is protected",
}
"""What a release can wait for."""


@dataclass(frozen=True)
class Off:
    """How the end of a protection stands.

    Attributes:
        unit: whose.
        event: the version it was decided on.
        proposed_by: who signed first.
        confirmed_by: who signed second; None so far.
        released_after: number of the event after which the unit is clear; None so far.
        waits: keys of `WAITS`; empty when it is released.
    """

    unit: Unit
    event: int
    proposed_by: str
    confirmed_by: str | None
    released_after: int | None
    waits: tuple[str, ...]


def propose_off(
    lane: Lane, books: Books, unit: Unit, version: int, who: str, reason: str, now: datetime
) -> Off:
    """Sign, as the first of two people, that a protection may end.

    Args:
        lane: of the register.
        books: of the linkage.
        unit: whose.
        version: the version of the protection that the decision is about.
        who: the staff number.
        reason: in words; kept.
        now: in UTC.

    Raises:
        Problem: `protection-not-held`, `protection-newer` where it is protected anew since that version,
            `protection-proposed` where somebody else signed first, `protection-reason` without a reason.
    """
    if not reason.strip() or not who.strip():
        raise Problem("protection-reason", "an end needs a name and a reason", fix="say why in words")
    lane.catch_up(now)
    with books.transaction() as page:
        _refuse_outdated(page, unit, version)
        there = _find(page, unit, version)
        if there and there["proposed_by"] != who:
            raise Problem(
                "protection-proposed", "somebody else proposed this end", fix="confirm it, if you agree"
            )
        page.run(
            "INSERT INTO protection_off (kind, unit, event, reason, proposed_by, proposed_at) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [unit.kind, unit.number, version, reason, who, now],
        )
        return _as_it_stands(page, unit, version)


def confirm_off(lane: Lane, books: Books, unit: Unit, version: int, who: str, now: datetime) -> Off:
    """Sign, as the second of two people; the unit is released when nothing stands against it any more.

    Args: as those of `propose_off`.

    Raises:
        Problem: `protection-not-held`, `protection-newer`, `protection-unproposed`, `protection-same-person`.
    """
    lane.catch_up(now)
    with books.transaction() as page:
        _refuse_outdated(page, unit, version)
        there = _find(page, unit, version)
        if not there:
            raise Problem("protection-unproposed", "nobody proposed this end", fix="propose it first")
        if there["proposed_by"] == who or not who.strip():
            raise Problem(
                "protection-same-person", "an end is signed by two different people", fix="ask a colleague"
            )
        page.run(
            "UPDATE protection_off SET confirmed_by = %s, confirmed_at = %s "
            "WHERE kind = %s AND unit = %s AND event = %s AND confirmed_by IS NULL",
            [who, now, unit.kind, unit.number, version],
        )
    release_due(lane, books, now)
    with books.transaction() as page:
        return _as_it_stands(page, unit, version)


def _ends_wait(books: Books) -> bool:
    """Whether any end is signed by two and not released yet: without one, `release_due` has nobody to release."""
    with books.transaction() as page:
        return bool(page.rows(f"{_SIGNED} LIMIT 1"))


def release_due(lane: Lane, books: Books, now: datetime) -> list[Unit]:
    """Release every unit whose end waits for nothing any more; the publisher tells it. Call it now and then.

    A household that is no longer protected in the register follows the last of its people who was.

    Raises:
        Problem: those of `Lane.notices`; then nothing is released.
    """
    event = lane.catch_up(now)
    released = []
    with books.transaction() as page:
        if journal.place(page, lock=True) != event:
            return []  # something was recorded meanwhile; it is looked at the next time
        for row in page.rows(_SIGNED):
            unit, version = Unit(row["kind"], row["unit"]), row["event"]
            if _as_it_stands(page, unit, version).waits:
                continue
            journal.release(page, unit, event, now)
            page.run(
                "UPDATE protection_off SET released_after = %s WHERE kind = %s AND unit = %s AND event = %s",
                [event, unit.kind, unit.number, version],
            )
            released.append(unit)
        for unit in lane.empty_homes(page, event, now):
            journal.release(page, unit, event, now)
            released.append(unit)
    return released


def take_answer(
    lane: Lane | None, books: Books, flow: str, held: Iterable[tuple[str, str, int]], now: datetime
) -> None:
    """Note which states the consumer of a flow holds, and release the ends that waited for this answer.

    Args:
        lane: None where no edition says who is protected; then nothing is released.
        books: of the linkage.
        flow: of the contract.
        held: see `acknowledge`.
        now: in UTC.

    Raises:
        Problem: those of `release_due`.
    """
    acknowledge(books, flow, held, now)
    if lane is not None and _ends_wait(books):
        release_due(lane, books, now)


_SIGNED = """
    SELECT o.kind, o.unit, o.event FROM protection_off o JOIN protection_hold USING (kind, unit, event)
    WHERE o.confirmed_by IS NOT NULL AND o.released_after IS NULL ORDER BY o.kind, o.unit
"""


def offs(books: Books) -> tuple[Off, ...]:
    """Every end that was proposed on a version that still counts and is not released yet."""
    with books.transaction() as page:
        rows = page.rows(
            "SELECT o.kind, o.unit, o.event FROM protection_off o JOIN protection_hold USING (kind, unit, event) "
            "WHERE o.released_after IS NULL ORDER BY o.proposed_at"
        )
        return tuple(_as_it_stands(page, Unit(row["kind"], row["unit"]), row["event"]) for row in rows)


def _refuse_outdated(page: BookPage, unit: Unit, version: int) -> None:
    held = journal.holds(page, [unit]).get(unit)
    if held is None:
        raise Problem(
            "protection-not-held", "the unit is not protected", fix="see kiban link protection status"
        )
    if held[0] != version:
        what = f"the protection was decided anew at event {held[0]}; what is asked for is about {version}"
        raise Problem("protection-newer", what, fix="look at it again and decide on the newer one")


def _find(page: BookPage, unit: Unit, version: int) -> dict[str, Any] | None:
    query = "SELECT * FROM protection_off WHERE kind = %s AND unit = %s AND event = %s FOR UPDATE"
    found = page.rows(query, [unit.kind, unit.number, version])
    return found[0] if found else None


def _as_it_stands(page: BookPage, unit: Unit, version: int) -> Off:
    row = _find(page, unit, version)
    assert row is not None
    waits = []
    if row["released_after"] is None:
        held = journal.holds(page, [unit]).get(unit)
        conditions = {
            "confirm": row["confirmed_by"] is None,
            "register": held is None or held[1] is None,
            "subscribers": journal.unanswered(page, unit),
        }
        waits = [name for name, stands in conditions.items() if stands]
    return Off(
        unit,
        version,
        row["proposed_by"],
        row["confirmed_by"],
        row["released_after"],
        tuple(waits),
    )
