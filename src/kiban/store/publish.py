"""Shadow tables and the moment in which they become registers: one transaction, one event, no window without rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

from kiban.kernel import Actor, Problem, Problems
from kiban.store.errors import as_problems
from kiban.store.schema import SHADOW, SearchTable, Table, literal, quoted

if TYPE_CHECKING:
    from kiban.store.database import Store

_LOCK = 0x4B6962616E  # "Kiban": one long job at a time in a database

Content = dict[str, dict[str, int | str]]
"""Per register: rows added, the sum of their hashes as text, rows closed."""


@contextmanager
def job_lock(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Hold the right to run a long job; the server gives it back when the connection ends, however it ends.

    Raises:
        Problem: `job-running`.
    """
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    if not row or not row[0]:
        raise Problem(
            "job-running", "another import or change of edition is running", fix="wait until it has ended"
        )
    try:
        yield
    finally:
        if not connection.closed and not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def start_job(connection: psycopg.Connection[Any], job: str, kind: str, plan: dict[str, Any]) -> int | None:
    """Begin or take up a job; the number of its event where it has ended already, else None.

    What another, abandoned job left behind is cleared away first: a shadow belongs to one job only.
    """
    row = connection.execute(
        "SELECT event FROM kiban.job WHERE job = %s AND state = 'done'", (job,)
    ).fetchone()
    if row:
        return int(row[0])
    with connection.transaction():
        abandoned = connection.execute(
            "SELECT job FROM kiban.job WHERE state = 'running' AND job <> %s", (job,)
        ).fetchall()
        known = connection.execute("SELECT 1 FROM kiban.job WHERE job = %s", (job,)).fetchone()
        if abandoned or not known:
            for name in shadows(connection):
                connection.execute(f"DROP TABLE {SHADOW}.{quoted(name)}".encode())
        for (other,) in abandoned:
            connection.execute("DELETE FROM kiban.job_part WHERE job = %s", (other,))
            connection.execute("DELETE FROM kiban.job WHERE job = %s", (other,))
        connection.execute(
            "INSERT INTO kiban.job VALUES (%s, %s, 'running', %s) ON CONFLICT DO NOTHING",
            (job, kind, Jsonb(plan)),
        )
    return None


def drop_job(connection: psycopg.Connection[Any], job: str) -> None:
    """Forget an unfinished job and clear its shadows away."""
    with connection.transaction():
        for name in shadows(connection):
            connection.execute(f"DROP TABLE {SHADOW}.{quoted(name)}".encode())
        connection.execute("DELETE FROM kiban.job_part WHERE job = %s", (job,))
        connection.execute("DELETE FROM kiban.job WHERE job = %s AND state = 'running'", (job,))


def shadows(connection: psycopg.Connection[Any]) -> list[str]:
    """The names of all tables under construction."""
    rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (SHADOW,))
    return [row[0] for row in rows]


def build_keys(connection: psycopg.Connection[Any], table: Table) -> Iterator[None]:
    """Build indexes and the temporal key of a shadow, one at each step; those that an earlier attempt finished are kept.

    Raises:
        Problem: `period-overlap`.
    """
    for statement in table.indexes():
        connection.execute(statement.encode())
        yield
    if table.has_periods:
        built = connection.execute(
            "SELECT 1 FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s",
            (table.shadow, table.temporal_key_name),
        ).fetchone()
        if not built:
            connection.execute(table.temporal_key().encode())
        yield
    connection.execute(f"ANALYZE {table.shadow}".encode())
    yield


def content(connection: psycopg.Connection[Any], table: Table, source: str) -> dict[str, int | str]:
    """How many rows a table has, and the sum of their hashes."""
    row = connection.execute(
        f"SELECT count(*), coalesce(sum({table.row_hash}), 0) FROM {source}".encode()
    ).fetchone()
    assert row is not None
    return {"rows": int(row[0]), "digest": str(row[1]), "closed": 0}


def missing_references(
    connection: psycopg.Connection[Any], table: Table, source: str, loading: Mapping[str, Table]
) -> list[Problem]:
    """One problem for each item whose values name rows that are nowhere.

    Args:
        connection: the owner's.
        table: the register that refers.
        source: the SQL name of the table to look at.
        loading: registers whose shadows count as well.
    """
    found = []
    for name, (register, target) in table.references.items():
        schema, group = register.split(".")
        places = [f"{quoted(schema)}.{quoted(group)}"]
        places += [loading[register].shadow] if register in loading else []
        named = " AND ".join(
            f"NOT EXISTS (SELECT FROM {place} t WHERE t.{quoted(target)} = s.{quoted(name)})"
            for place in places
        )
        row = connection.execute(
            f"SELECT count(*) FROM {source} s WHERE s.{quoted(name)} IS NOT NULL AND {named}".encode()
        ).fetchone()
        if row and row[0]:
            what = f"{row[0]} rows name a row of {register} that does not exist"
            found.append(
                Problem(
                    "reference-missing", what, f"{table.register} ({name})", "load the rows they name as well"
                )
            )
    return found


