"""Who came when and how, who left, and what happened to them in between: facts, not yet rows of a register."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from enum import IntEnum

import numpy as np

from kiban.town import days
from kiban.town.arrays import Bools, Ints, drawn, rank_within
from kiban.town.book import Book
from kiban.town.days import NEVER
from kiban.town.people import MAN, WOMAN, People, Role

FOREIGNERS_REGISTERED = days.number(date(2012, 7, 9))
"""From this day foreign residents are in the resident register (平成21年法律第77号)."""
YEAR = 365.25
SIBLING_DAYS = 280
JAPANESE = -1


class How(IntEnum):
    """How somebody became, or ceased to be, a resident."""

    MOVE = 0
    ABROAD = 1
    BIRTH = 2
    DEATH = 3


@dataclass
class Persons:
    """People who live or lived in the towns of a work unit, one entry each; days as numbers.

    Attributes:
        household: index of the household.
        role: a `Role` in it.
        sex: 1 man, 2 woman.
        birth: day of birth.
        nation: index of the nationality, -1 Japanese.
        surname: index into the Japanese surnames, or for foreigners into the family names.
        given: index into the given names, likewise.
        start: day of becoming a resident of the city.
        how: a `How` of the start.
        end: day of death or departure, `NEVER` while resident.
        left: a `How` of the end.
    """

    household: Ints
    role: Ints
    sex: Ints
    birth: Ints
    nation: Ints
    surname: Ints
    given: Ints
    start: Ints
    how: Ints
    end: Ints
    left: Ints

    def joined(self, other: Persons) -> Persons:
        """These people, then the others."""
        return Persons(
            **{
                one.name: np.concatenate([getattr(self, one.name), getattr(other, one.name)])
                for one in fields(self)
            }
        )


def settle(people: People, end: Ints, left: Ints, book: Book, rng: np.random.Generator) -> Persons:
    """Gives the people of households their days, nationalities and names.

    Args:
        people: households with all their members.
        end: day on which each household left or died out, `NEVER` where it is here.
        left: a `How` for each household.
        book: the town's.
        rng: of the work unit.
    """
    heads = np.flatnonzero(people.role == Role.HEAD)
    birth = _spaced(days.births(book.as_of, people.age, rng), people, book, rng)
    nation = _nations(people, heads, book, rng)
    horizon = np.minimum(end, book.today)
    start, how = _starts(people, birth, heads, horizon, book, rng)
    abroad = rng.random(len(birth)) < np.where(
        nation == JAPANESE,
        book.given.number("history.came_from_abroad"),
        book.given.number("foreign.came_from_abroad"),
    )
    how = np.where((how == How.MOVE) & abroad, How.ABROAD, how)
    surname, given = _names(people, nation, heads, book, rng)
    return Persons(
        household=people.household,
        role=people.role,
        sex=people.sex,
        birth=birth,
        nation=nation,
        surname=surname,
        given=given,
        start=start,
        how=how.astype(np.int64),
        end=end[people.household],
        left=left[people.household],
    )


def _spaced(birth: Ints, people: People, book: Book, rng: np.random.Generator) -> Ints:
    """Brothers and sisters of one age become twins; those a year apart are born far enough from each other."""
    child = np.flatnonzero(people.role == Role.CHILD)
    child = child[np.lexsort((-people.age[child], people.household[child]))]
    elder, younger = child[:-1], child[1:]
    together = people.household[elder] == people.household[younger]
    gap = people.age[elder] - people.age[younger]
    close = together & (gap == 1) & (birth[younger] - birth[elder] < SIBLING_DAYS)
    size = int(close.sum())
    # Each keeps the age: the elder is born early in the year that gives it, the younger late in the next.
    birth[elder[close]] = (
        days.anniversary(book.as_of, people.age[elder[close]] + 1) + 1 + rng.integers(0, 45, size)
    )
    birth[younger[close]] = days.anniversary(book.as_of, people.age[younger[close]]) - rng.integers(
        0, 45, size
    )
    twins = np.r_[False, together & (gap == 0)]
    first = np.maximum.accumulate(np.where(twins, 0, np.arange(len(child))))
    birth[child] = birth[child[first]]
    return birth


def _nations(people: People, heads: Ints, book: Book, rng: np.random.Generator) -> Ints:
    """Foreign households with their families, and foreign spouses of Japanese heads."""
    given, size = book.given, len(people.age)
    _, weights = given.table("foreign.nationality")
    of_household = drawn(rng, weights, len(heads))
    foreign_head = rng.random(len(heads)) < given.curve("foreign.head")[np.minimum(people.age[heads], 100)]
    spouse = (people.role == Role.SPOUSE) | (people.role == Role.PARTNER)
    chance = rng.random(size)
    with_head = foreign_head[people.household]
    foreign_spouse = spouse & np.where(
        with_head,
        chance < given.number("foreign.spouse_too"),
        chance < given.number("foreign.spouse_of_japanese"),
    )
    japanese_parent = np.zeros(len(heads), dtype=np.bool_)
    japanese_parent[people.household[spouse & ~foreign_spouse]] = True
    child = (people.role == Role.CHILD) | (people.role == Role.GRANDCHILD)
    others = with_head & ~spouse & ~(child & japanese_parent[people.household])
    foreign = np.where(spouse, foreign_spouse, others)
    return np.where(foreign, of_household[people.household], JAPANESE)


def _starts(
    people: People, birth: Ints, heads: Ints, horizon: Ints, book: Book, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Day and way of becoming a resident. Heads come as adults, or were born here long ago; the others follow."""
    given = book.given
    adult = birth[heads] + np.where(people.age[heads] >= 18, int(18 * YEAR), 0)
    stayed = np.floor(rng.exponential(given.number("history.years_in_city") * YEAR, len(heads))).astype(
        np.int64
    )
    came = horizon - 31 - stayed
    came = np.where(came < adult, days.between(adult, horizon - 31, rng), came)
    came = np.maximum(np.minimum(came, horizon - 1), birth[heads])
    native = (birth[heads] < book.began - int(20 * YEAR)) & (
        rng.random(len(heads)) < given.number("history.native")
    )
    head_start = np.where(native, birth[heads], came)
    base = head_start[people.household]
    own_adult = birth + int(18 * YEAR)
    latest = horizon[people.household] - 1
    chance = rng.random(len(birth))
    spouse = (people.role == Role.SPOUSE) | (people.role == Role.PARTNER)
    later = (
        (spouse & ((chance < given.number("history.spouse_later")) | (own_adult > base)))
        | ((people.role == Role.PARENT) & (chance < given.number("history.parent_later")))
        | (people.role >= Role.SIBLING)
    )
    joined = days.between(np.maximum(base, np.minimum(own_adult, latest)), latest, rng)
    first_child = np.full(len(heads), NEVER)
    child = people.role == Role.CHILD
    np.minimum.at(first_child, people.household[child], birth[child])
    joined = np.where(spouse, np.minimum(joined, np.maximum(first_child[people.household] - 1, base)), joined)
    start = np.where(later, joined, base)
    start[heads] = head_start
    born = birth > start
    start = np.where(born, birth, start)
    how = np.where(born, How.BIRTH, How.MOVE)
    how[heads] = np.where(native, How.BIRTH, How.MOVE)
    return start, how


