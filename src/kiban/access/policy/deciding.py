"""The parts of a policy set, and what it decides of everything that somebody at work could ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kiban.access.people import Acting
from kiban.access.policy.cedar import Engine, Policy
from kiban.access.policy.parts import Action, Decisions, Duty, ItemClass

Question = tuple[str, str, str]
"""An action, a business and a class of items; see `Decisions`."""


@dataclass(frozen=True)
class Answer:
    """What the policies say to one question.

    Attributes:
        question: what was asked.
        allowed: whether it is allowed.
        policies: IDs of the policies that decided; none where nothing permits.
    """

    question: Question
    allowed: bool
    policies: tuple[str, ...]


@dataclass(frozen=True)
class Contents:
    """What stands in the files of a policy set, in their order.

    Attributes:
        duties: by ID.
        actions: by ID.
        classes: classes of items, by ID.
        policies: by ID.
        businesses: ID of each edition that policies decide on -> its Japanese title.
        items: business -> class of items -> its items, as edition.group.romaji.
    """

    duties: Mapping[str, Duty]
    actions: Mapping[str, Action]
    classes: Mapping[str, ItemClass]
    policies: Mapping[str, Policy]
    businesses: Mapping[str, str]
    items: Mapping[str, Mapping[str, frozenset[str]]] = field(repr=False)


class Decider:
    """Asks the policies. Safe to share between threads."""

    def __init__(self, contents: Contents, engine: Engine) -> None:
        self.contents, self._engine = contents, engine

    def holds(self, acting: Acting) -> bool:
        """Whether the assignment is in force, and its duty is held at such an office for this work."""
        duty = self.contents.duties.get(acting.assignment.duty)
        fits = duty is not None and acting.purpose in duty.purposes and acting.office.kind in duty.offices
        return fits and acting.in_force

    def decide(self, acting: Acting) -> Decisions:
        """All that is allowed. A class of items only where its business is; nothing where the assignment does not hold."""
        if not self.holds(acting):
            return frozenset()
        broad = [
            (action.id, business, "")
            for action in self.contents.actions.values()
            for business in (self.contents.businesses if action.over == "business" else ("",))
        ]
        allowed = [each.question for each in self.ask(acting, broad) if each.allowed]
        deep = [
            (action, business, kind)
            for action, business, _ in allowed
            for kind in self.contents.items.get(business, {})
        ]
        allowed += [each.question for each in self.ask(acting, deep) if each.allowed]
        anywhere = [(action, "", "") for action, business, _ in allowed if business]
        return frozenset([*allowed, *anywhere])

    def ask(self, acting: Acting, questions: Sequence[Question]) -> list[Answer]:
        """The answer to each question, whether or not the assignment holds.

        Who stands in for somebody may do what both may, so never more than the person stood in for.
        """
        substituted = acting.assignment.substitutes
        mine = self._engine.ask(acting, acting.staff.number, substituted is not None, questions)
        if substituted is None:
            return [_answer(question, *each) for question, each in zip(questions, mine, strict=True)]
        theirs = self._engine.ask(acting, substituted, False, questions)
        both = zip(questions, mine, theirs, strict=True)
        return [_answer(question, *(one if not one[0] else other)) for question, one, other in both]


def _answer(question: Question, allowed: bool, policies: Sequence[str]) -> Answer:
    return Answer(question, allowed, tuple(sorted(policies)))
