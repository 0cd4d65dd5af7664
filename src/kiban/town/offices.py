"""City hall, ward offices and branch offices, and the city's own numbers of its towns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiban.town.arrays import Ints
from kiban.town.book import Book
from kiban.town.columns import Column, pick

CITY_HALL = "000001"


@dataclass(frozen=True)
class Office:
    """A place where changes are entered.

    Attributes:
        code: six digits, ours.
        name: e.g. 東灘区役所.
        kind: our word for its kind.
        ward: ward code, None for the city hall.
    """

    code: str
    name: str
    kind: str
    ward: str | None


def offices(book: Book) -> list[Office]:
    """The city hall, then each ward office, then the branch offices that a population file names."""
    found = [Office(CITY_HALL, f"{book.city.name}役所", "city_hall", None)]
    found += [
        Office(f"1{index + 1:02d}000", f"{ward.name}役所", "ward_office", ward.code)
        for index, ward in enumerate(book.city.wards)
    ]
    branches = dict.fromkeys(zip(book.towns.ward.tolist(), book.towns.office, strict=True))
    found += [
        Office(f"2{ward + 1:02d}{serial:03d}", name, "branch", book.city.wards[ward].code)
        for serial, (ward, name) in enumerate(((ward, name) for ward, name in branches if name), start=1)
    ]
    return found


def office_codes(book: Book, town: Ints) -> Column:
    """Code of the office that serves each town."""
    listed = offices(book)
    by_name = {(office.ward, office.name): index for index, office in enumerate(listed)}
    of_town = [
        by_name[book.city.wards[ward].code, name] if name else 1 + ward
        for ward, name in zip(book.towns.ward.tolist(), book.towns.office, strict=True)
    ]
    return pick([office.code for office in listed], np.array(of_town)[town])


def town_keys(book: Book) -> list[str | None]:
    """町字管理番号 of each town: the ward when it was given, and a serial; it never changes."""
    wards = book.city.wards
    return [f"{wards[ward].code}{index + 1:06d}" for index, ward in enumerate(book.towns.ward.tolist())]
