"""What changed in registers since an event, and the rows that were known after one: for whoever has to carry changes elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from kiban.kernel import Actor, Problem
from kiban.standard import sql_type
from kiban.store import columns
from kiban.store.errors import as_problems
from kiban.store.schema import Table
from kiban.store.text import literal, quoted

if TYPE_CHECKING:
    from kiban.store.database import Store

_KEYS = 2_000


@dataclass(frozen=True)
class Span:
    """Events that count as changes.

    Attributes:
        after: number of the event behind which they lie.
        until: number of the last of them.
        but: an actor whose events for one purpose do not count; None where everybody's do.
    """

    after: int
    until: int
    but: Actor | None = None


def last_event(store: Store) -> tuple[int, datetime | None]:
    """The number of the last event of the city and when it was recorded; 0 and None where there is none.

    The rows that were known after it are the same for ever (`known_rows`).

    Raises:
        Problem: `store-not-installed`, `database-unreachable`.
    """
    store.tables()
    with store.owner() as connection, as_problems():
        row = connection.execute("SELECT event, nullif(recorded_at, '-infinity') FROM kiban.head").fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


def event_before(store: Store, moment: datetime) -> int:
    """The number of the last event that was recorded before a moment; 0 where there is none.

    Raises:
        Problem: `store-not-installed`, `database-unreachable`.
    """
    store.tables()
    with store.owner() as connection, as_problems():
        query = "SELECT coalesce(max(event), 0) FROM kiban.event WHERE recorded_at < %s"
        row = connection.execute(query, (moment,)).fetchone()
    return int(row[0]) if row else 0


def last_load(store: Store, actor: Actor) -> int | None:
    """The number of the event of an actor's last bulk load for this purpose; None where there is none.

    Raises:
        Problem: `store-not-installed`, `database-unreachable`.
    """
    store.tables()
    with store.owner() as connection, as_problems():
        row = connection.execute(
            "SELECT max(event) FROM kiban.event WHERE kind = 'import' AND actor = %s AND purpose = %s",
            (actor.id, actor.purpose),
        ).fetchone()
    return int(row[0]) if row and row[0] is not None else None


def event_moment(store: Store, event: int) -> datetime:
    """When an event became known.

    Raises:
        Problem: `event-unknown`, `store-not-installed`, `database-unreachable`.
    """
    store.tables()
    with store.owner() as connection, as_problems():
        row = connection.execute("SELECT recorded_at FROM kiban.event WHERE event = %s", (event,)).fetchone()
    if row is None:
        raise Problem("event-unknown", f"the city has no event {event}", fix="name one that is recorded")
    moment: datetime = row[0]
    return moment


def changed_subjects(
    store: Store, register: str, span: Span, items: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Whose rows were added or closed by the events of a span, each once, in no particular order and in bounded memory.

    Args:
        store: an open store.
        register: schema.table.
        span: the events.
        items: what says whose they are; None for the items that identify the subject.

    Yields:
        These items, in the types of `arrow_schema`; one batch without rows where there is none.

    Raises:
        Problem: `register-unknown`, `item-unknown`, `database-unreachable`.
    """
    table = store.table(register)
    chosen = _items(table, table.subject if items is None else items)
    schema = columns.arrow_schema(table.group)
    names = ", ".join(f"t.{quoted(name)}" for name in chosen)
    within = f"> {span.after:d} AND {{0}} <= {span.until:d}"
    touched = " OR ".join(f"({one} {within.format(one)})" for one in ("t.event", "t.closed_by"))
    other = ""
    if span.but is not None:
        other = f"AND (e.actor, e.purpose) <> ({literal(span.but.id)}, {literal(span.but.purpose)})"
    statement = (
        f"COPY (SELECT DISTINCT {names} FROM {table.name} t WHERE ({touched}) AND EXISTS (SELECT FROM kiban.event e "
        f"WHERE e.event IN (t.event, t.closed_by) AND e.event {within.format('e.event')} {other})) TO STDOUT (FORMAT csv)"
    )
    told = pa.schema([schema.field(name).with_nullable(True) for name in chosen])
    with (
        store.owner() as connection,
        as_problems(),
        connection.cursor() as cursor,
        cursor.copy(statement.encode()) as copy,
    ):
        yield from columns.from_csv((bytes(chunk) for chunk in copy), told, table.dates)


def known_rows(
    store: Store,
    register: str,
    actor: Actor,
    until: int,
    keys: pa.Table | None = None,
    items: Sequence[str] | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows of every period that were known after an event, and that the actor may see, in bounded memory.

    Args:
        store: an open store.
        register: schema.table.
        actor: limits the rows to the wards of the actor; the look is logged before the first row.
        until: number of the event; what later ones added is left out, and what they closed is there.
        keys: only rows that have the values of a row of this table in the items that its columns name; None for all rows.
        items: romaji of what is wanted, without the period; nothing else leaves the database. None for all of them.

    Yields:
        Record batches with the columns of `arrow_schema`, of the items asked for in their order and the period of a register;
        in the order of the table, or of the keys.

    Raises:
        Problem: `register-unknown`, `item-unknown`, `item-hidden`.
    """
    with store.session(actor) as session:
        table = store.table(register)  # no other edition comes into force before the session ends
        _items(table, keys.column_names if keys is not None else ())
        whole = columns.arrow_schema(table.group)
        chosen = _items(table, [item.romaji for item in table.group.items] if items is None else items)
        period = ("valid_from", "valid_to") if table.has_periods else ()
        schema = pa.schema([whole.field(name) for name in (*chosen, *period)])
        asked = {"known_after": until, "keys": keys.num_rows if keys is not None else "all"}
        session.log_export(register, asked | ({} if items is None else {"items": list(items)}))
        for condition in _conditions(table, keys):
            query = _query(table, chosen, until, condition)
            yield from columns.from_csv(session.copy_items(register, chosen, query), schema, table.dates)


def _conditions(table: Table, keys: pa.Table | None) -> Iterator[str]:
    if keys is None:
        yield "true"
        return
    names = ", ".join(map(quoted, keys.column_names))
    kinds = [sql_type(table.group.item(name)) for name in keys.column_names]
    for batch in keys.to_batches(_KEYS):
        rows = (
            ", ".join(
                f"{literal(str(value))}::{kind}" for value, kind in zip(row.values(), kinds, strict=True)
            )
            for row in batch.to_pylist()
        )
        yield f"({names}) IN (VALUES ({'), ('.join(rows)}))"


def _items(table: Table, names: Sequence[str]) -> list[str]:
    if unknown := [name for name in names if name not in table.group]:
        what = f"{table.register} has no item {', '.join(unknown)}"
        raise Problem("item-unknown", what, table.register, "use the official romaji")
    return list(names)


def _query(table: Table, items: Sequence[str], until: int, condition: str) -> str:
    chosen = [quoted(name) for name in items]
    if table.has_periods:
        chosen += ["nullif(valid_from, '-infinity')", "nullif(valid_to, 'infinity')"]
    known = f"event <= {until:d} AND (closed_by IS NULL OR closed_by > {until:d})"
    return f"COPY (SELECT {', '.join(chosen)} FROM {table.name} WHERE {known} AND {condition}) TO STDOUT (FORMAT csv)"
