"""Publish and verify a set of a city, 40 fields wide, in a folder; beside writing the same Parquet files without a set, in the same run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from bench import measure
from kiban import sets
from kiban.kernel import AsOf

_TEXTS = 38
_PART = 500_000
_BATCH = 65_536


def _sources(folder: Path, residents: int) -> list[Path]:
    """Rows of synthetic people in files of half a million."""
    values = ", ".join(
        f"CASE WHEN hash(i, {n}) % 5 = 0 THEN NULL ELSE '値' || (hash(i, {n}) % 100000) || '番' END AS k{n}"
        for n in range(_TEXTS)
    )
    files = []
    with duckdb.connect(config={"memory_limit": "2GB", "threads": 2}) as connection:
        for first in range(0, residents, _PART):
            files.append(folder / f"{first:08}.parquet")
            rows = f"range({first}, {min(first + _PART, residents)}) t(i)"
            connection.execute(
                f"COPY (SELECT lpad(i::VARCHAR, 15, '0') AS bango, {values}, (hash(i) % 1000000)::BIGINT AS gaku FROM {rows}) "
                f"TO '{files[-1]}' (COMPRESSION zstd)"
            )
    return files


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(file) as opened:
        yield from opened.iter_batches(_BATCH)


def _written(file: Path, target: Path) -> None:
    with pq.ParquetWriter(target, pq.read_schema(file), compression="zstd") as writer:
        for batch in _batches(file):
            writer.write_batch(batch, row_group_size=2 * _BATCH)


def _draft(flow: str, files: list[Path]) -> sets.Draft:
    return sets.Draft(
        set_id=sets.new_set_id(datetime(2026, 10, 1, tzinfo=UTC)),
        flow=flow,
        kind="full",
        epoch=1,
        as_of=AsOf(date(2026, 10, 1)),
        producer="bench",
        key=("bango",),
        columns=sets.columns_of(pq.read_schema(files[0])),
        sums=("gaku",),
    )


def run(residents: int) -> None:
    with tempfile.TemporaryDirectory(prefix="kiban-sets-") as name:
        folder = Path(name)
        for place in ("source", "plain", "scratch"):
            (folder / place).mkdir()
        files = _sources(folder / "source", residents)
        with measure.watched() as plain:
            for file in files:
                _written(file, folder / "plain" / file.name)
        measure.result(f"write {residents:,} rows of 40 fields as Parquet, no set", plain.seconds, "s")
        shelf = sets.open_shelf(folder / "shelf", make=True)
        parts = [sets.Rows(file.name, lambda file=file: _batches(file)) for file in files]  # type: ignore[misc]
        with measure.watched() as work:
            rows = sets.publish(shelf, _draft("rows", files), parts)
        measure.result("publish the same rows as a set", work.seconds, "s")
        measure.result("publish, times as long as without a set", work.seconds / plain.seconds, "times")
        measure.result("publish, memory", work.peak_mib, "MiB", at_most=4096)
        with measure.watched() as work:
            taken = sets.publish_folder(shelf, _draft("files", files), folder / "source")
        measure.result("publish the Parquet files as they are", work.seconds, "s")
        assert sets.differing_buckets(rows, taken) == ()
        with measure.watched() as work:
            assert sets.verify(shelf, rows, scratch=folder / "scratch", unsigned=True) == ()
        measure.result("verify the set", work.seconds, "s")
        measure.result("verify, memory", work.peak_mib, "MiB", at_most=4096)
        measure.result("manifest", len(sets.manifest_bytes(rows)) / 1024, "KiB")
