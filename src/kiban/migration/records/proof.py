"""Proof that nothing was lost in decoding: what was read is written again and held against the bytes it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kiban import characters
from kiban.kernel import Problem
from kiban.migration.records import numbers
from kiban.migration.records.layout import Field, Reading, base_name
from kiban.migration.records.reader import Source, decode_file

_SHOWN = 3


@dataclass(frozen=True)
class Proof:
    """What writing back showed.

    Attributes:
        records: how many were held against their bytes.
        fields: how many fields came back byte for byte.
        other: fields that were read right and are written otherwise (another sign nibble, a one-way code, padding of another kind):
            how many by field. Their raw bytes stay in the landed file.
        unset: fields without a value: nothing there, an alternative that does not apply, or in the ledger.
        examples: file offsets of the first of `other`, by field.
    """

    records: int
    fields: int
    other: Mapping[str, int]
    unset: int
    examples: Mapping[str, tuple[int, ...]]


def prove(source: Source) -> Proof:
    """Decode a file of fixed-length records and write every field again.

    Raises:
        Problem: `proof-variable` for a file of variable records, which is proved by its parts' lengths only.
    """
    if source.framing != "fixed":
        raise Problem("proof-variable", "only files of fixed-length records are written back", source.name)
    records, same, unset = 0, 0, 0
    other: Counter[str] = Counter()
    examples: dict[str, list[int]] = {}
    data = np.memmap(source.path, np.uint8, "r")
    for batch in decode_file(source):
        for record in source.copybook.records:
            own = {record.name} | {one.under[0] for one in record.fields if one.under}
            for rows in (rows for name, rows in batch.segments.items() if name in own):
                offsets = rows.column("#offset").to_numpy()
                block = data[offsets[:, None] + np.arange(record.length)]
                records += len(offsets)
                for field in (one for one in record.fields if one.name in rows.schema.names):
                    equal, held = _compare(field, rows.column(field.name), block, source.reading, source.page)
                    same += int((equal & held).sum())
                    unset += int(np.logical_not(held).sum())
                    wrong = np.flatnonzero(held & np.logical_not(equal))
                    if len(wrong):
                        other[field.name] += len(wrong)
                        seen = examples.setdefault(field.name, [])
                        seen += (offsets[wrong[:_SHOWN]] + field.offset).tolist()
    return Proof(
        records, same, dict(other), unset, {name: tuple(seen[:_SHOWN]) for name, seen in examples.items()}
    )


def _compare(
    field: Field,
    column: pa.Array,
    block: NDArray[np.uint8],
    reading: Reading,
    page: characters.CodePage,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Row by row: whether the bytes come back, and whether there is a value at all."""
    source = block[:, field.offset : field.offset + field.length]
    held = column.is_valid().to_numpy(zero_copy_only=False)
    if field.kind in {"text", "national"}:
        mode = reading.modes.get(base_name(field.name), "double" if field.kind == "national" else "single")
        written = characters.encode_block(page, column, field.length, mode).block
        return (written == source).all(axis=1), held
    whole = pc.multiply(column, 10**field.scale).cast(pa.int64()) if field.scale else column
    values = whole.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    written = numbers.encode(field, values, ascii_digits=page.single_pad == 0x20)
    return (written == source).all(axis=1), held
