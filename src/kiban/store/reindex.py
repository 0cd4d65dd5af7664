"""Search keys made anew from the rows of a register, for a new search section or where the old ones are doubted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa

from kiban.kernel import Problem
from kiban.standard import Group
from kiban.store import columns, jobs, protecting, publish, search_keys
from kiban.store.bulk import copy_entries
from kiban.store.errors import as_problems
from kiban.store.jobs import Progress, quiet
from kiban.store.schema import Table
from kiban.store.search_table import SearchTable
from kiban.store.text import quoted

if TYPE_CHECKING:
    from kiban.store.database import Store


def reindex(store: Store, register: str, progress: Progress = quiet) -> int:
    """Make the search keys of a register anew from all rows that are known now, and put them into place at once.

    Everybody goes on searching and recording meanwhile. If it is cut, nothing has happened.

    Args:
        store: an open store.
        register: schema.table.
        progress: told how many rows were read.

    Returns:
        How many entries were made.

    Raises:
        Problem: `register-unknown`, `search-missing`, `job-running`, `sessions-open`, `view-depends`.
    """
    with store.owner() as connection, jobs.job_lock(connection), as_problems():
        store.refresh()  # now that no other edition can come into force
        table = store.table(register)
        if table.group.search is None:
            raise Problem(
                "search-missing", f"{register} has no search section", fix="add one to its business.yaml"
            )
        target = SearchTable(table, "_reindex")
        with connection.transaction():
            base = connection.execute("SELECT event FROM kiban.head").fetchone()
            assert base is not None
            build_entries(store, connection, target, table.name, progress)
            publish.alone(connection, [table], progress)
            late_entries(connection, target, table.name, int(base[0]))
            for statement in (*target.drop(), *target.publish()):
                connection.execute(statement.encode())
            made = connection.execute(f"SELECT count(*) FROM {target.name}".encode()).fetchone()
            protecting.loaded(connection, [register])
    return int(made[0]) if made else 0


def build_entries(
    store: Store, connection: psycopg.Connection[Any], target: SearchTable, source: str, progress: Progress
) -> None:
    """Build a search table aside from the rows that are known now, in the transaction of the connection.

    Args:
        store: an open store; a second connection reads the rows.
        connection: the owner's.
        target: what to build.
        source: the SQL name of the committed table to read.
        progress: told how many rows were read.
    """
    connection.execute(f"DROP TABLE IF EXISTS {target.shadow}".encode())
    connection.execute(target.create().encode())
    row = connection.execute(f"SELECT count(*) FROM {source} WHERE closed_by IS NULL".encode()).fetchone()
    total = int(row[0]) if row else 0
    done = 0
    with store.owner() as reader:
        for batch in _rows(reader, target.table, source, "closed_by IS NULL"):
            copy_entries(connection, target, search_keys.entries(target.table.group, batch))
            done += batch.num_rows
            progress(f"search {target.table.register}", done, total)
    for statement in (*target.indexes(), f"ANALYZE {target.shadow}"):
        connection.execute(statement.encode())


def late_entries(connection: psycopg.Connection[Any], target: SearchTable, source: str, base: int) -> None:
    """Add the entries of the rows that came after an event, while nothing more can happen."""
    batches = list(_rows(connection, target.table, source, f"closed_by IS NULL AND event > {base}"))
    for batch in batches:
        copy_entries(connection, target, search_keys.entries(target.table.group, batch))


def _rows(
    connection: psycopg.Connection[Any], table: Table, source: str, condition: str
) -> Iterator[pa.RecordBatch]:
    """The items that search entries are made from."""
    whole = columns.arrow_schema(table.group)
    schema = pa.schema([whole.field(name) for name in _needed(table.group)])
    chosen = ", ".join(map(quoted, schema.names))
    statement = f"COPY (SELECT {chosen} FROM {source} WHERE {condition}) TO STDOUT (FORMAT csv)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        yield from columns.from_csv((bytes(chunk) for chunk in copy), schema, table.dates)


def _needed(group: Group) -> Iterable[str]:
    section = group.search
    assert section is not None
    wanted = {section.subject, section.birth, section.sex, *section.address}
    wanted |= {f"{section.birth}{suffix}" for suffix in ("_fushofuragu", "_fushohyoki")}
    wanted |= {part for pair in section.names for part in pair}
    wanted |= {group.ward.romaji} if group.ward else set()
    return [item.romaji for item in group.items if item.romaji in wanted]
