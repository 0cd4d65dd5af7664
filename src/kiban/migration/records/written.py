"""Writes values as whole records, the inverse of decoding: strictly, with a line for every value that cannot be written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kiban import characters
from kiban.kernel import Problem
from kiban.migration.records import numbers
from kiban.migration.records.choices import applies
from kiban.migration.records.framing import Framing
from kiban.migration.records.layout import Field, Reading, Record, Table, base_name

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Known = dict[tuple[str, ...], Mask]
"""In which rows redefining groups apply, by the groups, outer first."""

MISSING, OUTSIDE = "number-missing", "group-other"
NEGATIVE, WIDE = "sign-bad", "digits-many"
_RDW, _BLOCK = 4, 32_760  # bytes of a descriptor word, and of the longest block


@dataclass(frozen=True)
class Faults:
    """Values that cannot be written, in the order of fields and rows.

    Attributes:
        row: in the block, int64.
        field: name of the field.
        code: `char-unencodable`, `field-overflow`, `digits-many`, `sign-bad` for a negative number in a field without a sign,
            `number-missing` where nothing stands for "no number", `group-other` for a value in a redefining group that does not apply.
    """

    row: Sequence[int] = ()
    field: Sequence[str] = ()
    code: Sequence[str] = ()

    @staticmethod
    def of(name: str, rows: Sequence[int], codes: Sequence[str]) -> Faults:
        """Those of one field."""
        return Faults(rows, [name] * len(rows), codes)

    @staticmethod
    def together(parts: Iterable[Faults]) -> Faults:
        """Those of several fields."""
        each = list(parts)
        return Faults(
            [row for one in each for row in one.row],
            [name for one in each for name in one.field],
            [code for one in each for code in one.code],
        )


@dataclass(frozen=True)
class Wrote:
    """Records as bytes.

    Attributes:
        block: (n, length), uint8; a field with a fault is empty, which is padding or zero.
        faults: see `Faults`.
    """

    block: Bytes
    faults: Faults = field(default_factory=Faults)


def write_field(one: Field, column: pa.Array, reading: Reading, page: characters.CodePage) -> Wrote:
    """Write one field of many records.

    Args:
        one: not a filler.
        column: as decoding gives it: text, int64, or decimal of the field's scale. Null is padding, or what `reading.unset` says.
        reading: what the copybook leaves open.
        page: of the texts.
    """
    if one.kind in {"text", "national"}:
        made = characters.encode_block(page, column, one.length, _mode(one, reading))
        first = dict(zip(reversed(made.faults.row.tolist()), reversed(made.faults.code), strict=True))
        rows = sorted(first)
        return Wrote(made.block, Faults.of(one.name, rows, [first[row] for row in rows]))
    whole = pc.multiply(column, 10**one.scale).cast(pa.int64()) if one.scale else column
    values = whole.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    none = column.is_null().to_numpy(zero_copy_only=False)
    negative = (values < 0) if one.sign == "none" else np.zeros(len(values), bool)
    wide = ~negative & (np.abs(values) >= 10**one.digits)
    block = numbers.encode(one, np.where(negative | wide, 0, values), ascii_digits=page.single_pad == 0x20)
    unset = reading.unset.get(base_name(one.name), ())
    if unset:
        block[none] = 0 if unset[0] == "low-values" else page.single_pad
    lacking = none & (not unset)
    codes = np.select([negative, wide, lacking], [NEGATIVE, WIDE, MISSING], "")
    rows = np.flatnonzero(codes != "").tolist()
    return Wrote(block, Faults.of(one.name, rows, codes[rows].tolist()))


def write_block(
    record: Record | Table,
    columns: Mapping[str, pa.Array],
    reading: Reading,
    page: characters.CodePage,
    rows: int,
    base: tuple[Bytes, Mask] | None = None,
    keep: Mapping[str, Mask] | None = None,
) -> Wrote:
    """Write records of one description, or rows of its table.

    A redefining group is written where it applies once the fields outside of it are there; where it did not apply before, it is
    emptied first.

    Args:
        record: what lies where; the table at its end is written apart.
        columns: values by field; a field that is not named keeps its bytes, or is empty.
        reading: what the copybook leaves open.
        page: of the texts.
        rows: how many.
        base: what stood there before, (rows, record.length), and in which rows; None where all are new.
        keep: for a field, the rows in which its bytes stay as they were.
    """
    before, old = base or (np.zeros((rows, record.length), np.uint8), np.zeros(rows, bool))
    block = np.where(old[:, None], before, np.uint8(page.single_pad))
    applied: Known = {(): np.ones(rows, bool)}
    had: Known = {(): old}
    parts: list[Faults] = []
    for under in sorted({one.under for one in record.fields}, key=len):
        _settle(record, under, reading, page, (before, block), (had, applied))
        fields = [one for one in record.fields if one.under == under]
        _empty(fields, applied[under] & ~had[under], reading, page, block)
        for one in fields:
            column = columns.get(one.name)
            if one.kind != "filler" and column is not None:
                kept = (keep or {}).get(one.name, np.zeros(rows, bool))
                parts.append(_put(one, column, applied[under], kept, reading, page, block))
    return Wrote(block, Faults.together(parts))


def laid(record: Record, block: Bytes, tables: Bytes, counts: Numbers) -> tuple[Bytes, Numbers]:
    """Records with the rows of their tables behind them.

    Args:
        record: their description.
        block: (n, record.length).
        tables: (sum of counts, table.length): the rows of all their tables, one record after the other.
        counts: of rows of each record's table; all 0 where it has none.

    Returns:
        (n, longest) with zeros behind the end of each record, and the length of each.
    """
    row = record.table.length if record.table else 0
    sizes = record.length + counts * row
    whole = np.zeros((len(block), int(sizes.max(initial=record.length))), np.uint8)
    whole[:, : record.length] = block
    if len(tables):
        owner = np.repeat(np.arange(len(block)), counts)
        place = np.arange(len(tables)) - np.repeat(np.cumsum(counts) - counts, counts)
        whole[owner[:, None], (record.length + place * row)[:, None] + np.arange(row)] = tables
    return whole, sizes


def framed(framing: Framing, whole: Bytes, sizes: Numbers, length: int, pad: int) -> bytes:
    """Records as they stand in a file.

    Args:
        framing: of the file.
        whole: see `laid`.
        sizes: of each record.
        length: of a record of a fixed file, to which it is filled up.
        pad: what fills it up.

    Raises:
        Problem: `record-lengths` for a record that is longer than a fixed one may be.
    """
    at = np.arange(whole.shape[1])
    if framing == "fixed":
        if int(sizes.max(initial=0)) > length:
            what = f"a record of {int(sizes.max())} bytes in a file of fixed length {length}"
            raise Problem("record-lengths", what, fix="correct the copybook")
        data = np.full((len(whole), length), pad, np.uint8)
        data[:, : whole.shape[1]] = np.where(at < sizes[:, None], whole, np.uint8(pad))
        return data.tobytes()
    words = (sizes + _RDW).astype(">u2").view(np.uint8).reshape(-1, 2)
    data = np.hstack([words, np.zeros_like(words), whole])
    ends = sizes + _RDW
    written = data[np.arange(data.shape[1]) < ends[:, None]].tobytes()
    return _blocked(written, ends) if framing == "vb" else written


def _blocked(written: bytes, sizes: Numbers) -> bytes:
    """Records with their descriptor words in blocks, each as full as it may be."""
    parts: list[bytes] = []
    begin, end = 0, 0
    for size in [*sizes.tolist(), _BLOCK]:
        if end > begin and end - begin + size + _RDW > _BLOCK:
            parts += [(end - begin + _RDW).to_bytes(2, "big"), b"\0\0", written[begin:end]]
            begin = end
        end += size
    return b"".join(parts)


def _mode(one: Field, reading: Reading) -> characters.Mode:
    return reading.modes.get(base_name(one.name), "double" if one.kind == "national" else "single")


def _settle(
    record: Record | Table,
    under: tuple[str, ...],
    reading: Reading,
    page: characters.CodePage,
    blocks: tuple[Bytes, Bytes],
    masks: tuple[Known, Known],
) -> None:
    """Note in which rows the groups around some fields applied before, and apply now."""
    for depth in range(1, len(under) + 1):
        groups = under[:depth]
        for block, known in zip(blocks, masks, strict=True):
            if groups not in known:
                assert isinstance(record, Record)
                known[groups] = known[groups[:-1]] & applies(record, groups[-1], reading, page, block)


def _empty(
    fields: Sequence[Field], where: Mask, reading: Reading, page: characters.CodePage, block: Bytes
) -> None:
    """Put nothing into fields: padding, or a number that is zero or unset."""
    rows = np.flatnonzero(where)
    if not len(rows):
        return
    for one in fields:
        if one.kind == "filler":
            empty = np.full((1, one.length), page.single_pad, np.uint8)
        else:
            empty = write_field(one, pa.nulls(1, _type(one)), reading, page).block
        block[rows[:, None], np.arange(one.offset, one.offset + one.length)] = empty


def _type(one: Field) -> pa.DataType:
    if one.kind in {"text", "national"}:
        return pa.string()
    return pa.decimal128(max(one.digits, one.scale), one.scale) if one.scale else pa.int64()


def _put(
    one: Field,
    column: pa.Array,
    meant: Mask,
    kept: Mask,
    reading: Reading,
    page: characters.CodePage,
    block: Bytes,
) -> Faults:
    """Write a field into the rows it is meant for."""
    wrote = write_field(one, column, reading, page)
    at = meant & ~kept
    block[at, one.offset : one.offset + one.length] = wrote.block[at]
    held = column.is_valid().to_numpy(zero_copy_only=False)
    told = {row: code for row, code in zip(wrote.faults.row, wrote.faults.code, strict=True) if at[row]}
    told |= dict.fromkeys(np.flatnonzero(held & ~meant).tolist(), OUTSIDE)
    rows = sorted(told)
    return Faults.of(one.name, rows, [told[row] for row in rows])
