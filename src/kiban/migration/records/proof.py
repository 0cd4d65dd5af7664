"""Proof that nothing was lost in decoding: what was decoded is written again and held against the bytes it came from.

Every byte of every record must come back from a value, or belong to a field that holds nothing there (padding or low-values), to a
filler, or to a line of the ledger. It reads the decoded rows as they were kept, so it proves them, not the decoder's opinion of itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kiban import characters
from kiban.migration.records.choices import applies
from kiban.migration.records.layout import Field, Reading, Record, Table, base_name
from kiban.migration.records.mapped import Mapped
from kiban.migration.records.reader import Source, record_count
from kiban.migration.records.written import write_field

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
_SHOWN = 3


@dataclass(frozen=True)
class Proof:
    """What writing back showed.

    Attributes:
        records: of the file.
        fields: how many fields came back byte for byte.
        empty: how many hold nothing and have nothing in their bytes.
        other: fields that were read right and are written otherwise (another sign nibble, a one-way code, padding of another kind):
            how many by field. Their raw bytes stay in the landed file.
        unexplained: bytes that no value, filler, empty field or line of the ledger accounts for.
        missing: records that neither became a row nor stand in the ledger.
        examples: file offsets of the first of `other` by field, and of unexplained bytes under "".
    """

    records: int
    fields: int
    empty: int
    other: Mapping[str, int]
    unexplained: int
    missing: int
    examples: Mapping[str, tuple[int, ...]]


@dataclass
class _Found:
    fields: int = 0
    empty: int = 0
    unexplained: int = 0
    rows: int = 0
    other: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[int]] = field(default_factory=dict)

    def example(self, name: str, offsets: NDArray[np.int64]) -> None:
        seen = self.examples.setdefault(name, [])
        seen += offsets[: _SHOWN - len(seen)].tolist()


def prove(source: Source, rows: Iterable[tuple[str, pa.RecordBatch]], faults: pa.Table) -> Proof:
    """Write the decoded rows of a file again and hold them against its bytes.

    Args:
        source: the file and how it was read.
        rows: pieces of its decoded segments, each with the name of the segment.
        faults: its ledger.
    """
    mapped = Mapped(source.path)
    data = mapped.data
    told = _told(faults)
    found = _Found()
    for name, piece in rows:
        record = _record(source, name)
        if record is None:
            table = _table(source, name)
            if table is not None:
                begin = piece.column("#offset").to_numpy() + table.offset
                _hold(
                    source,
                    table,
                    piece,
                    begin + (piece.column("#index").to_numpy() - 1) * table.length,
                    data,
                    told,
                    found,
                )
        else:
            found.rows += piece.num_rows
            _hold(source, record, piece, piece.column("#offset").to_numpy(), data, told, found)
        if piece.num_rows:
            mapped.read_to(piece.column("#offset")[0].as_py())
    records = record_count(source)
    ledgered = {number for name in _deciding(source) if name in told for number in told[name].tolist()}
    return Proof(
        records=records,
        fields=found.fields,
        empty=found.empty,
        other=dict(sorted(found.other.items())),
        unexplained=found.unexplained,
        missing=max(0, records - found.rows - len(ledgered)),
        examples={name: tuple(seen) for name, seen in sorted(found.examples.items())},
    )


def _deciding(source: Source) -> set[str]:
    """Names under which the ledger holds what did not become a row: records, and the fields that tell their kinds apart."""
    names = {one.name for one in source.copybook.records}
    outer = {field.under[0] for one in source.copybook.records for field in one.fields if field.under}
    when = source.reading.when
    return names | {when[name][0] for name in outer | names if name in when}


def _told(faults: pa.Table) -> dict[str, NDArray[np.int64]]:
    """Records with a line in the ledger, by field."""
    names = faults["field"].to_pylist()
    records = faults["record"].to_numpy() if names else np.zeros(0, np.int64)
    places: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        places.setdefault(name, []).append(at)
    return {name: records[where] for name, where in places.items()}


def _record(source: Source, name: str) -> Record | None:
    return next(
        (
            one
            for one in source.copybook.records
            if name == one.name or any(each.under and each.under[0] == name for each in one.fields)
        ),
        None,
    )


def _table(source: Source, name: str) -> Table | None:
    return next(
        (one.table for one in source.copybook.records if one.table is not None and one.table.name == name),
        None,
    )


def _hold(
    source: Source,
    record: Record | Table,
    rows: pa.RecordBatch,
    begin: NDArray[np.int64],
    data: Bytes,
    told: Mapping[str, NDArray[np.int64]],
    found: _Found,
) -> None:
    """Hold rows against the bytes they came from."""
    block = data[begin[:, None] + np.arange(record.length)]
    numbered = rows.column("#record").to_numpy()
    covered = np.zeros(block.shape, bool)
    groups = {group for one in record.fields for group in one.under if group in source.reading.when}
    meant = {
        group: applies(record, group, source.reading, source.page, block)
        for group in groups
        if isinstance(record, Record)
    }
    for one in record.fields:
        at = slice(one.offset, one.offset + one.length)
        if one.kind == "filler":
            covered[:, at] = True
            continue
        if one.name not in rows.schema.names:
            continue
        equal, held, empty = _compare(one, rows.column(one.name), block[:, at], source.reading, source.page)
        faulty = np.isin(numbered, told[one.name]) if one.name in told else np.zeros(len(numbered), bool)
        here = np.ones(len(numbered), bool)
        for group in one.under:
            here &= meant.get(group, here)
        covered[(held | empty | faulty) & here, at] = True
        found.fields += int((equal & held).sum())
        found.empty += int((empty & ~held & here).sum())
        other = np.flatnonzero(held & ~equal)
        if len(other):
            found.other[one.name] += len(other)
            found.example(one.name, begin[other] + one.offset)
    open_ones = ~covered
    if open_ones.any():
        found.unexplained += int(open_ones.sum())
        where = np.argwhere(open_ones)[:_SHOWN]
        found.example("", begin[where[:, 0]] + where[:, 1])


def _compare(
    one: Field, column: pa.Array, block: Bytes, reading: Reading, page: characters.CodePage
) -> tuple[Mask, Mask, Mask]:
    """Row by row: whether the bytes come back, whether there is a value, whether there is nothing in the bytes."""
    held = column.is_valid().to_numpy(zero_copy_only=False)
    low = ~block.any(axis=1)
    same = (write_field(one, column, reading, page).block == block).all(axis=1)
    if one.kind in {"text", "national"}:
        return same, held, low | (~held & same)
    unset = reading.unset.get(base_name(one.name), ())
    blank = (block == page.single_pad).all(axis=1) & ("spaces" in unset)
    return same, held, (low & ("low-values" in unset)) | blank
