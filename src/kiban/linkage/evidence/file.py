"""The ledger of a consumer, in SQLite: a file of its own, or beside the tables of its replica."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from kiban.kernel import Problem
from kiban.linkage.evidence.line import COLUMNS, Entry, Line, genesis, seal
from kiban.sets import Root, refuse_unless_it_follows

_CHOSEN = ", ".join(("number", *COLUMNS, "chain"))
_ROOT = tuple(field.name for field in fields(Root))
_AT_ONCE = 5_000
_ITEMS = 500
_WHOLE = ("number", "event", "count", "first", "last")
_OPEN = ("unit", "event")


def _typed(names: Sequence[str]) -> str:
    kinds = (f"{name} {'INTEGER' if name in _WHOLE else 'TEXT'}" for name in names)
    return ", ".join(kind + (" NOT NULL" if kind.split()[0] not in _OPEN else "") for kind in kinds)


_TABLES = (
    f"CREATE TABLE IF NOT EXISTS evidence_line (number INTEGER PRIMARY KEY, {_typed((*COLUMNS, 'chain'))}) STRICT",
    "CREATE INDEX IF NOT EXISTS evidence_line_at ON evidence_line (at)",
    "CREATE INDEX IF NOT EXISTS evidence_line_item ON evidence_line (item)",
    "CREATE TABLE IF NOT EXISTS evidence_head (one INTEGER PRIMARY KEY CHECK (one = 1), side TEXT NOT NULL, "
    "number INTEGER NOT NULL, chain TEXT NOT NULL) STRICT",
    f"CREATE TABLE IF NOT EXISTS evidence_root ({_typed(_ROOT)}, PRIMARY KEY (day)) STRICT",
    *(
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{what} BEFORE {what} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'evidence is only added to'); END"
        for table in ("evidence_line", "evidence_root")
        for what in ("UPDATE", "DELETE")
    ),
    "CREATE TRIGGER IF NOT EXISTS evidence_head_no_DELETE BEFORE DELETE ON evidence_head "
    "BEGIN SELECT RAISE(ABORT, 'evidence is only added to'); END",
)


class FileLedger:
    """See `Ledger`. One thread at a time; several processes may share a file."""

    def __init__(self, side: str, connection: sqlite3.Connection) -> None:
        """The ledger on a connection in autocommit (`isolation_level=None`), its tables made where they are missing.

        An append within a transaction of the connection is part of it and durable when that ends.

        Raises:
            Problem: `evidence-side` where it belongs to another side.
        """
        self.side = side
        self._connection = connection
        with self._transaction():
            for statement in _TABLES:
                connection.execute(statement)
            first = (1, side, 0, genesis(side))
            connection.execute("INSERT OR IGNORE INTO evidence_head VALUES (?, ?, ?, ?)", first)
        if connection.execute("SELECT side FROM evidence_head").fetchone() != (side,):
            raise Problem(
                "evidence-side", "the file holds the evidence of another system", side, "name its own file"
            )

    @classmethod
    def open(cls, file: Path, side: str) -> FileLedger:
        """The ledger in a file of its own, made where it is not there.

        Raises:
            Problem: `evidence-side`, `evidence-unreadable`.
        """
        try:
            connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            return cls(side, connection)
        except sqlite3.DatabaseError as error:
            raise Problem("evidence-unreadable", f"the file is no ledger ({error})", str(file)) from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def append(self, lines: Sequence[Line]) -> int:
        """See `Ledger.append`."""
        with self._transaction():
            number, chain = self._connection.execute("SELECT number, chain FROM evidence_head").fetchone()
            marks = ", ".join("?" * (len(COLUMNS) + 2))
            for entry in seal(number, chain, lines):
                values = (entry.number, *(getattr(entry.line, name) for name in COLUMNS), entry.chain)
                self._connection.execute(f"INSERT INTO evidence_line VALUES ({marks})", values)
                number, chain = entry.number, entry.chain
            self._connection.execute("UPDATE evidence_head SET number = ?, chain = ?", (number, chain))
        return int(number)

    def entries(self, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        """See `Ledger.entries`."""
        return self._through("? IS NULL OR number <= ?", [until, until], after)

    def between(self, start: str, end: str) -> Iterator[Entry]:
        """See `Ledger.between`."""
        return self._through("at >= ? AND at < ?", [start, end], 0)

    def last_before(self, end: str) -> tuple[int, str]:
        """See `Ledger.last_before`."""
        query = "SELECT number, chain FROM evidence_line WHERE at < ? ORDER BY number DESC LIMIT 1"
        return self._connection.execute(query, (end,)).fetchone() or (0, "")

    def of(self, items: Sequence[str]) -> list[Entry]:
        """See `Ledger.of`."""
        found: list[Entry] = []
        for start in range(0, len(items), _ITEMS):
            some = items[start : start + _ITEMS]
            query = f"SELECT {_CHOSEN} FROM evidence_line WHERE item IN ({', '.join('?' * len(some))}) ORDER BY number"
            found += map(_entry, self._connection.execute(query, some))
        return found

    def head(self) -> tuple[int, str]:
        """See `Ledger.head`."""
        number, chain = self._connection.execute("SELECT number, chain FROM evidence_head").fetchone()
        return int(number), str(chain)

    def roots(self) -> list[Root]:
        """See `Ledger.roots`."""
        query = f"SELECT {', '.join(_ROOT)} FROM evidence_root ORDER BY day"
        return [Root(*row) for row in self._connection.execute(query)]

    def add_root(self, root: Root) -> None:
        """See `Ledger.add_root`."""
        with self._transaction():
            before = self.roots()
            refuse_unless_it_follows(root, before[-1] if before else None)
            values = [getattr(root, name) for name in _ROOT]
            self._connection.execute(
                f"INSERT INTO evidence_root VALUES ({', '.join('?' * len(_ROOT))})", values
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One of its own, or a part of that of the caller."""
        if self._connection.in_transaction:
            begin, end, undo = "SAVEPOINT evidence", "RELEASE evidence", "ROLLBACK TO evidence"
        else:
            begin, end, undo = "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"
        self._connection.execute(begin)
        try:
            yield
        except BaseException:
            self._connection.execute(undo)
            raise
        self._connection.execute(end)

    def _through(self, condition: str, values: Sequence[object], after: int) -> Iterator[Entry]:
        query = f"SELECT {_CHOSEN} FROM evidence_line WHERE ({condition}) AND number > ? ORDER BY number LIMIT {_AT_ONCE}"
        while True:
            rows = self._connection.execute(query, [*values, after]).fetchall()
            yield from map(_entry, rows)
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1][0]


def _entry(row: tuple[object, ...]) -> Entry:
    number, *said, chain = row
    return Entry(number, Line(*said), chain)  # type: ignore[arg-type]
