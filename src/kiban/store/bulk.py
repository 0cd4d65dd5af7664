"""Arrow in and out of the registers: bounded memory, resumable, nothing visible before everything is right."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from kiban.kernel import Actor, AsOf, Problem, Problems
from kiban.store import chain, checks, columns, jobs, publish, search_keys
from kiban.store.errors import as_problems
from kiban.store.schema import Table
from kiban.store.search_table import SearchTable
from kiban.store.text import quoted

if TYPE_CHECKING:
    from kiban.store.database import Store

Progress = Callable[[str, int, int], None]
"""Called with a step, how much of it is done, and how much there is."""

Connection = psycopg.Connection[Any]

_STREAMS = 2  # one core of the machine parses or sorts in the server while the other prepares here
_FINISHING = (
    "max_parallel_maintenance_workers = 0",  # two tasks run side by side already
    "max_parallel_workers_per_gather = 0",
    "maintenance_work_mem = '768MB'",  # a whole city's names sort in memory; both tasks together stay within 4 GiB
    "work_mem = '192MB'",
)
_BATCH_ROWS = 65_536
_PART_ROWS = 200_000

PLACE = "kiban.place"
"""Key of a batch's schema metadata: where its rows come from, to be named when one of them is refused."""
_FAULTS_MOST = 50


def quiet(_step: str, _done: int, _total: int) -> None:
    """A progress that shows nothing."""


@dataclass(frozen=True)
class Part:
    """A piece of a bulk load that is committed as a whole, and not read again once it is.

    Attributes:
        register: schema.table.
        name: unique within the load and the same at every attempt.
        rows: how many rows it has.
        batches: opens the rows anew at each call.
    """

    register: str
    name: str
    rows: int
    batches: Callable[[], Iterable[pa.RecordBatch]]


def folder_parts(store: Store, folder: Path) -> list[Part]:
    """All that a folder holds for the registers in force: SCHEMA/REGISTER/*.parquet, as a town is written.

    Raises:
        Problem: `folder-missing`, `parts-missing` where a register's folder is empty, `part-unreadable`.
    """
    if not folder.is_dir():
        raise Problem(
            "folder-missing", "there is no such folder", str(folder), "name the folder that holds the files"
        )
    return [
        part
        for register in store.tables()
        if (place := folder / register.replace(".", "/")).is_dir()
        for part in parquet_parts(register, place)
    ]


def parquet_parts(register: str, folder: Path) -> list[Part]:
    """The Parquet files of a folder in the order of their names, small ones together in one part.

    Raises:
        Problem: `parts-missing`, `part-unreadable`.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise Problem(
            "parts-missing", "no Parquet file", str(folder), "give the folder that holds the register's files"
        )
    parts: list[Part] = []
    together: list[tuple[Path, int]] = []
    for file in files:
        together.append((file, _rows(file)))
        if sum(rows for _, rows in together) >= _PART_ROWS:
            parts.append(_parquet_part(register, together))
            together = []
    return [*parts, _parquet_part(register, together)] if together else parts


def _rows(file: Path) -> int:
    try:
        return int(pq.read_metadata(file).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise Problem(
            "part-unreadable", "not a whole Parquet file", str(file), "make or copy the file again"
        ) from error


def _parquet_part(register: str, files: Sequence[tuple[Path, int]]) -> Part:
    """Files that are committed together: a transaction for each small file would cost more than its rows."""
    names = [str(file) for file, _ in files]

    def batches() -> Iterator[pa.RecordBatch]:
        for name in names:
            first = 0
            with pq.ParquetFile(name) as opened:
                for batch in opened.iter_batches(_BATCH_ROWS):
                    yield batch.replace_schema_metadata({PLACE: f"{name} from row {first}"})
                    first += batch.num_rows

    name = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)})"
    return Part(register, name, sum(rows for _, rows in files), batches)


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
            contents = _finish(store, list(tables.values()), progress)
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
    found: list[Problem] = []

    def copy(part: Part) -> tuple[int, list[Problem]]:
        with store.owner() as own:
            return part.rows, _copy(own, job, part, tables[part.register], store)

    with ThreadPoolExecutor(_STREAMS) as pool:
        for rows, problems in pool.map(copy, waiting):
            found += problems
            finished += rows
            progress("copy", finished, total)
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
                    copy.write(columns.to_csv(conformed, table.dates))
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
        copy.write(columns.to_csv(entries))


def _finish(store: Store, tables: Sequence[Table], progress: Progress) -> chain.Content:
    """Keys, digests and references of all shadows; every task is independent, and two run at a time.

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
            contents[table.register] = publish.content(connection, table, table.shadow)
            problems.extend(publish.missing_references(connection, table, table.shadow, loading))

        return check

    tasks: list[Callable[[Connection], object]] = []
    for table in tables:
        tasks += [checked(table), *map(run, table.indexes()), run(table.analyze())]
        if table.group.search:
            tasks += map(run, (*SearchTable(table).indexes(), f"ANALYZE {SearchTable(table).shadow}"))
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
    if problems:
        raise Problems(problems)
    return contents


def export_arrow(store: Store, register: str, as_of: AsOf | None, actor: Actor) -> Iterator[pa.RecordBatch]:
    """The rows of a register that the actor may see, in Arrow batches of bounded size, in the order of the table.

    Args:
        store: an open store.
        register: schema.table.
        as_of: the two dates; None for every period that is known now.
        actor: limits the rows to those that the actor may see; the export is logged before the first row.

    Yields:
        Record batches with the columns of `arrow_schema`, without those of items that are hidden from the actor.
    """
    with store.session(actor) as session:
        table = store.table(register)  # no other edition comes into force before the session ends
        shown, whole = session.visible(table), columns.arrow_schema(table.group)
        items = [item.romaji for item in table.group.items]
        schema = pa.schema([field for field in whole if field.name in shown or field.name not in items])
        session.log_export(register, {"export": [str(as_of.valid), str(as_of.known)] if as_of else "all"})
        if as_of is not None and as_of.known is not None:
            session.settle(as_of.known)
        chosen = [name for name in schema.names if name in items]
        copied = session.copy_items(register, chosen, _query(table, chosen, as_of))
        yield from columns.from_csv(copied, schema, table.dates)


def conditions(table: Table, as_of: AsOf | datetime | int | None) -> str:
    """The SQL condition for the rows of two dates; for every period known at a moment, after an event, or now (None)."""
    if isinstance(as_of, int):
        return f"event <= {as_of:d} AND (closed_by IS NULL OR closed_by > {as_of:d})"
    known = as_of.known if isinstance(as_of, AsOf) else as_of
    found = ["closed_by IS NULL" if known is None else _known(known)]
    if table.has_periods and isinstance(as_of, AsOf):
        found.append(f"valid_from <= '{as_of.valid}' AND '{as_of.valid}' < valid_to")
    return " AND ".join(found)


def _query(table: Table, items: Sequence[str], as_of: AsOf | None) -> str:
    chosen = [quoted(name) for name in items]
    if table.has_periods:
        chosen += ["nullif(valid_from, '-infinity')", "nullif(valid_to, 'infinity')"]
    return f"COPY (SELECT {', '.join(chosen)} FROM {table.name} WHERE {conditions(table, as_of)}) TO STDOUT (FORMAT csv)"


def _known(known: datetime) -> str:
    moment = known.isoformat()
    return f"known_from <= '{moment}' AND '{moment}' < known_to"
