"""A pool of connections, with what waiting in vain for one looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from kiban.kernel import Problem
from kiban.store.errors import as_problems

Pool = ConnectionPool[psycopg.Connection[Any]]

_LONGEST_WAIT_SECONDS = 30.0


def open_pool(
    dsn: str, connections: int, configure: Callable[[psycopg.Connection[Any]], None] | None = None
) -> Pool:
    """A pool that opens connections as they are needed.

    Args:
        dsn: where to.
        connections: how many at most.
        configure: is called with each new connection.
    """
    return ConnectionPool(
        dsn,
        min_size=0,
        max_size=connections,
        open=True,
        kwargs={"autocommit": True},
        configure=configure,
        timeout=_LONGEST_WAIT_SECONDS,
    )


@contextmanager
def taken(pool: Pool) -> Iterator[psycopg.Connection[Any]]:
    """A connection of a pool, given back at the end.

    Raises:
        Problem: `database-unreachable`.
    """
    try:
        with as_problems(), pool.connection() as connection:
            yield connection
    except PoolTimeout as error:
        raise Problem(
            "database-unreachable",
            "no connection to the database was free in time",
            fix="see `kiban db status`",
        ) from error
