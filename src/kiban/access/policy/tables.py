"""The whole policy set as a table, and what changes from one set to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from kiban.access.people import Acting, Assignment, Office, Staff
from kiban.access.policy.deciding import Decider, Question
from kiban.access.policy.parts import Decisions, Duty

Mark = Literal["always", "sometimes", "never"]
_ANYWHERE = "000000"
"""A ward that no policy names."""
_PLACES: dict[str, tuple[str | None, ...]] = {"city": (None,), "ward": ()}
"""Kinds of offices that are in no ward, or always in one; the others may be in a ward or not."""


@dataclass(frozen=True)
class Cell:
    """What a duty allows in one respect.

    Attributes:
        duty: ID of the duty.
        action: ID of the action.
        business: ID of the edition; empty for what concerns the city as a whole.
        item_class: ID of the class; empty for the items of no class.
        mark: whether it is allowed in every situation of the duty (office, ward, work), in some, or never.
    """

    duty: str
    action: str
    business: str
    item_class: str
    mark: Mark

    @property
    def question(self) -> tuple[str, Question]:
        """The duty and what is asked."""
        return self.duty, (self.action, self.business, self.item_class)


@dataclass(frozen=True)
class Moved:
    """A cell that differs between two sets.

    Attributes:
        before: the cell in the old set; `never` where it does not know of it.
        after: the cell in the new set, likewise.
    """

    before: Cell
    after: Cell

    @property
    def opens(self) -> bool:
        """Whether the new set allows more."""
        order = ("never", "sometimes", "always")
        return order.index(self.after.mark) > order.index(self.before.mark)


def table(decider: Decider, on: date, wards: Iterable[str] = ()) -> list[Cell]:
    """Every duty in every respect on a day.

    Every work of the duty, every kind of office, in a ward and not, is tried; wards that policies name are among them.
    Conditions on a single office or member of staff are not: such a permit shows as `never`, such a forbid does not show.

    Args:
        decider: of the set.
        on: the day.
        wards: further wards to try.
    """
    tried = sorted({_ANYWHERE, *wards, *named_wards(decider)})
    return [cell for duty in decider.contents.duties.values() for cell in _of_duty(decider, duty, on, tried)]


def difference(before: Decider, after: Decider, on: date) -> list[Moved]:
    """What the new set allows anew or no more on a day, in the order of its table, then what it does not know any more."""
    wards = named_wards(before) | named_wards(after)
    old = {cell.question: cell for cell in table(before, on, wards)}
    new = {cell.question: cell for cell in table(after, on, wards)}
    pairs = [
        (old.get(question) or _never(question), new.get(question) or _never(question))
        for question in {**new, **old}
    ]
    return [Moved(one, other) for one, other in pairs if one.mark != other.mark]


def named_wards(decider: Decider) -> set[str]:
    """Codes of six digits that stand in the policies."""
    texts = (text for each in decider.contents.policies.values() for text in _texts(each.text))
    return {text for text in texts if len(text) == 6 and text.isdecimal()}


def _of_duty(decider: Decider, duty: Duty, on: date, wards: list[str]) -> Iterator[Cell]:
    found = [decider.decide(each) for each in _situations(duty, on, wards)]
    for question in questions(decider):
        yield Cell(duty.id, *question, _mark(question, found))


def questions(decider: Decider) -> Iterator[Question]:
    """Everything that can be asked of a set."""
    contents = decider.contents
    for action in contents.actions.values():
        if action.over == "city":
            yield (action.id, "", "")
            continue
        for business in contents.businesses:
            yield (action.id, business, "")
            yield from ((action.id, business, kind) for kind in contents.items.get(business, {}))


def _mark(question: Question, found: list[Decisions]) -> Mark:
    allowed = [question in each for each in found]
    return "always" if all(allowed) else "sometimes" if any(allowed) else "never"


def _situations(duty: Duty, on: date, wards: list[str]) -> Iterator[Acting]:
    staff = Staff("-", "-", "-", on)
    for purpose in duty.purposes:
        for kind in sorted(duty.offices):
            for ward in _PLACES.get(kind, (None, *wards)) or wards:
                office = Office("-", "-", kind, None, ward)  # type: ignore[arg-type]
                yield Acting(staff, Assignment("-", duty.id, "-", on), office, purpose, on)


def _never(question: tuple[str, Question]) -> Cell:
    return Cell(question[0], *question[1], "never")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
