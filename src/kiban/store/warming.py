"""Warm-up: what searches and reads touch is read into memory before anybody asks, after a restart or a night of long jobs.

The extension pg_prewarm does it, which comes with PostgreSQL; a server of the city's own may lack it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors

from kiban.kernel import Problem
from kiban.store.errors import as_problems
from kiban.store.jobs import Progress, quiet
from kiban.store.schema import Table
from kiban.store.search_table import SearchTable

if TYPE_CHECKING:
    from kiban.store.database import Store

_FRAME = ("kiban.protected_unit", "kiban.protected_name")
_AT_ONCE = 8192  # blocks: for so long whoever wants to swap the table waits for us


@dataclass(frozen=True)
class Warmth:
    """What a warm-up did.

    Attributes:
        mib: how much was read.
        left: how much was not, because the server counts on less memory.
    """

    mib: int
    left: int


def warm(store: Store, progress: Progress = quiet) -> Warmth:
    """Read search tables, registers and their indexes into memory, in the order in which a search needs them.

    First into the server's own memory (`shared_buffers`), then into what the system keeps of files, as far as the server
    counts on that (`effective_cache_size`). Everybody goes on working meanwhile; cut, it has done no harm.

    Args:
        store: an open store.
        progress: told how many MiB were read.

    Raises:
        Problem: `warm-missing` where the server has no pg_prewarm and the owner cannot add it, `store-not-installed`.
    """
    with store.owner() as connection, as_problems():
        prewarm = _prewarm(connection)
        own, most, to_mib = _memory(connection)
        parts = list(_parts(connection, list(store.tables().values())))
        total = sum(blocks for *_, blocks in parts)
        done = 0
        for name, first, blocks in parts:
            if done + blocks > most:
                break
            mode = "buffer" if done + blocks <= own else "read"
            connection.execute(
                # Of a table that was swapped for another meanwhile there may be less, or nothing.
                f"SELECT {prewarm}(r, %s, 'main', %s, least(%s, held) - 1) FROM to_regclass(%s) r, "
                "LATERAL (SELECT pg_relation_size(r) / current_setting('block_size')::int AS held) s WHERE held > %s".encode(),
                (mode, first, first + blocks, name, first),
            )
            done += blocks
            progress("into memory (MiB)", int(done * to_mib), int(min(most, total) * to_mib))
    return Warmth(int(done * to_mib), int((total - done) * to_mib))


def _prewarm(connection: psycopg.Connection[Any]) -> str:
    """The name of the function that reads blocks into memory; put into the frame where the database has none."""
    found = "SELECT e.extnamespace::regnamespace || '.pg_prewarm' FROM pg_extension e WHERE e.extname = 'pg_prewarm'"
    row = connection.execute(found.encode()).fetchone()
    if row is None:
        try:
            with connection.transaction():
                # The lock of base.sql: two who change rights at once would trip over each other.
                connection.execute("SELECT pg_advisory_xact_lock(x'4B6962616E0A'::bigint)")
                connection.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm SCHEMA kiban")
                connection.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA kiban FROM PUBLIC")
        except (errors.FeatureNotSupported, errors.UndefinedFile, errors.InsufficientPrivilege):
            what = (
                "the database has no pg_prewarm: nothing was read into memory, so the first searches are slow"
            )
            fix = "a superuser runs `CREATE EXTENSION pg_prewarm` in this database once"
            raise Problem("warm-missing", what, fix=fix) from None
        row = connection.execute(found.encode()).fetchone()
    assert row is not None
    return str(row[0])


def _memory(connection: psycopg.Connection[Any]) -> tuple[int, int, float]:
    """Blocks that the server's own memory takes beside what else is read, blocks it counts on in all, and MiB of a block."""
    row = connection.execute(
        "SELECT (SELECT setting::bigint FROM pg_settings WHERE name = 'shared_buffers'), "
        "(SELECT setting::bigint FROM pg_settings WHERE name = 'effective_cache_size'), "
        "current_setting('block_size')::int / 1048576.0"
    ).fetchone()
    assert row is not None
    return int(row[0]) * 7 // 8, int(row[1]), float(row[2])


def _parts(connection: psycopg.Connection[Any], tables: Sequence[Table]) -> Iterator[tuple[str, int, int]]:
    """Name, first block and number of blocks of every piece that is read, in this order.

    The registers that are searched come first. Of each of the two lots: the indexes by names and readings, those by the
    subject, the others, and then the rows.
    """
    searched = [table for table in tables if table.group.search]
    lots = [*_FRAME, *(name for table in searched for name in (SearchTable(table).name, table.name))]
    rest = [table.name for table in tables if table not in searched]
    keys = ["kana_key", "name_key", *dict.fromkeys(table.subject[0] for table in tables)]
    for name, blocks in connection.execute(
        """SELECT c.oid::regclass::text, pg_relation_size(c.oid) / current_setting('block_size')::int
        FROM (SELECT n::regclass AS of, false AS later FROM unnest(%s::text[]) n
              UNION ALL SELECT n::regclass, true FROM unnest(%s::text[]) n) t
        JOIN pg_class c ON c.oid = t.of OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = t.of)
        LEFT JOIN pg_attribute a ON c.relkind = 'i' AND a.attrelid = c.oid AND a.attnum = 1
        ORDER BY later, c.relkind = 'r', array_position(%s::text[], a.attname::text), 2, 1""",
        (lots, rest, keys),
    ).fetchall():
        for first in range(0, blocks, _AT_ONCE):
            yield name, first, min(_AT_ONCE, blocks - first)
