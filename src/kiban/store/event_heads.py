"""What stands at the head of events: what happened, when it became known, by whom and why; never what they wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from kiban.store.errors import as_problems

if TYPE_CHECKING:
    from kiban.store.database import Store


@dataclass(frozen=True)
class EventHead:
    """The head of one event.

    Attributes:
        event: its number.
        recorded_at: when it became known.
        business: schema of the business.
        kind: 異動事由.
        subject: whom it is about, as the event says it.
        valid: the day of the event in the town; None where it has none.
        actor: who recorded it.
        purpose: for which duty.
        note: what was noted with it.
    """

    event: int
    recorded_at: datetime
    business: str
    kind: str
    subject: str
    valid: date | None
    actor: str
    purpose: str
    note: Mapping[str, str]


def event_heads(store: Store, events: Iterable[int]) -> dict[int, EventHead]:
    """The heads of some events.

    Ask only for events of rows that the actor was shown: events themselves know no ward.

    Args:
        store: an open store.
        events: their numbers; those that do not exist are left out.

    Raises:
        Problem: `store-not-installed`, `database-unreachable`.
    """
    store.tables()
    with (
        store.owner() as connection,
        as_problems(),
        connection.cursor(row_factory=class_row(EventHead)) as cursor,
    ):
        cursor.execute(_HEADS, [sorted(set(events))])
        return {head.event: head for head in cursor}


_HEADS = """
    SELECT event, recorded_at, business, kind, subject, valid, actor, purpose, coalesce(payload -> 'note', '{}') AS note
    FROM kiban.event WHERE event = ANY (%s)
"""
