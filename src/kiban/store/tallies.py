"""Rows counted and numbers added up by PostgreSQL itself: the independent side of a balance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from kiban.kernel import Actor, AsOf, Problem, Problems
from kiban.standard import Group
from kiban.store import columns
from kiban.store.export import conditions
from kiban.store.text import quoted

if TYPE_CHECKING:
    from kiban.store.database import Store

ROWS = "_rows"
_DIGITS = 38


def tally(
    store: Store,
    register: str,
    by: Sequence[str],
    sums: Sequence[str],
    actor: Actor,
    as_of: AsOf | None = None,
) -> pa.Table:
    """How many stored rows the actor may see, and what their numbers add up to, for each combination of values.

    Args:
        store: an open store.
        register: schema.table.
        by: items whose values tell the lines apart, such as the ward and the fiscal year; none for one line in all.
        sums: items that hold numbers.
        actor: limits the rows to the wards of the actor; the look is logged before the first row.
        as_of: the two dates; None for every period that is known now.

    Returns:
        The items of `by` in the types of `arrow_schema`, `_rows` (int64), and each sum as decimal128 with the scale of its
        item, null where no row has a value; in the order of `by`. Without `by` one line, also where there is no row.

    Raises:
        Problem: `register-unknown`, `known-future`, `item-hidden`.
        Problems: `item-unknown`; `tally-kind` for a sum of an item that holds no number.
    """
    with store.session(actor) as session:
        table = store.table(register)  # no other edition comes into force before the session ends
        schema = _schema(table.group, by, sums)
        asked = {"tally": {"by": list(by), "sums": list(sums)}}
        session.log_export(
            register, asked | {"as_of": [str(as_of.valid), str(as_of.known)] if as_of else "all"}
        )
        if as_of is not None and as_of.known is not None:
            session.settle(as_of.known)
        keys = ", ".join(quoted(name) for name in by)
        chosen = [*map(quoted, by), "count(*)", *(f"sum({quoted(name)})" for name in sums)]
        grouped = f" GROUP BY {keys} ORDER BY {keys}" if by else ""
        statement = (
            f"COPY (SELECT {', '.join(chosen)} FROM {table.name} WHERE {conditions(table, as_of)}{grouped}) "
            "TO STDOUT (FORMAT csv)"
        )
        copied = session.copy_items(register, [*by, *sums], statement)
        return pa.Table.from_batches(columns.from_csv(copied, schema), schema)


def _schema(group: Group, by: Sequence[str], sums: Sequence[str]) -> pa.Schema:
    known = columns.arrow_schema(group)
    problems = [
        Problem("item-unknown", "no such item", f"{group.id}.{name}", "use the official romaji")
        for name in (*by, *sums)
        if name not in known.names
    ]
    if problems:
        raise Problems(problems)
    added = []
    for name in sums:
        kind = known.field(name).type
        if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
            scale = kind.scale if pa.types.is_decimal(kind) else 0
            added.append(pa.field(name, pa.decimal128(_DIGITS, scale)))
        else:
            fix = "add up items that hold numbers"
            problems.append(Problem("tally-kind", "not a number", f"{group.id}.{name}", fix))
    if problems:
        raise Problems(problems)
    told = [pa.field(name, known.field(name).type) for name in by]
    return pa.schema([*told, (ROWS, pa.int64()), *added])
