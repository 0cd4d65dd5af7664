"""The file of a replica: a connection for each thread, transactions, and what is noted by name."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PATIENCE = 60  # seconds to wait for another writer


class Place:
    """An SQLite file that many threads and processes read, and one writes at a time. Every commit waits for the disk."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._mine = threading.local()
        self._open: list[sqlite3.Connection] = []

    def close(self) -> None:
        """Let go of the file."""
        while self._open:
            self._open.pop().close()
        self._mine = threading.local()

    def connection(self) -> sqlite3.Connection:
        """The connection of this thread."""
        if not hasattr(self._mine, "connection"):
            connection = sqlite3.connect(
                self.file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -8192"):
                connection.execute(f"PRAGMA {pragma}")
            self._mine.connection = connection
            self._open.append(connection)
        return self._mine.connection  # type: ignore[no-any-return]

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at the end, undone by any exception."""
        connection = self.connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def rows(self, statement: str, *values: object) -> Sequence[tuple[Any, ...]]:
        """What a query answers."""
        return self.connection().execute(statement, values).fetchall()

    def state(self, name: str) -> Any:
        """What is noted under a name; None where nothing."""
        rows = self.rows("SELECT value FROM state WHERE name = ?", name)
        return rows[0][0] if rows else None

    def set(self, **values: object) -> None:
        """Note values by their names."""
        self.connection().executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", values.items())
