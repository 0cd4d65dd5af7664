"""Arrow out of the registers, as of two dates, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from kiban.kernel import Actor, AsOf
from kiban.store import columns
from kiban.store.schema import Table
from kiban.store.text import quoted

if TYPE_CHECKING:
    from kiban.store.database import Store


def export_arrow(store: Store, register: str, as_of: AsOf | None, actor: Actor) -> Iterator[pa.RecordBatch]:
    """The rows of a register that the actor may see, in Arrow batches of bounded size, in the order of the table.

    Args:
        store: an open store.
        register: schema.table.
        as_of: the two dates; None for every period that is known now.
        actor: limits the rows to those that the actor may see; the export is logged before the first row.

    Yields:
        Record batches with the columns of `arrow_schema`, without those of items that are hidden from the actor.
    """
    with store.session(actor) as session:
        table = store.table(register)  # no other edition comes into force before the session ends
        shown, whole = session.visible(table), columns.arrow_schema(table.group)
        items = [item.romaji for item in table.group.items]
        schema = pa.schema([field for field in whole if field.name in shown or field.name not in items])
        session.log_export(register, {"export": [str(as_of.valid), str(as_of.known)] if as_of else "all"})
        if as_of is not None and as_of.known is not None:
            session.settle(as_of.known)
        chosen = [name for name in schema.names if name in items]
        copied = session.copy_items(register, chosen, _query(table, chosen, as_of))
        yield from columns.from_csv(copied, schema, table.dates)


def conditions(table: Table, as_of: AsOf | datetime | int | None) -> str:
    """The SQL condition for the rows of two dates; for every period known at a moment, after an event, or now (None)."""
    if isinstance(as_of, int):
        return f"event <= {as_of:d} AND (closed_by IS NULL OR closed_by > {as_of:d})"
    known = as_of.known if isinstance(as_of, AsOf) else as_of
    found = ["closed_by IS NULL" if known is None else _known(known)]
    if table.has_periods and isinstance(as_of, AsOf):
        found.append(f"valid_from <= '{as_of.valid}' AND '{as_of.valid}' < valid_to")
    return " AND ".join(found)


def _query(table: Table, items: Sequence[str], as_of: AsOf | None) -> str:
    chosen = [quoted(name) for name in items]
    if table.has_periods:
        chosen += ["nullif(valid_from, '-infinity')", "nullif(valid_to, 'infinity')"]
    return f"COPY (SELECT {', '.join(chosen)} FROM {table.name} WHERE {conditions(table, as_of)}) TO STDOUT (FORMAT csv)"


def _known(known: datetime) -> str:
    moment = known.isoformat()
    return f"known_from <= '{moment}' AND '{moment}' < known_to"
