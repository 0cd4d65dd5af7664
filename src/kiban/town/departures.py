"""People who died or left out of households that are still here, and whom support measures keep apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiban.town import days
from kiban.town.arrays import Bools, Ints
from kiban.town.book import Book
from kiban.town.days import NEVER
from kiban.town.lives import FOREIGNERS_REGISTERED, JAPANESE, YEAR, How, Persons
from kiban.town.people import MAN, WOMAN, Role


@dataclass(frozen=True)
class Household:
    """What the departures of a household change in it, one entry per household.

    Attributes:
        former_head: index of the person who was its head until death, -1 where nobody was.
        head_change: the day of that death, `NEVER` where there was none.
    """

    former_head: Ints
    head_change: Ints


@dataclass(frozen=True)
class Cases:
    """People under support measures, one entry each.

    Attributes:
        applicant: index of the person.
        aggressor: index of the person they are protected from.
        start: day on which the measure began.
    """

    applicant: Ints
    aggressor: Ints
    start: Ints


def depart(
    persons: Persons, heads: Ints, book: Book, rng: np.random.Generator
) -> tuple[Persons, Household, Cases]:
    """Adds deceased former heads, children who moved out, and separated spouses.

    Args:
        persons: the households' present members, heads first in none but their own place.
        heads: index of each household's head.
        book: the town's.
        rng: of the work unit.

    Returns:
        Everybody, with the newcomers last; what changed in the households; and the support measures.
    """
    alone = _without_spouse(persons, len(heads))
    here = persons.end[heads] == NEVER
    native = persons.nation[heads] == JAPANESE
    widowed, dead, change = _former_heads(persons, heads, alone & here & native, book, rng)
    former = np.full(len(heads), -1)
    former[widowed] = len(persons.birth) + np.arange(len(widowed))
    day = np.full(len(heads), NEVER)
    day[widowed] = change
    everybody = persons.joined(dead)
    everybody = everybody.joined(_left_children(persons, heads, here & native, book, rng))
    free = alone & here & native & (former < 0)
    everybody, cases = _support(everybody, persons, heads, free, book, rng)
    return everybody, Household(former, day), cases


def first_shown(persons: Persons, heads: Ints, book: Book) -> Ints:
    """The day from which the register shows each person: never before the head of the household."""
    foreign = np.where(persons.nation == JAPANESE, book.began, max(FOREIGNERS_REGISTERED, book.began))
    own = np.maximum(persons.start, foreign)
    return np.maximum(own, own[heads][persons.household])


def _without_spouse(persons: Persons, households: int) -> Bools:
    """Households of a head with nobody but children and grandchildren."""
    other = (persons.role != Role.HEAD) & (persons.role != Role.CHILD) & (persons.role != Role.GRANDCHILD)
    found = np.ones(households, dtype=np.bool_)
    found[persons.household[other]] = False
    return found


def _members(persons: Persons, heads: Ints, household: Ints, role: Role, sex: Ints, birth: Ints) -> Persons:
    """New members of households, named like the family; start and end are to be set."""
    size = len(household)
    return Persons(
        household=household,
        role=np.full(size, int(role)),
        sex=sex,
        birth=birth,
        nation=np.full(size, JAPANESE),
        surname=persons.surname[heads[household]],
        given=np.zeros(size, dtype=np.int64),
        start=np.zeros(size, dtype=np.int64),
        how=np.full(size, int(How.MOVE)),
        end=np.full(size, NEVER),
        left=np.full(size, int(How.MOVE)),
    )


def _named(added: Persons, book: Book, rng: np.random.Generator) -> Persons:
    age = np.clip(days.ages_on(book.today, added.birth), 0, 100)
    added.given = book.japanese.draw_given(rng, added.sex, age, book.given)
    return added


def _former_heads(
    persons: Persons, heads: Ints, fit: Bools, book: Book, rng: np.random.Generator
) -> tuple[Ints, Persons, Ints]:
    """Husbands and wives who were the head until they died; returns households, people and days."""
    birth = persons.birth[heads]
    old = birth < book.today - int(65 * YEAR)
    share = book.given.number("history.former_head_died")
    first = np.maximum(persons.start[heads], book.began)
    low = np.maximum(first + 60, book.today - int(book.given.number("history.left_years") * YEAR))
    chosen = np.flatnonzero(fit & old & (rng.random(len(heads)) < share) & (low < book.today - 1))
    sex = np.where(persons.sex[heads[chosen]] == MAN, WOMAN, MAN)
    dead = _members(
        persons, heads, chosen, Role.SPOUSE, sex, birth[chosen] - rng.integers(-3 * 365, 6 * 365, len(chosen))
    )
    long_ago = persons.start[heads[chosen]] < book.began
    came = np.maximum(dead.birth + 1, book.began - rng.integers(1, 9000, len(chosen)))
    dead.start = np.where(long_ago, came, persons.start[heads[chosen]])
    dead.end = days.between(low[chosen], np.full(len(chosen), book.today - 1), rng)
    dead.left[:] = How.DEATH
    return chosen, _named(dead, book, rng), dead.end


def _left_children(
    persons: Persons, heads: Ints, fit: Bools, book: Book, rng: np.random.Generator
) -> Persons:
    """Grown children who moved out of the city."""
    birth = persons.birth[heads]
    age = days.ages_on(book.today, birth)
    chance = rng.random(len(heads)) < book.given.number("history.left_child")
    candidates = np.flatnonzero(fit & chance & (age >= 48) & (age <= 75))
    mother, spread = (book.given.number(f"household.mother_at_birth{end}") for end in ("", "_spread"))
    born = birth[candidates] + (rng.normal(mother, spread, len(candidates)) * YEAR).astype(np.int64)
    head_start = persons.start[heads[candidates]]
    start = np.maximum(head_start, born)
    low = np.maximum(born + int(18 * YEAR), np.maximum(start, book.began) + 60)
    low = np.maximum(low, book.today - int(book.given.number("history.left_years") * YEAR))
    good = low < book.today - 1
    sex = rng.integers(MAN, WOMAN + 1, len(candidates)).astype(np.int64)
    child = _members(persons, heads, candidates[good], Role.CHILD, sex[good], born[good])
    child.start = start[good]
    child.how = np.where(born > head_start, How.BIRTH, How.MOVE)[good].astype(np.int64)
    child.end = days.between(low[good], np.full(int(good.sum()), book.today - 1), rng)
    abroad = rng.random(int(good.sum())) < book.given.number("history.left_for_abroad")
    child.left = np.where(abroad, How.ABROAD, How.MOVE).astype(np.int64)
    return _named(child, book, rng)


def _support(
    everybody: Persons, persons: Persons, heads: Ints, free: Bools, book: Book, rng: np.random.Generator
) -> tuple[Persons, Cases]:
    """Draws who is protected, and from whom: a separated spouse who left, or another resident."""
    share = book.given.number("support.cases") * np.where(persons.sex == WOMAN, 1.0, 0.1)
    adult = (persons.birth < book.today - int(20 * YEAR)) & (persons.birth > book.today - int(80 * YEAR))
    resident = (persons.end == NEVER) & (persons.nation == JAPANESE) & (persons.start < book.today - 200)
    applicant = np.flatnonzero(adult & resident & (rng.random(len(share)) < share))
    of_head = free[persons.household[applicant]] & (persons.role[applicant] == Role.HEAD)
    young = persons.birth[applicant] > book.today - int(66 * YEAR)
    former = rng.random(len(applicant)) < 2 * book.given.number("support.aggressor_former_member")
    spouse = _separated(persons, heads, applicant[of_head & young & former], book, rng)
    # Others are protected from a resident of another household; by chance it may be anybody grown up.
    adults = np.flatnonzero(adult & resident)
    aggressor = adults[rng.integers(0, max(len(adults), 1), len(applicant))] if len(adults) else applicant
    same = persons.household[aggressor] == persons.household[applicant]
    keep = ~same | (of_head & young & former)
    aggressor = aggressor.copy()
    aggressor[of_head & young & former] = len(everybody.birth) + np.arange(len(spouse.birth))
    everybody = everybody.joined(spouse)
    since = np.maximum(persons.start[applicant] + 30, book.today - int(2.2 * YEAR))
    since = np.maximum(since, np.where(everybody.end[aggressor] < NEVER, everybody.end[aggressor] + 1, 0))
    start = days.between(since, np.full(len(applicant), book.today - 1), rng)
    return everybody, Cases(applicant[keep], aggressor[keep], start[keep])


def _separated(
    persons: Persons, heads: Ints, applicant: Ints, book: Book, rng: np.random.Generator
) -> Persons:
    """The separated spouses of heads of household; they moved out within the last two years."""
    household = persons.household[applicant]
    sex = np.where(persons.sex[applicant] == MAN, WOMAN, MAN)
    spouse = _members(
        persons,
        heads,
        household,
        Role.SPOUSE,
        sex,
        persons.birth[applicant] - rng.integers(-1000, 2000, len(applicant)),
    )
    spouse.start = np.maximum(persons.start[applicant], spouse.birth + 1)
    low = np.maximum(np.maximum(spouse.start, book.began) + 60, book.today - int(2 * YEAR))
    spouse.end = days.between(low, np.full(len(applicant), book.today - 30), rng)
    return _named(spouse, book, rng)
