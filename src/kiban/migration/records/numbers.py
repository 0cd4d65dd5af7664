"""Numbers as mainframes write them, whole columns at once: packed, zoned and binary, read strictly and written back.

Every function takes a block of shape (n, length), uint8, and returns int64 values with the row-wise reason why there is none.
Nothing is read as zero that is not one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kiban.migration.records.layout import Field

Block = NDArray[np.uint8]
Values = NDArray[np.int64]
Reasons = NDArray[np.uint8]

REASONS = ("", "low-values", "spaces", "nibble-bad", "sign-bad", "zone-bad", "digit-bad", "digits-many")
"""What a reason number means; 0 is none."""
_LOW, _SPACES, _NIBBLE, _SIGN, _ZONE, _DIGIT, _MANY = range(1, len(REASONS))


def decode(field: Field, block: Block, *, ascii_digits: bool = False) -> tuple[Values, Reasons]:
    """Read one numeric field of many records.

    Args:
        field: packed, zoned or binary.
        block: its bytes, (n, length).
        ascii_digits: whether zoned digits are those of a PC or Unix machine, not of EBCDIC.

    Returns:
        Values without their implied decimal point, and reasons (see `REASONS`); a value counts only where there is none.
    """
    reasons = np.zeros(len(block), np.uint8)
    if field.kind == "packed":
        values = _packed(field, block, reasons)
    elif field.kind == "binary":
        values = _binary(field, block, reasons)
    else:
        values = _zoned(field, block, reasons, 0x30 if ascii_digits else 0xF0)
    if field.kind != "binary":  # for a binary number low-values are zero
        reasons[np.logical_not(block.any(axis=1))] = _LOW
    reasons[(block == (0x20 if ascii_digits else 0x40)).all(axis=1)] = _SPACES
    return values, reasons


def _powers(count: int) -> Values:
    return 10 ** np.arange(count - 1, -1, -1, dtype=np.int64)


def _packed(field: Field, block: Block, reasons: Reasons) -> Values:
    nibbles = np.empty((len(block), 2 * block.shape[1]), np.uint8)
    nibbles[:, 0::2], nibbles[:, 1::2] = block >> 4, block & 15
    sign, digits = nibbles[:, -1], nibbles[:, :-1]
    good = np.isin(sign, (0xC, 0xD, 0xF) if field.sign != "none" else (0xF, 0xC))
    reasons[np.logical_not(good)] = _SIGN
    if digits.shape[1] > field.digits:
        reasons[digits[:, 0] != 0] = _MANY
    reasons[(digits > 9).any(axis=1)] = _NIBBLE
    values = digits.astype(np.int64) @ _powers(digits.shape[1])
    return np.where(sign == 0xD, -values, values)


def _binary(field: Field, block: Block, reasons: Reasons) -> Values:
    signed = field.sign != "none"
    kind = {2: "i2", 4: "i4", 8: "i8"}[field.length] if signed else {2: "u2", 4: "u4", 8: "i8"}[field.length]
    values = np.ascontiguousarray(block).view(f">{kind}")[:, 0].astype(np.int64)
    most = np.int64(10**field.digits - 1)
    reasons[(values > most) | (values < (-most if signed else 0))] = _MANY
    return values


def _zoned(field: Field, block: Block, reasons: Reasons, zone: int) -> Values:
    negative = np.zeros(len(block), bool)
    digits = block
    if field.sign in {"leading", "trailing"}:
        sign = block[:, 0] if field.sign == "leading" else block[:, -1]
        digits = block[:, 1:] if field.sign == "leading" else block[:, :-1]
        plus, minus, blank = (0x4E, 0x60, 0x40) if zone == 0xF0 else (0x2B, 0x2D, 0x20)
        reasons[np.logical_not(np.isin(sign, (plus, minus, blank)))] = _SIGN
        negative = sign == minus
    zones = digits & 0xF0
    reasons[(zones[:, :-1] != zone).any(axis=1)] = _ZONE
    last = zones[:, -1]
    if field.sign == "within":
        minus_zone = 0xD0 if zone == 0xF0 else 0x70
        good = np.isin(last, (zone, 0xC0, minus_zone) if zone == 0xF0 else (zone, minus_zone))
        reasons[np.logical_not(good)] = _SIGN
        negative = last == minus_zone
    else:
        reasons[last != zone] = _ZONE
    reasons[((digits & 15) > 9).any(axis=1)] = _DIGIT
    values = (digits & 15).astype(np.int64) @ _powers(digits.shape[1])
    return np.where(negative, -values, values)


def encode(field: Field, values: Values, *, ascii_digits: bool = False) -> Block:
    """Write one numeric field of many records as the machine itself writes it: signed C or D, unsigned F.

    Args:
        field: packed, zoned or binary.
        values: without their decimal point; not more digits than the field has.
        ascii_digits: as for `decode`.
    """
    if field.kind == "binary":
        return values.astype(f">i{field.length}").view(np.uint8).reshape(len(values), field.length)
    negative, size = values < 0, np.abs(values)
    width = field.digits if field.kind == "zoned" else 2 * field.length - 1
    digits = (size[:, None] // _powers(width) % 10).astype(np.uint8)
    if field.kind == "packed":
        positive = 0xC if field.sign != "none" else 0xF
        sign = np.where(negative, 0xD, positive).astype(np.uint8)
        nibbles = np.concatenate([digits, sign[:, None]], axis=1)
        return np.asarray(nibbles[:, 0::2] << 4 | nibbles[:, 1::2], np.uint8)
    zone = 0x30 if ascii_digits else 0xF0
    written = np.asarray(digits | zone, np.uint8)
    if field.sign == "within":
        ends = (0x70, 0x30) if ascii_digits else (0xD0, 0xC0)
        written[:, -1] = digits[:, -1] | np.where(negative, *ends).astype(np.uint8)
        return written
    if field.sign == "none":
        return written
    plus, minus = (0x2B, 0x2D) if ascii_digits else (0x4E, 0x60)
    sign = np.where(negative, minus, plus).astype(np.uint8)[:, None]
    return np.concatenate([sign, written] if field.sign == "leading" else [written, sign], axis=1)
