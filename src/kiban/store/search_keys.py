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
    sex = batch.column(section.sex) if section.sex else pa.nulls(batch.num_rows, pa.string())
    shared = {
        "subject": batch.column(section.subject),
        "ward": ward,
        "address_key": _addresses(batch, section.address),
        "birth_from": births[0],
        "birth_to": births[1],
        "sex": sex,
    }
    forms = []
    bare = None
    for name, kana in section.names:
        names = _held(batch.column(name))
        kanas = _held(batch.column(kana)) if kana else pa.nulls(batch.num_rows, pa.string())
        held = pc.or_(pc.is_valid(names), pc.is_valid(kanas))
        bare = pc.invert(held) if bare is None else pc.and_(bare, pc.invert(held))
        if pc.any(held).as_py():
            kept = {column: values.filter(held) for column, values in shared.items()}
            kept["name_key"] = _folded(characters.name_keys, characters.NAME_PARTS, names.filter(held))
            kept["kana_key"] = _folded(
                characters.kana_loose_keys, characters.READING_PARTS, kanas.filter(held)
            )
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


Fold = Callable[[list[str | None]], list[str | None]]


def _folded(fold: Fold, parts: str, values: pa.Array) -> pa.Array:
    """The keys of names: surnames and given names recur, so each of them is folded once and put together again."""
    coded = values.dictionary_encode()
    distinct = coded.dictionary
    split = pc.split_pattern(distinct, "　", max_splits=1)
    parted = pc.equal(pc.list_value_length(split), 2)
    halves = split.filter(parted)
    keys = [_half(fold, part, pc.list_element(halves, index)) for index, part in enumerate(parts.split("　"))]
    joined = pc.replace_with_mask(
        pa.nulls(len(distinct), pa.string()), parted, pc.binary_join_element_wise(*keys, "")
    )
    whole = pc.is_null(joined)
    if pc.any(whole).as_py():
        joined = pc.replace_with_mask(joined, whole, _once(fold, distinct.filter(whole)))
    return joined.take(coded.indices)


def _half(fold: Fold, form: str, values: pa.Array) -> pa.Array:
    """The keys of one part of names; null where it has not the form in which it folds alone."""
    coded = values.dictionary_encode()
    keys = pa.array(fold(coded.dictionary.to_pylist()), pa.string())
    fits = pc.match_substring_regex(coded.dictionary, f"^(?:{form})$")
    return pc.if_else(fits, keys, pa.scalar(None, pa.string())).take(coded.indices)


def _once(fold: Fold, values: pa.Array) -> pa.Array:
    """Every value folded, each distinct one once."""
    coded = values.dictionary_encode()
    return pa.array(fold(coded.dictionary.to_pylist()), pa.string()).take(coded.indices)


def _addresses(batch: pa.RecordBatch, names: Sequence[str]) -> pa.Array:
    """The keys of addresses: towns, numbers and houses recur, so each is folded once where the seams between them allow it."""
    if not names:
        return pa.nulls(batch.num_rows, pa.string())
    texts = [pc.fill_null(batch.column(name), "") for name in names]
    keys: list[pa.Array] = []
    behind = pa.repeat(
        "", batch.num_rows
    )  # what each text is folded with: null where it must not be folded apart
    for text in reversed(texts):
        keys.insert(0, _piece(text, behind))
        firsts = pc.utf8_slice_codeunits(text, 0, 1).dictionary_encode()
        seams = pa.array(
            [one and characters.address_seam(one) for one in firsts.dictionary.to_pylist()], pa.string()
        )
        behind = pc.if_else(pc.equal(text, ""), behind, seams.take(firsts.indices))
    joined = pc.binary_join_element_wise(*keys, "")
    whole = pc.is_null(joined)
    if pc.any(whole).as_py():
        together = pc.binary_join_element_wise(*(text.filter(whole) for text in texts), "")
        joined = pc.replace_with_mask(joined, whole, _once(characters.address_keys, together))
    return _held(joined)


def _piece(text: pa.Array, behind: pa.Array) -> pa.Array:
    """The keys of texts before a seam; null where there is none."""
    coded = pc.binary_join_element_wise(text, behind, "").dictionary_encode()
    keys = pa.array(characters.address_keys(coded.dictionary.to_pylist()), pa.string())
    before = pc.utf8_slice_codeunits(keys, 0, -1).take(coded.indices)
    return pc.if_else(pc.equal(behind, ""), keys.take(coded.indices), before)


def _held(texts: pa.Array) -> pa.Array:
    """The texts without the empty ones."""
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _births(section: Search, batch: pa.RecordBatch) -> tuple[pa.Array, pa.Array]:
    """The first and last day on which each birth may lie; only what is not a plain date is looked at one by one."""
    nothing = pa.nulls(batch.num_rows, pa.string())
    if section.birth is None:
        return nothing, nothing
    day, flag, words = (
        batch.column(name) if (name := f"{section.birth}{suffix}") in batch.schema.names else nothing
        for suffix in ("", "_fushofuragu", "_fushohyoki")
    )
    certain = pc.and_(pc.is_null(words), pc.fill_null(pc.not_equal(flag, "1"), True))
    plain = pc.and_(certain, pc.fill_null(pc.and_(pc.greater(day, "1000"), pc.less(day, "9999")), False))
    doubtful = pc.indices_nonzero(pc.invert(plain))
    ranges = [_range(*(column[row.as_py()].as_py() for column in (day, flag, words))) for row in doubtful]
    mask = pc.invert(plain)
    lo, hi = (pa.array([each[end] for each in ranges], pa.string()) for end in (0, 1))
    return pc.replace_with_mask(day, mask, lo), pc.replace_with_mask(day, mask, hi)


@lru_cache(maxsize=100_000)
def _range(day: str | None, flag: str | None, notation: str | None) -> tuple[str | None, str | None]:
    return birth_range(day, flag, notation)
