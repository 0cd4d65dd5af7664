"""Where households live and lived: their addresses inside the city and the moves between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiban.town import days
from kiban.town.arrays import Bools, Ints, drawn
from kiban.town.book import Book
from kiban.town.days import NEVER

MOST_MOVES = 2
NO_BUILDING = -1
BUILDINGS = 600
"""Number of building names of `buildings.yaml`, see there."""


@dataclass(frozen=True)
class Addresses:
    """Addresses inside the city, one entry each.

    Attributes:
        town: index into the city's towns.
        block: number of the block, or of the lot.
        house: number of the house, or of the part of the lot; 0 where the lot has no parts.
        building: index into the building names, -1 where there is none.
        room: number of the room, e.g. 305.
    """

    town: Ints
    block: Ints
    house: Ints
    building: Ints
    room: Ints


@dataclass(frozen=True)
class Homes:
    """The homes of households, one entry each; a household has one address more than moves.

    Attributes:
        first: day from which the register shows the household.
        moves: number of moves inside the city that it shows.
        day: day of each move, `NEVER` where there is none, shape (households, 2).
        crosses: whether each move crosses a ward boundary, the same shape.
        offset: index of the first address of each household.
        addresses: all addresses, those of one household in the order of time.
        ward: index of the ward of each address.
    """

    first: Ints
    moves: Ints
    day: Ints
    crosses: Bools
    offset: Ints
    addresses: Addresses
    ward: Ints

    def address_at(self, household: Ints, day: Ints) -> Ints:
        """Index of the address of households on days: a move counts from its day on."""
        done = (self.day[household] <= day[:, None]).sum(axis=1)
        place: Ints = self.offset[household] + done
        return place

    def stay_at(self, household: Ints, day: Ints) -> Ints:
        """How many ward boundaries households had crossed by a day; each gives a new 世帯番号."""
        crossed: Ints = (self.crosses[household] & (self.day[household] <= day[:, None])).sum(axis=1)
        return crossed


def find_homes(town: Ints, first: Ints, end: Ints, book: Book, rng: np.random.Generator) -> Homes:
    """Draws the moves and addresses of households.

    Args:
        town: where each lives now, or lived last.
        first: day from which the register shows it.
        end: the day it left, `NEVER` where it is here.
        book: the town's.
        rng: of the work unit.
    """
    count = len(town)
    labels, weights = book.given.table("history.moves")
    wished = np.array([int(label) for label in labels])[drawn(rng, weights, count)]
    high = np.minimum(end, book.today) - 1
    low = np.maximum(first + 30, book.today - int(book.given.number("history.move_years") * 365.25))
    moves = np.where(high - low > 90, np.minimum(wished, MOST_MOVES), 0)
    middle = (low + high) // 2
    early, late = days.between(low, middle, rng), days.between(middle + 1, high, rng)
    day = np.stack(
        [np.where(moves == 1, np.where(rng.random(count) < 0.5, early, late), early), late], axis=1
    )
    day = np.where(np.arange(MOST_MOVES) < moves[:, None], day, NEVER)
    crosses = (rng.random((count, MOST_MOVES)) < book.given.number("history.between_wards")) & (day < NEVER)
    crosses &= len(np.unique(book.towns.ward)) > 1
    towns = _towns(town, moves, crosses, book, rng)
    offset = np.cumsum(moves + 1) - (moves + 1)
    flat = towns[np.arange(MOST_MOVES + 1) <= moves[:, None]]
    return Homes(first, moves, day, crosses, offset, _addresses(flat, book, rng), book.towns.ward[flat])


def _towns(town: Ints, moves: Ints, crosses: Bools, book: Book, rng: np.random.Generator) -> Ints:
    """Town of each stay in the order of time, shape (households, 3), read back from the present one."""
    people = book.towns.people
    towns = np.repeat(town[:, None], MOST_MOVES + 1, axis=1)
    for move in range(MOST_MOVES - 1, -1, -1):
        after = np.where(moves > move, towns[:, move + 1], town)
        here = _in_ward(book.towns.ward[after], people, book, rng)
        away = _elsewhere(book.towns.ward[after], people, book, rng)
        before = np.where(crosses[:, move], away, here)
        towns[:, move] = np.where(moves > move, before, towns[:, move])
    # Where a household moved less often than it could, its present town stands at the place of its last move.
    return towns


def _in_ward(ward: Ints, people: Ints, book: Book, rng: np.random.Generator) -> Ints:
    """A town of the same ward, by its size; towns are in ward order."""
    edges = np.cumsum(people)
    last = np.searchsorted(book.towns.ward, ward, side="right") - 1
    first = np.searchsorted(book.towns.ward, ward, side="left")
    low = edges[first] - people[first]
    place = low + np.floor(rng.random(len(ward)) * (edges[last] - low)).astype(np.int64)
    return np.searchsorted(edges, place, side="right").astype(np.int64)


def _elsewhere(ward: Ints, people: Ints, book: Book, rng: np.random.Generator) -> Ints:
    """A town of another ward, by its size."""
    inhabited = np.unique(book.towns.ward)
    step = rng.integers(1, max(len(inhabited), 2), len(ward))
    other = inhabited[(np.searchsorted(inhabited, ward) + step) % len(inhabited)]
    return _in_ward(other, people, book, rng)


def _addresses(town: Ints, book: Book, rng: np.random.Generator) -> Addresses:
    """Numbers within the town, and for some a room in a building."""
    size = np.maximum(book.towns.households[town], 1)
    lots = book.lots[town]
    block = 1 + np.floor(
        rng.random(len(town)) * np.where(lots, np.minimum(size * 2, 2800), 8 + size // 60)
    ).astype(np.int64)
    house = np.where(
        lots & (rng.random(len(town)) < book.given.number("address.whole_lot")),
        0,
        1 + rng.integers(0, 28, len(town)),
    )
    dense = np.minimum(size / 400, 1.0)
    named = rng.random(len(town)) < book.given.number("address.building") * dense
    # A building stands at one place: its name follows from the block and house.
    building = np.where(named, (town * 7919 + block * 131 + house * 17) % BUILDINGS, NO_BUILDING)
    room = 100 * (1 + rng.integers(0, 9, len(town))) + 1 + rng.integers(0, 12, len(town))
    return Addresses(town, block, house, building, room)
