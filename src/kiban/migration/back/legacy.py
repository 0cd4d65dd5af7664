"""Records of mainframe files on the way back: what stood there, what goes back, and what is read from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from kiban.migration import records
from kiban.migration.back.paper import Mask, New, Numbers, Old
from kiban.migration.back.texts import Texts, typed
from kiban.migration.records import Field, Place, Record, Source, Table

Bytes = NDArray[np.uint8]
_RDW = 4


@dataclass(frozen=True)
class Bits:
    """A `Part` of bytes at fixed places; its blocks are of shape (n, length).

    Attributes:
        source: how the files are read; of several parts one.
        segment: of the record.
        record: its description, or that of its table.
        paths: landed file of each part, by its name in the plan.
    """

    source: Source
    segment: str
    record: Record | Table
    paths: Mapping[str, Path]

    @cached_property
    def held(self) -> dict[str, Field]:
        """The fields that hold something, without those of other alternatives."""
        tops = {one.under[0] for one in self.record.fields if one.under}
        others = tops - {self.segment} if self.segment in tops else set()
        return {
            one.name: one
            for one in self.record.fields
            if one.kind != "filler" and not (one.under and one.under[0] in others)
        }

    @property
    def fields(self) -> Sequence[str]:
        """Names of the fields that hold something."""
        return list(self.held)

    def bytes_of(self, files: Sequence[str | None]) -> Iterator[tuple[Numbers, Bytes]]:
        """For each landed file that is named, which records come from it, and its bytes."""
        names = np.array([name or "" for name in files], object)
        for name in sorted({one for one in files if one}):
            yield np.flatnonzero(names == name), np.memmap(self.paths[name], np.uint8, "r")

    def old(self, files: Sequence[str | None], begins: Numbers) -> Old:
        """See `Part.old`."""
        block = np.zeros((len(files), self.record.length), np.uint8)
        there = np.zeros(len(files), bool)
        for rows, data in self.bytes_of(files):
            block[rows] = np.lib.stride_tricks.sliding_window_view(data, self.record.length)[begins[rows]]
            there[rows] = True
        return Old(block, there)

    def new(self, made: Texts, old: Old, keep: Mapping[str, Mask], absent: Mapping[str, Mask]) -> New:
        """See `Part.new`."""
        columns: dict[str, pa.Array] = {}
        codes: dict[str, list[pl.Series]] = {}
        for name, one in self.held.items():
            if name in made.values:
                columns[name], wrong = typed(one, made.values[name], made.nothing.get(name))
                codes[name] = [each for each in (made.faults.get(name), wrong) if each is not None]
        rows = len(old.block)
        wrote = records.write_block(
            self.record, columns, self.source.reading, self.source.page, rows, (old.block, old.there), keep
        )
        for name, column in _columns(wrote.faults, rows).items():
            codes[name].append(column)
        nowhere = np.zeros(rows, bool)
        faults: dict[str, pl.Series] = {}
        for name, several in codes.items():
            quiet = keep.get(name, nowhere) | absent.get(name, nowhere)
            found = pl.DataFrame([each.alias(str(at)) for at, each in enumerate(several)])
            if several:
                told = found.select(pl.when(pl.Series(~quiet)).then(pl.coalesce(pl.all())))[:, 0]
                faults |= {name: told} if told.null_count() < rows else {}
        return New(wrote.block, faults)

    def differing(self, old: Old, new: New) -> dict[str, Mask]:
        """See `Part.differing`."""
        if np.array_equal(old.block[old.there], new.block[old.there]):
            return {}
        found: dict[str, Mask] = {}
        for name, one in self.held.items():
            at = slice(one.offset, one.offset + one.length)
            other = (old.block[:, at] != new.block[:, at]).any(axis=1) & old.there
            found |= {name: other} if other.any() else {}
        return found


@dataclass(frozen=True)
class Legacy:
    """A `Paper` of bytes.

    Attributes:
        main: the record.
        rows: of its table; None where it has none.
    """

    main: Bits
    rows: Bits | None

    @staticmethod
    def of(source: Source, segment: str, record: Record, paths: Mapping[str, Path]) -> Legacy:
        """The records of a description; see `Bits`."""
        table = Bits(source, segment, record.table, paths) if record.table is not None else None
        return Legacy(Bits(source, segment, record, paths), table)

    @property
    def told(self) -> Mapping[str, str]:
        """The fields that tell of which description and alternative a record is, so far as one value only does."""
        when, record = self.main.source.reading.when, self.main.record
        told = [when[name] for name in (record.name, self.main.segment) if name in when]
        return {name: values[0] for name, values in told if len(values) == 1}

    def before(self, old: Old, files: Sequence[str | None], begins: Numbers) -> dict[str, pl.DataFrame]:
        """See `Paper.before`."""
        if self.rows is None:
            return self._read(old.block, None, np.zeros(len(files), np.int64))
        rows, counts = self.table(old, files, begins)
        return self._read(old.block, rows.block, counts)

    def table(self, old: Old, files: Sequence[str | None], begins: Numbers) -> tuple[Old, Numbers]:
        """See `Paper.table`. A record of fixed length holds as many rows as it has room for."""
        part, source, width = self.rows, self.main.source, self.main.record.length
        assert part is not None
        sizes = np.full(len(files), source.length if source.framing == "fixed" else width, np.int64)
        for at, data in self.main.bytes_of(files) if source.framing != "fixed" else ():
            word = begins[at] - _RDW
            sizes[at] = (data[word].astype(np.int64) << 8 | data[word + 1]) - _RDW
        counts = np.where(old.there, (sizes - width) // part.record.length, 0)
        owner = np.repeat(np.arange(len(files)), counts)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = [files[at] for at in owner.tolist()]
        return part.old(rows, begins[owner] + width + place * part.record.length), counts

    def read(self, new: New, rows: New | None, counts: Numbers) -> dict[str, pl.DataFrame]:
        """See `Paper.read`."""
        return self._read(new.block, rows.block if rows else None, counts)

    def _read(self, block: Bytes, rows: Bytes | None, counts: Numbers) -> dict[str, pl.DataFrame]:
        source = self.main.source
        whole, sizes = self._laid(block, rows, counts)
        numbers = np.arange(len(block), dtype=np.int64)
        batch = records.decode_block(
            source.copybook,
            source.reading,
            source.page,
            whole,
            Place(source.name, numbers + 1, numbers),
            None if source.framing == "fixed" else sizes,
        )
        return {name: _frame(rows) for name, rows in batch.segments.items()}

    def data(self, new: New, rows: New | None, counts: Numbers) -> bytes:
        """See `Paper.data`."""
        source = self.main.source
        whole, sizes = self._laid(new.block, rows.block if rows else None, counts)
        length = source.length if source.framing == "fixed" else 0
        return records.framed(source.framing, whole, sizes, length, source.page.single_pad)

    def _laid(self, block: Bytes, rows: Bytes | None, counts: Numbers) -> tuple[Bytes, Numbers]:
        assert isinstance(self.main.record, Record)
        return records.laid(
            self.main.record, block, np.zeros((0, 0), np.uint8) if rows is None else rows, counts
        )

    def closing(self, group: str, values: Mapping[str, object]) -> bytes:
        """A header or trailer: the record of an alternative that holds these values and nothing else."""
        one = replace(self, main=replace(self.main, segment=group))
        texts = Texts({name: pl.Series([str(value)]) for name, value in {**one.told, **values}.items()})
        nothing = Old(np.zeros((1, self.main.record.length), np.uint8), np.zeros(1, bool))
        return one.data(one.main.new(texts, nothing, {}, {}), None, np.zeros(1, np.int64))


def _frame(rows: pa.RecordBatch) -> pl.DataFrame:
    made: Any = pl.from_arrow(rows)
    frame: pl.DataFrame = made
    return frame


def _columns(faults: records.Faults, rows: int) -> dict[str, pl.Series]:
    """Codes by field, one for each row."""
    found: dict[str, NDArray[np.object_]] = {}
    for row, name, code in zip(faults.row, faults.field, faults.code, strict=True):
        found.setdefault(name, np.full(rows, None, object))[row] = code
    return {name: pl.Series(codes.tolist(), dtype=pl.String) for name, codes in found.items()}
