"""What the parts of a new set are made of, and how each becomes bytes, figures and a digest in one reading."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from kiban.kernel import Problem
from kiban.sets import buckets
from kiban.sets.buckets import Figures
from kiban.sets.digest import Column
from kiban.sets.manifest import Form
from kiban.sets.shorter import duckdb_digest_of

Batches = Callable[[], Iterable[pa.RecordBatch]]
"""Opens the rows anew at each call."""

_ROWS = 131_072  # rows of a Parquet row group, and of what is digested at a time
_PIECE = 4 * 2**20


@dataclass(frozen=True)
class Rows:
    """A part whose rows come as Arrow batches; it is written as Parquet.

    Attributes:
        name: unique within the set and the same at every attempt, and so must the rows be.
        batches: of one schema; one batch without rows where there are none.
    """

    name: str
    batches: Batches


@dataclass(frozen=True)
class File:
    """A part that is a Parquet file already; it is taken as it is, under its own name."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


@dataclass(frozen=True)
class Raw:
    """A part of any other form, such as CSV or records of fixed length.

    Attributes:
        name: unique within the set and the same at every attempt, and so must the bytes be.
        rows: how many it holds; nobody counts them again who cannot read the form.
        chunks: opens the bytes anew at each call.
        sums: of the columns that the set adds up; not needed where `batches` is given.
        batches: the same rows as Arrow, for a set with a key.
    """

    name: str
    rows: int
    chunks: Callable[[], Iterable[bytes]]
    sums: Mapping[str, int] = field(default_factory=dict)
    batches: Batches | None = None


Source = Rows | File | Raw


class Digester:
    """Computes figures of rows beside other work, by one DuckDB. Use as a context manager.

    Args:
        key: the columns that tell the rows apart; without any there are no buckets.
        columns: every column of the digest, in order.
        sums: names of the columns of whole numbers that are added up.
        memory: how much DuckDB may take.
    """

    def __init__(
        self, key: Sequence[Column], columns: Sequence[Column], sums: Sequence[str] = (), memory: str = "1GB"
    ) -> None:
        self._how = (key, columns, sums)
        self._memory = memory
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._worker = ThreadPoolExecutor(1)

    def __enter__(self) -> Digester:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._worker.shutdown()
        if self._connection is not None:
            self._connection.close()

    def of_table(self, table: pa.Table) -> Figures:
        """Figures of a table."""
        connection = self._open()
        connection.register("_rows", table)
        try:
            return buckets.figures(connection, "_rows", *self._how, partial(duckdb_digest_of, table))
        finally:
            connection.unregister("_rows")

    def of_all(self, batches: Iterable[pa.RecordBatch]) -> Figures:
        """Figures of batches, in bounded memory: some are digested while the next ones come."""
        found: list[Figures] = []
        task: Future[Figures] | None = None
        for table in _tables(batches):
            if task is not None:
                found.append(task.result())
            task = self._worker.submit(self.of_table, table)
        return together([*found, *([task.result()] if task else [])])

    def of(self, relation: str) -> Figures:
        """Figures of a relation: SQL that may stand after FROM."""
        return buckets.figures(self._open(), relation, *self._how)

    @contextmanager
    def beside(self, work: Callable[[], Figures], found: list[Figures]) -> Iterator[None]:
        """Do the work on the other core while the body runs; what it found is there afterwards."""
        task = self._worker.submit(work)
        try:
            yield
        finally:
            found.append(task.result())

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._connection = duckdb.connect(config={"memory_limit": self._memory, "threads": 2})
        return self._connection


@dataclass
class Reading:
    """One reading of a source: its bytes go out piece by piece; then rows, sums, buckets, size and digest are known."""

    source: Source
    digester: Digester
    _found: list[Figures] = field(default_factory=list)
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)
    size: int = 0

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the part.

        Raises:
            Problem: `part-unreadable` where the source cannot be read or lacks a column of the digest; what a source raises.
        """
        opened = {Rows: self._of_rows, File: self._of_file, Raw: self._of_raw}[type(self.source)]()
        try:
            for chunk in opened:
                self._hash.update(chunk)
                self.size += len(chunk)
                yield chunk
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            what = f"the part cannot be read ({type(error).__name__})"
            fix = "give a readable source that holds the columns of the key, the digest and the sums in their kinds"
            raise Problem("part-unreadable", what, self.source.name, fix) from error

    @property
    def sha256(self) -> str:
        """Of the bytes, in hex."""
        return self._hash.hexdigest()

    @property
    def form(self) -> Form:
        """Of the bytes."""
        return "bytes" if isinstance(self.source, Raw) else "parquet"

    @property
    def figures(self) -> Figures:
        """Of the rows; without buckets where the set has no key."""
        if isinstance(self.source, Raw) and self.source.batches is None:
            return Figures(self.source.rows, dict(self.source.sums), ())
        return together(self._found)

    def _of_rows(self) -> Iterator[bytes]:
        assert isinstance(self.source, Rows)
        sink = _Sink()
        writer: pq.ParquetWriter | None = None
        for table in _tables(self.source.batches()):
            writer = writer or pq.ParquetWriter(sink, table.schema, compression="zstd")
            with self.digester.beside(lambda table=table: self.digester.of_table(table), self._found):  # type: ignore[misc]
                writer.write_table(table)
            yield from sink.taken()
        if writer is None:
            fix = "give one batch without rows for a part that holds none"
            raise Problem("part-unreadable", "a part without a batch", self.source.name, fix)
        writer.close()
        yield from sink.taken()

    def _of_file(self) -> Iterator[bytes]:
        assert isinstance(self.source, File)
        relation = parquet([self.source.path])
        with self.digester.beside(lambda: self.digester.of(relation), self._found):
            yield from read(self.source.path)

    def _of_raw(self) -> Iterator[bytes]:
        assert isinstance(self.source, Raw)
        yield from self.source.chunks()
        if self.source.batches is not None:
            self._found.append(self.digester.of_all(self.source.batches()))


def together(many: Sequence[Figures]) -> Figures:
    """Figures of all rows together."""
    sums: dict[str, int] = {}
    for one in many:
        sums = {name: sums.get(name, 0) + value for name, value in one.sums.items()}
    return Figures(sum(one.rows for one in many), sums, buckets.added(one.buckets for one in many))


def parquet(files: Iterable[Path]) -> str:
    """DuckDB SQL of the rows of Parquet files, whose names are taken as they are."""
    names = (str(file).replace("'", "''") for file in files)
    listed = ", ".join(f"'{_plain(name)}'" for name in names)
    return f"read_parquet([{listed}], hive_partitioning = false)"  # a folder called a=1 is no column


def _plain(name: str) -> str:
    """A name in which nothing stands for other names."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def read(path: Path) -> Iterator[bytes]:
    """A file piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _tables(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches together in tables of many rows; an empty one where there is only an empty batch."""
    waiting: list[pa.RecordBatch] = []
    rows, told = 0, False
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= _ROWS:
            yield pa.Table.from_batches(waiting)
            waiting, rows, told = [], 0, True
    if rows or (waiting and not told):
        yield pa.Table.from_batches(waiting)


class _Sink(io.RawIOBase):
    """A file to write to, whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, piece: object) -> int:
        """Keep a piece until it is taken."""
        data = bytes(piece)  # type: ignore[call-overload]
        self._pieces.append(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        """How much was written."""
        return self._at

    def taken(self) -> list[bytes]:
        """What was written since it was last asked."""
        pieces, self._pieces = self._pieces, []
        return pieces
