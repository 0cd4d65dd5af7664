"""How many people live in which town: read from a city's published table, or drawn."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiban.kernel import Problem
from kiban.town import places
from kiban.town.assumptions import Assumptions
from kiban.town.population_file import PopulationRow, read_rows

CHOME = re.compile(r"^(.+?)([０-９0-9]+)丁目$")
MOST_CHOME = 6
ADULT = 18


@dataclass(frozen=True)
class Towns:
    """The towns of a city with their published or drawn numbers, one entry per town, in ward order.

    Attributes:
        ward: index into the wards of the city.
        office: the branch office that serves the town, or None for the ward office.
        name: 町字 with 丁目 in kanji numbers.
        kana: its reading, None where the postal table does not know the town.
        postal_code: seven digits, or None.
        code: a town code of seven digits. Ours, or the city's own; not the code of the national address registry.
        households: households.
        men: men.
        ages: people by single year of age, shape (towns, 101), the last column is 100 and over.
        banchi: whether the town uses lots (番地) rather than blocks and houses (番号).
        suppressed: names of the towns whose numbers were not published; nobody lives there.
    """

    ward: NDArray[np.int64]
    office: tuple[str | None, ...]
    name: tuple[str, ...]
    kana: tuple[str | None, ...]
    postal_code: tuple[str | None, ...]
    code: tuple[str, ...]
    households: NDArray[np.int64]
    men: NDArray[np.int64]
    ages: NDArray[np.int64]
    banchi: NDArray[np.bool_]
    suppressed: tuple[str, ...] = ()

    @property
    def people(self) -> NDArray[np.int64]:
        """Residents of each town."""
        total: NDArray[np.int64] = self.ages.sum(axis=1)
        return total


def from_file(path: Path, city: places.City, rng: np.random.Generator, given: Assumptions) -> Towns:
    """The towns of a population file; towns without any number are kept as suppressed.

    A town with totals but without ages gets ages drawn from the declared pyramid.

    Raises:
        Problems: everything that is wrong with the file, by line (codes `population-...`).
    """
    rows = read_rows(path, city)
    wards = {ward.code: index for index, ward in enumerate(city.wards)}
    rows = sorted(rows, key=lambda row: (wards[row.ward_code], row.town_code))
    lived_in = [row for row in rows if row.total]
    if not lived_in:
        raise Problem("population-empty", "no town of the file has residents", where=str(path))
    found = _postal_matches(lived_in, city)
    ages = np.array([_ages(row, rng, given) for row in lived_in], dtype=np.int64)
    ward_names = {ward.name for ward in city.wards}
    return Towns(
        ward=np.array([wards[row.ward_code] for row in lived_in], dtype=np.int64),
        office=tuple(None if row.ward in ward_names else row.ward for row in lived_in),
        name=tuple(_with_kanji_chome(row.town) for row in lived_in),
        kana=tuple(
            match.kana and match.kana + _chome_kana(row.town)
            for match, row in zip(found, lived_in, strict=True)
        ),
        postal_code=tuple(match.postal_code for match in found),
        code=tuple(
            f"0{row.town_code[3:]}" if len(row.town_code) == 9 else row.town_code[-7:] for row in lived_in
        ),
        households=np.array([row.households for row in lived_in], dtype=np.int64),
        men=np.array([row.male for row in lived_in], dtype=np.int64),
        ages=ages,
        banchi=_lots([CHOME.match(row.town) is not None for row in lived_in], rng, given),
        suppressed=tuple(f"{row.ward}{row.town}" for row in rows if row.total is None),
    )


def drawn(city: places.City, residents: int, rng: np.random.Generator, given: Assumptions) -> Towns:
    """Towns of the postal table with drawn sizes that add up to the residents exactly.

    Raises:
        Problem: `residents-few` when there are fewer residents than ten for each ward.
    """
    if residents < 10 * len(city.wards):
        raise Problem(
            "residents-few",
            f"{residents} residents are too few for the {len(city.wards)} wards of {city.name}",
            fix=f"give at least {10 * len(city.wards)}",
        )
    base = places.towns_of(ward.code[:5] for ward in city.wards)
    listed = [(index, town) for index, ward in enumerate(city.wards) for town in base[ward.code[:5]]]
    parts = [_parts(town, rng) for _, town in listed]
    ward = np.repeat(np.array([index for index, _ in listed]), [len(part) for part in parts])
    people = _sizes(ward, len(city.wards), residents, rng, given)
    ages = rng.multinomial(people, _pyramid(given))
    flat = [
        (town, serial, chome)
        for serial, ((_, town), part) in enumerate(zip(listed, parts, strict=True), 1)
        for chome in part
    ]
    kept = np.flatnonzero(people)
    numbered = [flat[index] for index in kept]
    return Towns(
        ward=ward[kept],
        office=(None,) * len(kept),
        name=tuple(
            town.name + (f"{places.kanji_number(chome)}丁目" if chome else "") for town, _, chome in numbered
        ),
        kana=tuple(
            town.kana + (_chome_kana(f"{town.name}{chome}丁目") if chome else "")
            for town, _, chome in numbered
        ),
        postal_code=tuple(town.postal_code for town, _, _ in numbered),
        code=tuple(f"{serial:04d}{chome:03d}" for _, serial, chome in numbered),
        households=_households(ages[kept], given),
        men=rng.binomial(ages[kept], given.curve("population.male")).sum(axis=1),
        ages=ages[kept],
        banchi=_lots([chome > 0 for _, _, chome in numbered], rng, given),
    )


def _pyramid(given: Assumptions) -> NDArray[np.float64]:
    weights = given.curve("population.age")
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _ages(row: PopulationRow, rng: np.random.Generator, given: Assumptions) -> NDArray[np.int64]:
    if row.ages is not None:
        return np.array(row.ages, dtype=np.int64)
    return rng.multinomial(row.total or 0, _pyramid(given))


def _households(ages: NDArray[np.int64], given: Assumptions) -> NDArray[np.int64]:
    wished = np.rint(ages.sum(axis=1) / given.number("population.household_size")).astype(np.int64)
    most = np.maximum(ages[:, ADULT:].sum(axis=1), 1)
    found: NDArray[np.int64] = np.clip(wished, 1, most)
    return found


def _parts(town: places.PostalTown, rng: np.random.Generator) -> range:
    return range(1, 2 + int(rng.integers(MOST_CHOME))) if town.chome else range(1)


def _sizes(
    ward: NDArray[np.int64], wards: int, residents: int, rng: np.random.Generator, given: Assumptions
) -> NDArray[np.int64]:
    """Sizes by town; every ward gets at least ten people, and the sum is exact."""
    of_ward = np.exp(rng.normal(0, given.number("population.ward_spread"), wards))
    of_town = np.exp(rng.normal(0, given.number("population.town_spread"), len(ward)))
    ward_people = 10 + rng.multinomial(residents - 10 * wards, of_ward / of_ward.sum())
    people = np.zeros(len(ward), dtype=np.int64)
    for index in range(wards):
        here = ward == index
        people[here] = rng.multinomial(ward_people[index], of_town[here] / of_town[here].sum())
    return people


def _lots(divided: Sequence[bool], rng: np.random.Generator, given: Assumptions) -> NDArray[np.bool_]:
    houses = rng.random(len(divided)) < given.number("address.residence_indication")
    lots: NDArray[np.bool_] = ~(np.array(divided, dtype=np.bool_) & houses)
    return lots


def _with_kanji_chome(name: str) -> str:
    found = CHOME.match(name)
    return f"{found[1]}{places.kanji_number(int(found[2]))}丁目" if found else name


def _chome_kana(name: str) -> str:
    found = CHOME.match(name)
    return f"{int(found[2])}チョウメ".translate(_FULL_WIDTH) if found else ""


_FULL_WIDTH = {ord("0") + digit: ord("０") + digit for digit in range(10)}


@dataclass(frozen=True)
class _Match:
    kana: str | None
    postal_code: str | None


def _postal_matches(rows: Sequence[PopulationRow], city: places.City) -> list[_Match]:
    listed = places.towns_of(ward.code[:5] for ward in city.wards)
    by_name = {code: {_plain(town.name): town for town in towns} for code, towns in listed.items()}
    unlisted = {code: places.unlisted_postal_code(code) for code in listed}
    find = partial(_match, by_name=by_name, unlisted=unlisted)
    return [find(row) for row in rows]


def _match(
    row: PopulationRow,
    by_name: Mapping[str, Mapping[str, places.PostalTown]],
    unlisted: Mapping[str, str | None],
) -> _Match:
    """The whole name gives kana and postal code; the longest beginning of it only the postal code."""
    ward = row.ward_code[:5]
    found = CHOME.match(row.town)
    name = _plain(found[1] if found else row.town)
    if name in by_name[ward]:
        town = by_name[ward][name]
        return _Match(town.kana, town.postal_code)
    for end in range(len(name) - 1, 1, -1):
        if name[:end] in by_name[ward]:
            return _Match(None, by_name[ward][name[:end]].postal_code)
    return _Match(None, unlisted[ward])


def _plain(name: str) -> str:
    """A town's name without differences of spelling that the two tables have (compatibility forms, ヶ and ケ)."""
    return unicodedata.normalize("NFKC", name).replace("ヶ", "ケ")
