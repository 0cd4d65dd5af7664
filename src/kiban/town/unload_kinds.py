"""The kinds of known faults: what each does to one field of one record, where it can be put, and who has to notice it.

This is the one list of them. A kind may stand for several files; its name says the same in each. Each fault is put into a record
of its own, of a person and a household that have no other fault. Trailers and printed totals tell what stood there before it.
`notice` names the stage that is to find it: `decode` for a value that cannot be read (a line of the decode ledger at this file,
record and field), `cleanse` for one that reads like any other and contradicts something.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiban.town import unload_damage as does
from kiban.town.unload_marks import OPEN_END, written

Notice = Literal["decode", "cleanse"]
NOBODY, NO_HOUSEHOLD, NO_DAY, NO_WARD, NO_CODE_3 = map(
    written, ("9999999999", "8888888888", "20230230", "199", "999")
)
NO_ERA_DAY = bytes.fromhex("5050230f")
"""30 February of 令和5年 is 5050230; packed, with the era before it."""
LEFT_WARD = written("60")
"""Legacy code of a row that ended because its person moved to another ward."""


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
    change: does.Change
    where: does.Where


def _kinds(
    book: str, prefix: str, *rows: tuple[str, str, Notice, str, does.Change, does.Where]
) -> tuple[FaultKind, ...]:
    return tuple(
        FaultKind(name, book, f"{prefix}-{field}" if field else "", notice, meaning, change, where)
        for name, field, notice, meaning, change, where in rows
    )


_JK_LIVE, _SE_LIVE = does.live("JK-SHURYO-YMD"), does.live("SE-SHURYO-YMD")
_OPEN = does.replaced(written(OPEN_END))
_ANY = does.anywhere

RESIDENTS = _kinds(
    "JUKI", "JK",
    ("packed-nibble", "SETAIIN-JUN", "decode", "a half byte that is no digit", does.bad_nibble, _ANY),
    ("packed-low-values", "SADAME-YMD", "decode", "a packed number that nobody filled", does.low_values, _ANY),
    ("number-blank", "TODOKE-YMD", "decode", "spaces where digits belong", does.blank, _ANY),
    ("code-unmapped", "SHIMEI", "decode", "a code that is no character", does.no_character, _ANY),
    ("name-truncated", "SHIMEI", "decode", "cut within the last kanji", does.cut, does.named("JK-SHIMEI")),
    ("shift-unbalanced", "KATAGAKI", "decode", "cut before the shift that ends the kanji", does.unclosed, _ANY),
    ("choice-unknown", "JUMIN-SHUBETSU", "decode", "nothing says which REDEFINES applies", does.replaced(written("9")), _ANY),
    ("date-impossible", "IDO-YMD", "cleanse", "30 February", does.replaced(NO_DAY), _ANY),
    ("date-future", "SHORI-YMD", "cleanse", "processed twenty years on", does.twenty_years_on, _ANY),
    ("birth-century", "SEINEN-YMD", "cleanse", "明治 for 平成: older than anybody", does.in_meiji, does.born_in_heisei),
    ("check-digit-wrong", "KOJIN-NO", "cleanse", "another last digit", does.next_digit, _ANY),
    ("household-orphan", "SETAI-NO", "cleanse", "a household that is in no file", does.replaced(NOBODY), _JK_LIVE),
    ("household-other", "SETAI-NO", "cleanse", "counted in a household of another address",
     does.of_another("JK-SHURYO-YMD"), does.several("JK-SETAI-NO", "JK-SHURYO-YMD")),
    ("household-two", "SHURYO-YMD", "cleanse", "moved to another ward, and never left this one's household",
     _OPEN, does.both(does.having("JK-JOTAI", LEFT_WARD), does.not_live("JK-SHURYO-YMD"))),
    ("history-overlap", "SHURYO-YMD", "cleanse", "a row of the past that never ended",
     _OPEN, does.followed("JK", "JK-ATENA-NO", "JK-SETAI-NO")),
    ("history-gap", "SHURYO-YMD", "cleanse", "ends a day before the next row begins",
     does.day_before, does.long_enough("JK", "JK-ATENA-NO")),
    ("ward-unknown", "KU-CD", "cleanse", "a ward that does not exist", does.replaced(NO_WARD), _ANY),
    ("ward-other", "KU-CD", "cleanse", "a ward in which the town of the address does not lie",
     does.of_another("JK-SHURYO-YMD"), does.several("JK-KU-CD", "JK-SHURYO-YMD")),
    ("code-unknown", "IDO-JIYU", "cleanse", "a code that is in no code table", does.replaced(NO_CODE_3), _ANY),
    ("protection-missing", "SHIEN-FLG", "cleanse", "protected in SHIEN.DAT, not here",
     does.replaced(written("0")), does.both(does.having("JK-SHIEN-FLG", written("1")), _JK_LIVE)),
    ("protection-extra", "SHIEN-FLG", "cleanse", "protected here, not in SHIEN.DAT",
     does.replaced(written("1")), does.both(does.having("JK-SHIEN-FLG", written("0")), _JK_LIVE)),
    ("record-duplicate", "", "cleanse", "the record before it once more, in its place", does.as_before, does.repeated("JK-ATENA-NO")),
)  # fmt: skip
HOUSEHOLDS = _kinds(
    "SETAI", "SE",
    ("packed-nibble", "NINZU", "decode", "a half byte that is no digit", does.bad_nibble, _ANY),
    ("packed-low-values", "RIREKI-NO", "decode", "a packed number that nobody filled", does.low_values, _ANY),
    ("number-blank", "YUBIN", "decode", "spaces where digits belong", does.blank, _ANY),
    ("code-unmapped", "NUSHI-SHIMEI", "decode", "a code that is no character", does.no_character, _ANY),
    ("name-truncated", "NUSHI-SHIMEI", "decode", "cut within the last kanji", does.cut, does.named("SE-NUSHI-SHIMEI")),
    ("shift-unbalanced", "KATAGAKI", "decode", "cut before the shift that ends the kanji", does.unclosed, _ANY),
    ("date-impossible", "KAISHI-YMD", "cleanse", "30 February", does.replaced(NO_DAY), _ANY),
    ("date-future", "KAISHI-YMD", "cleanse", "begins twenty years on", does.twenty_years_on, _SE_LIVE),
    ("household-empty", "SETAI-NO", "cleanse", "a household that nobody belongs to", does.replaced(NO_HOUSEHOLD), _SE_LIVE),
    ("head-unknown", "NUSHI-ATENA", "cleanse", "a head who is in no file", does.replaced(NOBODY), _SE_LIVE),
    ("head-other", "NUSHI-ATENA", "cleanse", "a head who lives in another household",
     does.of_another("SE-SHURYO-YMD"), does.several("SE-NUSHI-ATENA", "SE-SHURYO-YMD")),
    ("members-wrong", "NINZU", "cleanse", "not as many as the residents with this number", does.one_more, _SE_LIVE),
    ("history-overlap", "SHURYO-YMD", "cleanse", "a row of the past that never ended", _OPEN, does.followed("SE", "SE-SETAI-NO")),
    ("history-gap", "SHURYO-YMD", "cleanse", "ends a day before the next row begins",
     does.day_before, does.long_enough("SE", "SE-SETAI-NO")),
    ("ward-unknown", "KU-CD", "cleanse", "a ward that does not exist", does.replaced(NO_WARD), _ANY),
    ("code-unknown", "SHUBETSU", "cleanse", "a value that the standard does not have", does.replaced(written("9")), _ANY),
    ("record-duplicate", "", "cleanse", "the record before it once more, in its place", does.as_before, does.repeated("SE-SETAI-NO")),
)  # fmt: skip
TAXPAYERS = _kinds(
    "ZEI", "ZE",
    ("packed-nibble", "HYOJUN", "decode", "a half byte that is no digit", does.bad_nibble, _ANY),
    ("packed-low-values", "KETTEI-YMD", "decode", "a packed number that nobody filled", does.low_values, _ANY),
    ("sign-unknown", "KEN-SHOTOKU", "decode", "a zone that is no sign", does.sign_of_nothing, _ANY),
    ("number-blank", "FUYO-SU", "decode", "spaces where digits belong", does.blank, _ANY),
    ("code-unmapped", "SHIMEI", "decode", "a code that is no character", does.no_character, _ANY),
    ("name-truncated", "SHIMEI", "decode", "cut within the last kanji", does.cut, does.named("ZE-SHIMEI")),
    ("choice-unknown", "CHOSHU-HOHO", "decode", "nothing says which REDEFINES applies", does.replaced(written("99")), _ANY),
    ("name-other", "SHIMEI", "cleanse", "not the name that the person has in JUKI", does.other_name, _ANY),
    ("date-impossible", "KETTEI-YMD", "cleanse", "30 February", does.replaced(NO_ERA_DAY), _ANY),
    ("date-future", "KETTEI-YMD", "cleanse", "decided in 令和30年", does.era_thirty, _ANY),
    ("check-digit-wrong", "ATENA-NO", "cleanse", "another last digit, so another person's or nobody's", does.next_digit, _ANY),
    ("person-unknown", "ATENA-NO", "cleanse", "a taxpayer who is not in JUKI", does.replaced(NOBODY), _ANY),
    ("year-other", "NENDO", "cleanse", "平成 for 令和: a year in which nobody decided it", does.in_heisei, _ANY),
    ("history-overlap", "SHURYO-YMD", "cleanse", "corrected, and valid all the same",
     _OPEN, does.followed("ZE", "ZE-ATENA-NO", "ZE-NENDO")),
    ("history-gap", "SHURYO-YMD", "cleanse", "ends a day before the next row begins",
     does.day_before, does.long_enough("ZE", "ZE-ATENA-NO", "ZE-NENDO")),
    ("ward-unknown", "KU-CD", "cleanse", "a ward that does not exist", does.replaced(NO_WARD), _ANY),
    ("code-unknown", "KOSEI-JIYU", "cleanse", "a code that is in no code table", does.replaced(written("99")), _ANY),
    ("amount-sum", "SHI-SHOTOKU", "cleanse", "the parts no longer add up to ZE-NENZEI", does.hundred_more, _ANY),
    ("instalment-sum", "KI-GAKU(1)", "cleanse", "the instalments no longer add up to ZE-NENZEI",
     does.thousand_more, does.having("ZE-CHOSHU-HOHO", written("01"))),
    ("amount-negative", "SHAKAI-KOJO", "cleanse", "an amount below zero", does.minus, does.positive("ZE-SHAKAI-KOJO")),
    ("record-duplicate", "", "cleanse", "the record before it once more, in its place", does.as_before, does.repeated("ZE-ATENA-NO")),
)  # fmt: skip


def _in_turn(*books: tuple[FaultKind, ...]) -> tuple[FaultKind, ...]:
    longest = max(map(len, books))
    return tuple(book[at] for at in range(longest) for book in books if at < len(book))


FAULT_KINDS = _in_turn(RESIDENTS, HOUSEHOLDS, TAXPAYERS)
"""Every kind, in the order in which they are put in, file after file."""
