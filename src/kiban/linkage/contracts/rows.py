"""Whether rows in bulk are what their feed promises: whole columns in Arrow, each distinct value looked at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kiban import store
from kiban.kernel import Problem
from kiban.linkage.contracts.model import Feed
from kiban.linkage.contracts.values import Check
from kiban.standard import ItemRules, check_value, rules

_FIX = "have the provider send it as the contract says"
_SELECTORS = "[\ufe00-\ufe0f\U000e0100-\U000e01ef]"


@dataclass(frozen=True)
class RowFault:
    """One thing that is wrong with some rows.

    Attributes:
        problem: what is wrong, at `GROUP.ITEM` or `GROUP`; no value is told.
        rows: places of the rows in the batch, from 0, ascending.
    """

    problem: Problem
    rows: pa.Int64Array


def validate_rows(
    feed: Feed, batch: pa.RecordBatch, maybe_empty: Collection[str] = ()
) -> tuple[RowFault, ...]:
    """Everything that is wrong with a batch of rows.

    Args:
        feed: what they should be.
        batch: its columns are `feed.columns`, in the types of `store.arrow_schema`; texts may also be dictionaries.
        maybe_empty: items that may be empty though they are mandatory: those that a contract withholds.

    Returns:
        Nothing where all are good. `rows-columns` (then nothing else was looked at), `value-missing`, `value-too-many`, those of
        `standard.check_value`, `row-period`, `row-key-twice` and `row-overlap` within this batch; each once for an item.
    """
    kinds = store.arrow_schema(feed.group)
    batch = plain(batch)
    fits = batch.schema.names == list(feed.columns) and all(
        batch.schema.field(name).type == kinds.field(name).type for name in feed.columns
    )
    if not fits:
        problem = Problem("rows-columns", "the columns are not those of the contract", feed.name, _FIX)
        return (RowFault(problem, pa.array(range(batch.num_rows), pa.int64())),)
    found: list[RowFault] = []
    for check in feed.checks:
        column = batch.column(check.item.romaji)
        where = f"{feed.name}.{check.item.romaji}"
        if check.required and check.item.romaji not in maybe_empty and column.null_count:
            problem = Problem("value-missing", f"{check.item.romaji} always needs a value", where, _FIX)
            found.append(RowFault(problem, _places(column.is_null())))
        found += (_at(fault, where) for fault in _column(check, column))
    return (*found, *_keys(feed, batch))


def plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch whose dictionaries are written out."""
    columns = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _column(check: Check, column: pa.Array) -> Iterator[RowFault]:
    item, rule = check.item, rules(check.item, check.codes)
    if item.repeats:
        many = pc.greater(pc.list_value_length(column), item.repeat)
        what = f"the item has more than {item.repeat} values"
        yield from _fault(Problem("value-too-many", what, item.romaji, "ask the provider"), many)
        parents = pc.list_parent_indices(column)
        for fault in _texts(check, rule, pc.list_flatten(column)):
            yield replace(fault, rows=pc.unique(parents.take(fault.rows)).cast(pa.int64()))
    elif pa.types.is_integer(column.type) or pa.types.is_decimal(column.type):
        yield from _numbers(check, column)
    elif not pa.types.is_binary(column.type):
        yield from _texts(check, rule, column)


def _numbers(check: Check, column: pa.Array) -> Iterator[RowFault]:
    """Numbers are good within the digits of their item, and where coded in the list; the standard says what is wrong."""
    item = check.item
    most = 10 ** (item.digits or 18) - 1
    if pa.types.is_decimal(column.type):
        doubtful = pc.less(column, pa.scalar(Decimal(0), column.type)) if item.type != "S9" else None
    else:
        doubtful = pc.or_(pc.less(column, -most if item.type == "S9" else 0), pc.greater(column, most))
        if check.codes is not None and not check.codes.free:
            numbers = pa.array([int(value) for value in check.codes.values], column.type)
            doubtful = pc.or_(doubtful, pc.invert(pc.is_in(column, numbers)))
    if doubtful is not None:
        yield from _told(check, column, pc.and_kleene(doubtful, column.is_valid()))


def _texts(check: Check, rule: ItemRules, column: pa.Array) -> Iterator[RowFault]:
    encoded = column.dictionary_encode()
    bad = _doubtful(rule, encoded.dictionary)
    if pc.any(bad).as_py():
        yield from _told(check, column, bad.take(encoded.indices))


