"""The kinds of known faults: what each does to one field of one record, where it can be put, and who has to notice it.

This is the one list of them. A kind may stand for several files; its name says the same in each. Each fault is put into a record
of its own, of a person and a household that have no other fault. Trailers and printed totals tell what stood there before it.
`notice` names the stage that is to find it: `decode` for a value that cannot be read (a line of the decode ledger at this file,
record and field), `cleanse` for one that reads like any other and contradicts something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kiban.town.unload_marks import OPEN_END, SPACE, ZONE, Mask, Records, written

Notice = Literal["decode", "cleanse"]
Where = Callable[[Records], Mask]
Change = Callable[[Records, int, str], bytes]
"""New bytes of a field of a record, by its number from 0."""

NOBODY, NO_HOUSEHOLD, NO_DAY, NO_WARD, NO_CODE_3 = map(
    written, ("9999999999", "8888888888", "20230230", "199", "999")
)
LEFT_WARD = written("60")
"""Legacy code of a row that ended because its person moved to another ward."""
SHIFT_OPEN, NO_CODE = bytes.fromhex("28b0a1"), b"\xff\xff"
"""A shift to kanji that nothing closes, and two bytes that are no character in any of the code pages."""


@dataclass(frozen=True)
class FaultKind:
    """One kind of fault in the files of one copybook.

    Attributes:
        name: what is wrong, in one word for all files.
        book: copybook of the files.
        field: COBOL data name; empty where a whole record is at fault.
        notice: stage that is to find it.
        meaning: what it is in the life of an old system.
        change: what it does to the bytes.
        where: which records it can be put into.
    """

    name: str
    book: str
    field: str
    notice: Notice
    meaning: str
    change: Change
    where: Where


def _same(value: bytes) -> Change:
    return lambda _records, _row, _field: value


def _old(records: Records, row: int, field: str) -> bytes:
    return records.column(field)[row].tobytes()


def _nibble(records: Records, row: int, field: str) -> bytes:
    old = _old(records, row, field)
    return bytes([0xA0 | old[0] & 0x0F]) + old[1:]


def _low_values(records: Records, row: int, field: str) -> bytes:
    return bytes(records.field(field).size)


def _blank(records: Records, row: int, field: str) -> bytes:
    return bytes([SPACE] * records.field(field).size)


def _no_character(records: Records, row: int, field: str) -> bytes:
    return NO_CODE + _old(records, row, field)[2:]


def _cut(records: Records, row: int, field: str) -> bytes:
    """The last kanji loses its second byte."""
    old = _old(records, row, field)
    end = len(old.rstrip(bytes([SPACE])))
    end += end % 2
    return old[: end - 1] + bytes([SPACE]) + old[end:]


def _unclosed(records: Records, row: int, field: str) -> bytes:
    return SHIFT_OPEN.ljust(records.field(field).size, bytes([SPACE]))


def _digit_more(records: Records, row: int, field: str) -> bytes:
    old = _old(records, row, field)
    return old[:-1] + written(str((old[-1] - ZONE + 1) % 10))


def _twenty_years_on(records: Records, row: int, field: str) -> bytes:
    return written(str(int(records.digits(field, row)[:4]) + 20)) + _old(records, row, field)[4:]


def _in_meiji(records: Records, row: int, field: str) -> bytes:
    old = _old(records, row, field)
    return bytes([0x10 | old[0] & 0x0F]) + old[1:]


def _day_before(records: Records, row: int, field: str) -> bytes:
    told = records.digits(field, row)
    day = np.datetime64(f"{told[:4]}-{told[4:6]}-{told[6:]}") - 1
    return written(str(day).replace("-", ""))


def _one_more(records: Records, row: int, field: str) -> bytes:
    """A packed number whose last digit is one higher."""
    old = _old(records, row, field)
    return old[:-1] + bytes([((old[-1] >> 4) + 1) % 10 << 4 | old[-1] & 0x0F])


def _of_another(end: str) -> Change:
    """What the next live record has in this field, when it is something else."""

    def change(records: Records, row: int, field: str) -> bytes:
        column = records.column(field)
        other = (column != column[row]).any(axis=1) & records.holds(end, written(OPEN_END))
        found = np.flatnonzero(other)
        return column[found[np.searchsorted(found, row) % len(found)]].tobytes()

    return change


def _any(records: Records) -> Mask:
    return records.data


def _live(end: str) -> Where:
    return lambda records: records.holds(end, written(OPEN_END))


def _several(field: str, end: str) -> Where:
    """Live records of a file in which live records have more than one value in the field."""

    def where(records: Records) -> Mask:
        live = records.holds(end, written(OPEN_END))
        values = records.column(field)[live]
        return live & bool(len(values) and (values != values[0]).any())

    return where


def _named(field: str) -> Where:
    """Two characters at least."""
    return lambda records: records.data & (records.column(field)[:, 2:4] != SPACE).any(axis=1)


def _heisei(records: Records) -> Mask:
    """Born from 平成6年 to 平成30年; in Meiji these are the first years of the new calendar and long ago."""
    birth = records.column("JK-SEINEN-YMD")
    year = (birth[:, 0] & 0x0F) * 10 + (birth[:, 1] >> 4)
    return records.data & (birth[:, 0] >> 4 == 4) & (year >= 6) & (year <= 30)


def _followed(prefix: str, *same: str) -> Where:
    """Records that the next record continues: the same in these fields, and it begins where they end."""
    return lambda records: (
        records.like_next(*same) & records.meets_next(f"{prefix}-SHURYO-YMD", f"{prefix}-KAISHI-YMD")
    )


def _long(prefix: str, *same: str) -> Where:
    """Likewise, of records that did not begin in the month in which they ended, and did not end on its first day."""

    def where(records: Records) -> Mask:
        begin, end = (records.column(f"{prefix}-{name}-YMD") for name in ("KAISHI", "SHURYO"))
        first_day = (end[:, 6:] == np.frombuffer(written("01"), np.uint8)).all(axis=1)
        return _followed(prefix, *same)(records) & (begin[:, :6] != end[:, :6]).any(axis=1) & ~first_day

    return where


def _juki(name: str, field: str, notice: Notice, meaning: str, change: Change, where: Where) -> FaultKind:
    return FaultKind(name, "JUKI", f"JK-{field}" if field else "", notice, meaning, change, where)


def _setai(name: str, field: str, notice: Notice, meaning: str, change: Change, where: Where) -> FaultKind:
    return FaultKind(name, "SETAI", f"SE-{field}" if field else "", notice, meaning, change, where)


_JK_LIVE, _SE_LIVE = _live("JK-SHURYO-YMD"), _live("SE-SHURYO-YMD")
_OPEN = _same(written(OPEN_END))

RESIDENTS = (
    _juki("packed-nibble", "SETAIIN-JUN", "decode", "a half byte that is no digit", _nibble, _any),
    _juki("packed-low-values", "SADAME-YMD", "decode", "a packed number that nobody filled", _low_values, _any),
    _juki("number-blank", "TODOKE-YMD", "decode", "spaces where digits belong", _blank, _any),
    _juki("code-unmapped", "SHIMEI", "decode", "a code that is no character", _no_character, _any),
    _juki("name-truncated", "SHIMEI", "decode", "cut within the last kanji", _cut, _named("JK-SHIMEI")),
    _juki("shift-unbalanced", "KATAGAKI", "decode", "cut before the shift that ends the kanji", _unclosed, _any),
    _juki("choice-unknown", "JUMIN-SHUBETSU", "decode", "nothing says which REDEFINES applies", _same(written("9")), _any),
    _juki("date-impossible", "IDO-YMD", "cleanse", "30 February", _same(NO_DAY), _any),
    _juki("date-future", "SHORI-YMD", "cleanse", "processed twenty years on", _twenty_years_on, _any),
    _juki("birth-century", "SEINEN-YMD", "cleanse", "明治 for 平成: older than anybody", _in_meiji, _heisei),
    _juki("check-digit-wrong", "KOJIN-NO", "cleanse", "another last digit", _digit_more, _any),
    _juki("household-orphan", "SETAI-NO", "cleanse", "a household that is in no file", _same(NOBODY), _JK_LIVE),
    _juki("household-other", "SETAI-NO", "cleanse", "counted in a household of another address",
          _of_another("JK-SHURYO-YMD"), _several("JK-SETAI-NO", "JK-SHURYO-YMD")),
    _juki("household-two", "SHURYO-YMD", "cleanse", "moved to another ward, and never left this one's household",
          _OPEN, lambda records: records.holds("JK-JOTAI", LEFT_WARD) & ~_JK_LIVE(records)),
    _juki("history-overlap", "SHURYO-YMD", "cleanse", "a row of the past that never ended",
          _OPEN, _followed("JK", "JK-ATENA-NO", "JK-SETAI-NO")),
    _juki("history-gap", "SHURYO-YMD", "cleanse", "ends a day before the next row begins",
          _day_before, _long("JK", "JK-ATENA-NO")),
    _juki("ward-unknown", "KU-CD", "cleanse", "a ward that does not exist", _same(NO_WARD), _any),
    _juki("ward-other", "KU-CD", "cleanse", "a ward in which the town of the address does not lie",
          _of_another("JK-SHURYO-YMD"), _several("JK-KU-CD", "JK-SHURYO-YMD")),
    _juki("code-unknown", "IDO-JIYU", "cleanse", "a code that is in no code table", _same(NO_CODE_3), _any),
    _juki("protection-missing", "SHIEN-FLG", "cleanse", "protected in SHIEN.DAT, not here", _same(written("0")),
          lambda records: records.holds("JK-SHIEN-FLG", written("1")) & _JK_LIVE(records)),
    _juki("protection-extra", "SHIEN-FLG", "cleanse", "protected here, not in SHIEN.DAT", _same(written("1")),
          lambda records: records.holds("JK-SHIEN-FLG", written("0")) & _JK_LIVE(records)),
    _juki("record-duplicate", "", "cleanse", "the record before it once more, in its place", _old,
          lambda records: records.like_next("JK-ATENA-NO")),
)  # fmt: skip
HOUSEHOLDS = (
    _setai("packed-nibble", "NINZU", "decode", "a half byte that is no digit", _nibble, _any),
    _setai("packed-low-values", "RIREKI-NO", "decode", "a packed number that nobody filled", _low_values, _any),
    _setai("number-blank", "YUBIN", "decode", "spaces where digits belong", _blank, _any),
    _setai("code-unmapped", "NUSHI-SHIMEI", "decode", "a code that is no character", _no_character, _any),
    _setai("name-truncated", "NUSHI-SHIMEI", "decode", "cut within the last kanji", _cut, _named("SE-NUSHI-SHIMEI")),
    _setai("shift-unbalanced", "KATAGAKI", "decode", "cut before the shift that ends the kanji", _unclosed, _any),
    _setai("date-impossible", "KAISHI-YMD", "cleanse", "30 February", _same(NO_DAY), _any),
    _setai("date-future", "KAISHI-YMD", "cleanse", "begins twenty years on", _twenty_years_on, _SE_LIVE),
    _setai("household-empty", "SETAI-NO", "cleanse", "a household that nobody belongs to", _same(NO_HOUSEHOLD), _SE_LIVE),
    _setai("head-unknown", "NUSHI-ATENA", "cleanse", "a head who is in no file", _same(NOBODY), _SE_LIVE),
    _setai("head-other", "NUSHI-ATENA", "cleanse", "a head who lives in another household",
           _of_another("SE-SHURYO-YMD"), _several("SE-NUSHI-ATENA", "SE-SHURYO-YMD")),
    _setai("members-wrong", "NINZU", "cleanse", "not as many as the residents with this number", _one_more, _SE_LIVE),
    _setai("history-overlap", "SHURYO-YMD", "cleanse", "a row of the past that never ended",
           _OPEN, _followed("SE", "SE-SETAI-NO")),
    _setai("history-gap", "SHURYO-YMD", "cleanse", "ends a day before the next row begins",
           _day_before, _long("SE", "SE-SETAI-NO")),
    _setai("ward-unknown", "KU-CD", "cleanse", "a ward that does not exist", _same(NO_WARD), _any),
    _setai("code-unknown", "SHUBETSU", "cleanse", "a value that the standard does not have", _same(written("9")), _any),
    _setai("record-duplicate", "", "cleanse", "the record before it once more, in its place", _old,
           lambda records: records.like_next("SE-SETAI-NO")),
)  # fmt: skip


def _in_turn(*books: tuple[FaultKind, ...]) -> tuple[FaultKind, ...]:
    longest = max(map(len, books))
    return tuple(book[at] for at in range(longest) for book in books if at < len(book))


FAULT_KINDS = _in_turn(RESIDENTS, HOUSEHOLDS)
"""Every kind, in the order in which they are put in, file after file."""
