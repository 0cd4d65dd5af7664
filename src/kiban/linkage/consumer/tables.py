"""The tables of a replica in SQLite, and how a value of an item lies in them."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from kiban import store
from kiban.kernel import Problem
from kiban.linkage.contracts.model import Contract, Feed

BOOKS = """
    CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS unit (
        unit TEXT PRIMARY KEY, event INTEGER NOT NULL DEFAULT 0,
        protection TEXT NOT NULL DEFAULT 'unknown', protection_event INTEGER NOT NULL DEFAULT -1
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS ledger (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, unit TEXT NOT NULL, event INTEGER NOT NULL, replay INTEGER NOT NULL,
        content BLOB NOT NULL, applied INTEGER NOT NULL, feeds TEXT NOT NULL, id TEXT NOT NULL, taken_at TEXT NOT NULL
    );
    CREATE UNIQUE INDEX IF NOT EXISTS ledger_unit ON ledger (unit, event, replay);
    CREATE TABLE IF NOT EXISTS waiting (
        unit TEXT NOT NULL, event INTEGER NOT NULL, previous INTEGER NOT NULL, content BLOB NOT NULL,
        body BLOB NOT NULL, reason TEXT, since TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (unit, event)
    );
"""
"""What a replica notes beside the rows: versions of units, each message taken, those that wait (with a reason: quarantined)."""

UNITS_WAITING = """
    SELECT w.unit, w.id, w.event, CASE WHEN w.reason IS NULL THEN w.previous END, w.reason, w.since, f.n - 1
    FROM (SELECT unit, min(event) AS event, count(*) AS n FROM waiting GROUP BY unit) f
    JOIN waiting w USING (unit, event) ORDER BY w.since, w.unit
"""
"""SQL of each unit that waits, with the first message that does."""

SHADOW = "new:"
"""How the names of tables begin that a full set fills; no group has a colon in its name."""

_SAFE_DIGITS = 18


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def made(feed: Feed, prefix: str = "") -> str:
    """SQL that makes the table of a feed where it is not there, without its index."""
    kinds = types(feed)
    columns = ", ".join(
        f"{quoted(f.name)} {'INTEGER' if pa.types.is_integer(f.type) else 'TEXT'}" for f in kinds
    )
    return f"CREATE TABLE IF NOT EXISTS {quoted(prefix + feed.name)} ({columns})"


def indexed(feed: Feed, prefix: str = "") -> str:
    """SQL that makes an index over the unit of a feed's table; its name is one of its own, as it outlives that of the table."""
    name = f"{feed.name}:{secrets.token_hex(8)}"
    return f"CREATE INDEX {quoted(name)} ON {quoted(prefix + feed.name)} ({quoted(feed.unit.romaji)})"


def types(feed: Feed) -> pa.Schema:
    """The Arrow columns of a feed: those of `store.arrow_schema` that it carries, all of them maybe null."""
    schema = store.arrow_schema(feed.group)
    return pa.schema([schema.field(name).with_nullable(True) for name in feed.columns])


def lists(feed: Feed) -> frozenset[str]:
    """The columns whose value is a list."""
    return frozenset(item.romaji for item in feed.items if item.repeats)


def kept(value: object) -> object:
    """A value of a message's row as it lies in SQLite: a list as JSON, all else as it is."""
    return orjson.dumps(value).decode() if isinstance(value, list | tuple) else value


def of_unit(feed: Feed) -> str:
    """SQL that gives the rows of a unit in the order of their key."""
    order = ", ".join(quoted(name) for name in feed.key)
    return f"SELECT * FROM {quoted(feed.name)} WHERE {quoted(feed.unit.romaji)} = ? ORDER BY {order}"


def row(feed: Feed, values: Sequence[Any]) -> dict[str, Any]:
    """A row from SQLite as a message has it."""
    told = zip(feed.columns, values, strict=True)
    return {name: orjson.loads(v) if name in lists(feed) and v is not None else v for name, v in told}


def columns_kept(batch: pa.RecordBatch) -> list[list[object]]:
    """The columns of a batch as values that lie in SQLite."""
    found: list[list[object]] = []
    for column in batch.columns:
        if pa.types.is_list(column.type) or pa.types.is_binary(column.type):
            found.append([_bytes_or_list(value) for value in column.to_pylist()])
        elif pa.types.is_integer(column.type) or pa.types.is_string(column.type):
            found.append(column.to_pylist())
        else:
            found.append(pc.cast(column, pa.string()).to_pylist())
    return found


def _bytes_or_list(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else kept(value)


def arrow_column(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """A column as SQLite gave it in the type of the standard."""
    if pa.types.is_list(kind):
        return pa.array([None if text is None else orjson.loads(text) for text in column.to_pylist()], kind)
    if pa.types.is_binary(kind):
        return pa.array([None if text is None else bytes.fromhex(text) for text in column.to_pylist()], kind)
    return column if column.type == kind else pc.cast(column, kind)


def refuse_other(connection: sqlite3.Connection, contract: Contract, flow: str, folder: str) -> None:
    """Refuse a replica that is of another flow, or of other items than its contract carries.

    Raises:
        Problem: `replica-elsewhere`, `replica-columns`.
    """
    if flow != contract.flow:
        what, fix = "the folder holds a replica of another flow", "give each flow a folder of its own"
        raise Problem("replica-elsewhere", what, folder, fix)
    for feed in contract.feeds:
        there = [row[1] for row in connection.execute(f"PRAGMA table_info({quoted(feed.name)})")]
        if there != list(feed.columns):
            what = f"the replica's {feed.name} has other items than the contract"
            raise Problem("replica-columns", what, folder, "make a new replica and take a full set")
