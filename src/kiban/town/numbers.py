"""Numbers of synthetic people and households, by the column: valid check digits, never issued by anybody.

The individual number (個人番号) and the resident record code (住民票コード) have no range reserved for tests.
Ours begin with 9 and are otherwise scattered at random: a real number may coincide by chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kiban.kernel import ATENABANGO_DIGITS, ATENABANGO_WEIGHTS, KOJINBANGO_WEIGHTS, Problem
from kiban.town.arrays import Ints

SCATTER = 6_364_136_223
"""Odd and no multiple of 5, so multiplying by it permutes the numbers below any power of ten."""
PERSON_SHIFT, CODE_SHIFT = 7_919, 104_729
"""Times the seed of the town, these shift its individual numbers and its resident record codes."""
KOJINBANGO_FIRST, KOJINBANGO_SPAN = 90_000_000_000, 10_000_000_000
JUMINHYOKODO_FIRST, JUMINHYOKODO_SPAN = 9_000_000_000, 1_000_000_000


def digits(numbers: Ints, width: int) -> NDArray[np.uint8]:
    """Decimal digits, shape (numbers, width), most significant first."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // powers % 10).astype(np.uint8)


def text(rows: NDArray[np.uint8]) -> pa.Array:
    """Digits as an Arrow column of texts of one width."""
    count, width = rows.shape
    offsets = np.arange(0, (count + 1) * width, max(width, 1), dtype=np.int32)
    data = np.ascontiguousarray(rows + np.uint8(ord("0")))
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data))


def fixed(numbers: Ints, width: int) -> pa.Array:
    """Numbers as texts with leading zeros."""
    return text(digits(numbers, width))


def addressee_numbers(serials: Ints) -> pa.Array:
    """宛名番号 or 世帯番号 of serials that have a check digit (`usable_serials`)."""
    body = digits(serials, ATENABANGO_DIGITS - 1)
    remainder = _weighted(body, ATENABANGO_WEIGHTS) % 11
    return text(np.c_[body, np.where(remainder == 0, 0, 11 - remainder).astype(np.uint8)])


def usable_serials(first: int, reserved: int, count: int) -> Ints:
    """The first serials of a reserved range that have a check digit; those of remainder 1 are never issued.

    Raises:
        Problem: `town-numbers` where the range is too small.
    """
    serials = np.arange(first, first + reserved, dtype=np.int64)
    if reserved > 4 * count + 1000:
        serials = serials[: 2 * count + 1000]
    usable = serials[_weighted(digits(serials, ATENABANGO_DIGITS - 1), ATENABANGO_WEIGHTS) % 11 != 1]
    if len(usable) < count:
        raise Problem("town-numbers", f"{count} numbers do not fit the {reserved} reserved ones")
    found: Ints = usable[:count]
    return found


def individual_numbers(serials: Ints, shift: int) -> pa.Array:
    """個人番号, one for each serial, scattered over the bodies that begin with 9."""
    return _checked(serials, shift, KOJINBANGO_FIRST, KOJINBANGO_SPAN)


def resident_codes(serials: Ints, shift: int) -> pa.Array:
    """住民票コード, likewise."""
    return _checked(serials, shift, JUMINHYOKODO_FIRST, JUMINHYOKODO_SPAN)


def _checked(serials: Ints, shift: int, first: int, span: int) -> pa.Array:
    numbers = first + (serials * (SCATTER % span) + shift % span) % span
    body = digits(numbers, len(str(first)))
    remainder = _weighted(body, KOJINBANGO_WEIGHTS) % 11
    return text(np.c_[body, np.where(remainder <= 1, 0, 11 - remainder).astype(np.uint8)])


def _weighted(rows: NDArray[np.uint8], weights: Sequence[int]) -> Ints:
    width = rows.shape[1]
    from_right = np.array([weights[i % len(weights)] for i in range(width)], dtype=np.int64)[::-1]
    total: Ints = rows.astype(np.int64) @ from_right
    return total
