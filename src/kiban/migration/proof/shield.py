"""How strongly each person is protected, and whether it came out weaker. Whatever is not provably as strong counts as weaker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["equal", "stronger", "weaker", "missing"]


@dataclass(frozen=True)
class Measure:
    """A measure of protection as it stands on a day.

    Attributes:
        number: which.
        state, provisional: codes of the standard; None where a side cannot be read, which counts as protecting.
        on: whether its state protects.
        start, end: YYYY-MM-DD; None where none is given.
        scope: what is kept from others, by item.
    """

    number: str
    state: str | None
    provisional: str | None
    on: bool
    start: str | None
    end: str | None
    scope: frozenset[str]


@dataclass(frozen=True)
class Place:
    """A person's place in a measure.

    Attributes:
        measure: which.
        role: code of the standard, such as applicant or protected with her; None where it cannot be read.
    """

    measure: str
    role: str | None


@dataclass(frozen=True)
class Shield:
    """All protection that a side knows of.

    Attributes:
        measures: by number; more than one where a side holds a number twice.
        places: by person.
        aggressors: by measure; "" among them for one without a number.
        flags: persons whose own record says that they are protected.
    """

    measures: Mapping[str, Sequence[Measure]] = field(default_factory=dict)
    places: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    aggressors: Mapping[str, frozenset[str]] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()

    def of(self, person: str) -> list[tuple[Place, Measure]]:
        """The measures that protect a person."""
        return [
            (place, measure)
            for place in self.places.get(person, ())
            for measure in self.measures.get(place.measure, ())
            if measure.on
        ]

    @property
    def protected(self) -> set[str]:
        """Everybody whom a measure or the own record protects."""
        return {person for person in self.places if self.of(person)} | self.flags


@dataclass(frozen=True)
class Judged:
    """What became of one person's protection.

    Attributes:
        person: internal number; of somebody without one, the measure and the place in it.
        verdict: `missing` where nothing of it is left.
        reasons: what is weaker: `measure`, `state`, `provisional`, `role`, `start`, `end`, `scope:ITEM`, `aggressor`, `flag`; where
            nothing is, what is stronger.
        source, stored: measures that protect, on each side.
    """

    person: str
    verdict: Verdict
    reasons: tuple[str, ...]
    source: int
    stored: int


def judge(source: Shield, stored: Shield) -> Iterator[Judged]:
    """Compare everybody whom any side protects, in the order of their numbers."""
    for person in sorted(source.protected | stored.protected):
        weaker, stronger = _compared(source, stored, person)
        if (person in source.flags) != (person in stored.flags):
            (weaker if person in source.flags else stronger).append("flag")
        verdict: Verdict = "weaker" if weaker else "stronger" if stronger else "equal"
        if weaker and person not in stored.protected:
            verdict = "missing"
        counts = len(source.of(person)), len(stored.of(person))
        yield Judged(person, verdict, tuple(dict.fromkeys(weaker or stronger)), *counts)


def _compared(source: Shield, stored: Shield, person: str) -> tuple[list[str], list[str]]:
    """What is weaker and what is stronger in the measures of one person."""
    had, has = source.of(person), stored.of(person)
    there = {one.measure for one in stored.places.get(person, ()) if one.measure in stored.measures}
    weaker: list[str] = []
    stronger: list[str] = []
    for place, measure in had:
        same = [(p, m) for p, m in has if m.number == measure.number]
        if not same:
            weaker.append("state" if place.measure in there else "measure")
            continue
        # Where a side holds a measure twice, the best of the stored ones is held against each of the source.
        found = min((_one(place, measure, *each) for each in same), key=lambda both: len(both[0]))
        weaker += found[0]
        stronger += found[1]
        if source.aggressors.get(measure.number, frozenset()) - stored.aggressors.get(
            measure.number, frozenset()
        ):
            weaker.append("aggressor")
    known = {measure.number for _, measure in had}
    stronger += ["measure"] * any(measure.number not in known for _, measure in has)
    return weaker, stronger


def _one(had: Place, was: Measure, has: Place, now: Measure) -> tuple[list[str], list[str]]:
    weaker = [
        name
        for name, before, after in (
            ("role", had.role, has.role),
            ("state", was.state, now.state),
            ("provisional", was.provisional, now.provisional),
        )
        if before is not None and before != after
    ]
    weaker += [f"scope:{item}" for item in sorted(was.scope - now.scope)]
    stronger = [f"scope:{item}" for item in sorted(now.scope - was.scope)]
    if was.start != now.start:
        # A day on one side only can mean that it began, or that it did not: that is for people to look at.
        earlier = was.start is not None and now.start is not None and now.start < was.start
        (stronger if earlier else weaker).append("start")
    if was.end != now.end:
        longer = now.end is None or (was.end is not None and now.end > was.end)
        (stronger if longer else weaker).append("end")
    return weaker, stronger
