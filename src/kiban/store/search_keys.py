"""Search entries of whole columns, for bulk loads; `search.entries` makes the same of one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from kiban import characters
from kiban.standard import Group, Search
from kiban.store.search import birth_range

_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("subject", "ward", "name_key", "kana_key", "address_key")),
        *(pa.field(name, pa.string()) for name in ("birth_from", "birth_to", "sex")),
    ]
)


def entries(group: Group, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The search entries of a batch: for each row one for each form of the name that it holds, at least one."""
    section = group.search
    assert section is not None
    births = _births(section, batch)
    ward = batch.column(group.ward.romaji) if group.ward else pa.nulls(batch.num_rows, pa.string())
    address = characters.address_keys(_joined(batch, section.address))
    sex = batch.column(section.sex) if section.sex else pa.nulls(batch.num_rows, pa.string())
    shared = {
        "subject": batch.column(section.subject),
        "ward": ward,
        "address_key": pa.array([key or None for key in address], pa.string()),
        "birth_from": births[0],
        "birth_to": births[1],
        "sex": sex,
    }
    forms = []
    bare = None
    for name, kana in section.names:
        names = batch.column(name)
        kanas = batch.column(kana) if kana else pa.nulls(batch.num_rows, pa.string())
        held = pc.or_(pc.is_valid(names), pc.is_valid(kanas))
        bare = pc.invert(held) if bare is None else pc.and_(bare, pc.invert(held))
        if pc.any(held).as_py():
            kept = {column: values.filter(held) for column, values in shared.items()}
            kept["name_key"] = _folded(characters.name_keys, names.filter(held))
            kept["kana_key"] = _folded(characters.kana_loose_keys, kanas.filter(held))
            forms.append(_batch(kept))
    if bare is not None and pc.any(bare).as_py():
        kept = {column: values.filter(bare) for column, values in shared.items()}
        nothing = pa.nulls(len(kept["subject"]), pa.string())
        forms.append(_batch({**kept, "name_key": nothing, "kana_key": nothing}))
    return (
        pa.concat_batches(forms)
        if forms
        else pa.record_batch([pa.nulls(0, f.type) for f in _SCHEMA], schema=_SCHEMA)
    )


def _batch(held: dict[str, pa.Array]) -> pa.RecordBatch:
    return pa.record_batch([held[name] for name in _SCHEMA.names], schema=_SCHEMA)


def _folded(fold: Callable[[list[str | None]], list[str | None]], values: pa.Array) -> pa.Array:
    coded = values.dictionary_encode()
    keys = pa.array(fold(coded.dictionary.to_pylist()), pa.string())
    return keys.take(coded.indices)


def _joined(batch: pa.RecordBatch, names: Sequence[str]) -> list[str]:
    if not names:
        return [""] * batch.num_rows
    parts = [pc.fill_null(batch.column(name), "") for name in names]
    texts: list[str] = pc.binary_join_element_wise(*parts, "").to_pylist()
    return texts


def _births(section: Search, batch: pa.RecordBatch) -> tuple[pa.Array, pa.Array]:
    if section.birth is None:
        nothing = pa.nulls(batch.num_rows, pa.string())
        return nothing, nothing

    def items(suffix: str) -> list[str | None]:
        name = f"{section.birth}{suffix}"
        return batch.column(name).to_pylist() if name in batch.schema.names else [None] * batch.num_rows

    ranges = [
        _range(*triple) for triple in zip(items(""), items("_fushofuragu"), items("_fushohyoki"), strict=True)
    ]
    return pa.array([lo for lo, _ in ranges], pa.string()), pa.array([hi for _, hi in ranges], pa.string())


@lru_cache(maxsize=100_000)
def _range(day: str | None, flag: str | None, notation: str | None) -> tuple[str | None, str | None]:
    return birth_range(day, flag, notation)
