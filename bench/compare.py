"""Compare two sides of a city, 40 fields wide, with differences seeded; beside one join of all columns of the same files."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

import duckdb

from bench import measure
from kiban import sets
from kiban.sets import Column

_SEEDED = 1_000
_TEXTS = 38


def _columns() -> list[Column]:
    return [Column("bango"), *(Column(f"k{n}") for n in range(_TEXTS)), Column("gaku", "integer")]


def _write(folder: Path, residents: int) -> dict[str, str]:
    """Two sides of synthetic people; one field of each of a thousand rows differs. Returns field by key."""
    draw = random.Random(1)
    rows = draw.sample(range(residents), min(_SEEDED, residents))
    changed = {row: draw.randrange(_TEXTS) for row in rows}
    values = ", ".join(
        f"CASE WHEN hash(i, {n}) % 5 = 0 THEN NULL ELSE '値' || (hash(i, {n}) % 100000) || '番' END AS k{n}"
        for n in range(_TEXTS)
    )
    with duckdb.connect(config={"memory_limit": "2GB", "threads": 2}) as connection:
        base = f"SELECT lpad(i::VARCHAR, 15, '0') AS bango, {values}, (hash(i) % 1000000)::BIGINT AS gaku, i FROM range({residents}) t(i)"
        connection.execute(
            f"COPY (SELECT * EXCLUDE i FROM ({base})) TO '{folder}/left.parquet' (COMPRESSION zstd)"
        )
        connection.execute("CREATE TABLE changed (i BIGINT, n INTEGER)")
        connection.executemany("INSERT INTO changed VALUES (?, ?)", list(changed.items()))
        seeded = ", ".join(
            f"CASE WHEN n = {n} THEN coalesce(k{n}, '') || '違' ELSE k{n} END AS k{n}" for n in range(_TEXTS)
        )
        connection.execute(
            f"COPY (SELECT bango, {seeded}, gaku FROM ({base}) b LEFT JOIN changed c ON b.i = c.i) "
            f"TO '{folder}/right.parquet' (COMPRESSION zstd)"
        )
    return {f"{row:015}": f"k{number}" for row, number in changed.items()}


def _join(left: str, right: str, columns: list[Column], spill: Path) -> int:
    differs = " OR ".join(f'l."{column.name}" IS DISTINCT FROM r."{column.name}"' for column in columns)
    config = {"memory_limit": "3GB", "threads": 2, "temp_directory": str(spill)}
    with duckdb.connect(config=config) as connection:
        [[count]] = connection.execute(
            f"SELECT count(*) FROM {left} l FULL JOIN {right} r ON l.bango = r.bango WHERE {differs}"
        ).fetchall()
    return int(count)


def run(residents: int) -> None:
    with tempfile.TemporaryDirectory(prefix="kiban-compare-") as name:
        folder = Path(name)
        changed = _write(folder, residents)
        left, right = (f"read_parquet('{folder}/{side}.parquet')" for side in ("left", "right"))
        columns = _columns()
        with measure.watched() as work:
            found = sets.compare(left, right, columns[:1], columns, folder=folder)
        located = {line["key"][0]: line["fields"] for line in found.differences.to_pylist()}
        assert located == {key: [field] for key, field in changed.items()}
        measure.result(
            f"compare {residents:,} rows of {len(columns)} fields by digest", work.seconds, "s", at_most=60
        )
        measure.result("compare, seeded differences found by row and field", len(located), "rows")
        measure.result("compare, memory", work.peak_mib, "MiB", at_most=2048)
        started = time.perf_counter()
        assert _join(left, right, columns, folder) == len(changed)
        measure.result("one join of all columns, naming no fields", time.perf_counter() - started, "s")
