"""Decodes blocks of records of one length into Arrow: every field strictly, every fault with its place and its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kiban import characters
from kiban.kernel import Problem
from kiban.migration.records import numbers
from kiban.migration.records.layout import Copybook, Field, Reading, Record, base_name
from kiban.migration.records.places import Lines, Place

Block = NDArray[np.uint8]


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
    lengths: NDArray[np.int64] | None = None,
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
    check(copybook, reading)
    lines = Lines(place)
    segments: dict[str, pa.RecordBatch] = {}
    filled = 0
    rest = np.arange(len(block))
    for record in copybook.records:
        rows = rest
        if record.name in reading.when:
            rows = rest[applies(record, record.name, reading, page, block[rest])]
            rest = np.setdiff1d(rest, rows, assume_unique=True)
        elif record is copybook.records[-1]:
            rest = rest[:0]
        filled += _record(copybook, record, reading, page, block, rows, lengths, lines, segments)
    for row in rest.tolist():
        lines.add(row, 0, copybook.records[0].name, block[row, :16].tobytes(), "discriminator-unknown")
    return Batch(segments, lines.ledger(), lines.uses(), filled)


def check(copybook: Copybook, reading: Reading) -> None:
    """Refuse a reading that leaves a choice open or names what is not there.

    Raises:
        Problem: `choice-open`, `reading-unknown`.
    """
    fields = {base_name(one.name) for record in copybook.records for one in record.fields}
    fields |= {
        base_name(one.name) for record in copybook.records if record.table for one in record.table.fields
    }
    groups = {name for names in copybook.choices for name in names} | {
        record.name for record in copybook.records
    }
    unknown = ({*reading.modes, *reading.unset, *(name for name, _ in reading.when.values())} - fields) | (
        reading.when.keys() - groups
    )
    if unknown:
        raise Problem(
            "reading-unknown",
            f"the copybook has no {', '.join(sorted(unknown))}",
            fix="correct the plan's modes, unset and when, or the copybook",
        )
    open_choices = [name for names in copybook.choices for name in names if name not in reading.when]
    open_choices += (
        [one.name for one in copybook.records if one.name not in reading.when]
        if len(copybook.records) > 1
        else []
    )
    if open_choices:
        raise Problem(
            "choice-open",
            f"nothing says when {', '.join(open_choices)} applies",
            fix="name the field and its values in the plan: when: {GROUP: {field: FIELD, is: [values]}}",
        )


def applies(
    record: Record, name: str, reading: Reading, page: characters.CodePage, block: Block
) -> NDArray[np.bool_]:
    """Which records of a block a record description, or a redefining group of it, is meant for.

    Raises:
        Problem: `reading-unknown`.
    """
    told, values = reading.when[name]
    field = record.named(told)
    if field is None:
        raise Problem("reading-unknown", f"{record.name} has no {told}", fix="correct `when` in the plan")
    seen = block[:, field.offset : field.offset + field.length]
    found = np.zeros(len(block), bool)
    for value in values:
        written = page.encode(value).data or b""
        if len(written) <= field.length:
            bytes_ = written + page.pad("single") * (field.length - len(written))
            found |= (seen == np.frombuffer(bytes_, np.uint8)).all(axis=1)
    return found


def _record(
    copybook: Copybook,
    record: Record,
    reading: Reading,
    page: characters.CodePage,
    block: Block,
    rows: NDArray[np.int64],
    lengths: NDArray[np.int64] | None,
    lines: Lines,
    segments: dict[str, pa.RecordBatch],
) -> int:
    """Decode the rows of one record description; returns how many filler bytes hold something."""
    if lengths is not None:
        short = lengths[rows] < record.length
        for row in rows[short].tolist():
            lines.add(row, 0, record.name, block[row, : min(16, int(lengths[row]))].tobytes(), "record-short")
        over = np.zeros(len(rows), bool) if record.table else lengths[rows] > record.length
        for row in rows[over].tolist():
            end = record.length
            lines.add(row, end, record.name, block[row, end : end + 16].tobytes(), "record-long")
        rows = rows[np.logical_not(short | over)]
    own = block[rows]
    groups = {one for field in record.fields for one in field.under}
    masks = {name: applies(record, name, reading, page, own) for name in groups}
    tops = _top_choices(copybook, record)
    filled = 0
    for top in tops or (record.name,):
        chosen = np.flatnonzero(masks[top]) if tops else np.arange(len(rows))
        fields = [one for one in record.fields if not tops or not one.under or one.under[0] == top]
        where = rows[chosen]
        made: dict[str, pa.Array] = _origin(lines.place.at(where))
        for field in fields:
            mask = np.ones(len(chosen), bool)
            for group in field.under:
                mask &= masks[group][chosen]
            if field.kind == "filler":
                filled += _filled(own[chosen][mask][:, field.offset : field.offset + field.length])
            else:
                made[field.name] = _field(field, reading, page, own[chosen], mask, where, 0, lines)
        segments[top] = pa.RecordBatch.from_pydict(made)
        if record.table is not None:
            segments[record.table.name] = _table(record, made, reading, page, block, where, lengths, lines)
    for choice in (names for names in copybook.choices if set(names) & groups):
        under = next(
            (one.under[: one.under.index(choice[0])] for one in record.fields if choice[0] in one.under), ()
        )
        wanted = np.ones(len(rows), bool)
        for group in under:
            wanted &= masks[group]
        lost = wanted & np.logical_not(
            np.logical_or.reduce([masks[name] for name in choice if name in masks])
        )
        told = record.named(reading.when[choice[0]][0])
        for at in np.flatnonzero(lost).tolist():
            offset, length = (told.offset, told.length) if told else (0, 1)
            lines.add(
                int(rows[at]),
                offset,
                told.name if told else " / ".join(choice),
                own[at, offset : offset + length].tobytes(),
                "discriminator-unknown",
            )
    return filled


def _top_choices(copybook: Copybook, record: Record) -> tuple[str, ...]:
    firsts = {one.under[0] for one in record.fields if one.under}
    return next((names for names in copybook.choices if set(names) & firsts and _whole(record, names)), ())


def _whole(record: Record, names: tuple[str, ...]) -> bool:
    """Whether a choice is between kinds of record: nothing but their discriminator stands outside of it."""
    outside = [one for one in record.fields if not one.under or one.under[0] not in names]
    return sum(one.length for one in outside) <= 4 and not any(one.under for one in outside)


def _origin(place: Place) -> dict[str, pa.Array]:
    return {
        "#file": pa.array([place.file] * len(place.records), pa.string()),
        "#record": pa.array(place.records),
        "#offset": pa.array(place.offsets),
    }


def _filled(block: Block) -> int:
    return int(((block != 0) & (block != 0x40) & (block != 0x20)).sum())


def _field(
    field: Field,
    reading: Reading,
    page: characters.CodePage,
    block: Block,
    mask: NDArray[np.bool_],
    rows: NDArray[np.int64],
    shift: NDArray[np.int64] | int,
    lines: Lines,
    index: NDArray[np.int64] | None = None,
) -> pa.Array:
    """One field of some records; null outside the mask and where it cannot be decoded."""
    part = np.ascontiguousarray(block[:, field.offset : field.offset + field.length])
    within = np.asarray(shift) + field.offset

    def line(at: int, offset: int, raw: bytes, code: str) -> None:
        start = int(within[at]) if within.ndim else int(within)
        lines.add(int(rows[at]), start + offset, field.name, raw, code)

    if field.kind in {"text", "national"}:
        mode = reading.modes.get(base_name(field.name), "double" if field.kind == "national" else "single")
        part[np.logical_not(mask)] = 0
        made = characters.decode_block(page, part, mode)
        for at, offset, code, raw in zip(
            made.faults.row.tolist(),
            made.faults.offset.tolist(),
            made.faults.code,
            made.faults.raw,
            strict=True,
        ):
            line(at, offset, raw, code)
        lines.use(made.own, field.name, rows, within, index)
        return made.text
    values, reasons = numbers.decode(field, part, ascii_digits=page.single_pad == 0x20)
    allowed = reading.unset.get(base_name(field.name), ())
    bad = mask & (reasons != 0)
    for at in np.flatnonzero(bad).tolist():
        code = numbers.REASONS[reasons[at]]
        if code not in allowed:
            line(at, 0, part[at].tobytes(), code)
    valid = mask & (reasons == 0)
    return _decimals(field, values, valid) if field.scale else pa.array(values, mask=np.logical_not(valid))


def _decimals(field: Field, values: NDArray[np.int64], valid: NDArray[np.bool_]) -> pa.Array:
    """Implied decimals as decimal128, made from the integers without any floating number."""
    wide = np.stack([values, values >> 63], axis=1).astype(np.int64)
    mask = pa.array(valid).buffers()[1]
    return pa.Array.from_buffers(
        pa.decimal128(max(field.digits, field.scale), field.scale), len(values), [mask, pa.py_buffer(wide)]
    )


def _table(
    record: Record,
    made: Mapping[str, pa.Array],
    reading: Reading,
    page: characters.CodePage,
    block: Block,
    rows: NDArray[np.int64],
    lengths: NDArray[np.int64] | None,
    lines: Lines,
) -> pa.RecordBatch:
    """The rows of the table at the end of the records."""
    table = record.table
    assert table is not None
    told = made[table.count].fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = lengths[rows] if lengths is not None else np.full(len(rows), block.shape[1])
    room = (ends - table.offset) // table.length
    good = (
        (told >= table.least)
        & (told <= table.most)
        & (told == room)
        & ((ends - table.offset) % table.length == 0)
    )
    for at in np.flatnonzero(np.logical_not(good)).tolist():
        lines.add(int(rows[at]), table.offset, table.name, b"", "table-count")
    counts = np.where(good, told, 0)
    parents = np.repeat(np.arange(len(rows)), counts)
    index = np.arange(len(parents)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = table.offset + index * table.length
    part = block[rows[parents][:, None], starts[:, None] + np.arange(table.length)]
    columns = {**_origin(lines.place.at(rows[parents])), "#index": pa.array(index + 1)}
    everywhere = np.ones(len(parents), bool)
    for field in table.fields:
        if field.kind != "filler":
            columns[field.name] = _field(
                field, reading, page, part, everywhere, rows[parents], starts, lines, index + 1
            )
    return pa.RecordBatch.from_pydict(columns)