def _names(
    people: People, nation: Ints, heads: Ints, book: Book, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Families share a surname; cohabitants and some parents have their own."""
    size = len(nation)
    own = book.japanese.draw_surnames(rng, size)
    in_laws = rng.random(size) < book.given.number("household.cohabitant_surname")
    apart = (
        (people.role == Role.COHABITANT)
        | (people.role == Role.PARTNER)
        | ((people.role == Role.PARENT) & in_laws)
        | ((people.role == Role.KIN) & in_laws)
    )
    # A Japanese spouse of a foreign head keeps the own name, and gives it to the children.
    spouse = people.role == Role.SPOUSE
    family = own[heads]
    mixed = spouse & (nation == JAPANESE) & (nation[heads] != JAPANESE)[people.household]
    family[people.household[mixed]] = own[mixed]
    surname = np.where(apart, own, family[people.household])
    given = book.japanese.draw_given(rng, people.sex, people.age, book.given)
    return _foreign_names(people, nation, surname, given, book, rng)


def _foreign_names(
    people: People, nation: Ints, surname: Ints, given: Ints, book: Book, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Replaces the names of foreigners; spouses keep theirs, children carry the head's."""
    chance = rng.random((3, len(nation)))
    abroad = np.flatnonzero(nation != JAPANESE)
    kind = nation[abroad]
    first, count = book.foreign.family_range[kind].T
    of_household = rng.random(len(people.household_town))
    shared = (people.role[abroad] == Role.HEAD) | (people.role[abroad] == Role.CHILD)
    place = np.where(shared, of_household[people.household[abroad]], chance[0, abroad])
    surname[abroad] = first + np.floor(place * count).astype(np.int64)
    first, count = book.foreign.given_range[kind, people.sex[abroad]].T
    given[abroad] = first + np.floor(chance[1, abroad] * count).astype(np.int64)
    return surname, given


def households_that_left(here: People, book: Book, rng: np.random.Generator) -> tuple[People, Ints, Ints]:
    """Households that moved out or died out lately, with the day and the way of their end."""
    given = book.given
    count = round(given.number("history.left_households") * len(here.household_town))
    died = rng.random(count) < given.number("history.left_by_death")
    labels, weights = given.table("history.left_size")
    size = np.where(died, 1, np.array([int(label) for label in labels])[drawn(rng, weights, count)])
    pyramid = given.curve("population.age").copy()
    pyramid[:18] = 0
    head_age = np.where(
        died, rng.integers(65, 101, count), 18 + np.minimum(drawn(rng, pyramid[18:], count), 70)
    )
    household = np.repeat(np.arange(count), size)
    place = np.arange(len(household)) - np.repeat(np.cumsum(size) - size, size)
    role = np.array([Role.HEAD, Role.SPOUSE, Role.CHILD], dtype=np.int64)[place]
    head_sex = np.where(size > 1, MAN, rng.integers(MAN, WOMAN + 1, count))
    sex = np.select(
        [place == 0, place == 1], [head_sex[household], WOMAN], rng.integers(MAN, WOMAN + 1, len(place))
    )
    base = head_age[household]
    age = np.select([place == 0, place == 1], [base, np.maximum(base - 2, 20)], np.maximum(base - 33, 0))
    town = here.household_town[rng.integers(0, len(here.household_town), count)]
    span = int(given.number("history.left_years") * YEAR)
    end = book.today - rng.integers(0, span, count)
    end = np.maximum(end, np.maximum(FOREIGNERS_REGISTERED, book.began) + 60)
    abroad = rng.random(count) < given.number("history.left_for_abroad")
    left = np.select([died, abroad], [How.DEATH, How.ABROAD], How.MOVE)
    # Nobody leaves before being grown up enough to have come: the youngest heads are made a little older.
    grown = days.ages_on(end, book.today - (head_age * YEAR).astype(np.int64)) >= 19
    age = age + np.where(grown, 0, 8)[household]
    return People(household, role, sex.astype(np.int64), age, town), end, left


def order_in_household(persons: Persons) -> Ints:
    """Position of each person in the household, from 1: head, spouse, children by age, parents, others."""
    return 1 + rank_within(persons.household, persons.role * NEVER + persons.birth + NEVER // 2)


def is_family(persons: Persons) -> Bools:
    """Whether the person shares the register of the family (戸籍) of the head: head, spouse, unmarried children."""
    return np.isin(persons.role, [Role.HEAD, Role.SPOUSE, Role.CHILD])
