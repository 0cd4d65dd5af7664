"""Long work: one job at a time, parts that are not done twice, and nothing left of a job that was given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from kiban.kernel import Problem
from kiban.store.schema import LATE
from kiban.store.text import SHADOW, quoted

_LOCK = 0x4B6962616E  # "Kiban": one long job at a time in a database

Progress = Callable[[str, int, int], None]
"""Called with a step, how much of it is done, and how much there is."""


def quiet(_step: str, _done: int, _total: int) -> None:
    """A progress that shows nothing."""


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
            _clear(connection)
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
        _clear(connection)
        connection.execute("DELETE FROM kiban.job_part WHERE job = %s", (job,))
        connection.execute("DELETE FROM kiban.job WHERE job = %s AND state = 'running'", (job,))


def _clear(connection: psycopg.Connection[Any]) -> None:
    """Take away whatever a job built aside, and the indexes it laid on registers."""
    for name in shadows(connection):
        connection.execute(f"DROP TABLE {SHADOW}.{quoted(name)}".encode())
    for schema, name in connection.execute(
        "SELECT schemaname, indexname FROM pg_indexes WHERE starts_with(indexname, %s)", (LATE,)
    ).fetchall():
        connection.execute(f"DROP INDEX {quoted(schema)}.{quoted(name)}".encode())


def shadows(connection: psycopg.Connection[Any]) -> list[str]:
    """The names of all tables under construction."""
    rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (SHADOW,))
    return [row[0] for row in rows]
