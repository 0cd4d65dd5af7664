"""The store: one integrated database, opened by its two roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from types import TracebackType
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from kiban.kernel import Actor, Problem
from kiban.standard import Edition, Library
from kiban.store import claim, naming, pool, protecting, scoping, session
from kiban.store.cluster import Server
from kiban.store.errors import as_problems
from kiban.store.fences import FRAME
from kiban.store.schema import Table
from kiban.store.session import Session

_APPLICATION_SETTINGS = {
    "search_path": "pg_catalog,pg_temp",  # whatever the role or the server says; temporary objects never first
    "default_transaction_isolation": r"read\ committed",
    "idle_in_transaction_session_timeout": "5min",  # a client that hangs keeps no snapshot and no lock for ever
}


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
        self._known: _InForce | None = None
        self._pool = pool.open_pool(_with_settings(server.app_dsn), connections)

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
        self.tables()
        with (
            self._application() as connection,
            session.begin(connection, actor, self._actor_key, self._tables_since) as opened,
        ):
            yield opened

    def _tables_since(self, connection: psycopg.Connection[Any], event: int) -> dict[str, Table]:
        if self._known is None or self._known.event != event:
            self.refresh(connection)
        return self.tables()

    @contextmanager
    def _application(self) -> Iterator[psycopg.Connection[Any]]:
        with pool.taken(self._pool) as connection:
            yield connection

    def install(self) -> None:
        """Make the frame of the database (may run again): schemas, functions, the key of the actors, the fences.

        A database of an earlier version of Kiban gets what is new.

        Raises:
            Problem: `database-unreachable`, and those of the library where it lacks an edition in force.
        """
        inner, outer = claim.pads(self._actor_key)
        with self.owner() as connection, connection.transaction():
            for name in FRAME:
                connection.execute(resources.files("kiban.store").joinpath(f"sql/{name}").read_bytes())
            connection.execute(
                "INSERT INTO kiban.secret VALUES (true, %s, %s) "
                "ON CONFLICT (single) DO UPDATE SET inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad",
                (inner, outer),
            )
            self.fit(connection)

    def fit(self, connection: psycopg.Connection[Any], *, anew: bool = False) -> None:
        """Bring the fences to what the editions in force ask for; touches nothing where they are so already.

        Args:
            connection: the owner's, in a transaction.
            anew: whether to see anew who is protected in any case. A household stays protected until an event touches it,
                also after the day on which the last protected person was to leave it; this finds out.
        """
        known = self._look(connection)
        protecting.fit(connection, naming.protecting(known.editions.values()), known.tables, anew=anew)
        scoping.fit(connection, known.tables.values())  # last, as it keeps everybody out
        self._known = None

    def applied(self) -> Mapping[str, str]:
        """The edition in force of each business, by its schema.

        Raises:
            Problem: `store-not-installed`.
        """
        with self._application() as connection, _installed():
            rows = connection.execute("SELECT schema_name, edition FROM kiban.edition ORDER BY 1")
            return dict(rows.fetchall())

    def edition(self, schema: str) -> Edition:
        """The edition in force of a business.

        Raises:
            Problem: `business-unknown`, and those of the library where its files are gone.
        """
        editions = self._in_force().editions
        if schema not in editions:
            raise Problem(
                "business-unknown", f"no edition of {schema} is in force", fix="run `kiban db apply`"
            )
        return editions[schema]

    def tables(self) -> dict[str, Table]:
        """The registers in force by their names."""
        return self._in_force().tables

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

    def refresh(self, connection: psycopg.Connection[Any] | None = None) -> None:
        """Look anew at which editions are in force, after one was applied here or elsewhere.

        Args:
            connection: where to look; None to do so at the next need.
        """
        self._known = self._look(connection) if connection else None

    def _in_force(self) -> _InForce:
        known = self._known
        if known is None:
            with self._application() as connection:
                known = self._known = self._look(connection)
        return known

    def _look(self, connection: psycopg.Connection[Any]) -> _InForce:
        with _installed():
            rows = connection.execute(
                "SELECT e.schema_name, e.edition, e.event, r.register, r.retired FROM kiban.edition e "
                "LEFT JOIN kiban.register r ON starts_with(r.register, e.schema_name || '.') ORDER BY 1"
            ).fetchall()
        retired = {row[3]: tuple((item["name"], item["type"]) for item in row[4]) for row in rows if row[3]}
        editions = {schema: self.library.edition(schema, edition) for schema, edition, *_ in rows}
        by = naming.protecting(editions.values())
        tables = {
            f"{edition.id}.{group.id}": Table.of(
                edition, group.id, retired.get(f"{edition.id}.{group.id}", ()), by
            )
            for edition in editions.values()
            for group in edition.groups
        }
        return _InForce(max((row[2] for row in rows), default=0), editions, tables)


@dataclass(frozen=True)
class _InForce:
    """The editions in force.

    Attributes:
        event: that of their last change; 0 where there is none.
        editions: by the schema of the business.
        tables: the registers by their names, with the columns that earlier editions left.
    """

    event: int
    editions: Mapping[str, Edition]
    tables: dict[str, Table]


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except (errors.UndefinedTable, errors.InvalidSchemaName, errors.InsufficientPrivilege) as error:
        raise Problem(
            "store-not-installed", "the database has no registers yet", fix="run `kiban db apply`"
        ) from error


def _with_settings(dsn: str) -> str:
    """The connection string with the settings of an application's connection behind its own."""
    given = str(conninfo_to_dict(dsn).get("options") or "")
    ours = " ".join(f"-c {name}={value}" for name, value in _APPLICATION_SETTINGS.items())
    return make_conninfo(dsn, options=f"{given} {ours}".strip())
