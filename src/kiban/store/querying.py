"""Queries of a session over whole tables: SQL of one's own, copies, selections; each runs with the actor's rights and is logged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import psycopg
import pyarrow as pa
from psycopg.rows import dict_row

from kiban.kernel import Problem
from kiban.store import columns, selecting, selecting_sql
from kiban.store.asking import Row
from kiban.store.behind import stand_back
from kiban.store.errors import as_problems
from kiban.store.reading import Reading

_QUERY = re.compile(r"[\s(]*(select|with|values|table)\b", re.IGNORECASE)


class Querying(Reading):
    """The part of a session that runs queries."""

    _ran_sql = False
    stood_back = False
    """Whether the connection serves nobody else after this session; see `behind`."""

    def sql(self, query: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one query in the application role: it sees what the actor may see, nothing else. Its text is logged.

        Args:
            query: a single SELECT, WITH, VALUES or TABLE. Values belong into the parameters, which are not logged.
            parameters: one for each %s.

        Raises:
            Problem: `query-refused` for any other statement, `item-hidden` for an actor from whom any item is hidden,
                `permission-denied`, `database-refused`.
        """
        self._refuse_free_queries()
        if not _QUERY.match(query):
            raise Problem(
                "query-refused",
                "only a query can be run here",
                fix="begin with SELECT, WITH, VALUES or TABLE",
            )
        self._log_sql(query)
        with as_problems(), self._connection.cursor(row_factory=dict_row) as cursor:
            # Prepared, so that the server takes one statement and refuses a second one behind a semicolon.
            cursor.execute(query.encode(), parameters, prepare=True)
            return cursor.fetchall() if cursor.description else []

    def copy_out(self, statement: str) -> Iterator[bytes]:
        """The bytes of a COPY ... TO STDOUT, limited like every read of the actor. Its text is logged.

        Raises:
            Problem: `item-hidden` for an actor from whom any item is hidden; see `copy_items`.
        """
        self._refuse_free_queries()
        yield from self._copied(statement)

    def copy_items(self, register: str, items: Sequence[str], statement: str) -> Iterator[bytes]:
        """The same for a statement of Kiban's own, which looks at these items of a register and at no others.

        Raises:
            Problem: `register-unknown`, `item-hidden`.
        """
        self._refuse_hidden(self._table(register, {}), items)
        yield from self._copied(statement)

    def log_export(self, register: str, asked: Mapping[str, object]) -> None:
        """Log that rows of a register are about to leave in bulk."""
        self._write_log(register, asked, [])

    def select(
        self, selection: selecting.Selection, bounds: selecting.Bounds, asked: Mapping[str, object]
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a selection that the actor may see, in batches of bounded size; the look-up is logged before the first.

        Args:
            selection: what is wanted.
            bounds: what it may take of the server.
            asked: stands in the log of look-ups of each register.

        Yields:
            Batches with a column c0, c1 … for each of the selection; none where there is no row.

        Raises:
            Problem: those of `selecting_sql.compose`, `item-hidden`, `known-future`, `time-exceeded` where its time is over or
                `interrupt` was called.
        """
        composed = selecting_sql.compose(selection, self._tables)
        for register, items in composed.looked_at.items():
            self._open(register, items)
        if selection.known is not None:
            self.settle(selection.known)
        for register in selection.registers:
            self._write_log(register, asked, [])
        self.stood_back = bounds.last and stand_back(self._connection)
        for setting in (
            f"statement_timeout = {int(bounds.seconds) * 1000:d}",
            f"work_mem = '{int(bounds.megabytes):d}MB'",
            "max_parallel_workers_per_gather = 0",
        ):
            self._connection.execute(f"SET LOCAL {setting}".encode())
        with as_problems(), self._connection.cursor() as cursor:
            with cursor.copy(composed.statement.encode(), composed.values) as copy:
                yield from columns.from_csv(map(bytes, copy), composed.schema, composed.dates)
            self._connection.execute("SET LOCAL statement_timeout = 0")

    def interrupt(self) -> None:
        """End the statement that runs; may be called from another thread."""
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=5)

    def add_up(self) -> None:
        """Have the queries of this transaction add up in memory: to sort wide rows first would write all of them to the disk."""
        self._connection.execute("SET LOCAL enable_sort = off")
        self._connection.execute("SET LOCAL work_mem = '64MB'")

    @property
    def ran_sql(self) -> bool:
        """Whether statements ran that are not Kiban's own, and so may have left something on the connection."""
        return self._ran_sql

    def _copied(self, statement: str) -> Iterator[bytes]:
        self._log_sql(statement)
        with as_problems(), self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for chunk in copy:
                yield bytes(chunk)

    def _log_sql(self, statement: str) -> None:
        self._ran_sql = True
        self._write_log("sql", {"statement": statement}, [])

    def _refuse_free_queries(self) -> None:
        if self.actor.hidden:
            what = "a query of one's own could show items that are kept from the actor"
            raise Problem("item-hidden", what, fix="use read, history, search or an export")
