"""Reads files of records block by block: of fixed length, or variable ones (see `framing`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiban import characters
from kiban.kernel import Problem
from kiban.migration.records.decode import Batch, decode_block
from kiban.migration.records.framing import RUN, Framing, Run, runs
from kiban.migration.records.layout import Copybook, Reading
from kiban.migration.records.mapped import Mapped
from kiban.migration.records.places import Place

BLOCK_ROWS, BLOCK_BYTES = RUN, 1 << 25
"""At most so many records, and bytes of records, are decoded at once."""


@dataclass(frozen=True)
class Source:
    """A file to decode.

    Attributes:
        name: of the file in the plan; stands in every row.
        path: of the file.
        framing: see `Framing`.
        copybook, reading, page: how it is read.
    """

    name: str
    path: Path
    framing: Framing
    copybook: Copybook
    reading: Reading
    page: characters.CodePage

    @property
    def length(self) -> int:
        """Bytes of a fixed-length record: the longest description; they must agree.

        Raises:
            Problem: `record-lengths` where record descriptions of a fixed file differ.
        """
        lengths = {record.longest for record in self.copybook.records}
        if len(lengths) > 1:
            raise Problem(
                "record-lengths",
                f"record descriptions of {', '.join(map(str, sorted(lengths)))} bytes in a file of fixed length",
                self.name,
                "fill the shorter ones up with FILLER",
            )
        return lengths.pop()

    def runs(self) -> Iterator[Run]:
        """The records of a variable file, a run at a time.

        Raises:
            Problem: as `framing.runs`.
        """
        most = max(record.longest for record in self.copybook.records)
        return runs(self.path, self.name, self.framing, most)


def record_count(source: Source) -> int:
    """How many records a file has; every byte belongs to one of them.

    Raises:
        Problem: `record-length` where a remainder is left, naming it; `record-descriptor`, `block-descriptor` for a descriptor word
            that cannot be.
    """
    if source.framing != "fixed":
        return sum(len(run.starts) for run in source.runs())
    size = source.path.stat().st_size
    count, rest = divmod(size, source.length)
    if rest:
        raise Problem(
            "record-length",
            f"{size:,} bytes are {count:,} records of {source.length} bytes and {rest} bytes more",
            source.name,
            "ask for the whole file again (transferred in binary), or give the copybook that belongs to it",
        )
    return count


def decode_file(source: Source, first: int = 0, stop: int | None = None) -> Iterator[Batch]:
    """Decode a file, or a range of its records, in blocks of bounded memory; a file without a byte is one block without a row.

    Args:
        source: the file and how it is read.
        first: first record, from 0.
        stop: the record behind the last; None for all.

    Raises:
        Problem: as `record_count` and `decode_block`.
    """
    if source.path.stat().st_size == 0:
        yield _nothing(source)
        return
    mapped = Mapped(source.path)
    if source.framing != "fixed":
        yield from _variable(source, mapped, first, stop)
        return
    count = record_count(source)
    records = mapped.data.reshape(count, source.length)
    last = count if stop is None else stop
    rows = _rows_at_once(source.length)
    for begin in range(first, last, rows):
        end = min(begin + rows, last)
        numbers = np.arange(begin, end, dtype=np.int64)
        place = Place(source.name, numbers + 1, numbers * source.length)
        yield decode_block(
            source.copybook, source.reading, source.page, np.asarray(records[begin:end]), place
        )
        mapped.read_to(end * source.length)


def _nothing(source: Source) -> Batch:
    """Every segment of the copybook, without a row."""
    none = np.zeros(0, np.int64)
    longest = max(record.longest for record in source.copybook.records)
    place = Place(source.name, none, none)
    return decode_block(
        source.copybook, source.reading, source.page, np.zeros((0, longest), np.uint8), place, none
    )


def _rows_at_once(length: int) -> int:
    return max(1, min(BLOCK_ROWS, BLOCK_BYTES // length))


def _variable(source: Source, mapped: Mapped, first: int, stop: int | None) -> Iterator[Batch]:
    for run in source.runs():
        wanted = run.between(first, stop)
        rows = _rows_at_once(int(wanted.lengths.max(initial=1)))
        for begin in range(wanted.first, wanted.first + len(wanted.starts), rows):
            piece = wanted.between(begin, begin + rows)
            numbers = np.arange(begin, begin + len(piece.starts), dtype=np.int64)
            yield decode_block(
                source.copybook,
                source.reading,
                source.page,
                _gathered(mapped.data, piece),
                Place(source.name, numbers + 1, piece.starts),
                piece.lengths,
            )
            mapped.read_to(int(piece.starts[0]))
        if stop is not None and run.first + len(run.starts) >= stop:
            return


def _gathered(data: NDArray[np.uint8], run: Run) -> NDArray[np.uint8]:
    """The records as one block, filled up behind their ends."""
    longest = int(run.lengths.max())
    block = np.zeros((len(run.starts), longest), np.uint8)
    within = run.starts + longest <= len(data)
    if within.any():
        block[within] = np.lib.stride_tricks.sliding_window_view(data, longest)[run.starts[within]]
    for row in np.flatnonzero(~within).tolist():  # the last few of a file
        start, length = int(run.starts[row]), int(run.lengths[row])
        block[row, :length] = data[start : start + length]
    block[np.arange(longest) >= run.lengths[:, None]] = 0
    return block
