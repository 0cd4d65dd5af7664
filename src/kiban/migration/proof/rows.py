"""Every row and every item: digests that PostgreSQL computes itself, held against those of the decoded files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from kiban import sets, store
from kiban.kernel import Actor
from kiban.migration.mapping import named
from kiban.migration.proof.side import MEMORY, ORIGIN, Decoded, Progress, engine
from kiban.sets import Comparison
from kiban.store import Row, Store

DIFFERENCES = pa.schema(
    [
        ("register", pa.string()),
        ("key", pa.list_(pa.string())),
        ("what", pa.string()),
        ("item", pa.string()),
        ("file", pa.string()),
        ("record", pa.int64()),
        ("index", pa.int64()),
    ]
)
"""A line for each item that is not the same in the database and in the files; of a register first what came from nowhere, then by key.

`key` is as text, in the order of `Decoded.key`; `what` is `differs`, or `missing` in the database, `extra` there, `repeated` on a side,
where `item` is empty. File, record and index name the source; they are null where it has no such row. No values: they are looked up
by the key, and that is logged.
"""

_AT_ONCE = 1_000


@dataclass(frozen=True)
class Compared:
    """What the comparison of a register found.

    Attributes:
        register: schema.table.
        key, items: what tells its rows apart, and all that entered the digests.
        found: counts of rows and of differences, and the digests of both sides.
        differences: see `DIFFERENCES`.
    """

    register: str
    key: Sequence[str]
    items: Sequence[str]
    found: Comparison
    differences: pa.Table

    @property
    def unexplained(self) -> int:
        """How many rows are not the same on both sides."""
        return self.found.missing + self.found.extra + self.found.differing + self.found.repeated


def compare(
    opened: Store, decoded: Decoded, actor: Actor, *, folder: Path, most: int, progress: Progress
) -> Compared:
    """Compare a register with the decoded files, and name each item that differs.

    Args:
        opened: the store.
        decoded: the side that is right.
        actor: who reads; every read is logged.
        folder: for what does not fit into memory; must exist.
        most: how many rows that differ are named; all are counted.
        progress: told about each of four steps.

    Raises:
        Problem: `compare-unreadable` where the decoded files cannot be read; what the store refuses.
    """
    key, items = decoded.key, decoded.items
    whole, told = (store.digest_columns(decoded.group, names) for names in (items, key))
    stored = store.row_digests(opened, decoded.register, items, key, actor)
    found = sets.compare(
        f"({decoded.select(items, False)})",
        stored,
        told,
        whole,
        folder=folder,
        most=most,
        memory=MEMORY,
        progress=progress,
    )
    lines = [] if found.equal else _located(opened, decoded, found.differences, actor, folder)
    tables = [pa.Table.from_pylist(some, DIFFERENCES) for some in lines]
    located = pa.concat_tables([DIFFERENCES.empty_table(), *tables])
    return Compared(decoded.register, key, items, found, located)


def _located(
    opened: Store, decoded: Decoded, differences: pa.Table, actor: Actor, folder: Path
) -> Iterator[list[dict[str, Any]]]:
    """Read the rows that differ again, some at a time, from both sides, and say which items it is."""
    kinds = {tuple(line["key"]): line["what"] for line in differences.to_pylist()}
    yield [_line(decoded, key, what) for key, what in kinds.items() if what == "extra"]
    with engine(folder) as connection:
        for rows in _source_rows(connection, decoded, differences):
            stored = _stored_rows(opened, decoded, rows, actor)
            told = []
            for row in rows:
                key = _key(decoded, row)
                items = [""]
                if kinds[key] == "differs":
                    items = [name for name in decoded.items if row[name] != stored[key][name]] or [""]
                told += [_line(decoded, key, kinds[key], item, row) for item in items]
            yield told


def _source_rows(
    connection: duckdb.DuckDBPyConnection, decoded: Decoded, differences: pa.Table
) -> Iterator[list[dict[str, Any]]]:
    connection.register("listed", differences)
    same = " AND ".join(
        f"CAST(s.{named(name)} AS VARCHAR) IS NOT DISTINCT FROM f.key[{place}]"
        for place, name in enumerate(decoded.key, 1)
    )
    chosen = ", ".join(named(name) for name in (*ORIGIN, *decoded.items))
    order = ", ".join(named(name) for name in (*decoded.key, *ORIGIN))
    found = connection.execute(
        f"SELECT {chosen} FROM ({decoded.select(decoded.items, False)}) s SEMI JOIN listed f ON {same} ORDER BY {order}"
    )
    names = [*ORIGIN, *decoded.items]
    while rows := found.fetchmany(_AT_ONCE):
        yield [dict(zip(names, row, strict=True)) for row in rows]


def _stored_rows(
    opened: Store, decoded: Decoded, rows: Iterable[Mapping[str, Any]], actor: Actor
) -> dict[tuple[str | None, ...], dict[str, Any]]:
    """The stored rows of the same subjects, by their keys, as the session of any reader gives them."""
    first = decoded.key[0]
    subjects = list(dict.fromkeys(str(row[first]) for row in rows))
    with opened.session(actor) as session:
        found = [_plain(row) for row in session.history(decoded.register, None, **{first: subjects})]
    return {_key(decoded, row): row for row in found}


def _plain(row: Row) -> dict[str, Any]:
    ends = row.get("valid")
    return {**row, **({"valid_from": ends.start, "valid_to": ends.end} if ends else {})}


def _key(decoded: Decoded, row: Mapping[str, Any]) -> tuple[str | None, ...]:
    return tuple(None if row[name] is None else str(row[name]) for name in decoded.key)


def _line(
    decoded: Decoded,
    key: Sequence[str | None],
    what: str,
    item: str = "",
    row: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    source = dict(
        zip(("file", "record", "index"), (row[name] if row else None for name in ORIGIN), strict=True)
    )
    return {"register": decoded.register, "key": list(key), "what": what, "item": item, **source}
