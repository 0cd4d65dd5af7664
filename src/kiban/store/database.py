"""The store: one integrated database, opened by its two roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from types import TracebackType
from typing import Any

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolTimeout

from kiban.kernel import Actor, Problem
from kiban.standard import Edition, Library
from kiban.store import claim, session
from kiban.store.cluster import Server
from kiban.store.errors import as_problems
from kiban.store.schema import Table
from kiban.store.session import Session

_LONGEST_WAIT_SECONDS = 30.0


class Store:
    """An open integrated database. Use as a context manager; safe to share between threads.

    Attributes:
        server: how its two roles connect.
        library: the editions of the standard.

    Args:
        server: the address of the database in both roles.
        library: must hold the editions in force.
        actor_key: the secret with which actors are signed, at least 32 bytes; the database keeps the same.
        connections: how many sessions may be open at once.
    """

    def __init__(self, server: Server, library: Library, actor_key: bytes, *, connections: int = 16) -> None:
        self.server = server
        self._actor_key = actor_key
        self.library = library
        self._tables: dict[str, Table] | None = None
        self._editions: dict[str, Edition] = {}
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            server.app_dsn,
            min_size=0,
            max_size=connections,
            open=True,
            kwargs={"autocommit": True},
            timeout=_LONGEST_WAIT_SECONDS,
        )

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self._pool.close()

    @contextmanager
    def owner(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of the owner, for building and checking; never for answering anybody.

        Raises:
            Problem: `database-unreachable`.
        """
        with as_problems(), psycopg.connect(self.server.owner_dsn, autocommit=True) as connection:
            connection.execute("SET TIME ZONE 'UTC'")
            yield connection

    @contextmanager
    def session(self, actor: Actor) -> Iterator[Session]:
        """A transaction of an actor in the application role: committed at the end, undone by any exception.

        Raises:
            Problem: `database-unreachable`, `store-not-installed`.
        """
        tables = self.tables()
        with (
            self._application() as connection,
            session.begin(connection, actor, self._actor_key, tables) as opened,
        ):
            yield opened

    @contextmanager
    def _application(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            with as_problems(), self._pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            raise Problem(
                "database-unreachable",
                "no connection to the database was free in time",
                fix="see `kiban db status`",
            ) from error

    def install(self) -> None:
        """Make the frame of the database (may run again): schemas, functions, the key of the actors."""
        inner, outer = claim.pads(self._actor_key)
        base = resources.files("kiban.store").joinpath("sql/base.sql").read_text(encoding="utf-8")
        with self.owner() as connection, connection.transaction():
            connection.execute(base.encode())
            connection.execute(
                "INSERT INTO kiban.secret VALUES (true, %s, %s) "
                "ON CONFLICT (single) DO UPDATE SET inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad",
                (inner, outer),
            )

    def applied(self) -> Mapping[str, str]:
        """The edition in force of each business, by its schema.

        Raises:
            Problem: `store-not-installed`.
        """
        with self._application() as connection:
            try:
                return dict(
                    connection.execute("SELECT schema_name, edition FROM kiban.edition ORDER BY 1").fetchall()
                )
            except (errors.UndefinedTable, errors.InvalidSchemaName, errors.InsufficientPrivilege) as error:
                raise Problem(
                    "store-not-installed", "the database has no registers yet", fix="run `kiban db apply`"
                ) from error

    def edition(self, schema: str) -> Edition:
        """The edition in force of a business.

        Raises:
            Problem: `business-unknown`, and those of the library where its files are gone.
        """
        self.tables()
        if schema not in self._editions:
            raise Problem(
                "business-unknown", f"no edition of {schema} is in force", fix="run `kiban db apply`"
            )
        return self._editions[schema]

    def tables(self) -> dict[str, Table]:
        """The registers in force by their names."""
        if self._tables is None:
            retired = self._retired()
            tables: dict[str, Table] = {}
            for schema, edition_id in self.applied().items():
                edition = self.library.edition(schema, edition_id)
                self._editions[schema] = edition
                for group in edition.groups:
                    register = f"{schema}.{group.id}"
                    tables[register] = Table.of(edition, group.id, retired.get(register, ()))
            self._tables = tables
        return self._tables

    def table(self, register: str) -> Table:
        """One register in force.

        Raises:
            Problem: `register-unknown`.
        """
        tables = self.tables()
        if register not in tables:
            raise Problem(
                "register-unknown", f"there is no register {register}", fix=f"one of {', '.join(tables)}"
            )
        return tables[register]

    def refresh(self) -> None:
        """Look anew at which editions are in force, after one was applied."""
        self._tables = None
        self._editions = {}

    def _retired(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Columns that stand in the registers and that the edition in force no longer names, with their types."""
        retired: dict[str, tuple[tuple[str, str], ...]] = {}
        with self._application() as connection:
            for register, items in connection.execute("SELECT register, retired FROM kiban.register"):
                if items:
                    retired[register] = tuple((item["name"], item["type"]) for item in items)
        return retired
