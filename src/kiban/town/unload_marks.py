"""Finished files of fixed-length records, looked at by column: where a known fault can be put."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiban.town.unload_layout import Field, layouts
from kiban.town.unload_records import record_length

Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
ZONE, SPACE = 0xF0, 0x40
OPEN_END = "99999999"


def written(digits: str) -> bytes:
    """Digits as a mainframe writes them, one a byte.

    >>> written("10").hex()
    'f1f0'
    """
    return bytes(ZONE + int(digit) for digit in digits)


@dataclass(frozen=True)
class Records:
    """One finished file.

    Attributes:
        book: such as JUKI.
        path: of the file.
    """

    book: str
    path: Path

    @cached_property
    def block(self) -> Bytes:
        """Every record, header and trailer included; what is written into it is written into the file."""
        length = record_length(self.book)
        return np.memmap(self.path, np.uint8, "r+", shape=(self.path.stat().st_size // length, length))

    def field(self, name: str) -> Field:
        """A field of the data records, those of alternatives included, with its offset from the type byte."""
        return field_of(self.book, name)

    def column(self, name: str) -> Bytes:
        """The bytes of a field in every record."""
        field = self.field(name)
        return self.block[:, field.offset : field.offset + field.size]

    @cached_property
    def data(self) -> Mask:
        """Which records are neither header nor trailer."""
        found = np.ones(len(self.block), np.bool_)
        found[[0, -1]] = False
        return found

    def holds(self, name: str, value: bytes) -> Mask:
        """Which data records have these bytes in a field."""
        found: Mask = (self.column(name) == np.frombuffer(value, np.uint8)).all(axis=1) & self.data
        return found

    def like_next(self, *names: str) -> Mask:
        """Which data records have the same in these fields as the data record behind them."""
        found = self.data & np.roll(self.data, -1)
        for name in names:
            column = self.column(name)
            found[:-1] &= (column[:-1] == column[1:]).all(axis=1)
        return found

    def meets_next(self, end: str, begin: str) -> Mask:
        """Which records end on the day on which the record behind them begins."""
        found = np.zeros(len(self.block), np.bool_)
        found[:-1] = (self.column(end)[:-1] == self.column(begin)[1:]).all(axis=1)
        return found

    def digits(self, name: str, row: int) -> str:
        """A zoned number of one record."""
        return "".join(str(byte - ZONE) for byte in self.column(name)[row].tolist())


def field_of(book: str, name: str) -> Field:
    """A field of the data records of a book, with its offset from the type byte.

    Raises:
        KeyError: where the book has no such field.
    """
    found = layouts()
    start = 1 + found[book, "DATA"].size
    for (copybook, part), layout in found.items():
        if copybook == book and part not in ("HEADER", "TRAILER"):
            for field in layout.fields:
                if field.name == name:
                    begin = 1 if part == "DATA" else start
                    return Field(**{**field.__dict__, "offset": begin + field.offset})
    raise KeyError(name)
