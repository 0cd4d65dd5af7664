"""Reads files of records block by block: fixed length, or variable with a descriptor word before each record (RDW)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kiban import characters
from kiban.kernel import Problem
from kiban.migration.records.decode import Batch, decode_block
from kiban.migration.records.layout import Copybook, Reading
from kiban.migration.records.places import Place

Framing = Literal["fixed", "rdw"]
BLOCK_ROWS = 32_768
_RDW = 4


@dataclass(frozen=True)
class Source:
    """A file to decode.

    Attributes:
        name: of the file in the plan; stands in every row.
        path: of the file.
        framing: fixed length, or RDW before each record.
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


def record_count(source: Source) -> int:
    """How many records a file has; every byte belongs to one of them.

    Raises:
        Problem: `record-length` where a remainder is left, naming it; `record-descriptor` for a descriptor word that cannot be.
    """
    if source.framing == "rdw":
        return len(_rdw(source)[0])
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
    """Decode a file, or a range of its records, in blocks of bounded memory.

    Args:
        source: the file and how it is read.
        first: first record, from 0.
        stop: the record behind the last; None for all.

    Raises:
        Problem: as `record_count` and `decode_block`.
    """
    if source.path.stat().st_size == 0:
        return
    data = np.memmap(source.path, np.uint8, "r")
    if source.framing == "rdw":
        starts, lengths = _rdw(source)
        for begin in range(first, len(starts) if stop is None else stop, BLOCK_ROWS):
            end = min(begin + BLOCK_ROWS, len(starts) if stop is None else stop)
            yield _variable(source, data, starts[begin:end], lengths[begin:end], begin)
        return
    count = record_count(source)
    records = data.reshape(count, source.length)
    last = count if stop is None else stop
    for begin in range(first, last, BLOCK_ROWS):
        end = min(begin + BLOCK_ROWS, last)
        numbers = np.arange(begin, end, dtype=np.int64)
        place = Place(source.name, numbers + 1, numbers * source.length)
        yield decode_block(
            source.copybook, source.reading, source.page, np.asarray(records[begin:end]), place
        )


def _variable(
    source: Source, data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64], begin: int
) -> Batch:
    longest = int(lengths.max())
    wanted = starts[:, None] + np.arange(longest)
    block = data[np.minimum(wanted, len(data) - 1)]
    block[np.arange(longest) >= lengths[:, None]] = 0
    place = Place(source.name, np.arange(begin, begin + len(starts), dtype=np.int64) + 1, starts)
    return decode_block(source.copybook, source.reading, source.page, block, place, lengths)


def _rdw(source: Source) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First bytes and lengths of the records, without their descriptor words."""
    data = source.path.read_bytes()
    most = max(record.longest for record in source.copybook.records)
    starts: list[int] = []
    lengths: list[int] = []
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big") - _RDW
        if length < 1 or length > most or at + _RDW + length > len(data) or data[at + 2 : at + 4] != b"\0\0":
            raise Problem(
                "record-descriptor",
                f"the descriptor word of record {len(starts) + 1:,} says {length + _RDW} bytes; "
                f"{len(data) - at:,} are left and a record has at most {most + _RDW}",
                f"{source.name} byte {at}",
                "ask for the whole file again, transferred in binary and with its descriptor words",
            )
        starts.append(at + _RDW)
        lengths.append(length)
        at += _RDW + length
    return np.array(starts, np.int64), np.array(lengths, np.int64)
