"""How each flow stands, from the books: what is due, what was sent, what the consumer has applied, what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiban import store
from kiban.store import Books, Store


@dataclass(frozen=True)
class FlowStatus:
    """How a flow stands.

    Attributes:
        flow: `Contract.flow`.
        last: number of the last event of the city.
        place: number of the last event that is dealt with; the difference is due.
        due: how many events are not dealt with yet.
        oldest: when the oldest of them was recorded; None where none is due.
        needs_set: it is held until a full set as known after this event is published; None where it is not.
        paused: whether an officer holds it.
        floor: event of the last full set; 0 where none was published.
        epoch: that it opened; None where none was.
        sent: how many messages were sent.
        counted: of how many the consumer has answered.
        applied: how many messages it applied, replays among them.
        late: how many it only noted.
        applied_event: the largest event among those.
        not_returned: how many were not sent, as they came from its consumer.
        quarantined: how many of its units are quarantined.
        held: how many of its units wait for a message before.
        answered_at: when it answered last; None where it never did.
        equal: whether the contents that it took are those that were sent, all of them and each once.
    """

    flow: str
    last: int
    place: int
    due: int
    oldest: datetime | None
    needs_set: int | None
    paused: bool
    floor: int
    epoch: int | None
    sent: int
    counted: int
    applied: int
    late: int
    applied_event: int
    not_returned: int
    quarantined: int
    held: int
    answered_at: datetime | None
    equal: bool

    @property
    def holds_thinning(self) -> bool:
        """Whether what was sent on it may still have to be sent again."""
        return not self.equal or self.held > 0 or self.quarantined > 0

    @property
    def lag(self) -> int:
        """How many messages are under way, or not answered yet."""
        return self.sent - self.counted


@dataclass(frozen=True)
class Quarantined:
    """A unit of a flow that waits at its consumer.

    Attributes:
        flow: `Contract.flow`.
        unit: whose rows; personal.
        message: `Message.id` of the first message that waits.
        event: its event.
        missing: event of the message that has to come before; None where it is quarantined.
        reason: codes of what is wrong; None where it is only held.
        since: when it came there, ISO 8601 in UTC.
        behind: how many more wait behind it.
    """

    flow: str
    unit: str
    message: str
    event: int
    missing: int | None
    reason: str | None
    since: str
    behind: int


def status(opened: Store, books: Books, flow: str | None = None) -> list[FlowStatus]:
    """How the flows stand, in their order.

    Args:
        opened: the registers.
        books: of the linkage.
        flow: only this one; None for all that ever were.
    """
    last, _ = store.last_event(opened)
    with books.transaction() as page:
        rows = page.rows("SELECT * FROM event_flow WHERE coalesce(flow = %s, true) ORDER BY flow", (flow,))
    return [_status(opened, row, last) for row in rows]


def waiting(books: Books, flow: str | None = None) -> list[Quarantined]:
    """What waits at consumers, the quarantined first."""
    statement = "SELECT * FROM event_waiting WHERE coalesce(flow = %s, true) ORDER BY reason IS NULL, flow, since, unit"
    with books.transaction() as page:
        return [Quarantined(**row) for row in page.rows(statement, (flow,))]


def protection_held(books: Books, flow: str) -> dict[str, tuple[str, int]]:
    """The newest state of protection that a flow's consumer has acknowledged, by unit, with its version."""
    with books.transaction() as page:
        rows = page.rows("SELECT unit, state, event FROM event_protection WHERE flow = %s", (flow,))
    return {row["unit"]: (row["state"], row["event"]) for row in rows}


def _status(opened: Store, row: Mapping[str, Any], last: int) -> FlowStatus:
    following = store.told_after(opened, row["place"], 1) if row["place"] < last else []
    names = (
        "flow", "place", "needs_set", "paused", "floor", "epoch", "sent", "counted", "applied", "late", "applied_event",
        "not_returned", "quarantined", "held", "answered_at",
    )  # fmt: skip
    same = row["sent"] == row["counted"] and row["sent_content"] == row["counted_content"]
    return FlowStatus(
        last=last, due=last - row["place"], oldest=following[0].recorded_at if following else None, equal=same,
        **{name: row[name] for name in names},
    )  # fmt: skip
