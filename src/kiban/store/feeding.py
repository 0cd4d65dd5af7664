"""What events changed, in their order: what linkage carries to others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from kiban.store.errors import as_problems

if TYPE_CHECKING:
    from kiban.store.database import Store


@dataclass(frozen=True)
class Touch:
    """Whose rows an event changed in one register.

    Attributes:
        register: schema.table.
        subject: the items that identify them, in their written form.
    """

    register: str
    subject: Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """One event of the city, without what it wrote.

    Attributes:
        event: its number.
        recorded_at: when it became known.
        business: schema of the business; several joined by commas for a bulk load.
        kind: 異動事由.
        valid: the day of the event in the town; None where it has none.
        note: what was noted with it.
        touched: whose rows it changed, each once.
        whole: registers that it changed without naming subjects (a bulk load, a change of edition): who keeps a copy of
            one of them needs it anew.
    """

    event: int
    recorded_at: datetime
    business: str
    kind: str
    valid: date | None
    note: Mapping[str, str]
    touched: tuple[Touch, ...]
    whole: tuple[str, ...]


def told_after(store: Store, event: int, limit: int) -> list[Told]:
    """The events after one, in their order, from the outbox.

    Args:
        store: an open store.
        event: number of the last event that is already told; 0 for none.
        limit: how many at most.

    Raises:
        Problem: `store-not-installed`, `database-unreachable`.
    """
    store.tables()
    with store.owner() as connection, as_problems(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_TOLD, (event, limit))
        return [_told(row) for row in cursor]


_TOLD = """
    SELECT e.event, e.recorded_at, e.business, e.kind, e.valid, coalesce(e.payload -> 'note', '{}') AS note,
        (SELECT jsonb_agg(DISTINCT jsonb_build_array(c -> 'register', c -> 'subject'))
         FROM jsonb_array_elements(e.payload -> 'changes') c) AS touched,
        (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(e.content) k) AS content
    FROM kiban.outbox o JOIN kiban.event e USING (event) WHERE o.event > %s ORDER BY o.event LIMIT %s
"""


def _told(row: Mapping[str, Any]) -> Told:
    touched = tuple(Touch(register, subject) for register, subject in row["touched"] or ())
    whole = () if touched else tuple(row["content"] or ())
    return Told(
        row["event"],
        row["recorded_at"],
        row["business"],
        row["kind"],
        row["valid"],
        row["note"],
        touched,
        whole,
    )
