"""One work unit: a few towns of one ward, whose people are made together and written as one part."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from kiban.kernel import Problem
from kiban.town import days, departures, homes, lives, numbers, people, texts, timeline
from kiban.town.arrays import Bools, Ints
from kiban.town.book import Book
from kiban.town.columns import Column
from kiban.town.days import NEVER
from kiban.town.people import Role

UNIT_PEOPLE = 25_000
"""Residents of a work unit; a larger town is a unit by itself."""


@dataclass(frozen=True)
class Plan:
    """A work unit before it is made: what it may draw from, so that no two units meet.

    Attributes:
        index: from 0; it names the part.
        towns: indices of its towns.
        person_serial: first serial of 宛名番号; `person_room` serials are reserved.
        person_room: see there.
        household_serial: first serial of 世帯番号; `household_room` serials are reserved.
        household_room: see there.
    """

    index: int
    towns: tuple[int, ...]
    person_serial: int
    person_room: int
    household_serial: int
    household_room: int


@dataclass(frozen=True)
class Unit:
    """A work unit with all its facts.

    Attributes:
        plan: its place among the others.
        book: the town's.
        persons: everybody.
        heads: index of the head of each household.
        household_town: town of each household, the last one where it moved.
        here: how many households, from the first, still live here.
        changes: changes of single people.
        homes: addresses and moves.
        household: changes of heads.
        cases: support measures.
        rows: rows of the people.
        number: 宛名番号 of each person.
        setai: 世帯番号, those of one household together, one for each stay in a ward.
        setai_offset: index of the first 世帯番号 of each household.
        serial: serial of each person, for the other numbers.
    """

    plan: Plan
    book: Book
    persons: lives.Persons
    heads: Ints
    household_town: Ints
    here: int
    changes: timeline.Changes
    homes: homes.Homes
    household: departures.Household
    cases: departures.Cases
    rows: timeline.Rows
    number: Column
    setai: Column
    setai_offset: Ints
    serial: Ints

    @property
    def names(self) -> Column:
        """Present full name of each person."""
        return texts.full_names(self.book, self.persons.nation, self.persons.surname, self.persons.given)

    def stream(self, purpose: int) -> np.random.Generator:
        """A generator of its own for one purpose of the sheets: asked twice, it draws the same twice."""
        return np.random.default_rng(np.random.SeedSequence([self.book.seed, 3, self.plan.index, purpose]))

    def spread(self, count: int, step: int) -> Ints:
        """Small numbers below `count` for the rows' events: the same for all members of a household on a day."""
        return (self.rows.household * 31 + self.rows.day * 7 + step) % count


def plans(book: Book) -> list[Plan]:
    """Cuts the towns into work units of one ward each and reserves their numbers."""
    towns, found = book.towns, []
    size, current = 0, -1
    for town, (ward, residents) in enumerate(zip(towns.ward, towns.people, strict=True)):
        if ward != current or size + residents > UNIT_PEOPLE:
            found.append([town])
            size, current = 0, ward
        else:
            found[-1].append(town)
        size += residents
    person, household, made = 1, 1, []
    for index, members in enumerate(found):
        room = 2 * int(towns.people[members].sum()) + 400
        homes_room = 4 * int(towns.households[members].sum()) + 400
        made.append(Plan(index, tuple(members), person, room, household, homes_room))
        person += room
        household += homes_room
    return made


def make_unit(plan: Plan, book: Book) -> Unit:
    """Everything that happened in the towns of a plan; the same for the same seed, whoever makes it."""
    rng = np.random.default_rng(np.random.SeedSequence([book.seed, 2, plan.index]))
    here = people.residents(book.towns, np.array(plan.towns), rng, book.given)
    persons, town = _everybody(here, book, rng)
    heads = np.flatnonzero(persons.role == Role.HEAD)
    persons, household, cases = departures.depart(persons, heads, book, rng)
    first = departures.first_shown(persons, heads, book)
    home = homes.find_homes(town, first[heads], persons.end[heads], book, rng)
    changes = timeline.change(persons, first, book, rng)
    rows = timeline.lay_out(persons, changes, home, household, book)
    serial = numbers.usable_serials(plan.person_serial, plan.person_room, len(persons.birth))
    serial = serial[rng.permutation(len(serial))]
    stays = home.crosses.sum(axis=1) + 1
    of_homes = numbers.usable_serials(plan.household_serial, plan.household_room, int(stays.sum()))
    return Unit(
        plan=plan,
        book=book,
        persons=persons,
        heads=heads,
        household_town=town,
        here=len(here.household_town),
        changes=changes,
        homes=home,
        household=household,
        cases=cases,
        rows=rows,
        number=numbers.addressee_numbers(serial),
        setai=numbers.addressee_numbers(of_homes),
        setai_offset=np.cumsum(stays) - stays,
        serial=serial,
    )


def chosen(record: Any, where: Ints | Bools) -> Any:
    """A dataclass of columns with the chosen rows only."""
    return type(record)(**{one.name: getattr(record, one.name)[where] for one in fields(record)})


def need(condition: bool, what: str) -> None:
    """Refuses to write what contradicts itself: a fault of ours, not of the input.

    Raises:
        Problem: `town-inconsistent`.
    """
    if not condition:
        raise Problem("town-inconsistent", what, fix="report the seed and the arguments")


def _everybody(here: people.People, book: Book, rng: np.random.Generator) -> tuple[lives.Persons, Ints]:
    """Present households, then those that left; people in the order of their households."""
    count = len(here.household_town)
    persons = lives.settle(here, np.full(count, NEVER), np.zeros(count, dtype=np.int64), book, rng)
    gone, end, left = lives.households_that_left(here, book, rng)
    leavers = lives.settle(gone, end, left, book, rng)
    leavers.household = leavers.household + count
    # Children born after their family left were never residents.
    leavers = chosen(leavers, leavers.start < leavers.end)
    need(bool((persons.start <= days.number(book.as_of)).all()), "somebody came after the reference date")
    return persons.joined(leavers), np.concatenate([here.household_town, gone.household_town])
