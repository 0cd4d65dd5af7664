"""Books: tables of another room, in a schema and a role of their own that reach no register."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from kiban.store import pool
from kiban.store.errors import as_problems

if TYPE_CHECKING:
    from kiban.store.database import Store


class Page:
    """One transaction in the books of a room. Made by `Books.transaction`; not shared between threads."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def rows(self, query: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """What a statement answers, each row by the names of its columns; empty where it answers nothing.

        Raises:
            Problem: what the database refuses.
        """
        with as_problems(), self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def run(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run a statement; how many rows it touched.

        Raises:
            Problem: what the database refuses.
        """
        with as_problems():
            return self._connection.execute(statement.encode(), values).rowcount

    def many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement for each of many rows of values.

        Raises:
            Problem: what the database refuses.
        """
        with as_problems(), self._connection.cursor() as cursor:
            cursor.executemany(statement.encode(), rows)

    def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Append many rows to a table by COPY.

        Raises:
            Problem: what the database refuses.
        """
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(*table.split(".")), names)
        with as_problems(), self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


class Books:
    """The tables of one room. Use as a context manager; safe to share between threads.

    They lie in the database of the registers, so that one backup holds both, and nothing else is shared: the role that
    works in them sees no register, and no role of the registers sees them.
    """

    def __init__(self, dsn: str, schema: str, *, connections: int = 8) -> None:
        self.schema = schema
        self._pool = pool.open_pool(dsn, connections, self._work_as_the_room)

    def __enter__(self) -> Books:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self._pool.close()

    @contextmanager
    def transaction(self) -> Iterator[Page]:
        """A transaction: committed at the end, undone by any exception.

        Raises:
            Problem: `database-unreachable`.
        """
        with pool.taken(self._pool) as connection, connection.transaction():
            yield Page(connection)

    def _work_as_the_room(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(
            sql.SQL("SET search_path = {}, pg_catalog, pg_temp").format(sql.Identifier(self.schema))
        )
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(_role(self.schema))))


def open_books(store: Store, schema: str, tables: str, grows: Sequence[str] = ()) -> Books:
    """The books of a room, made where they are not there yet or were made otherwise (may run again, also beside whoever works in them).

    Args:
        store: an open store, with its frame in place.
        schema: name of the schema, which no business has.
        tables: SQL that makes the tables in it, and may run again. Tables belong to the owner; a trigger that keeps
            one append-only can so not be dropped by the room.
        grows: tables to which the room may only add rows.

    Raises:
        Problem: `database-unreachable`, `permission-denied` where the owner may not make a role; what the SQL breaks.
    """
    wanted = "books " + hashlib.sha256("\x1f".join([tables, *grows]).encode()).hexdigest()
    with store.owner() as connection, as_problems():
        if not tables or not _stands(connection, schema, wanted):
            with connection.transaction():
                _make(connection, schema, tables, grows, wanted)
    return Books(store.server.owner_dsn, schema)


def _stands(connection: psycopg.Connection[Any], schema: str, wanted: str) -> bool:
    """Whether just these tables were made: to make them again would take locks that whoever works in them can meet crosswise."""
    row = connection.execute(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s "
        "AND EXISTS (SELECT FROM pg_roles WHERE rolname = %s)",
        (schema, _role(schema)),
    ).fetchone()
    return row is not None and row[0] == wanted


def _make(
    connection: psycopg.Connection[Any], schema: str, tables: str, grows: Sequence[str], wanted: str
) -> None:
    name, role = sql.Identifier(schema), sql.Identifier(_role(schema))
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (int.from_bytes(b"KibanB"),))
    if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (_role(schema),)).fetchone():
        try:
            with connection.transaction():
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
        except errors.DuplicateObject:
            pass  # another database of this server made it in the same moment
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
    connection.execute(sql.SQL("SET LOCAL search_path = {}, pg_catalog, pg_temp").format(name))
    connection.execute(tables.encode())
    for grant in (
        "REVOKE ALL ON SCHEMA {0} FROM PUBLIC",
        "GRANT USAGE ON SCHEMA {0} TO {1}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {0} TO {1}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {0} TO {1}",
    ):
        connection.execute(sql.SQL(grant).format(name, role))
    for table in grows:
        revoke = sql.SQL("REVOKE UPDATE, DELETE ON {} FROM {}")
        connection.execute(revoke.format(sql.Identifier(schema, table), role))
    connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(name, sql.Literal(wanted)))


def reach(store: Store, schema: str, *, owner: bool = False) -> dict[str, str]:
    """How to reach books that were made, for a library that opens connections of its own.

    Args:
        store: an open store.
        schema: of the books.
        owner: whether to make tables there; otherwise the role of the room works.

    Returns:
        Parameters of libpq by their names. May hold a password: not for logs.
    """
    given = {name: str(value) for name, value in conninfo_to_dict(store.server.owner_dsn).items()}
    role = "" if owner else f" -c role={_role(schema)}"
    return {**given, "options": f"-c search_path={schema},pg_catalog,pg_temp{role}"}


def _role(schema: str) -> str:
    return f"kiban_{schema}"
