"""Shadow tables and the moment in which they become registers: one transaction, one event, no window without rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

from kiban.kernel import Actor, Problem
from kiban.standard import Edition
from kiban.store import chain, protecting
from kiban.store.errors import as_problems
from kiban.store.jobs import Progress
from kiban.store.schema import Table
from kiban.store.search_table import SearchTable
from kiban.store.text import literal, own_view, quoted

if TYPE_CHECKING:
    from kiban.store.database import Store

_SWAP_WAIT_MS = 2000  # longer than deadlock_timeout, after which an autovacuum gives way
_SWAP_ATTEMPTS = 150


def build_keys(connection: psycopg.Connection[Any], table: Table) -> Iterator[None]:
    """Build indexes and the temporal key of a shadow, one at each step; those that an earlier attempt finished are kept.

    Raises:
        Problem: `period-overlap`.
    """
    for statement in table.indexes():
        connection.execute(statement.encode())
        yield
    if table.has_periods:
        refuse_overlaps(connection, table, table.shadow)
    yield
    connection.execute(table.analyze().encode())
    yield


def overlaps(
    connection: psycopg.Connection[Any], table: Table, source: str, among: str = "true"
) -> list[Problem]:
    """The problem `period-overlap` where rows of one subject are true on the same day."""
    row = connection.execute(table.overlaps(source, among).encode()).fetchone()
    if not row or not row[0]:
        return []
    what = f"{row[0]} rows are true on days on which another row of the same subject is true as well"
    return [
        Problem("period-overlap", what, table.register, "give each subject periods that follow each other")
    ]


def refuse_overlaps(
    connection: psycopg.Connection[Any], table: Table, source: str, among: str = "true"
) -> None:
    """Refuse rows of one subject that are true on the same day.

    Raises:
        Problem: `period-overlap`.
    """
    for problem in overlaps(connection, table, source, among):
        raise problem


def content(connection: psycopg.Connection[Any], table: Table, source: str) -> dict[str, int | str]:
    """How many rows a table has, and the sum of their hashes."""
    row = connection.execute(
        f"SELECT count(*), coalesce(sum({table.row_hash}), 0) FROM {source}".encode()
    ).fetchone()
    assert row is not None
    return {"rows": int(row[0]), "digest": str(row[1]), "closed": 0}


def publish_import(
    store: Store,
    connection: psycopg.Connection[Any],
    job: str,
    tables: Sequence[Table],
    contents: chain.Content,
    actor: Actor,
    progress: Progress,
) -> int:
    """Make finished and checked shadows registers (or add their rows), with one event; its number."""
    with as_problems():
        businesses = ",".join(sorted({table.schema for table in tables}))
        with connection.transaction():
            alone(connection, [table for table in tables if _is_empty(connection, table)], progress)
            event, recorded_at = chain.open_event(connection)
            sealed: list[str] = []
            for table in tables:
                if _is_empty(connection, table):
                    if checks := table.checks(store.edition(table.schema)):
                        connection.execute(checks.encode())
                    replace(connection, table, store.edition(table.schema).title, event, recorded_at)
                    seal(connection, table, event, contents[table.register])
                    sealed.append(table.register)
                else:
                    _add(connection, table, event, recorded_at)
            chain.close_event(
                connection, businesses, "import", job, actor, {"job": job, "sealed": sealed}, contents
            )
            protecting.loaded(connection, [table.register for table in tables])
            connection.execute("UPDATE kiban.job SET state = 'done', event = %s WHERE job = %s", (event, job))
    progress("publish", 1, 1)
    return event


def alone(
    connection: psycopg.Connection[Any],
    tables: Sequence[Table],
    progress: Progress,
) -> None:
    """Wait, inside a transaction, until nobody reads or writes these registers, and keep everybody waiting until its end.

    A session holds a share of the list of editions from its first statement on, so that it lives in one edition only.
    One long session must not make all others queue behind this wait: it is given up again and again for a while.

    Raises:
        Problem: `sessions-open`.
    """
    if not tables:
        return
    searched = [SearchTable(table).name for table in tables if table.group.search]
    names = ", ".join(["kiban.edition", *(table.name for table in tables), *searched])
    for attempt in range(_SWAP_ATTEMPTS):
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = {_SWAP_WAIT_MS}".encode())
                connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE".encode())
            return  # whatever else the swap must wait for, it waits no longer than this either
        except psycopg.errors.LockNotAvailable:
            progress("wait for open sessions", attempt + 1, _SWAP_ATTEMPTS)
            time.sleep(_SWAP_WAIT_MS / 1000)
    raise Problem(
        "sessions-open",
        "the registers could not be swapped: somebody reads them without a pause",
        fix="end long exports, backups and open terminals; the same command then goes on with the swap",
    )


def _is_empty(connection: psycopg.Connection[Any], table: Table) -> bool:
    row = connection.execute(f"SELECT EXISTS (SELECT FROM {table.name})".encode()).fetchone()
    return not (row and row[0])


def replace(
    connection: psycopg.Connection[Any], table: Table, title: str, event: int, recorded_at: str
) -> None:
    """Put a finished load into the place of an empty register, search table and views included."""
    former = connection.execute(
        "SELECT schemaname, definition FROM pg_views "
        "WHERE starts_with(schemaname, %s) AND viewname = %s AND viewowner = current_user",
        (f"{table.schema}@", table.group.id),
    ).fetchall()
    drop(connection, table, title)
    statements = [
        *table.event_columns(event, recorded_at),
        *table.place(),
        *table.dress(),
        *table.views(title),
    ]
    for schema, text in former:
        name = f"{quoted(schema)}.{quoted(table.group.id)}"
        statements += [own_view(name, text.rstrip(";")), f"GRANT SELECT ON {name} TO kiban_app"]
    if table.group.search:
        statements += [*SearchTable(table).drop(), *SearchTable(table).publish()]
    for statement in statements:
        connection.execute(statement.encode())


def former_schema(edition: Edition) -> str:
    """Where the registers can be read in the shape of an edition after another one has come into force."""
    return f"{edition.id}@{edition.edition}".encode()[:63].decode(errors="ignore")  # as long as names may be


def former_schemas(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    """The schemas with views in the shape of earlier editions of a business."""
    rows = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) AND nspowner = current_user::regrole "
        "ORDER BY 1",
        (f"{schema}@",),
    )
    return [row[0] for row in rows]


def drop(connection: psycopg.Connection[Any], table: Table, title: str) -> None:
    """Take away a register and Kiban's own views of it; anybody else's view on it makes the change fail, not vanish."""
    for statement in table.drop_views(title):
        connection.execute(statement.encode())
    for schema in former_schemas(connection, table.schema):
        connection.execute(f"DROP VIEW IF EXISTS {quoted(schema)}.{quoted(table.group.id)}".encode())
    connection.execute(f"DROP TABLE IF EXISTS {table.name}".encode())


def _add(connection: psycopg.Connection[Any], table: Table, event: int, recorded_at: str) -> None:
    names = ", ".join(map(quoted, table.loaded))
    if table.has_periods:  # one question for all rows instead of one for each
        connection.execute(f"ALTER TABLE {table.name} DISABLE TRIGGER no_overlap".encode())
    connection.execute(
        f"INSERT INTO {table.name} ({names}, known_from, event) "
        f"SELECT {names}, {literal(recorded_at)}, {event} FROM {table.shadow}".encode()
    )
    if table.has_periods:
        first = quoted(table.subject[0])
        refuse_overlaps(connection, table, table.name, f"{first} IN (SELECT {first} FROM {table.shadow})")
        connection.execute(f"ALTER TABLE {table.name} ENABLE TRIGGER no_overlap".encode())
    connection.execute(f"DROP TABLE {table.shadow}".encode())
    if table.group.search:
        search_table = SearchTable(table)
        connection.execute(f"INSERT INTO {search_table.name} SELECT * FROM {search_table.shadow}".encode())
        connection.execute(f"DROP TABLE {search_table.shadow}".encode())


def seal(connection: psycopg.Connection[Any], table: Table, event: int, sealed: dict[str, int | str]) -> None:
    """Note what the register is, and that its rows up to this event are sealed together."""
    connection.execute(
        """INSERT INTO kiban.register VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (register) DO UPDATE SET kind = excluded.kind, subject = excluded.subject, items = excluded.items,
            ward = excluded.ward, search = excluded.search, seal_event = excluded.seal_event,
            seal_rows = excluded.seal_rows, seal_digest = excluded.seal_digest, retired = excluded.retired,
            refers = excluded.refers""",
        (
            table.register,
            table.group.kind,
            list(table.subject),
            list(table.items),
            table.group.ward.romaji if table.group.ward else None,
            table.group.search is not None,
            event,
            sealed["rows"],
            sealed["digest"],
            Jsonb([{"name": name, "type": kind} for name, kind in table.retired]),
            Jsonb({name: list(target) for name, target in table.references.items()}),
        ),
    )
