"""Arrow into the registers: bounded memory, resumable, nothing visible before everything is right."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa

from kiban.kernel import Actor, Problem, Problems
from kiban.store import chain, checks, columns, jobs, publish, references, search_keys
from kiban.store.errors import as_problems
from kiban.store.jobs import Progress, quiet
from kiban.store.parts import PLACE, Part
from kiban.store.schema import Table
from kiban.store.search_table import SearchTable
from kiban.store.text import quoted

if TYPE_CHECKING:
    from kiban.store.database import Store

Connection = psycopg.Connection[Any]

_STREAMS = (
    3  # on two cores: one stream mostly waits for the disk, as every part and every index is written through
)
_FINISHING = (
    "max_parallel_maintenance_workers = 0",  # tasks run side by side already
    "max_parallel_workers_per_gather = 0",
    "maintenance_work_mem = '640MB'",  # a whole city's names sort in memory; all tasks together stay within 4 GiB
    "work_mem = '192MB'",
)
_FAULTS_MOST = 50


def import_arrow(
    store: Store, parts: Sequence[Part], actor: Actor, *, job: str | None = None, progress: Progress = quiet
) -> int:
    """Load registers from Arrow: copy aside, build keys and digests, check, then publish all of them in one event.

    A load that was cut goes on where it stopped when called again with the same parts. Registers that are empty are
    replaced by the finished table; registers that hold rows get them added.

    Args:
        store: an open store.
        parts: what to load; the registers may be of several businesses.
        actor: who loads; stands in the event.
        job: the name of the load; None to derive it from the parts, so that the same load finds itself again.
        progress: told about every step.

    Returns:
        The number of the event.

    Raises:
        Problem: `import-empty`, `register-unknown`, `import-done`, what `columns.conform` refuses.
        Problems: everything in the parts that breaks the standard (`value-long`, `code-unknown`, …), overlapping
            periods (`period-overlap`), references without target (`reference-missing`). Nothing has changed then.
    """
    if not parts:
        raise Problem("import-empty", "there is nothing to import", fix="give at least one part")
    name = job or _name(parts)
    with store.owner() as connection, jobs.job_lock(connection):
        store.refresh()  # now that no other edition can come into force
        tables = {part.register: store.table(part.register) for part in parts}
        plan = {"registers": sorted(tables), "parts": len(parts)}
        event = jobs.start_job(connection, name, "import", plan)
        if event is not None:
            raise Problem(
                "import-done", f"the load {name} was finished by event {event}", fix="nothing is left to do"
            )
        with as_problems():
            for table in tables.values():
                connection.execute(table.create(store.edition(table.schema), unchecked=True).encode())
                if table.has_periods:
                    connection.execute(table.closed_index().encode())
                if table.group.search:
                    connection.execute(SearchTable(table).create().encode())
        _copy_all(store, connection, name, parts, tables, progress)
        try:
            contents = _finish(store, sorted(tables.values(), key=_size(parts), reverse=True), progress)
        except Problems:  # the rows are wrong, so there is nothing to take up again
            jobs.drop_job(connection, name)
            raise
        return publish.publish_import(
            store, connection, name, list(tables.values()), contents, actor, progress
        )


def _name(parts: Sequence[Part]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part.register}\0{part.name}\0{part.rows}\n".encode())
    return f"import-{digest.hexdigest()[:16]}"


def _size(parts: Sequence[Part]) -> Callable[[Table], int]:
    """How much work a register is: its rows by their items. Whatever is largest begins first, so that all streams end together."""
    rows: Counter[str] = Counter()
    for part in parts:
        rows[part.register] += part.rows
    return lambda table: rows[table.register] * len(columns.arrow_schema(table.group).names)


def _copy_all(
    store: Store,
    connection: psycopg.Connection[Any],
    job: str,
    parts: Sequence[Part],
    tables: Mapping[str, Table],
    progress: Progress,
) -> None:
    done = {row[0] for row in connection.execute("SELECT part FROM kiban.job_part WHERE job = %s", (job,))}
    waiting = [part for part in parts if part.name not in done]
    total = sum(part.rows for part in parts)
    finished = total - sum(part.rows for part in waiting)
    progress("copy", finished, total)

    def copy(part: Part) -> tuple[int, list[Problem]]:
        with store.owner() as own:
            return part.rows, _copy(own, job, part, tables[part.register], store)

    size = {part.name: _size([part])(tables[part.register]) for part in waiting}
    with ThreadPoolExecutor(_STREAMS) as pool:
        begun = {
            pool.submit(copy, part): part
            for part in sorted(waiting, key=lambda p: size[p.name], reverse=True)
        }
        faults: dict[str, list[Problem]] = {}
        for ended in as_completed(begun):
            rows, faults[begun[ended].name] = ended.result()
            finished += rows
            progress("copy", finished, total)
    found = [problem for part in waiting for problem in faults[part.name]]
    if found:
        jobs.drop_job(connection, job)
        raise Problems(found[:_FAULTS_MOST])


def _copy(
    connection: psycopg.Connection[Any], job: str, part: Part, table: Table, store: Store
) -> list[Problem]:
    codes = store.edition(table.schema).codes
    found: list[Problem] = []
    rows = 0
    names = ", ".join(map(quoted, columns.arrow_schema(table.group).names))  # retired columns stay empty
    entries: list[pa.RecordBatch] = []
    with as_problems(), connection.transaction():
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table.shadow} ({names}) FROM STDIN (FORMAT csv)".encode()) as copy,
        ):
            for batch in part.batches():
                place = (batch.schema.metadata or {}).get(
                    PLACE.encode(), f"{part.name} from row {rows}".encode()
                )
                where = place.decode()
                conformed = columns.conform(batch, table, where)
                problems = checks.faults(conformed, table, codes, where)
                found += problems
                rows += batch.num_rows
                if not problems:
                    columns.write_csv(conformed, table.dates, copy.write)
                    if table.group.search:
                        entries.append(search_keys.entries(table.group, conformed))
            if found:
                raise psycopg.Rollback
        for entry in entries:
            copy_entries(connection, SearchTable(table), entry)
        connection.execute("INSERT INTO kiban.job_part VALUES (%s, %s, %s)", (job, part.name, rows))
    return found


def copy_entries(connection: psycopg.Connection[Any], table: SearchTable, entries: pa.RecordBatch) -> None:
    """Add entries to a search table that is being built."""
    names = ", ".join(entries.schema.names)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table.shadow} ({names}) FROM STDIN (FORMAT csv)".encode()) as copy,
    ):
        columns.write_csv(entries, (), copy.write)


def _finish(store: Store, tables: Sequence[Table], progress: Progress) -> chain.Content:
    """Keys, digests and references of all shadows; every task is independent, and some run at a time.

    Returns:
        What each register holds, for the event.

    Raises:
        Problems: `period-overlap`, `reference-missing`.
    """
    contents: chain.Content = {}
    problems: list[Problem] = []
    loading = {table.register: table for table in tables}

    def run(statement: str) -> Callable[[Connection], object]:
        return lambda connection: connection.execute(statement.encode())

    def checked(table: Table) -> Callable[[Connection], object]:
        def check(connection: Connection) -> None:
            if table.has_periods:
                problems.extend(publish.overlaps(connection, table, table.shadow))
            contents[table.register], missing = references.examined(connection, table, table.shadow, loading)
            problems.extend(missing)

        return check

    tasks: list[Callable[[Connection], object]] = []
    for table in tables:
        tasks += [checked(table), *map(run, table.indexes()), run(table.analyze())]
        if table.group.search:
            tasks += map(run, (*SearchTable(table).indexes(), f"ANALYZE {SearchTable(table).shadow}"))
    _side_by_side(store, tasks, progress)
    if problems:
        raise Problems(problems)
    return contents


def _side_by_side(store: Store, tasks: Sequence[Callable[[Connection], object]], progress: Progress) -> None:
    progress("keys and checks", 0, len(tasks))
    with ExitStack() as stack, ThreadPoolExecutor(_STREAMS) as pool:
        free: SimpleQueue[Connection] = SimpleQueue()
        for _ in range(_STREAMS):
            connection = stack.enter_context(store.owner())
            for setting in _FINISHING:
                connection.execute(f"SET {setting}".encode())
            free.put(connection)

        def work(task: Callable[[Connection], object]) -> None:
            connection = free.get()
            try:
                task(connection)
            finally:
                free.put(connection)

        for number, _ in enumerate(pool.map(work, tasks), 1):
            progress("keys and checks", number, len(tasks))
