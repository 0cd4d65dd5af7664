"""Builds Arrow columns by taking and joining, never value by value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kiban.town.arrays import Bools, Ints

Column = Any
"""A pyarrow array; the package ships no types."""

FULL_WIDTH = {ord("0") + digit: ord("０") + digit for digit in range(10)}
NUMERALS = pa.array([str(number).translate(FULL_WIDTH) for number in range(3000)])
"""0 to 2999 in full-width figures."""


def same(value: str | int, count: int) -> Column:
    """One value in every row."""
    return pa.repeat(pa.scalar(value), count)


def nothing(count: int) -> Column:
    """Null in every row."""
    return pa.nulls(count, pa.string())


def pick(values: Column | Sequence[str | None], index: Ints, where: Bools | None = None) -> Column:
    """Values by index; null where `where` is false."""
    source = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
    index = np.clip(index, 0, max(len(source) - 1, 0))
    if not len(source):
        return nothing(len(index))
    return source.take(pa.array(index, pa.int64(), mask=None if where is None else ~where))


def only(where: Bools, column: Column) -> Column:
    """The column, null where `where` is false."""
    return pc.if_else(pa.array(where), column, pa.scalar(None, column.type))


def choose(where: Bools, one: Column, other: Column) -> Column:
    """One column where `where` is true, the other elsewhere."""
    return pc.if_else(pa.array(where), one, other)


def join(*parts: Column | str) -> Column:
    """Texts one after the other; null where any of them is null."""
    return pc.binary_join_element_wise(
        *(pa.scalar(part) if isinstance(part, str) else part for part in parts), ""
    )


def flag(where: Bools, yes: str, no: str) -> Column:
    """One of two code values in every row."""
    return pick([no, yes], where.astype(np.int64))


def figures(numbers: Ints) -> Column:
    """Numbers below 3000 in full-width figures."""
    return NUMERALS.take(pa.array(numbers, pa.int64()))


def whole(numbers: Ints) -> Column:
    """Numbers as int64."""
    return pa.array(numbers, pa.int64())
