"""Bulk load with history, keys, digests and search, beside a raw COPY of the same rows into unindexed tables."""

from __future__ import annotations

import time
from pathlib import Path

from bench import city, measure
from kiban import store
from kiban.store import Part, Store
from kiban.store.columns import conform, to_csv
from kiban.store.schema import Table
from kiban.store.text import quoted

_PIECE = 1 << 20


def run(residents: int) -> None:
    """Load a whole city, then copy the same rows raw, both into the same server."""
    folder = city.made(residents)
    city.forget(residents)
    with city.empty(residents) as opened:
        parts = store.folder_parts(opened, folder)
        rows = sum(part.rows for part in parts)
        steps: dict[str, float] = {}
        last = [time.perf_counter()]

        def tell(step: str, done: int, total: int) -> None:
            if done == total:
                now = time.perf_counter()
                steps[step] = now - last[0]
                last[0] = now

        with measure.watched(_server(opened)) as work:
            store.import_arrow(opened, parts, city.HALL, progress=tell)
        (city.given(residents).home / "loaded").touch()
        print("  " + ", ".join(f"{step} {seconds:.1f} s" for step, seconds in steps.items()))
        raw = _raw_copy(opened, parts, city.given(residents).home / "csv")
    measure.result(
        f"import_arrow, {rows:,} rows of {len({p.register for p in parts})} registers", work.seconds, "s"
    )
    measure.result("raw COPY of the same rows, no index, one stream", raw, "s")
    measure.result("import_arrow as a share of raw COPY's speed", raw / work.seconds, "", at_least=1 / 3)
    measure.result("import_arrow, memory with the server", work.peak_mib, "MiB", at_most=4096)


def _server(opened: Store) -> int:
    with opened.owner() as connection:
        return measure.postmaster(connection.info.backend_pid)


def _raw_copy(opened: Store, parts: list[Part], folder: Path) -> float:
    """Seconds for COPY alone: the CSV lies ready, the tables have neither key nor rule."""
    folder.mkdir(exist_ok=True)
    files = [(opened.table(part.register), folder / f"{n}.csv", part) for n, part in enumerate(parts)]
    for table, file, part in files:
        with file.open("wb") as out:
            for batch in part.batches():
                out.write(to_csv(conform(batch, table, str(file)), table.dates))
    with opened.owner() as connection:
        connection.execute("CREATE SCHEMA raw")
        for table in {table.register: table for table, _, _ in files}.values():
            connection.execute(
                f"CREATE TABLE {_raw(table)} AS SELECT {', '.join(map(quoted, table.loaded))} FROM {table.name} LIMIT 0".encode()
            )
        connection.execute("CHECKPOINT")
        started = time.perf_counter()
        for table, file, _ in files:
            with (
                connection.cursor() as cursor,
                cursor.copy(f"COPY {_raw(table)} FROM STDIN (FORMAT csv)".encode()) as copy,
                file.open("rb") as source,
            ):
                while piece := source.read(_PIECE):
                    copy.write(piece)
        seconds = time.perf_counter() - started
        connection.execute("DROP SCHEMA raw CASCADE")
    for _, file, _ in files:
        file.unlink()
    return seconds


def _raw(table: Table) -> str:
    return f"raw.{quoted(table.register)}"
