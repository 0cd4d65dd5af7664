"""The differences become events: one for each subject, so that the history says when what was learnt of whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path

import duckdb
import pyarrow as pa

from kiban import store
from kiban.kernel import Actor
from kiban.migration.delta.desk import as_text, desk, key, same
from kiban.migration.delta.differences import Differing
from kiban.migration.delta.order import together
from kiban.store import Amendment, Store

KIND = "移行差分"
"""The kind of the events of a delta."""

_AT_ONCE = 200  # events in one transaction: under a second, in which nobody else can record

Progress = Callable[[str, int, int], None]


def amend(
    opened: Store,
    differing: Sequence[Differing],
    actor: Actor,
    day: date,
    last: int,
    folder: Path,
    progress: Progress,
) -> int:
    """Apply differences, some hundred subjects at a time; what was applied before a crash is no difference afterwards.

    Rows that are gone or have another period are closed for theirs, rows that are new or changed are added; others stay untouched.

    Args:
        opened: an open store.
        differing: of every register that the plan fills, compared with what the database knows now.
        actor: who applies.
        day: the day whose state the newer unload shows; stands in the events.
        last: the last event before the comparison.
        folder: for what does not fit into memory.
        progress: told about the events.

    Returns:
        How many events there were.

    Raises:
        Problem, Problems: those of `store.Amending.record`; subjects before those it is told of are applied.
    """
    done = 0
    with store.amending(opened, [one.register.name for one in differing], actor, last) as work:
        for _, ones in groupby(differing, lambda one: one.register.business):
            changed = [one for one in ones if len(one.found)]
            if not changed:
                continue
            with desk(folder, changed) as connection:
                subjects = _events(connection, changed)
                for at in range(0, len(subjects), _AT_ONCE):
                    some = subjects[at : at + _AT_ONCE]
                    work.record(KIND, some, list(_amendments(connection, changed, at)), valid=day)
                    progress("差分の反映", done + at + len(some), done + len(subjects))
                done += len(subjects)
    return done


def _amendments(
    connection: duckdb.DuckDBPyConnection, changed: Sequence[Differing], at: int
) -> Iterator[Amendment]:
    """What the events from a number on change, as many as go together."""

    def some(table: str) -> pa.Table:
        return connection.sql(
            f'SELECT * REPLACE ("#event" - {at} AS "#event") FROM {table} '
            f'WHERE "#event" >= {at} AND "#event" < {at + _AT_ONCE}'
        ).to_arrow_table()

    for number, one in enumerate(changed):
        added, closed = some(f"added_{number}"), some(f"closed_{number}")
        if len(added) or len(closed):
            yield Amendment(one.register.name, added, closed)


def _events(connection: duckdb.DuckDBPyConnection, changed: Sequence[Differing]) -> list[str]:
    """Number the events; makes the tables `added_N` and `closed_N` of their rows. Returns whom each event is about."""
    kinds: dict[str, int] = {}
    for number, one in enumerate(changed):
        kinds.setdefault(one.register.subject[0], len(kinds))
        joined = same("l", "d", key(one.register))
        connection.execute(
            f"CREATE TABLE rows_{number} AS SELECT l.* FROM {as_text(one.register)} l JOIN found_{number} d "
            f"ON {joined} WHERE d.what IN ('missing', 'differs')"
        )
    everybody = " UNION ".join(
        f"SELECT DISTINCT {kinds[one.register.subject[0]]} AS kind, s1 AS value FROM found_{number}"
        for number, one in enumerate(changed)
    )
    connection.execute(
        "CREATE TABLE node AS SELECT row_number() OVER (ORDER BY kind, value) - 1 AS node, kind, value "
        f"FROM ({everybody})"
    )
    values = [value for (value,) in connection.execute("SELECT value FROM node ORDER BY node").fetchall()]
    groups = list(together(len(values), _needs(connection, changed, kinds)))
    places = sorted((node, event) for event, group in enumerate(groups) for node in group)
    connection.register("given", pa.table({"node": range(len(values)), "event": [at for _, at in places]}))
    connection.execute("CREATE TABLE placed AS SELECT kind, value, event FROM node JOIN given USING (node)")
    connection.unregister("given")
    for number, one in enumerate(changed):
        _place(connection, number, one, kinds[one.register.subject[0]])
    return [values[group[0]] for group in groups]


def _needs(
    connection: duckdb.DuckDBPyConnection, changed: Sequence[Differing], kinds: Mapping[str, int]
) -> dict[int, list[int]]:
    """Which subjects name which others that the database does not know yet."""
    found: dict[int, list[int]] = {}
    named = {one.register.name: number for number, one in enumerate(changed)}
    fresh: set[int] = set()
    for number, one in enumerate(changed):
        for item, name in one.register.refers.items():
            target = named.get(name)
            if target is None:
                continue
            if target not in fresh:
                connection.execute(f"CREATE TABLE fresh_{target} AS {_fresh(target, changed[target])}")
                fresh.add(target)
            own, other = (kinds[changed[at].register.subject[0]] for at in (number, target))
            pairs = connection.execute(
                f'SELECT DISTINCT a.node, b.node FROM rows_{number} r JOIN fresh_{target} f ON f.value = CAST(r."{item}" AS VARCHAR) '
                f"JOIN node a ON a.kind = {own} AND a.value = r.s1 JOIN node b ON b.kind = {other} AND b.value = f.value "
                "WHERE a.node <> b.node ORDER BY 1, 2"
            )
            for node, needed in pairs.fetchall():
                found.setdefault(node, []).append(needed)
    return found


def _fresh(number: int, one: Differing) -> str:
    """Whom a row may name and the database does not know: those all of whose converted rows are missing there."""
    return (
        f"SELECT d.s1 AS value FROM (SELECT s1, count(*) AS n FROM found_{number} GROUP BY 1 HAVING bool_and(what = 'missing')) d "
        f"JOIN (SELECT s1, count(*) AS n FROM {as_text(one.register)} GROUP BY 1) l ON l.s1 = d.s1 AND l.n = d.n"
    )


def _place(connection: duckdb.DuckDBPyConnection, number: int, one: Differing, kind: int) -> None:
    """Rows in the order of their events, so that a few are found without reading all."""
    register = one.register
    items = ", ".join(f'r."{name}"' for name in store.arrow_schema(register.group).names)
    told = ", ".join(f'r.{name} AS "{item}"' for name, item in zip(key(register), register.key, strict=True))
    placed = f"JOIN placed p ON p.kind = {kind} AND p.value = r.s1"
    connection.execute(
        f'CREATE TABLE added_{number} AS SELECT p.event AS "#event", {items} FROM rows_{number} r {placed} ORDER BY ALL'
    )
    connection.execute(
        f'CREATE TABLE closed_{number} AS SELECT p.event AS "#event", {told} FROM found_{number} r {placed} '
        "WHERE r.what IN ('extra', 'differs') ORDER BY ALL"
    )
