"""The rows of a replica as Arrow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from kiban.kernel import Problem
from kiban.linkage.consumer import tables
from kiban.linkage.consumer.place import Place
from kiban.linkage.contracts.model import Feed

_FEW = 20_000  # rows; so many are read here, a process of its own takes longer to start
_READING = Path(__file__).with_name("reading.py")


def batches(place: Place, feed: Feed) -> Iterator[pa.RecordBatch]:
    """All rows of a feed at one instant; see `Replica.batches`."""
    kinds = tables.types(feed)
    statement = f"SELECT * FROM {tables.quoted(feed.name)}"
    [(some,)] = place.rows(f"SELECT count(*) FROM ({statement} LIMIT {_FEW + 1})")
    for columns in _read(place.file, statement, kinds) if some > _FEW else _here(place, statement):
        whole = columns or [pa.nulls(0)] * len(kinds)
        made = [tables.arrow_column(column, f.type) for column, f in zip(whole, kinds, strict=True)]
        yield pa.record_batch(made, schema=kinds)


def _here(place: Place, statement: str) -> Iterator[list[pa.Array]]:
    yield [pa.array(column) for column in zip(*place.rows(statement), strict=True)]


def _read(file: Path, statement: str, kinds: pa.Schema) -> Iterator[list[pa.Array]]:
    # SQLite's values have types and its columns have not: the driver learns them from a first row, which is cut off.
    first = ", ".join("0" if pa.types.is_integer(f.type) else "''" for f in kinds)
    command = [sys.executable, str(_READING), str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(f"SELECT {first} UNION ALL {statement}".encode())
            process.stdin.close()
            cut = 1
            for batch in pa.ipc.open_stream(process.stdout):
                yield batch.slice(cut).columns
                cut = 0
            whole = process.wait() == 0
        except (OSError, pa.ArrowInvalid):
            whole = False
        finally:
            process.kill()
    if not whole:  # a stream that ends too early looks like one that ends
        raise Problem(
            "replica-unreadable",
            "the rows of a replica could not be read to their end",
            str(file),
            "see its file",
        )
