"""How far each flow is, in the books of the platform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kiban.kernel import Problem
from kiban.store import BookPage, Books


@dataclass(frozen=True)
class Place:
    """How far a flow is.

    Attributes:
        flow: `Contract.flow`.
        place: number of the last event that is dealt with.
        needs_set: it is held until a full set as known after this event, or a later one, is published; None where it is not.
        paused: whether an officer holds it.
    """

    flow: str
    place: int
    needs_set: int | None
    paused: bool


@dataclass(frozen=True)
class Step:
    """What a flow has done.

    Attributes:
        flow: `Contract.flow`.
        place: its place now.
        needs_set: the event that asks for a full set; None where none does.
        sent: how many messages.
        content: the sum of their contents, modulo 2**128.
        not_returned: how many were not sent, as they came from its consumer.
    """

    flow: str
    place: int
    needs_set: int | None = None
    sent: int = 0
    content: int = 0
    not_returned: int = 0


def places(page: BookPage, flows: Iterable[str], start: int) -> list[Place]:
    """The places of flows; a new one is held until its first full set.

    Args:
        page: of the books.
        flows: their names.
        start: number of the last event of the city, for new flows.
    """
    names = list(flows)
    page.run(
        "INSERT INTO event_flow (flow, place, needs_set) SELECT f, %s, %s FROM unnest(%s::text[]) f ON CONFLICT DO NOTHING",
        (start, start, names),
    )
    statement = (
        "SELECT flow, place, needs_set, paused FROM event_flow WHERE flow = ANY (%s) ORDER BY place, flow"
    )
    return [Place(**row) for row in page.rows(statement, (names,))]


def hold(page: BookPage, flows: Iterable[str]) -> None:
    """Keep the rows of flows until the transaction ends, taken in one order: so two who take several never wait for each other."""
    page.run("SELECT FROM event_flow WHERE flow = ANY (%s) ORDER BY flow FOR UPDATE", (sorted(set(flows)),))


def advance(page: BookPage, steps: Sequence[Step]) -> None:
    """Note what flows have done. A full set that was published meanwhile may have taken one further already."""
    hold(page, [step.flow for step in steps])
    for step in steps:
        values = (
            step.place, step.needs_set, step.needs_set, step.sent, step.content, step.not_returned, step.flow,
        )  # fmt: skip
        page.run(_ADVANCE, values)


_ADVANCE = """
    UPDATE event_flow SET place = greatest(place, %s), needs_set = CASE WHEN %s > floor THEN %s ELSE needs_set END,
        sent = sent + %s, sent_content = mod(sent_content + %s, 340282366920938463463374607431768211456),
        not_returned = not_returned + %s
    WHERE flow = %s
"""


@contextmanager
def alone(books: Books) -> Iterator[None]:
    """Be the only publisher of a platform until the end of the block, or of the process.

    Raises:
        Problem: `publisher-twice`.
    """
    with books.transaction() as page:
        try:
            # A lock without a row holds back no cleaning of the database, however long the transaction is open.
            page.run("LOCK TABLE event_publisher IN EXCLUSIVE MODE NOWAIT")
        except Problem as problem:
            if problem.code != "event-busy":
                raise
            fix = "one is enough for all flows"
            raise Problem("publisher-twice", "another publisher is at work", fix=fix) from None
        yield


def settle(page: BookPage, flow: str, event: int, epoch: int) -> bool:
    """Note that a full set was published; whether it is newer than the last one and lets the flow go on.

    Events up to the set's are dealt with by it: their messages are not sent any more.
    """
    page.run(
        "INSERT INTO event_flow (flow, place, needs_set) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (flow, event, event),
    )
    return bool(page.run(_SETTLE, (event, event, epoch, flow, event, event)))


_SETTLE = """
    UPDATE event_flow SET place = greatest(place, %s), needs_set = NULL, floor = %s, epoch = %s
    WHERE flow = %s AND floor <= %s AND coalesce(needs_set, 0) <= %s
"""


def pause(page: BookPage, flow: str, paused: bool) -> None:
    """Hold a flow, or let it go on.

    Raises:
        Problem: `flow-unknown`.
    """
    if not page.run("UPDATE event_flow SET paused = %s WHERE flow = %s", (paused, flow)):
        raise Problem("flow-unknown", "nothing was ever sent on this flow", flow, "see `kiban link status`")


def carry(
    page: BookPage, share: str, carried: Sequence[tuple[str, int, str | None]]
) -> dict[tuple[str, int], int]:
    """Note which events carried which units, and answer the event before each; 0 where there is none.

    Args:
        page: of the books.
        share: under which flows share the rows.
        carried: unit, event and origin.
    """
    columns = [list(column) for column in zip(*carried, strict=True)] or [[], [], []]
    page.run(_CARRY, (share, *columns))
    return _before(page, share, columns, "")


def carry_for(
    page: BookPage, share: str, pairs: Sequence[tuple[str, int]], system: str
) -> dict[tuple[str, int], int]:
    """The event before each as a system has seen them: without those that came from itself."""
    units = sorted({unit for unit, _ in pairs})
    statement = "SELECT 1 FROM event_carried WHERE share = %s AND unit = ANY (%s) AND origin = %s LIMIT 1"
    if not page.rows(statement, (share, units, system)):
        return {}
    return _before(page, share, [list(column) for column in zip(*pairs, strict=True)], system)


def _before(
    page: BookPage, share: str, columns: Sequence[list[Any]], system: str
) -> dict[tuple[str, int], int]:
    rows = page.rows(_BEFORE, (share, system, columns[0], columns[1]))
    return {(row["unit"], row["event"]): row["previous"] for row in rows}


_CARRY = """
    INSERT INTO event_carried (share, unit, event, origin)
    SELECT %s, u, e, o FROM unnest(%s::text[], %s::bigint[], %s::text[]) a(u, e, o) ON CONFLICT DO NOTHING
"""
_BEFORE = """
    SELECT a.unit, a.event, coalesce((
        SELECT max(c.event) FROM event_carried c WHERE c.share = %s AND c.unit = a.unit AND c.event < a.event
            AND (c.origin IS NULL OR c.origin <> %s)), 0) AS previous
    FROM unnest(%s::text[], %s::bigint[]) a(unit, event)
"""
