"""Residents of a few towns by sex, age and household, matching each town's numbers to the person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from kiban.town.arrays import (
    Bools,
    Floats,
    Ints,
    drawn,
    gumbel_order,
    pair_match,
    rank_within,
    run_positions,
    spread_match,
)
from kiban.town.assumptions import OLDEST, Assumptions
from kiban.town.population import ADULT, Towns

MAN, WOMAN = 1, 2
YOUNGEST_PARENT, OLDEST_PARENT = 16, 50
SIBLING_GAP = 14


class Role(IntEnum):
    """What a person is to the head of the household; the words of the register follow from it and the sex."""

    HEAD = 0
    SPOUSE = 1
    PARTNER = 2
    CHILD = 3
    GRANDCHILD = 4
    PARENT = 5
    SIBLING = 6
    KIN = 7
    COHABITANT = 8


@dataclass(frozen=True)
class People:
    """People of one work unit, one entry per person.

    Attributes:
        household: index of the household; households are numbered so that those of a town are together.
        role: a `Role`.
        sex: 1 man, 2 woman.
        age: completed years on the reference date; real years also past 100.
        household_town: index into the city's towns, one entry per household.
    """

    household: Ints
    role: Ints
    sex: Ints
    age: Ints
    household_town: Ints


def residents(towns: Towns, chosen: Ints, rng: np.random.Generator, given: Assumptions) -> People:
    """Everybody who lives in the chosen towns, by household.

    Households, men and single years of age of each town come out exactly as given.
    """
    counts = towns.ages[chosen].ravel()
    cells = np.repeat(np.arange(len(counts)), counts)
    town, age = cells // (OLDEST + 1), cells % (OLDEST + 1)
    sex = _sexes(town, age, towns.men[chosen], rng, given)
    heads = _heads(town, age, sex, towns.households[chosen], rng, given)
    household, role = _households(town, age, sex, heads, rng, given)
    order = np.lexsort((age * -1, role, household))
    return People(
        household=household[order],
        role=role[order],
        sex=sex[order],
        age=_real_ages(age[order], rng, given),
        household_town=chosen[town[heads]],
    )


def _sexes(town: Ints, age: Ints, men: Ints, rng: np.random.Generator, given: Assumptions) -> Ints:
    """As many men as the town has; who is one follows the shares by age."""
    share = given.curve("population.male")[age]
    odds = share / (1 - share)
    return np.where(rank_within(town, gumbel_order(odds, rng)) < men[town], MAN, WOMAN).astype(np.int64)


def _heads(
    town: Ints, age: Ints, sex: Ints, households: Ints, rng: np.random.Generator, given: Assumptions
) -> Ints:
    """One head for each household, adults first; institutions have heads who are minors, the oldest first."""
    weight = np.where(
        sex == MAN, given.curve("household.head_male")[age], given.curve("household.head_female")[age]
    )
    key = np.where(age >= ADULT, gumbel_order(np.maximum(weight, 1e-6), rng), 1e6 - age)
    heads: Ints = np.flatnonzero(rank_within(town, key) < households[town])
    return heads


class _Builder:
    """Hands out people to the households of the heads, step by step."""

    def __init__(
        self, town: Ints, age: Ints, sex: Ints, heads: Ints, rng: np.random.Generator, given: Assumptions
    ):
        self.town, self.age, self.sex, self.heads, self.rng, self.given = town, age, sex, heads, rng, given
        self.household = np.full(len(town), -1, dtype=np.int64)
        self.role = np.full(len(town), int(Role.HEAD), dtype=np.int64)
        self.household[heads] = np.arange(len(heads))
        self.spouse = np.full(len(heads), -1, dtype=np.int64)

    def free(self, chosen: Bools) -> Ints:
        """Indices of the chosen people who have no household yet."""
        found: Ints = np.flatnonzero(chosen & (self.household < 0))
        return found

    def place(self, people: Ints, households: Ints, role: Ints | Role) -> None:
        """Put people into households with a role."""
        self.household[people] = households
        self.role[people] = role

    def couples(self, heads: Ints, others: Ints, gap: float) -> None:
        """Pair single heads with others of their town by age; those too far apart stay as they are."""
        head, other = pair_match(
            self.town[self.heads[heads]],
            self.age[self.heads[heads]] - gap + self.rng.normal(0, 2.5, len(heads)),
            self.town[others],
            self.age[others].astype(np.float64),
            self.rng,
        )
        household, partner = heads[head], others[other]
        apart = np.abs(self.age[self.heads[household]] - self.age[partner])
        fits = apart <= self.given.number("household.largest_gap_of_couple")
        household, partner = household[fits], partner[fits]
        self.spouse[household] = partner
        unmarried = self.rng.random(len(partner)) < self.given.number("household.unmarried_partner")
        self.place(partner, household, np.where(unmarried, Role.PARTNER, Role.SPOUSE))

    def parent_age(self) -> Floats:
        """Age by which children come to a household: the woman's of a couple, else the head's."""
        head_age = self.age[self.heads]
        spouse_age = np.where(self.spouse >= 0, self.age[np.maximum(self.spouse, 0)], head_age)
        woman = np.where((self.spouse >= 0) & (self.sex[self.heads] == MAN), spouse_age, head_age)
        return woman.astype(np.float64)

    def children(self, people: Ints, slots_per_household: Ints, youngest: int, oldest: int) -> None:
        """Give children to places in households whose parents are of the right age, siblings some years apart.

        A town gets about as many places as it has children of the ages from `youngest` to `oldest`; where it has
        too few, children share a place.
        """
        places = np.repeat(np.arange(len(self.heads)), slots_per_household)
        first_at = self.rng.normal(
            self.given.number("household.mother_at_birth"),
            self.given.number("household.mother_at_birth_spread"),
            len(self.heads),
        )
        serial = run_positions(places)
        apart = self.given.number("household.years_between_siblings") * serial + self.rng.random(len(places))
        key = self.parent_age()[places] - first_at[places] - apart
        fits = (key >= youngest) & (key <= oldest + 1)
        places, key = places[fits], key[fits]
        used = self._enough(places, people)
        places, key = places[used], key[used]
        found = spread_match(self.town[self.heads[places]], key, self.town[people], self.age[people])
        self.join(people[found >= 0], places[found[found >= 0]])

    def _enough(self, places: Ints, people: Ints) -> Ints:
        """Places of households drawn at random until a town has one for each of the people."""
        chance = self.rng.random(len(self.heads))[places]
        rank = rank_within(self.town[self.heads[places]], chance)
        wanted = np.bincount(self.town[people], minlength=int(self.town.max(initial=0)) + 1)
        used: Ints = np.flatnonzero(rank < wanted[self.town[self.heads[places]]])
        return used

    def part_twins(self) -> None:
        """Most children of one age in one household change places with a child two years older in the town."""
        child = np.flatnonzero(self.role == Role.CHILD)
        child = child[np.lexsort((self.age[child], self.household[child]))]
        alike = (self.household[child][1:] == self.household[child][:-1]) & (
            self.age[child][1:] == self.age[child][:-1]
        )
        twin = np.r_[False, alike][: len(child)]
        parted = twin & (self.rng.random(len(child)) > self.given.number("household.twins"))
        here, there = child[parted], child[~twin]
        classes = 2 * OLDEST
        one, other = pair_match(
            self.town[here] * classes + self.age[here] + 2,
            self.age[here],
            self.town[there] * classes + self.age[there],
            self.age[there],
            self.rng,
        )
        one, other = here[one], there[other]
        parent = self.parent_age()
        older = (parent[self.household[one]] - self.age[other], parent[self.household[other]] - self.age[one])
        fits = np.logical_and.reduce([(gap >= YOUNGEST_PARENT + 2) & (gap <= OLDEST_PARENT) for gap in older])
        one, other = one[fits], other[fits]
        self.household[one], self.household[other] = self.household[other], self.household[one]

    def join(self, people: Ints, households: Ints) -> None:
        """Put people into households; what they are to the head follows from the ages."""
        older = self.parent_age()[households] - self.age[people]
        other_older = self.age[self.heads[households]] - self.age[people]
        child = (older >= YOUNGEST_PARENT) & (older <= OLDEST_PARENT) & (other_older >= YOUNGEST_PARENT)
        role = np.select(
            [
                child,
                (other_older > OLDEST_PARENT - 8) & (self.age[people] < 40),
                (-other_older >= YOUNGEST_PARENT) & (-other_older <= OLDEST_PARENT),
                np.abs(other_older) <= SIBLING_GAP,
            ],
            [Role.CHILD, Role.GRANDCHILD, Role.PARENT, Role.SIBLING],
            default=Role.KIN,
        )
        strange = self.rng.random(len(people)) < self.given.number("household.stranger")
        strangers = (role >= Role.SIBLING) & strange
        self.place(people, households, np.where(strangers, Role.COHABITANT, role))


def _households(
    town: Ints, age: Ints, sex: Ints, heads: Ints, rng: np.random.Generator, given: Assumptions
) -> tuple[Ints, Ints]:
    build = _Builder(town, age, sex, heads, rng, given)
    chance = rng.random(len(town))
    head_age, head_sex = age[heads], sex[heads]
    husbands = np.flatnonzero(
        (head_sex == MAN) & (rng.random(len(heads)) < given.curve("household.married_head")[head_age])
    )
    wives = build.free((sex == WOMAN) & (chance < given.curve("household.wife")[age]))
    gap = given.number("household.years_between_couple")
    build.couples(husbands, wives, gap)
    ladies = np.flatnonzero(
        (head_sex == WOMAN)
        & (head_age >= 20)
        & (rng.random(len(heads)) < given.number("household.husband_of_head"))
    )
    build.couples(
        ladies,
        build.free((sex == MAN) & (age >= 20) & (chance < build.given.number("household.husband"))),
        -gap,
    )
    _minors(build)
    _adults(build)
    build.part_twins()
    return build.household, build.role


def _minors(build: _Builder) -> None:
    """Children go to couples first, and to some single adults."""
    parent_age = build.parent_age()
    can = (parent_age >= ADULT + 2) & (parent_age <= 64)
    parents = can & (
        (build.spouse >= 0) | (build.rng.random(len(can)) < build.given.number("household.single_parent"))
    )
    labels, weights = build.given.table("household.children")
    slots = np.array([int(label) for label in labels])[drawn(build.rng, weights, len(can))]
    build.children(build.free(build.age < ADULT), np.where(parents, slots, 0), 0, ADULT - 1)
    # A town may have children but no such parents: then any household takes them.
    build.children(build.free(build.age < ADULT), np.ones(len(can), dtype=np.int64), -OLDEST, OLDEST)


def _adults(build: _Builder) -> None:
    """Grown children go to heads a generation older, old people to heads a generation younger, the rest anywhere."""
    head_age = build.age[build.heads]
    until = build.given.number("household.adult_child_until")
    generation = build.given.number("household.mother_at_birth")
    grown = build.free((build.age <= until) & (build.age >= ADULT))
    places = build.rng.integers(1, 3, len(head_age))
    build.children(grown, np.where((head_age >= 42) & (head_age <= 92), places, 0), ADULT, int(until))
    old = build.free(build.age >= 60)
    hosts = np.flatnonzero((head_age >= 32) & (head_age <= 72))
    found = spread_match(
        build.town[build.heads[hosts]], head_age[hosts] + generation - 3, build.town[old], build.age[old]
    )
    build.join(old[found >= 0], hosts[found[found >= 0]])
    rest = build.free(build.age >= 0)
    found = spread_match(build.town[build.heads], head_age, build.town[rest], build.age[rest])
    build.join(rest, found)


def _real_ages(age: Ints, rng: np.random.Generator, given: Assumptions) -> Ints:
    """The last class of a pyramid is open: people in it are 100, 101, 102 and so on."""
    older = rng.geometric(1 - given.number("population.over_100"), len(age)) - 1
    return np.where(age == OLDEST, np.minimum(age + older, 115), age)
