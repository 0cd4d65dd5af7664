"""Whole columns against the rules of the standard: everything that the tables' own rules would refuse, told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from kiban import characters, standard
from kiban.kernel import Problem
from kiban.standard import CodeList, Group, Item
from kiban.store.schema import Table, never_null

_SHOWN = 3

_Wrong = tuple[str, str, str, pa.Array]
"""A problem code, what is wrong, how to mend it, and which rows have it (null where the value is missing)."""


@dataclass(frozen=True)
class Broken:
    """A rule of the standard that some rows break.

    Attributes:
        code: such as `value-long`.
        item: romaji of the item; `valid_to` for a period of no day.
        what, fix: the sentence about the item, and how to mend it; no values.
        rows: int64, which rows of the batch, from 0.
    """

    code: str
    item: str
    what: str
    fix: str
    rows: pa.Array


def broken(batch: pa.RecordBatch, group: Group, codes: Mapping[str, CodeList]) -> Iterator[Broken]:
    """Everything in a batch that the register of a group refuses of single rows: by item and rule the rows that break it.

    Args:
        batch: columns as in `columns.arrow_schema`, all of them or some; the rules of those that are there are looked at.
        group: of the standard.
        codes: the code lists of its edition.
    """
    there = set(batch.schema.names)
    for item in (one for one in group.items if one.romaji in there):
        code_list = codes.get(item.code) if item.code else None
        for code, what, fix, bad in _broken(item, batch.column(item.romaji), code_list):
            rows = pc.indices_nonzero(pc.fill_null(bad, False))
            if len(rows):
                yield Broken(
                    code, item.romaji, f"{item.romaji} ({item.name}) {what}", fix, rows.cast(pa.int64())
                )
    if {"valid_from", "valid_to"} <= there:
        empty = pc.fill_null(pc.less_equal(batch.column("valid_to"), batch.column("valid_from")), False)
        rows = pc.indices_nonzero(empty)
        if len(rows):
            yield Broken(
                "period-empty",
                "valid_to",
                "valid_to is not after valid_from",
                "[from, to)",
                rows.cast(pa.int64()),
            )


def faults(batch: pa.RecordBatch, table: Table, codes: Mapping[str, CodeList], where: str) -> list[Problem]:
    """Everything in the batch that breaks the standard: one problem for each item and rule, naming rows, never values.

    Args:
        batch: columns as `columns.conform` leaves them.
        table: the register.
        codes: the code lists of its edition.
        where: what to name in the problems; rows count from 0 in the batch.
    """
    found = []
    for one in broken(batch, table.group, codes):
        shown = ", ".join(str(row) for row in one.rows[:_SHOWN].to_pylist())
        rows = len(one.rows)
        what = f"{one.what} in {rows} row{'s' * (rows != 1)}, first {shown}"
        found.append(Problem(one.code, what, where, one.fix))
    return found


def _broken(item: Item, column: pa.Array, code_list: CodeList | None) -> Iterator[_Wrong]:
    if never_null(item) and column.null_count:
        yield "value-missing", "has no value", "the item is mandatory (必須)", pc.is_null(column)
    if column.null_count == len(column):
        return
    if pa.types.is_list(column.type):
        most = item.repeat or 1
        yield (
            "value-many",
            f"has more than {most} values",
            "split the row",
            pc.greater(pc.list_value_length(column), most),
        )
        parents = pc.list_parent_indices(column)
        for code, what, fix, bad in _text(item, pc.list_flatten(column), code_list):
            rows = parents.filter(pc.fill_null(bad, False))
            yield (
                code,
                what,
                fix,
                pc.is_in(pa.array(range(len(column)), parents.type), value_set=rows.unique()),
            )
    elif pa.types.is_string(column.type):
        yield from _text(item, column, code_list)
    elif pa.types.is_integer(column.type) and item.digits is not None:
        most = 10**item.digits - 1
        least = -most if item.type == "S9" else 0
        outside = pc.or_(pc.less(column, least), pc.greater(column, most))
        yield "number-range", f"is outside {least:,} to {most:,}", "correct the number", outside
    elif pa.types.is_decimal(column.type) and item.type != "S9":
        yield (
            "number-range",
            "is below zero",
            "correct the number",
            pc.less(column, pa.scalar(0, column.type)),
        )


def _text(item: Item, column: pa.Array, code_list: CodeList | None) -> Iterator[_Wrong]:
    if code_list is not None and not code_list.free:
        allowed = pa.array([code.value for code in code_list.codes], pa.string())
        outside = pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, value_set=allowed)))
        yield "code-unknown", f"has a value outside code list {code_list.id}", "see the code list", outside
        return
    if item.type in ("DATE", "TIME", "YEAR"):
        rules = standard.rules(item)
        form = pc.match_substring_regex(column, f"^(?:{rules.pattern})$")
        fix = "write YYYY-MM-DD, HH:MM:SS or YYYY as the standard does"
        yield f"{item.type.lower()}-form", f"is not a {item.type}", fix, pc.invert(form)
        if rules.calendar:
            yield (
                "date-calendar",
                "is no day of the calendar",
                "ask for the day",
                _outside_calendar(column, form),
            )
        return
    if item.digits is not None:
        yield (
            "value-long",
            f"is longer than {item.digits} characters",
            "shorten it or correct the item",
            _longer(column, item.digits),
        )
    if item.type == "X":
        wide = pc.invert(pc.string_is_ascii(column))
        yield "value-width", "has full-width characters", "the item is half-width (X)", wide


def _outside_calendar(column: pa.Array, form: pa.Array) -> pa.Array:
    """Which values have the form of a day and are none."""
    try:
        pc.cast(column, pa.date32())
    except pa.ArrowInvalid:
        values = [
            value for value in pc.unique(column.filter(form)).to_pylist() if value and not _is_day(value)
        ]
        return pc.is_in(column, value_set=pa.array(values, pa.string()))
    return pa.repeat(False, len(column))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return text.startswith("0000-") and _is_day(f"2000{text[4:]}")  # as a year, 0000 stands for always
    return True


def _longer(column: pa.Array, digits: int) -> pa.Array:
    if pc.max(pc.binary_length(column)).as_py() <= digits:  # bytes are never fewer than characters
        return pa.repeat(False, len(column))
    longer = pc.fill_null(pc.greater(pc.utf8_length(column), digits), False)
    if not pc.any(longer).as_py():
        return longer
    # A variation selector is not a character: count the few long values again without them.
    texts = column.to_pylist()
    rows = set(pc.indices_nonzero(longer).to_pylist())
    return pa.array([i in rows and characters.length(text) > digits for i, text in enumerate(texts)])
