"""What a known fault does to the bytes of a field, and the records into which it can be put."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kiban.town.unload_marks import OPEN_END, SPACE, ZONE, Mask, Records, written

Where = Callable[[Records], Mask]
Change = Callable[[Records, int, str], bytes]
"""New bytes of a field of a record, by its number from 0."""

SHIFT_OPEN, NO_CODE, OTHER_KANJI = bytes.fromhex("28b0a1"), b"\xff\xff", bytes.fromhex("b0a1")
"""A shift to kanji that nothing closes, two bytes that are no character in any of the code pages, and a kanji few names begin with."""


def replaced(value: bytes) -> Change:
    """These bytes, whatever stood there."""
    return lambda _records, _row, _field: value


def as_before(records: Records, row: int, field: str) -> bytes:
    """The bytes that stand there."""
    return bytes(records.column(field)[row])


def bad_nibble(records: Records, row: int, field: str) -> bytes:
    """The first half byte is no digit."""
    old = as_before(records, row, field)
    return bytes([0xA0 | old[0] & 0x0F]) + old[1:]


def low_values(records: Records, row: int, field: str) -> bytes:
    """Nobody filled the field."""
    return bytes(records.field(field).size)


def blank(records: Records, row: int, field: str) -> bytes:
    """Spaces."""
    return bytes([SPACE] * records.field(field).size)


def no_character(records: Records, row: int, field: str) -> bytes:
    """The first character is none."""
    return NO_CODE + as_before(records, row, field)[2:]


def cut(records: Records, row: int, field: str) -> bytes:
    """The last kanji loses its second byte."""
    old = as_before(records, row, field)
    end = len(old.rstrip(bytes([SPACE])))
    end += end % 2
    return old[: end - 1] + bytes([SPACE]) + old[end:]


def unclosed(records: Records, row: int, field: str) -> bytes:
    """A shift to kanji, one kanji, and no shift back."""
    return SHIFT_OPEN.ljust(records.field(field).size, bytes([SPACE]))


def sign_of_nothing(records: Records, row: int, field: str) -> bytes:
    """A zone that is no sign."""
    old = as_before(records, row, field)
    return old[:-1] + bytes([0xE0 | old[-1] & 0x0F])


def minus(records: Records, row: int, field: str) -> bytes:
    """A packed number below zero."""
    old = as_before(records, row, field)
    return old[:-1] + bytes([old[-1] & 0xF0 | 0x0D])


def hundred_more(records: Records, row: int, field: str) -> bytes:
    """A zoned amount with another digit of its hundreds."""
    old = as_before(records, row, field)
    return old[:-3] + written(str((old[-3] - ZONE + 1) % 10)) + old[-2:]


def thousand_more(records: Records, row: int, field: str) -> bytes:
    """A packed amount with another digit of its thousands."""
    old = as_before(records, row, field)
    return old[:-3] + bytes([old[-3] & 0xF0 | ((old[-3] & 0x0F) + 1) % 10]) + old[-2:]


def other_name(records: Records, row: int, field: str) -> bytes:
    """A name that begins with another kanji."""
    return OTHER_KANJI + as_before(records, row, field)[2:]


def in_heisei(records: Records, row: int, field: str) -> bytes:
    """A fiscal year of the era before."""
    return written("4") + as_before(records, row, field)[1:]


def era_thirty(records: Records, row: int, field: str) -> bytes:
    """The thirtieth year of the era, packed."""
    old = as_before(records, row, field)
    return bytes([old[0] & 0xF0 | 3, old[1] & 0x0F]) + old[2:]


def next_digit(records: Records, row: int, field: str) -> bytes:
    """Another last digit."""
    old = as_before(records, row, field)
    return old[:-1] + written(str((old[-1] - ZONE + 1) % 10))


def twenty_years_on(records: Records, row: int, field: str) -> bytes:
    """Twenty years later, in eight digits."""
    return written(str(int(records.digits(field, row)[:4]) + 20)) + as_before(records, row, field)[4:]


def in_meiji(records: Records, row: int, field: str) -> bytes:
    """The year of another era."""
    old = as_before(records, row, field)
    return bytes([0x10 | old[0] & 0x0F]) + old[1:]


def day_before(records: Records, row: int, field: str) -> bytes:
    """A day earlier."""
    told = records.digits(field, row)
    day = np.datetime64(f"{told[:4]}-{told[4:6]}-{told[6:]}") - 1
    return written(str(day).replace("-", ""))


def one_more(records: Records, row: int, field: str) -> bytes:
    """A packed number whose last digit is one higher."""
    old = as_before(records, row, field)
    return old[:-1] + bytes([((old[-1] >> 4) + 1) % 10 << 4 | old[-1] & 0x0F])


def of_another(end: str) -> Change:
    """What the next live record has in this field, when it is something else."""

    def change(records: Records, row: int, field: str) -> bytes:
        column = records.column(field)
        other = (column != column[row]).any(axis=1) & records.holds(end, written(OPEN_END))
        found = np.flatnonzero(other)
        return bytes(column[found[np.searchsorted(found, row) % len(found)]])

    return change


def anywhere(records: Records) -> Mask:
    """Every data record."""
    return records.data


def live(end: str) -> Where:
    """Records without an end."""
    return lambda records: records.holds(end, written(OPEN_END))


def several(field: str, end: str) -> Where:
    """Live records of a file in which live records have more than one value in the field."""

    def where(records: Records) -> Mask:
        live = records.holds(end, written(OPEN_END))
        values = records.column(field)[live]
        several = bool(len(values) and (values != values[0]).any())
        return live if several else np.zeros_like(live)

    return where


def named(field: str) -> Where:
    """Two characters at least."""

    def where(records: Records) -> Mask:
        two: Mask = (records.column(field)[:, 2:4] != SPACE).any(axis=1)
        return records.data & two

    return where


def born_in_heisei(records: Records) -> Mask:
    """Born from 平成6年 to 平成30年; in Meiji these are the first years of the new calendar and long ago."""
    birth = records.column("JK-SEINEN-YMD")
    year = (birth[:, 0] & 0x0F) * 10 + (birth[:, 1] >> 4)
    born: Mask = (birth[:, 0] >> 4 == 4) & (year >= 6) & (year <= 30)
    return records.data & born


def followed(prefix: str, *same: str) -> Where:
    """Records that the next record continues: the same in these fields, and it begins where they end."""
    return lambda records: (
        records.like_next(*same) & records.meets_next(f"{prefix}-SHURYO-YMD", f"{prefix}-KAISHI-YMD")
    )


def long_enough(prefix: str, *same: str) -> Where:
    """Likewise, of records that did not begin in the month in which they ended, and did not end on its first day."""

    def where(records: Records) -> Mask:
        begin, end = (records.column(f"{prefix}-{name}-YMD") for name in ("KAISHI", "SHURYO"))
        first_day: Mask = (end[:, 6:] == np.frombuffer(written("01"), np.uint8)).all(axis=1)
        other_month: Mask = (begin[:, :6] != end[:, :6]).any(axis=1)
        return followed(prefix, *same)(records) & other_month & ~first_day

    return where


def positive(field: str) -> Where:
    """Packed numbers above zero."""

    def where(records: Records) -> Mask:
        column = records.column(field)
        above: Mask = (column[:, :-1] != 0).any(axis=1) & (column[:, -1] & 0x0F == 0x0C)
        return records.data & above

    return where


def having(field: str, value: bytes) -> Where:
    """Records that hold this value."""
    return lambda records: records.holds(field, value)


def both(one: Where, other: Where) -> Where:
    """Where both can be put."""
    return lambda records: one(records) & other(records)


def not_live(end: str) -> Where:
    """Records with an end."""
    return lambda records: records.data & ~records.holds(end, written(OPEN_END))


def repeated(field: str) -> Where:
    """Records that the next one follows with the same in this field."""
    return lambda records: records.like_next(field)
