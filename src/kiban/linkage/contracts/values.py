"""Whether a value of a message fits its item, quickly: the rules of the standard, made ready once for each feed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from kiban.kernel import Problem
from kiban.standard import CodeList, Item, ItemRules, check_value, rules

SAFE_DIGITS = 18
"""A whole number of more digits travels as text: not every reader's numbers hold it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One item made ready.

    Attributes:
        item: the item.
        name: its romaji.
        required: whether every row has a value; not a date that may be unknown, as the registers hold it.
        codes: its code list, or None.
        whole: whether its value is a whole number and not a text.
        fits: whether a text is good; a text that it does not know to be good is looked at by the standard again.
    """

    item: Item
    name: str
    required: bool
    codes: CodeList | None
    whole: bool
    fits: Callable[[str], bool]

    def problem(self, value: object) -> Problem | None:
        """What is wrong with a value that is there; never quotes it.

        Returns:
            None where it fits; `value-kind`, and those of `standard.check_value`.
        """
        if self.item.repeats:
            return self._repeated(value)
        if self.whole:
            if type(value) is not int:
                return self._kind("a whole number")
            value = str(value)
        elif type(value) is not str or not value:
            return self._kind("a text that is not empty")
        return None if self.fits(value) else check_value(self.item, value, self.codes)

    def _repeated(self, values: object) -> Problem | None:
        if not isinstance(values, list) or not all(type(value) is str and value for value in values):
            return self._kind("a list of texts")
        if len(values) > (self.item.repeat or 1):
            what = f"the item has {len(values)} values, {self.item.repeat} are possible"
            return Problem("value-too-many", what, self.item.romaji, "leave none out: ask the provider")
        found = (check_value(self.item, value, self.codes) for value in values if not self.fits(value))
        return next((problem for problem in found if problem), None)

    def _kind(self, what: str) -> Problem:
        return Problem(
            "value-kind", f"the value is not {what}", self.item.romaji, "send it in the form of its item"
        )


def check_of(item: Item, codes: CodeList | None) -> Check:
    """An item made ready.

    Args:
        item: the item.
        codes: its code list, or None.
    """
    whole = item.type in ("9", "S9") and not item.repeats and (item.digits or 0) <= SAFE_DIGITS
    required = item.required and not item.allows_unknown_date  # of such a date the words are enough
    return Check(item, item.romaji, required, codes, whole, _fits(rules(item, codes)))


def _fits(rule: ItemRules) -> Callable[[str], bool]:
    if rule.allowed is not None:
        return frozenset(rule.allowed).__contains__
    if rule.pattern is None:
        return lambda _text: True
    matches, most = re.compile(rule.pattern).fullmatch, rule.max_characters
    if rule.calendar:
        return lambda text: matches(text) is not None and _is_day(text)
    if most is None:
        return lambda text: matches(text) is not None
    return lambda text: len(text) <= most and matches(text) is not None


def _is_day(text: str) -> bool:
    """Whether a day is one of the calendar; of the year 0000, which stands for always, only the standard knows."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
