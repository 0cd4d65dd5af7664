"""Where in a file something stands: the ledger of what could not be decoded, and the uses of a city's own characters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kiban import characters

LEDGER = pa.schema(
    [
        ("file", pa.string()),
        ("record", pa.int64()),
        ("offset", pa.int64()),
        ("field", pa.string()),
        ("raw", pa.string()),
        ("code", pa.string()),
    ]
)
"""A line for each place that could not be decoded: file of the plan, record from 1, byte in the file, field, bytes in hex, code."""

USES = pa.schema(
    [
        ("file", pa.string()),
        ("record", pa.int64()),
        ("index", pa.int64()),
        ("offset", pa.int64()),
        ("field", pa.string()),
        ("code", pa.string()),
    ]
)
"""A line for each place where a character of the city's own (gaiji) stands, decided or not: `index` counts the rows of a table from 1 and
is 0 elsewhere; `code` is its bytes in hex."""


@dataclass(frozen=True)
class Place:
    """Where the records of a block come from.

    Attributes:
        file: name in the plan.
        records: their numbers in the file, from 1, int64.
        offsets: their first bytes in the file, int64.
    """

    file: str
    records: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def at(self, rows: NDArray[np.int64]) -> Place:
        """The same for some of the records."""
        return Place(self.file, self.records[rows], self.offsets[rows])


class Lines:
    """Lines of the ledger and of the uses, gathered while a block is decoded."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._faults: list[tuple[int, int, str, str, str]] = []
        self._uses: list[pa.RecordBatch] = []

    def add(self, row: int, offset: int, field: str, raw: bytes, code: str) -> None:
        """Something at a byte of a record of the block could not be decoded."""
        self._faults.append((row, offset, field, raw.hex().upper(), code))

    def use(
        self,
        own: characters.OwnCodes,
        field: str,
        rows: NDArray[np.int64],
        starts: NDArray[np.int64],
        index: NDArray[np.int64] | None,
    ) -> None:
        """The city's own characters in a field.

        Args:
            own: as decoded.
            field: name of the field.
            rows: record of the block for each row that was decoded.
            starts: byte of the record at which the field begins: one for all rows, or one for each.
            index: number in the table for each row; None outside of a table.
        """
        if not len(own.row):
            return
        records, within = rows[own.row], np.broadcast_to(starts, rows.shape)[own.row] + own.offset
        numbers = np.zeros(len(own.row), np.int64) if index is None else index[own.row]
        codes = [f"{code:04X}" for code in own.code.tolist()]
        columns = [
            pa.array([self.place.file] * len(codes), pa.string()),
            pa.array(self.place.records[records]),
            pa.array(numbers),
            pa.array(self.place.offsets[records] + within),
            pa.array([field] * len(codes), pa.string()),
            pa.array(codes, pa.string()),
        ]
        self._uses.append(pa.RecordBatch.from_arrays(columns, schema=USES))

    def ledger(self) -> pa.RecordBatch:
        """The lines of the ledger, in the order of the file."""
        found = sorted(self._faults)
        rows = np.array([line[0] for line in found], np.int64)
        offsets = np.array([line[1] for line in found], np.int64)
        columns = [
            pa.array([self.place.file] * len(found), pa.string()),
            pa.array(self.place.records[rows]),
            pa.array(self.place.offsets[rows] + offsets),
            *(pa.array([line[number] for line in found], pa.string()) for number in (2, 3, 4)),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=LEDGER)

    def uses(self) -> pa.RecordBatch:
        """The uses, in the order of the file."""
        every = pa.Table.from_batches(self._uses, USES).sort_by("offset").combine_chunks()
        return every.to_batches()[0] if every.num_rows else pa.RecordBatch.from_pylist([], USES)
