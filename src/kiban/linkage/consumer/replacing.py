"""A full set on its way into a replica: beside the tables, and in their place by one transaction."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from kiban.kernel import Problem
from kiban.linkage.consumer import tables
from kiban.linkage.contracts.model import Contract

_ROWS = 50_000  # in one transaction: the log of SQLite stays small


class Replacing:
    """Takes the rows of a full set. Made by `Replica.replacing`; what it took shows at the end of the `with` block, or never."""

    def __init__(self, connection: sqlite3.Connection, contract: Contract) -> None:
        self._connection = connection
        self._contract = contract
        self.rows = {feed.name: 0 for feed in contract.feeds}
        """How many rows each feed has so far."""

    def take(self, feed: str, batches: Iterable[pa.RecordBatch]) -> None:
        """Append rows of a feed; may be called again for it.

        Args:
            feed: its name.
            batches: with exactly its columns, in any order, in the types of `store.arrow_schema` or as dates written.

        Raises:
            Problem: `set-group`, `set-columns`.
        """
        try:
            found = self._contract.feed(feed)
        except KeyError:
            raise Problem("set-group", "the contract does not carry this group", feed) from None
        statement = f"INSERT INTO {tables.quoted(tables.SHADOW + feed)} VALUES ({', '.join('?' * len(found.columns))})"
        for batch in batches:
            if sorted(batch.schema.names) != sorted(found.columns):
                odd = sorted(set(batch.schema.names) ^ set(found.columns))
                raise Problem("set-columns", f"not exactly the items of the contract: {', '.join(odd)}", feed)
            for start in range(0, batch.num_rows, _ROWS):
                part = batch.slice(start, _ROWS).select(list(found.columns))
                with self._connection:
                    self._connection.execute("BEGIN IMMEDIATE")
                    rows = zip(*tables.columns_kept(part), strict=True)
                    self._connection.executemany(statement, rows)
            self.rows[feed] += batch.num_rows

    def absent(self, feed: str) -> Iterator[str]:
        """The units that the replica holds in a feed and the new set does not, in their order.

        May be asked before the end of the block; an exception there leaves the replica as it was.
        """
        unit = tables.quoted(self._contract.feed(feed).unit.romaji)
        old, new = tables.quoted(feed), tables.quoted(tables.SHADOW + feed)
        statement = f"SELECT {unit} FROM {old} EXCEPT SELECT {unit} FROM {new}"
        for (found,) in self._connection.execute(statement):
            yield found


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Whether nobody else is taking a full set, and nobody will until the end of the block."""
    with (folder / "replica.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def begin(connection: sqlite3.Connection, contract: Contract) -> None:
    """Make empty tables for the new rows; those that an interrupted set left are swept away."""
    sweep(connection)
    for feed in contract.feeds:
        connection.execute(tables.made(feed, tables.SHADOW))


def sweep(connection: sqlite3.Connection) -> None:
    """Remove what an interrupted set left."""
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE ?", (f"{tables.SHADOW}%",)
    ).fetchall()
    for (name,) in found:
        connection.execute(f"DROP TABLE {tables.quoted(name)}")


def index(connection: sqlite3.Connection, contract: Contract) -> None:
    """Index the new rows: the long part, before the swap."""
    for feed in contract.feeds:
        connection.execute(tables.indexed(feed, tables.SHADOW))


def swap(connection: sqlite3.Connection, contract: Contract, event: int) -> None:
    """Put the new tables in the place of the old, inside the caller's transaction.

    What messages after the set's event have brought meanwhile is newer than the set, and is carried over.
    """
    newer = connection.execute(
        "SELECT unit, group_concat(feeds, ' ') FROM ledger WHERE event > ? AND applied GROUP BY unit",
        (event,),
    ).fetchall()
    for feed in contract.feeds:
        units = [(unit,) for unit, feeds in newer if feed.name in feeds.split(" ")]
        old, new = tables.quoted(feed.name), tables.quoted(tables.SHADOW + feed.name)
        unit = tables.quoted(feed.unit.romaji)
        connection.executemany(f"DELETE FROM {new} WHERE {unit} = ?", units)
        connection.executemany(f"INSERT INTO {new} SELECT * FROM {old} WHERE {unit} = ?", units)
        connection.execute(f"DROP TABLE {old}")
        connection.execute(f"ALTER TABLE {new} RENAME TO {old}")
