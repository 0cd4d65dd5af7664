"""Checks of one field of one row: it must hold something, in so many digits, of a list, not below zero, with room to spare."""

from __future__ import annotations

import csv
from pathlib import Path

from kiban.migration.findings.check import Check, Kind, place
from kiban.migration.findings.segments import Segments, Width
from kiban.migration.mapping import named, quoted

SELECTORS = "[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
"""Variation selectors, which are no characters of their own."""
_HALF = "\x20-\x7e\uff61-\uff9f"


def _each(check: Check, db: Segments, condition: str, code: str) -> str:
    """A condition over each of the fields; `{x}` stands for the field."""
    parts = [
        f"SELECT {place()}, {quoted(name)} AS field, {quoted(code)} AS code FROM {db.rows(check.rows)} r "
        f"WHERE {condition.replace('{x}', f'r.{named(name)}').replace('{held}', db.holds(check.rows.segment, name, within='r.'))}"
        for name in check.fields
    ]
    return " UNION ALL ".join(parts)


def missing(check: Check, db: Segments) -> str:
    """必須: the field holds nothing; a number holds nothing where it is 0."""
    return _each(check, db, "NOT {held}", "value-missing")


def length(check: Check, db: Segments) -> str:
    """桁数: what is held has not as many characters as the argument says, such as 7 or 1-7."""
    least, _, most = check.argument.partition("-")
    if not (least.isdecimal() and (most or least).isdecimal() and int(least) <= int(most or least)):
        raise check.fault(f"{check.argument or 'nothing'} is no number of characters", "write 7, or 1-7")
    return _each(
        check, db, f"{{held}} AND length(CAST({{x}} AS VARCHAR)) NOT BETWEEN {int(least)} AND {int(most or least)}", "value-length"
    )  # fmt: skip


def negative(check: Check, db: Segments) -> str:
    """負数: an amount below zero."""
    texts = [name for name in check.fields if db.fields[check.rows.segment][name] == "VARCHAR"]
    if texts:
        raise check.fault(f"{', '.join(texts)} holds text", "name fields that are decoded to numbers")
    return _each(check, db, "{x} < 0", "value-negative")


def code(check: Check, db: Segments) -> str:
    """コード: what is held is none of the codes; the argument lists them, or names a code table of the project."""
    names = check.argument.split()
    if not names:
        raise check.fault("nothing says which codes there are", "list them, or write codes/NAME.csv")
    known = ", ".join(quoted(name) for name in names)
    return _each(check, db, f"{{held}} AND CAST({{x}} AS VARCHAR) NOT IN ({known})", "code-unknown")


def table_codes(argument: str, folder: Path) -> str:
    """The argument of コード with the name of a code table replaced by its legacy codes.

    Raises:
        OSError, KeyError, UnicodeDecodeError: where there is no such table with a column 旧コード.
    """
    if not argument.endswith(".csv"):
        return argument
    with (folder / argument).open(encoding="utf-8-sig", newline="") as opened:
        return " ".join(row["旧コード"] for row in csv.DictReader(opened) if row["旧コード"])


def filled(check: Check, db: Segments) -> str:
    """切れた文字: the text leaves no room in its field, so that more of it may be lost."""
    return " UNION ALL ".join(_filled(check, db, name) for name in check.fields)


def _filled(check: Check, db: Segments, name: str) -> str:
    width = db.widths.get(name)
    if check.argument.isdecimal():
        width = Width(int(check.argument))
    elif check.argument or width is None:
        raise check.fault(f"no copybook tells how long {name} is", "write the number of characters")
    column = f"r.{named(name)}"
    text = f"regexp_replace({column}, '{SELECTORS}', '', 'g')"
    if width.shifts is None:
        early, full = f"length({column}) >= {width.room}", f"length({text}) >= {width.room}"
    else:  # no room for one more kanji beside the last
        half = f"length(regexp_replace({text}, '[^{_HALF}]', '', 'g'))"
        runs = f"len(list_filter(regexp_split_to_array({text}, '[{_HALF}]+'), lambda part: part <> ''))"
        early = f"2 * length({column}) + {width.shifts} >= {width.room} - 1"
        full = f"2 * length({text}) - {half} + {width.shifts} * {runs} >= {width.room} - 1"
    return (
        f"SELECT {place()}, {quoted(name)} AS field, 'text-full' AS code FROM {db.rows(check.rows)} r "
        f"WHERE CASE WHEN {early} THEN {full} ELSE false END"
    )


KINDS = (
    Kind("必須", missing),
    Kind("桁数", length, held_only=True),
    Kind("負数", negative),
    Kind("コード", code, held_only=True),
    Kind("切れた文字", filled, held_only=True),
)
