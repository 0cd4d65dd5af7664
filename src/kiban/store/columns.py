"""Arrow columns of a register: their schema, and their way to COPY and back."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from kiban.kernel import Problem
from kiban.standard import Group, Item
from kiban.store.schema import Table, never_null

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

ALWAYS = "0000-01-01"
"""How the standard writes a date that has been true always; PostgreSQL keeps it as -infinity, having no year 0."""

_SAFE_DIGITS = 18


def arrow_schema(group: Group) -> pa.Schema:
    """The Arrow columns of a group: items by their official romaji, then the period of a register.

    Nulls mean "no value"; in `valid_from` and `valid_to` they mean open.
    """
    fields = [pa.field(item.romaji, arrow_type(item), nullable=not never_null(item)) for item in group.items]
    if group.kind == "register":
        fields += [pa.field("valid_from", pa.date32()), pa.field("valid_to", pa.date32())]
    return pa.schema(fields)


def arrow_type(item: Item) -> pa.DataType:
    """The Arrow type in which an item travels between rooms."""
    if item.repeats:
        return pa.list_(pa.string())
    if item.type in ("9", "S9"):
        wide = item.digits is not None and item.digits > _SAFE_DIGITS
        return pa.decimal128(min(item.digits or 0, 38), 0) if wide else pa.int64()
    if item.type == "9V":
        return pa.decimal128((item.digits or 0) + (item.scale or 0), item.scale or 0)
    if item.type == "BLOB":
        return pa.binary()
    return pa.string()


def conform(batch: pa.RecordBatch, table: Table, where: str) -> pa.RecordBatch:
    """The batch with exactly the columns of the register, in their order and types.

    Raises:
        Problem: `column-unknown`, `column-missing` (a mandatory item), `column-type`.
    """
    schema = arrow_schema(table.group)
    unknown = [name for name in batch.schema.names if name not in schema.names]
    if unknown:
        raise Problem(
            "column-unknown",
            f"{table.register} has no item {', '.join(unknown)}",
            where,
            "use the official romaji",
        )
    missing = [f.name for f in schema if not f.nullable and f.name not in batch.schema.names]
    if missing:
        raise Problem(
            "column-missing", f"{table.register} needs {', '.join(missing)}", where, "add the mandatory items"
        )
    columns = []
    for wanted in schema:
        if wanted.name not in batch.schema.names:
            columns.append(pa.nulls(batch.num_rows, wanted.type))
            continue
        column = batch.column(wanted.name)
        try:
            columns.append(column if column.type == wanted.type else column.cast(wanted.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            what = f"{wanted.name} is {column.type}, not {wanted.type}"
            raise Problem(
                "column-type", what, where, "write the column in the type of the standard"
            ) from error
    return pa.record_batch(columns, schema=pa.schema([pa.field(f.name, f.type) for f in schema]))


def to_csv(batch: pa.RecordBatch, dates: Collection[str] = ()) -> memoryview:
    """The batch as COPY ... WITH (FORMAT csv) reads it; open periods as infinity.

    Args:
        batch: the columns in the order of the COPY.
        dates: the columns that are of type date in the database.
    """
    sink = io.BytesIO()
    _write(batch, dates, sink)
    return sink.getbuffer()


def write_csv(batch: pa.RecordBatch, dates: Collection[str], write: Callable[[bytes], object]) -> None:
    """As `to_csv`, handed over in pieces that stay in the processor's cache."""
    _write(batch, dates, _Sink(write))


class _Sink(io.RawIOBase):
    """A file to write to that hands on what it gets."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, piece: Any) -> int:
        """Hand on a piece."""
        self._write(piece)
        return len(piece)


def _write(batch: pa.RecordBatch, dates: Collection[str], sink: Any) -> None:
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in ("valid_from", "valid_to"):
            open_end = "-infinity" if name == "valid_from" else "infinity"
            columns.append(pc.fill_null(column.cast(pa.string()), open_end))
        elif name in dates:
            columns.append(_swapped(column, ALWAYS, "-infinity"))
        elif pa.types.is_list(column.type):
            columns.append(pa.array([_array_literal(value) for value in column.to_pylist()], pa.string()))
        elif pa.types.is_binary(column.type):
            texts = [None if value is None else "\\x" + value.hex() for value in column.to_pylist()]
            columns.append(pa.array(texts, pa.string()))
        else:
            columns.append(column)
    options = pacsv.WriteOptions(include_header=False, quoting_style="needed")
    pacsv.write_csv(pa.table(columns, names=list(batch.schema.names)), sink, options)


def _swapped(column: pa.Array, written: str, kept: str) -> pa.Array:
    same = pc.equal(column, written)
    return pc.if_else(same, kept, column) if pc.any(same).as_py() else column


def _array_literal(value: Sequence[str] | None) -> str | None:
    if value is None:
        return None
    quoted = ('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in value)
    return "{" + ",".join(quoted) + "}"


class _Chunks(io.RawIOBase):
    """A file to read from, made of the pieces that COPY sends."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill the buffer as far as the next piece goes."""
        target = memoryview(buffer).cast("B")
        while not self._rest:
            piece = next(self._chunks, None)
            if piece is None:
                return 0
            self._rest = piece
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def from_csv(
    chunks: Iterator[bytes], schema: pa.Schema, dates: Collection[str] = ()
) -> Iterator[pa.RecordBatch]:
    """Arrow batches of what COPY ... TO STDOUT (FORMAT csv) sends, in the columns and types of the schema."""
    as_text = {f.name for f in schema if pa.types.is_list(f.type) or pa.types.is_binary(f.type)}
    first = next(chunks, None)
    if first is None:
        yield pa.record_batch([pa.nulls(0, f.type) for f in schema], schema=schema)
        return
    reader = pacsv.open_csv(
        io.BufferedReader(_Chunks(itertools.chain([first], chunks)), 1 << 20),
        read_options=pacsv.ReadOptions(column_names=schema.names, block_size=1 << 24),
        # A row of one column without a value is an empty line.
        parse_options=pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pacsv.ConvertOptions(
            column_types={f.name: pa.string() if f.name in as_text else f.type for f in schema},
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    for batch in reader:
        arrays = []
        for column, f in zip(batch.columns, schema, strict=True):
            if f.name in as_text:
                arrays.append(_parsed(column, f.type))
            else:
                arrays.append(_swapped(column, "-infinity", ALWAYS) if f.name in dates else column)
        yield pa.record_batch(arrays, schema=schema)


def _parsed(column: pa.Array, kind: pa.DataType) -> pa.Array:
    texts = column.to_pylist()
    if pa.types.is_binary(kind):
        return pa.array(
            [None if text is None else bytes.fromhex(text.removeprefix("\\x")) for text in texts], kind
        )
    return pa.array([None if text is None else _elements(text) for text in texts], kind)


def _elements(text: str) -> list[str]:
    """The elements of a PostgreSQL array of text, one dimension."""
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|([^{},"]+)', text)
    return [re.sub(r"\\(.)", r"\1", quoted) if quoted or not bare else bare for quoted, bare in found]
