"""Makes the files of a set in a folder: each feed in files that keep to the receiver's limits, counted, added up, digested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from kiban import sets
from kiban.kernel import Problem
from kiban.linkage.contracts.model import Feed, Receiver
from kiban.linkage.files import about
from kiban.linkage.files.about import FeedSaid
from kiban.linkage.files.codec import RecordCodec, Unfit, columns_of

Rows = Callable[[Feed], Iterable[pa.RecordBatch]]
"""Opens the rows of a feed as the consumer may see them, anew at each call."""

_PIECE = 65_536  # rows written at a time


@dataclass(frozen=True)
class MadeFile:
    """A file of a feed.

    Attributes:
        name: as the set calls it.
        feed: name of the feed.
        rows: how many it holds.
    """

    name: str
    feed: str
    rows: int


@dataclass
class MadeFeed:
    """The files of one feed, and what did not fit.

    Attributes:
        said: of the rows written; meaningless where something did not fit.
        files: in order; at least one.
        present: number of rows by unit, where it was asked for.
        unfit: item and reason -> how often; with words on one of them.
        units: whose rows did not fit.
        seen: rows looked at.
    """

    said: FeedSaid
    files: tuple[MadeFile, ...]
    present: pa.Table | None
    seen: int
    unfit: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    units: frozenset[str] = frozenset()


def make(
    feed: Feed,
    batches: Iterable[pa.RecordBatch],
    codec: RecordCodec,
    limit: Receiver,
    folder: Path,
    *,
    count_units: bool = False,
    told: Callable[[int], None] = lambda _rows: None,
) -> MadeFeed:
    """Write the rows of a feed. After the first value that does not fit nothing more is written, and the rest is only looked at.

    Args:
        feed: of the contract.
        batches: its rows, in any order.
        codec: how they are written.
        limit: of the receiver.
        folder: where to; must exist.
        count_units: whether to count the rows of each unit.
        told: told of rows done.

    Raises:
        Problem: `file-limit` where one row alone is longer than the receiver takes; what the rows raise.
    """
    schema = columns_of(feed)
    files = _Files(feed, codec, limit, folder)
    figures: list[sets.Figures] = []
    counted: list[pa.Table] = []
    unfit: dict[tuple[str, str], tuple[int, str]] = {}
    units: set[str] = set()
    seen = 0
    with about.digester(feed) as digester, files:
        for batch in _in_pieces(batches):
            rows = pa.record_batch([batch.column(f.name) for f in schema], schema=schema)
            found = codec.unfit(feed, rows)
            units.update(_noted(feed, rows, found, unfit))
            if not unfit and rows.num_rows:
                table = pa.Table.from_batches([rows])
                with digester.beside(lambda table=table: digester.of_table(table), figures):  # type: ignore[misc]
                    files.add(rows)
            if count_units and rows.num_rows:
                counted.append(_counts(rows.column(feed.unit.romaji)))
            seen += rows.num_rows
            told(rows.num_rows)
    whole = sets.together(figures)
    present = _summed(counted) if count_units else None
    return MadeFeed(about.said(feed, whole), files.made, present, seen, unfit, frozenset(units))


def _in_pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for first in range(0, batch.num_rows, _PIECE):
            yield batch.slice(first, _PIECE)


def _noted(
    feed: Feed, rows: pa.RecordBatch, found: Sequence[Unfit], unfit: dict[tuple[str, str], tuple[int, str]]
) -> Iterator[str]:
    """Count what did not fit; give whose it is."""
    for one in found:
        often, what = unfit.get((one.item, one.why), (0, one.what))
        unfit[one.item, one.why] = often + 1, what
        yield rows.column(feed.unit.romaji)[one.row].as_py()


def _counts(units: pa.Array) -> pa.Table:
    counted = pc.value_counts(units)
    return pa.table({"unit": counted.field("values"), "rows": counted.field("counts")})


def _summed(counted: Sequence[pa.Table]) -> pa.Table:
    if not counted:
        return pa.table({"unit": pa.array([], pa.string()), "rows": pa.array([], pa.int64())})
    together = pa.concat_tables(counted).group_by("unit").aggregate([("rows", "sum")])
    return together.rename_columns({"unit": "unit", "rows_sum": "rows"})


class _Files:
    """The files of a feed as they grow; the next one begins where a limit is reached."""

    def __init__(self, feed: Feed, codec: RecordCodec, limit: Receiver, folder: Path) -> None:
        self._feed, self._codec, self._limit, self._folder = feed, codec, limit, folder
        self._head = codec.head(feed)
        self._file: BinaryIO | None = None
        self._done: list[MadeFile] = []
        self._rows = self._size = 0

    def __enter__(self) -> _Files:
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def made(self) -> tuple[MadeFile, ...]:
        return tuple(self._done)

    def add(self, rows: pa.RecordBatch) -> None:
        """Write rows, in as many files as they need."""
        while rows.num_rows:
            room = rows.num_rows if self._limit.rows is None else self._limit.rows - self._rows
            if room <= 0:
                self._next()
                continue
            self._fit(rows.slice(0, room))
            rows = rows.slice(room)

    def _fit(self, rows: pa.RecordBatch) -> None:
        data = self._codec.write(self._feed, rows)
        if self._limit.bytes is None or self._size + len(data) <= self._limit.bytes:
            assert self._file is not None
            self._file.write(data)
            self._rows += rows.num_rows
            self._size += len(data)
        elif rows.num_rows > 1:
            half = rows.num_rows // 2
            self._fit(rows.slice(0, half))
            self.add(rows.slice(half))
        elif self._rows:
            self._next()
            self._fit(rows)
        else:
            what = f"a row of {len(data):,} bytes, and the receiver takes files of {self._limit.bytes:,}"
            raise Problem("file-limit", what, self._feed.name, "agree on a higher limit in the contract")

    def _next(self) -> None:
        self._end()
        self._begin()

    def _begin(self) -> None:
        name = f"{self._feed.name}.{len(self._done) + 1:04}{self._codec.ending}"
        self._file = (self._folder / name).open("wb")
        self._file.write(self._head)
        self._rows, self._size = 0, len(self._head)

    def _end(self) -> None:
        assert self._file is not None
        self._file.close()
        name = Path(self._file.name).name
        self._done.append(MadeFile(name, self._feed.name, self._rows))
