"""What one value of an item may look like, as plain data and as a check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from kiban.kernel import Problem
from kiban.standard.code_list import CodeList
from kiban.standard.model import Item

SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""The variation selectors, as they stand inside a character class."""

_VARIATION_SELECTORS = re.compile(f"[{SELECTORS}]")
_HALF = "[ -~｡-ﾟ]+"
_FULL = "[^\x00-\x1f -~\x7f-\x9f｡-ﾟ]+"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_DATE = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_UNCERTAIN_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True)
class ItemRules:
    """The rules of one value, for engines that check whole columns.

    Attributes:
        kind: the データ型: X N 9 9V S9 BLOB YEAR DATE TIME.
        max_characters: largest number of characters, variation selectors (U+FE00-FE0F, U+E0100-E01EF) not
            counted; None where the pattern says it all or nothing limits it.
        pattern: regular expression that the whole value matches, in the syntax that Python, Rust, RE2 and
            PostgreSQL share; None where any text goes.
        allowed: the codes that may stand; None where not coded, or where cities fill the list.
        nullable: whether a row may have no value.
        calendar: whether the value must be a day of the calendar (years 0000 and 9999 included).
        max_values: how many values a row may have.
    """

    kind: str
    max_characters: int | None
    pattern: str | None
    allowed: tuple[str, ...] | None
    nullable: bool
    calendar: bool = False
    max_values: int = 1


def rules(item: Item, codes: CodeList | None = None) -> ItemRules:
    """The rules of an item's values in their written form.

    Args:
        item: the item.
        codes: its code list; without it the codes are not checked.
    """
    n, m = item.digits or 18, item.scale or 1
    pattern = {
        "X": _HALF,
        "N": _FULL,
        "9": f"[0-9]{{1,{n}}}",
        "S9": f"-?[0-9]{{1,{n}}}",
        "9V": f"[0-9]{{1,{n}}}([.][0-9]{{1,{m}}})?",
        "YEAR": "[0-9]{4}",
        "DATE": _UNCERTAIN_DATE if item.allows_unknown_date else _DATE,
        "TIME": _TIME,
    }.get(item.type)
    return ItemRules(
        kind=item.type,
        max_characters=item.digits if item.type in ("X", "N") else None,
        pattern=pattern,
        allowed=None if codes is None or codes.free else codes.values,
        nullable=not item.required,
        calendar=item.type == "DATE" and not item.allows_unknown_date,
        max_values=item.repeat or 1,
    )


def check_value(item: Item, text: str, codes: CodeList | None = None) -> Problem | None:
    """Whether one value in its written form fits its item.

    Args:
        item: the item; of a repeated one, `text` is one of its values.
        text: the value as it stands in a file; empty means no value.
        codes: the code list of the item; without it the code is not checked.

    Returns:
        None where it fits, otherwise a problem that never quotes the value: `value-missing`, `value-type`,
        `value-too-long`, `value-not-a-day`, `value-not-in-code-list`.
    """
    return check_rules(rules(item, codes), item, text, codes)


_SAYS = {
    "X": ("is not half-width text", "write it in half-width characters, without line breaks"),
    "N": ("is not full-width text", "write it in full-width characters, without line breaks"),
    "9": ("is not a whole number of that length", "write digits only, no sign"),
    "S9": ("is not a signed whole number of that length", "write digits, with - in front where negative"),
    "9V": ("is not a positive decimal of that length", "write digits with a point, such as 12.5"),
    "YEAR": ("is not a year", "write it as YYYY"),
    "DATE": ("is not a date", "write it as YYYY-MM-DD"),
    "TIME": ("is not a time", "write it as HH:MM:SS"),
}


def check_rules(rule: ItemRules, item: Item, text: str, codes: CodeList | None) -> Problem | None:
    """Check one value against rules made before."""
    where = f"{item.romaji} ({item.name})"
    size = f"{item.digits},{item.scale}" if item.scale else item.digits
    if not text:
        if rule.nullable:
            return None
        return Problem("value-missing", "the item always needs a value", where, "give the value")
    if rule.pattern is not None and not re.fullmatch(rule.pattern, text):
        what, fix = _SAYS[rule.kind]
        return Problem(
            "value-type", f"the value {what} ({item.type} {size or ''})".replace(" )", ")"), where, fix
        )
    if rule.max_characters is not None and written_length(text) > rule.max_characters:
        return Problem(
            "value-too-long",
            f"the value has {written_length(text)} characters, {rule.max_characters} fit",
            where,
            "shorten it with the owner of the data; it is never cut silently",
        )
    if rule.calendar and not _is_day(text):
        return Problem(
            "value-not-a-day",
            "the value is not a day of the calendar",
            where,
            "correct the day; this item does not permit unknown dates",
        )
    if rule.allowed is not None and text not in rule.allowed and codes is not None:
        return Problem(
            "value-not-in-code-list",
            f"the value is not in the code list {codes.id} {codes.name}",
            where,
            f"use one of {', '.join(codes.values[:20])}",
        )
    return None


def written_length(text: str) -> int:
    """Characters of a text as 桁数 counts them: variation selectors count nothing.

    >>> written_length("葛\U000e0100城")
    2
    """
    return len(_VARIATION_SELECTORS.sub("", text))


def _is_day(text: str) -> bool:
    year, month, day = (int(part) for part in text.split("-"))
    try:
        date(year or 4, month, day)  # 0000 stands for "always"; its calendar is that of a leap year
    except ValueError:
        return False
    return True