def _doubtful(rule: ItemRules, values: pa.Array) -> pa.Array:
    """Which distinct values the standard has to look at one by one."""
    if rule.allowed is not None:
        return pc.invert(pc.is_in(values, pa.array(rule.allowed, pa.string())))
    bad = pc.equal(values, "")
    if rule.pattern is not None:
        bad = pc.or_(bad, pc.invert(pc.match_substring_regex(values, rf"\A(?:{rule.pattern})\z")))
    if rule.max_characters is not None:
        long = pc.greater(pc.utf8_length(values), rule.max_characters)
        if pc.any(long).as_py():
            shorter = pc.replace_substring_regex(values, _SELECTORS, "")
            long = pc.greater(pc.utf8_length(shorter), rule.max_characters)
        bad = pc.or_(bad, long)
    if rule.calendar:
        bad = pa.array([True] * len(values), pa.bool_())
    return bad


def _told(check: Check, column: pa.Array, doubtful: pa.Array) -> Iterator[RowFault]:
    """The doubtful rows by what the standard says of their values, each distinct value asked once."""
    rows = _places(doubtful)
    encoded = column.take(rows).dictionary_encode()
    said = [_said(check, value) for value in encoded.dictionary.to_pylist()]
    codes = pa.array([problem.code if problem else None for problem in said], pa.string()).take(
        encoded.indices
    )
    for code in dict.fromkeys(problem.code for problem in said if problem):
        problem = next(each for each in said if each and each.code == code)
        yield RowFault(problem, rows.filter(pc.equal(codes, code)))


def _said(check: Check, value: Any) -> Problem | None:
    if value == "":
        return Problem(
            "value-kind", "the value is an empty text", check.item.romaji, "leave it out: absent is null"
        )
    return check_value(check.item, str(value), check.codes)


def _keys(feed: Feed, batch: pa.RecordBatch) -> Iterator[RowFault]:
    if feed.has_periods:
        start, end = batch.column("valid_from"), batch.column("valid_to")
        problem = Problem("row-period", "a period ends before it begins", feed.name, _FIX)
        yield from _fault(
            problem, pc.and_kleene(pc.less_equal(end, start), pc.and_(end.is_valid(), start.is_valid()))
        )
    subject = [name for name in feed.key if name != "valid_from"] if feed.has_periods else list(feed.key)
    order: Sequence[tuple[str, str]] = [(name, "ascending") for name in subject]
    if not feed.has_periods:
        yield from _twice(feed, batch, subject)
        return
    days = pc.fill_null(batch.column("valid_from").cast(pa.int32()), _FIRST)
    ends = pc.fill_null(batch.column("valid_to").cast(pa.int32()), _LAST)
    table = batch.select(subject).append_column("from", days).append_column("to", ends)
    places = pc.sort_indices(table, sort_keys=[*order, ("from", "ascending")])
    table = table.take(places)
    same = _as_before(table, subject)
    twice = pc.and_(same, pc.equal(table.column("from").slice(1), table.column("from").slice(0, len(same))))
    over = pc.and_(same, pc.less(table.column("from").slice(1), table.column("to").slice(0, len(same))))
    later = places.slice(1).cast(pa.int64())
    for code, what, bad in (
        ("row-key-twice", "rows have the same key", twice),
        ("row-overlap", "periods of one subject overlap", pc.and_(over, pc.invert(twice))),
    ):
        if pc.any(bad).as_py():
            yield RowFault(
                Problem(code, what, feed.name, _FIX),
                pc.take(later.filter(bad), pc.sort_indices(later.filter(bad))),
            )


_FIRST, _LAST = -(2**31), 2**31 - 1


def _twice(feed: Feed, batch: pa.RecordBatch, subject: Sequence[str]) -> Iterator[RowFault]:
    places = pc.sort_indices(batch.select(list(subject)), sort_keys=[(name, "ascending") for name in subject])
    bad = _as_before(batch.select(list(subject)).take(places), subject)
    if pc.any(bad).as_py():
        rows = places.slice(1).cast(pa.int64()).filter(bad)
        yield RowFault(
            Problem("row-key-twice", "rows have the same key", feed.name, _FIX),
            rows.take(pc.sort_indices(rows)),
        )


def _as_before(table: pa.RecordBatch, names: Sequence[str]) -> pa.Array:
    """Whether each row but the first has the same values as the one before it."""
    same = pa.array([True] * max(table.num_rows - 1, 0), pa.bool_())
    for name in names:
        column = table.column(name)
        equal = pc.equal(column.slice(1), column.slice(0, len(same)))
        same = pc.and_(same, pc.fill_null(equal, False))
    return same


def _fault(problem: Problem, bad: pa.Array) -> Iterator[RowFault]:
    if pc.any(bad).as_py():
        yield RowFault(problem, _places(bad))


def _places(bad: pa.Array) -> pa.Int64Array:
    return pc.indices_nonzero(pc.fill_null(bad, False)).cast(pa.int64())


def _at(fault: RowFault, where: str) -> RowFault:
    problem = fault.problem
    return RowFault(Problem(problem.code, problem.what, where, problem.fix), fault.rows)