def publish_import(
    store: Store,
    connection: psycopg.Connection[Any],
    job: str,
    tables: Sequence[Table],
    actor: Actor,
    progress: Callable[[str, int, int], None],
) -> int:
    """Check finished shadows and make them registers (or add their rows), with one event.

    Raises:
        Problems: `reference-missing`.
    """
    loading = {table.register: table for table in tables}
    problems: list[Problem] = []
    contents: Content = {}
    with as_problems():
        for number, table in enumerate(tables, 1):
            problems += missing_references(connection, table, table.shadow, loading)
            contents[table.register] = content(connection, table, table.shadow)
            progress("check", number, len(tables))
        if problems:
            drop_job(connection, job)
            raise Problems(problems)
        businesses = ",".join(sorted({table.schema for table in tables}))
        with connection.transaction():
            event, recorded_at = open_event(connection)
            sealed: list[str] = []
            for table in tables:
                if _is_empty(connection, table):
                    replace(connection, table, store.edition(table.schema).title, event, recorded_at)
                    seal(connection, table, event, contents[table.register])
                    sealed.append(table.register)
                else:
                    _add(connection, table, event, recorded_at)
            close_event(
                connection, businesses, "import", job, actor, {"job": job, "sealed": sealed}, contents
            )
            connection.execute("UPDATE kiban.job SET state = 'done', event = %s WHERE job = %s", (event, job))
    progress("publish", 1, 1)
    return event


def open_event(connection: psycopg.Connection[Any]) -> tuple[int, str]:
    """Take the head of the chain until the end of the transaction; the number and the time of the event."""
    row = connection.execute("SELECT event, recorded_at::text FROM kiban.open_event()").fetchone()
    assert row is not None
    return int(row[0]), str(row[1])


def close_event(
    connection: psycopg.Connection[Any],
    business: str,
    kind: str,
    subject: str,
    actor: Actor,
    payload: dict[str, Any],
    contents: Content,
) -> None:
    """Write the open event and its outbox row."""
    who = [actor.id, actor.ward or "", ",".join(sorted(actor.wards)), actor.purpose]
    connection.execute(
        "SELECT kiban.close_event(%s, %s, %s, NULL, %s, %s, %s, %s)",
        (
            business,
            kind,
            subject,
            who,
            Jsonb(payload),
            Jsonb(contents),
            Jsonb({"registers": sorted(contents)}),
        ),
    )


def _is_empty(connection: psycopg.Connection[Any], table: Table) -> bool:
    row = connection.execute(f"SELECT EXISTS (SELECT FROM {table.name})".encode()).fetchone()
    return not (row and row[0])


def replace(
    connection: psycopg.Connection[Any], table: Table, title: str, event: int, recorded_at: str
) -> None:
    """Put a finished load into the place of an empty register, search table and views included."""
    drop(connection, table, title)
    statements = [
        *table.event_columns(event, recorded_at),
        *table.place(),
        *table.dress(),
        *table.views(title),
    ]
    if table.group.search:
        statements += [f"DROP TABLE IF EXISTS {SearchTable(table).name}", *SearchTable(table).publish()]
    for statement in statements:
        connection.execute(statement.encode())


def drop(connection: psycopg.Connection[Any], table: Table, title: str) -> None:
    """Take away a register and Kiban's own views of it; anybody else's view on it makes the change fail, not vanish."""
    for name in table.view_names:
        connection.execute(f"DROP VIEW IF EXISTS {quoted(title)}.{quoted(name)}".encode())
    for schema, name in connection.execute(
        "SELECT schemaname, viewname FROM pg_views WHERE schemaname LIKE %s AND viewname = %s",
        (table.schema.replace("_", r"\_") + "@%", table.group.id),
    ).fetchall():
        connection.execute(f"DROP VIEW {quoted(schema)}.{quoted(name)}".encode())
    connection.execute(f"DROP TABLE IF EXISTS {table.name}".encode())


def _add(connection: psycopg.Connection[Any], table: Table, event: int, recorded_at: str) -> None:
    names = ", ".join(map(quoted, table.loaded))
    connection.execute(
        f"INSERT INTO {table.name} ({names}, known_from, event) "
        f"SELECT {names}, {literal(recorded_at)}, {event} FROM {table.shadow}".encode()
    )
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
