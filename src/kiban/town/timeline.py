"""Turns facts into rows: one row of a person for each day on which something about them changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from kiban.town import days
from kiban.town.arrays import Bools, Ints, run_positions
from kiban.town.book import Book
from kiban.town.days import NEVER
from kiban.town.departures import Household
from kiban.town.homes import Homes
from kiban.town.lives import FOREIGNERS_REGISTERED, JAPANESE, YEAR, Persons
from kiban.town.people import WOMAN, Role


class Event(IntEnum):
    """Why there is a new row. Of two on one day the smaller one names the row."""

    MOVE_IN = 0
    FROM_ABROAD = 1
    BIRTH = 2
    RENEWAL = 3
    EX_OFFICIO = 4
    WARD_MOVE = 5
    MOVE = 6
    NEW_HEAD = 7
    NAME_CHANGE = 8
    FORMER_SURNAME = 9
    ALIAS = 10
    MINOR = 11


class Closing(IntEnum):
    """Why a row ended: replaced by the person's next row, or erased (除票)."""

    OPEN = 0
    REPLACED = 1
    WARD_MOVE = 2
    DEATH = 3
    MOVED_OUT = 4
    MOVED_ABROAD = 5


@dataclass(frozen=True)
class Changes:
    """Days of what changed about a person, `NEVER` where it did not; one entry per person.

    Attributes:
        first: day from which the register shows the person.
        married: a cohabitant's marriage to the head, which gave the present surname.
        maiden: surname before it, or recorded as former surname.
        former_surname: recording of the former surname (旧氏).
        alias: recording of the alias (通称) of a foreigner.
        alias_surname: Japanese surname used in the alias.
        alias_given: Japanese given name used in the alias.
        minor: a minor correction.
    """

    first: Ints
    married: Ints
    maiden: Ints
    former_surname: Ints
    alias: Ints
    alias_surname: Ints
    alias_given: Ints
    minor: Ints


@dataclass(frozen=True)
class Rows:
    """Rows of people, ordered by person and day.

    Attributes:
        person: index of the person.
        household: index of the household.
        day: first day of the row.
        until: the day after the last, `NEVER` where the row is open.
        event: an `Event`.
        closing: a `Closing`.
        number: 履歴番号, from 1.
        address: index of the address.
        stay: number of ward boundaries crossed before.
    """

    person: Ints
    household: Ints
    day: Ints
    until: Ints
    event: Ints
    closing: Ints
    number: Ints
    address: Ints
    stay: Ints


def change(persons: Persons, first: Ints, book: Book, rng: np.random.Generator) -> Changes:
    """Draws the changes of single people, all between their first row and the end of their stay."""
    given, size = book.given, len(first)
    low, high = first + 1, np.minimum(persons.end, book.today) - 1
    japanese = persons.nation == JAPANESE
    wife = (persons.role == Role.SPOUSE) & (persons.sex == WOMAN) & japanese & (persons.end == NEVER)

    def day(chosen: Bools) -> Ints:
        drawn = days.between(low, high, rng)
        return np.where(chosen & (high > low), drawn, NEVER)

    def chance(share: float) -> Bools:
        return rng.random(size) < share

    grown = first > persons.birth + int(18 * YEAR)
    maiden = book.japanese.draw_surnames(rng, size)
    wife &= maiden != persons.surname
    married = day(wife & grown & chance(given.number("history.married_here")))
    former = day(wife & chance(given.number("history.former_surname")))
    # A former surname can only be recorded after the marriage that ended it.
    former = np.where((former <= married) & (married < NEVER), NEVER, former)
    nationalities, _ = given.table("foreign.nationality")
    shares = np.array([*(given.share("foreign.alias", name) for name in nationalities), 0.0])
    alias = day(~japanese & (rng.random(size) < shares[persons.nation]))
    return Changes(
        first=first,
        married=married,
        maiden=maiden,
        former_surname=former,
        alias=alias,
        alias_surname=book.japanese.draw_surnames(rng, size),
        alias_given=book.japanese.draw_given(rng, persons.sex, np.full(size, 40), given),
        minor=day(chance(given.number("history.minor_correction"))),
    )


def lay_out(persons: Persons, changes: Changes, homes: Homes, household: Household, book: Book) -> Rows:
    """Rows of everybody: 履歴番号 1 to n, periods that follow each other without gap or overlap."""
    person, day, event = _events(persons, changes, homes, household, book)
    order = np.lexsort((event, day, person))
    person, day, event = person[order], day[order], event[order]
    kept = np.r_[True, (person[1:] != person[:-1]) | (day[1:] != day[:-1])][: len(person)]
    person, day, event = person[kept], day[kept], event[kept]
    last = np.r_[person[1:] != person[:-1], True][: len(person)]
    until = np.where(last, persons.end[person], np.r_[day[1:], NEVER][: len(person)])
    next_event = np.r_[event[1:], Event.MOVE_IN][: len(person)]
    place = persons.household[person]
    gone = np.array([Closing.MOVED_OUT, Closing.MOVED_ABROAD, Closing.OPEN, Closing.DEATH])[
        persons.left[person]
    ]
    closing = np.select(
        [~last & (next_event == Event.WARD_MOVE), ~last, until == NEVER],
        [Closing.WARD_MOVE, Closing.REPLACED, Closing.OPEN],
        gone,
    )
    return Rows(
        person=person,
        household=place,
        day=day,
        until=until,
        event=event,
        closing=closing,
        number=run_positions(person) + 1,
        address=homes.address_at(place, day),
        stay=homes.stay_at(place, day),
    )


def _events(
    persons: Persons, changes: Changes, homes: Homes, household: Household, book: Book
) -> tuple[Ints, Ints, Ints]:
    """Person, day and kind of every event that the register shows."""
    size = len(persons.birth)
    everybody = np.arange(size)
    shown_later = changes.first > persons.start
    how = np.array([Event.MOVE_IN, Event.FROM_ABROAD, Event.BIRTH, Event.MOVE_IN])[persons.how]
    foreign = (persons.nation != JAPANESE) & (changes.first == FOREIGNERS_REGISTERED)
    parts = [
        (
            everybody,
            changes.first,
            np.where(shown_later, np.where(foreign, Event.EX_OFFICIO, Event.RENEWAL), how),
        )
    ]
    for move in range(homes.day.shape[1]):
        kind = np.where(homes.crosses[:, move], Event.WARD_MOVE, Event.MOVE)
        parts.append((everybody, homes.day[persons.household, move], kind[persons.household]))
    days_of = (
        (household.head_change[persons.household], Event.NEW_HEAD),
        (changes.married, Event.NAME_CHANGE),
        (changes.former_surname, Event.FORMER_SURNAME),
        (changes.alias, Event.ALIAS),
        (changes.minor, Event.MINOR),
    )
    parts += [(everybody, day, np.full(size, int(kind))) for day, kind in days_of]
    person, day, event = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    first = changes.first[person]
    happens = (day == first) & (event <= Event.EX_OFFICIO) | (day > first) & (day < persons.end[person])
    happens &= (day <= book.today) | (event <= Event.EX_OFFICIO)
    return person[happens], day[happens], event[happens]
