"""Queries for rows as they were known after events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kiban.standard import sql_type
from kiban.store.gates import open_among
from kiban.store.schema import Table
from kiban.store.text import quoted


def known_after(table: Table, items: Sequence[str], by: Sequence[str], *, guarded: bool) -> str:
    """The query for rows as known after events: place of what was asked, the items, the period.

    Its values are the numbers of the events and, for each item of `by`, the values asked for: lists of one length. Guarded, rows
    of protected persons and households are not even looked at.
    """
    kinds = {item.romaji: sql_type(item) for item in table.group.items} | dict(table.retired)
    names = [quoted(name) for name in by]
    lists = ", ".join(["%s::bigint[]", *(f"%s::{kinds[name]}[]" for name in by)])
    chosen = ["a.place", *(f"t.{quoted(name)}" for name in items)]
    order = "a.place"
    if table.has_periods:
        chosen += [f"nullif(t.{end}, '{infinity}') AS {end}" for end, infinity in _ENDS]
        order += ", t.valid_from"
    asked = f"unnest({lists}) WITH ORDINALITY a(after, {', '.join(names)}, place)"
    gates = [open_among(table, name, f"ARRAY[a.{quoted(name)}]") for name in by] if guarded else []
    if shut := [f"{gate} <> '{{}}'" for gate in gates if gate]:
        asked = f"(SELECT * FROM {asked} WHERE {' AND '.join(shut)} OFFSET 0) a"
    return (
        f"SELECT {', '.join(chosen)} FROM {asked} "
        f"JOIN {table.name} t ON {' AND '.join(f't.{name} = a.{name}' for name in names)} "
        f"AND t.event <= a.after AND (t.closed_by IS NULL OR t.closed_by > a.after) ORDER BY {order}"
    )


def known_since(
    table: Table, items: Sequence[str], item: str | None, but: Mapping[str, Sequence[str]], *, guarded: bool
) -> str:
    """The query for rows that were known after an event or became known later: the items, the period, `event`, `closed_by`.

    Its values are, where an item is given, the list of values asked for; the number of the event; then for each item of
    `but` the values with which a row is left out, where an empty text stands for none. Guarded as `known_after`.
    """
    chosen = [quoted(name) for name in items]
    if table.has_periods:
        chosen += [f"nullif({end}, '{infinity}') AS {end}" for end, infinity in _ENDS]
    conditions = ["(closed_by IS NULL OR closed_by > %s)"]
    if item is not None:
        given = f"%s::{sql_type(table.group.item(item))}[]"
        among = open_among(table, item, given) if guarded else None
        conditions.insert(0, f"{quoted(item)} = ANY ({among or given})")
    conditions += [f"coalesce({quoted(name)}::text, '') <> ALL (%s::text[])" for name in but]
    order = ", ".join((*map(quoted, table.subject), "event"))
    return f"SELECT {', '.join((*chosen, 'event', 'closed_by'))} FROM {table.name} WHERE {' AND '.join(conditions)} ORDER BY {order}"


_ENDS = (("valid_from", "-infinity"), ("valid_to", "infinity"))
