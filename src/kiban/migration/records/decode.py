"""Decodes blocks of records of one length into Arrow: every field strictly, every fault with its place and its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kiban import characters
from kiban.migration.records import choices, numbers
from kiban.migration.records.layout import Copybook, Field, Reading, Record, Table, base_name
from kiban.migration.records.places import Lines, Place

Block = NDArray[np.uint8]
Rows = NDArray[np.int64]
_SHOWN = 16
"""Bytes of a record that the ledger shows where all of it is at fault."""


@dataclass(frozen=True)
class Batch:
    """What a block of records became.

    Attributes:
        segments: rows by dataset: the record, or its top-level alternatives, and its table at the end.
        ledger: see `LEDGER`; a field with a line there is null.
        uses: see `USES`.
        filled: bytes of fillers that are neither spaces nor low-values: content that the copybook does not explain.
    """

    segments: Mapping[str, pa.RecordBatch]
    ledger: pa.RecordBatch
    uses: pa.RecordBatch
    filled: int


def decode_block(
    copybook: Copybook,
    reading: Reading,
    page: characters.CodePage,
    block: Block,
    place: Place,
    lengths: Rows | None = None,
) -> Batch:
    """Decode records.

    Args:
        copybook: what lies where.
        reading: what the copybook leaves open.
        page: of the texts.
        block: shape (n, length); records that are shorter are filled up behind their end.
        place: where they come from.
        lengths: of each record where they vary; None where all have the length of the block.

    Raises:
        Problem: `choice-open` where two groups share bytes and nothing says which of them applies.
    """
    choices.check(copybook, reading)
    lines = Lines(place)
    work = _Work(copybook, reading, page, block, lengths, lines)
    segments: dict[str, pa.RecordBatch] = {}
    filled = 0
    rest = np.arange(len(block))
    for record in copybook.records:
        rows = rest
        if record.name in reading.when:
            rows = rest[choices.applies(record, record.name, reading, page, block[rest])]
            rest = np.setdiff1d(rest, rows, assume_unique=True)
        elif record is copybook.records[-1]:
            rest = rest[:0]
        made, more = work.record(record, rows)
        segments.update(made)
        filled += more
    for row in rest.tolist():
        lines.add(row, 0, copybook.records[0].name, block[row, :_SHOWN].tobytes(), "discriminator-unknown")
    return Batch(segments, lines.ledger(), lines.uses(), filled)


@dataclass(frozen=True)
class _Work:
    """A block and how it is read. Its methods take the numbers of records in the block."""

    copybook: Copybook
    reading: Reading
    page: characters.CodePage
    block: Block
    lengths: Rows | None
    lines: Lines

    def record(self, record: Record, rows: Rows) -> tuple[dict[str, pa.RecordBatch], int]:
        """The datasets of one record description, and how many of its filler bytes hold something."""
        rows = self.fitting(record, rows)
        own = self.block[rows]
        groups = {one for field in record.fields for one in field.under}
        masks = {name: choices.applies(record, name, self.reading, self.page, own) for name in sorted(groups)}
        tops = choices.kinds(self.copybook, record)
        segments: dict[str, pa.RecordBatch] = {}
        filled = 0
        for top in tops or (record.name,):
            chosen = np.flatnonzero(masks[top]) if tops else np.arange(len(rows))
            fields = [one for one in record.fields if not tops or not one.under or one.under[0] == top]
            made: dict[str, pa.Array] = _origin(self.lines.place.at(rows[chosen]))
            for field in fields:
                mask = np.ones(len(chosen), bool)
                for group in field.under:
                    mask &= masks[group][chosen]
                if field.kind == "filler":
                    filled += _filled(own[chosen][mask][:, field.offset : field.offset + field.length])
                else:
                    made[field.name] = self.field(field, own[chosen], mask, rows[chosen], 0)
            segments[top] = pa.RecordBatch.from_pydict(made)
            if record.table is not None:
                segments[record.table.name] = self.table(record.table, made[record.table.count], rows[chosen])
        for choice, told, lost in choices.undecided(self.copybook, record, self.reading, masks, len(rows)):
            name, at, length = (told.name, told.offset, told.length) if told else (" / ".join(choice), 0, 1)
            for row in np.flatnonzero(lost).tolist():
                raw = own[row, at : at + length].tobytes()
                self.lines.add(int(rows[row]), at, name, raw, "discriminator-unknown")
        return segments, filled

    def fitting(self, record: Record, rows: Rows) -> Rows:
        """Those that are as long as their description says; the others go to the ledger."""
        if self.lengths is None:
            return rows
        lengths, end = self.lengths[rows], record.length
        short = lengths < end
        for row in rows[short].tolist():
            raw = self.block[row, : min(_SHOWN, int(self.lengths[row]))].tobytes()
            self.lines.add(row, 0, record.name, raw, "record-short")
        over = np.zeros(len(rows), bool) if record.table else lengths > end
        for row in rows[over].tolist():
            raw = self.block[row, end : end + _SHOWN].tobytes()
            self.lines.add(row, end, record.name, raw, "record-long")
        return rows[np.logical_not(short | over)]

    def field(
        self,
        field: Field,
        block: Block,
        mask: NDArray[np.bool_],
        rows: Rows,
        starts: Rows | int,
        index: Rows | None = None,
    ) -> pa.Array:
        """One field of some records, or of rows of their tables; null outside the mask and where it cannot be decoded.

        Args:
            field: as in the copybook.
            block: of the records, or of the rows of their tables.
            mask: where it applies.
            rows: the record of each.
            starts: byte of the record at which each begins.
            index: number in the table of each; None outside of a table.
        """
        part = np.ascontiguousarray(block[:, field.offset : field.offset + field.length])
        begin = np.broadcast_to(np.asarray(starts) + field.offset, rows.shape)
        if field.kind in {"text", "national"}:
            return self.text(field, part, mask, rows, begin, index)
        return self.number(field, part, mask, rows, begin)

    def text(
        self,
        field: Field,
        part: Block,
        mask: NDArray[np.bool_],
        rows: Rows,
        begin: Rows,
        index: Rows | None,
    ) -> pa.Array:
        usual: characters.Mode = "double" if field.kind == "national" else "single"
        part[np.logical_not(mask)] = 0
        made = characters.decode_block(self.page, part, self.reading.modes.get(base_name(field.name), usual))
        found = made.faults
        for at, offset, code, raw in zip(
            found.row.tolist(), found.offset.tolist(), found.code, found.raw, strict=True
        ):
            self.lines.add(int(rows[at]), int(begin[at]) + offset, field.name, raw, code)
        self.lines.use(made.own, field.name, rows, begin, index)
        return made.text

    def number(self, field: Field, part: Block, mask: NDArray[np.bool_], rows: Rows, begin: Rows) -> pa.Array:
        values, reasons = numbers.decode(field, part, ascii_digits=self.page.single_pad == 0x20)
        allowed = self.reading.unset.get(base_name(field.name), ())
        for at in np.flatnonzero(mask & (reasons != 0)).tolist():
            code = numbers.REASONS[reasons[at]]
            if code not in allowed:
                self.lines.add(int(rows[at]), int(begin[at]), field.name, part[at].tobytes(), code)
        valid = mask & (reasons == 0)
        return decimals(field, values, valid) if field.scale else pa.array(values, mask=~valid)

    def table(self, table: Table, count: pa.Array, rows: Rows) -> pa.RecordBatch:
        """The rows of the tables at the ends of records; none where the count does not fit the record."""
        told = count.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        ends = self.lengths[rows] if self.lengths is not None else np.full(len(rows), self.block.shape[1])
        room, over = np.divmod(ends - table.offset, table.length)
        good = (told >= table.least) & (told <= table.most) & (told == room) & (over == 0)
        for at in np.flatnonzero(np.logical_not(good)).tolist():
            self.lines.add(int(rows[at]), table.offset, table.name, b"", "table-count")
        counts = np.where(good, told, 0)
        parents = np.repeat(rows, counts)
        index = np.arange(len(parents)) - np.repeat(np.cumsum(counts) - counts, counts)
        starts = table.offset + index * table.length
        part = self.block[parents[:, None], starts[:, None] + np.arange(table.length)]
        columns = {**_origin(self.lines.place.at(parents)), "#index": pa.array(index + 1)}
        everywhere = np.ones(len(parents), bool)
        for field in table.fields:
            if field.kind != "filler":
                columns[field.name] = self.field(field, part, everywhere, parents, starts, index + 1)
        return pa.RecordBatch.from_pydict(columns)


def _origin(place: Place) -> dict[str, pa.Array]:
    return {
        "#file": pa.array([place.file] * len(place.records), pa.string()),
        "#record": pa.array(place.records),
        "#offset": pa.array(place.offsets),
    }


def _filled(block: Block) -> int:
    return int(((block != 0) & (block != 0x40) & (block != 0x20)).sum())


def decimals(field: Field, values: NDArray[np.int64], valid: NDArray[np.bool_]) -> pa.Array:
    """Implied decimals as decimal128, made from the integers without any floating number.

    Args:
        field: of numbers with decimals.
        values: without their decimal point.
        valid: which of them count; the others become null.
    """
    wide = np.stack([values, values >> 63], axis=1).astype(np.int64)
    mask = pa.array(valid).buffers()[1]
    return pa.Array.from_buffers(
        pa.decimal128(max(field.digits, field.scale), field.scale), len(values), [mask, pa.py_buffer(wide)]
    )
