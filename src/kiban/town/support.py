"""Support measures (支援措置): who is protected with whom, from when to when, in which state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiban.town.arrays import Bools, Ints
from kiban.town.days import NEVER
from kiban.town.people import Role
from kiban.town.unit import Unit

YEAR_DAYS = 365
STATES = ("provisional", "running", "overdue", "ended")


@dataclass(frozen=True)
class Measures:
    """Support measures of a unit, one entry each.

    Attributes:
        applicant: index of the person.
        aggressor: index of the person they are protected from.
        asked: day of the application.
        start: first day; that of the provisional measure where it is one.
        end: last day (支援措置終了年月日), a year after the start or its extension.
        state: index into `STATES`.
        extended: day from which it was extended, `NEVER` where it was not.
        kind: 0 to 3, by the order of the kinds in words.yaml.
    """

    applicant: Ints
    aggressor: Ints
    asked: Ints
    start: Ints
    end: Ints
    state: Ints
    extended: Ints
    kind: Ints


def measures(unit: Unit) -> Measures:
    """The measures of a unit; the same however often it is asked."""
    rng, given, today = unit.stream(4), unit.book.given, unit.book.today
    cases = unit.cases
    count = len(cases.applicant)
    provisional = (rng.random(count) < given.number("support.provisional")) & (cases.start > today - 60)
    past = cases.start + YEAR_DAYS <= today
    # Some whose year is over were extended once; of the others some wait to be ended by an officer.
    extended = np.where(
        past & (rng.random(count) < given.number("support.extended")), cases.start + YEAR_DAYS, NEVER
    )
    end = np.where(extended < NEVER, extended + YEAR_DAYS, cases.start + YEAR_DAYS) - 1
    ended = rng.random(count) < 1 - given.number("support.overdue")
    state = np.select(
        [provisional, (end >= today), ended],
        [STATES.index("provisional"), STATES.index("running"), STATES.index("ended")],
        STATES.index("overdue"),
    )
    spouse = unit.persons.household[cases.aggressor] == unit.persons.household[cases.applicant]
    kind = np.where(spouse, 0, 1 + rng.integers(0, 3, count))
    return Measures(
        cases.applicant,
        cases.aggressor,
        cases.start,
        cases.start,
        end,
        state,
        extended,
        kind.astype(np.int64),
    )


def together(unit: Unit) -> tuple[Ints, Ints]:
    """Measure and person of those protected with an applicant: the children who live in the same household."""
    persons = unit.persons
    resident = np.flatnonzero((persons.end == NEVER) & (persons.role == Role.CHILD))
    parents = np.isin(persons.role[unit.cases.applicant], [Role.HEAD, Role.SPOUSE, Role.PARTNER])
    by_household = np.full(len(unit.heads), -1)
    by_household[persons.household[unit.cases.applicant[parents]]] = np.flatnonzero(parents)
    measure = by_household[persons.household[resident]]
    measure, resident = measure[measure >= 0], resident[measure >= 0]
    other = unit.cases.applicant[measure] != resident
    return measure[other], resident[other]


def protected(unit: Unit) -> Bools:
    """Whether each person is protected today: until an officer ends a measure, also past its last day."""
    current = measures(unit).state != STATES.index("ended")
    shielded = np.zeros(len(unit.persons.birth), dtype=np.bool_)
    shielded[unit.cases.applicant[current]] = True
    measure, person = together(unit)
    shielded[person[current[measure]]] = True
    return shielded
