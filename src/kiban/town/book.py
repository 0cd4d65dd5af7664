"""Everything that all parts of one town share: places, names, words, and the plan of its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from kiban.standard import Edition
from kiban.town import days, places
from kiban.town.arrays import Bools, Ints
from kiban.town.assumptions import Assumptions
from kiban.town.foreign_names import ForeignPool, foreign_pools
from kiban.town.names import JapanesePools, japanese_pools
from kiban.town.people import MAN, WOMAN
from kiban.town.population import Towns
from kiban.town.words import Words, code_values, words

ELSEWHERE = 4000
LONGEST_CITY = 12


@dataclass(frozen=True)
class PlaceTable:
    """Towns of the city, then towns elsewhere in Japan, as columns.

    Attributes:
        code: 全国地方公共団体コード, six digits.
        prefecture: 都道府県.
        city: 市区郡町村名.
        town: 町字.
        postal_code: seven digits, or null.
        inside: how many of them, from the first, are of the city.
    """

    code: pa.Array
    prefecture: pa.Array
    city: pa.Array
    town: pa.Array
    postal_code: pa.Array
    inside: int


@dataclass(frozen=True)
class ForeignNames:
    """Names of all nationalities in one row of indices.

    Attributes:
        family: Latin family names of all nationalities.
        family_kanji: their kanji, null where there are none.
        given: Latin given names.
        given_kanji: kanji given names, null where there are none.
        family_range: first index and count by nationality, shape (nationalities, 2).
        given_range: the same by nationality and sex, shape (nationalities, 3, 2); the sex is 1 or 2.
        labels: nationalities as the code list names them.
        codes: their code values.
    """

    family: pa.Array
    family_kanji: pa.Array
    given: pa.Array
    given_kanji: pa.Array
    family_range: Ints
    given_range: Ints
    labels: list[str]
    codes: list[str]


@dataclass(frozen=True)
class Book:
    """What every work unit reads.

    Attributes:
        seed: of the town.
        as_of: reference date; `today` is its day number.
        exact_ages: whether published ages must come out, so that every birth must tell its age.
        resident: edition of business 001.
        nonresident: edition of business 031.
        tax: edition of the individual resident tax; None where its ledger is not made.
        city: the city.
        towns: its towns.
        table: towns here and elsewhere.
        japanese: pools of Japanese names.
        foreign: pools of foreign names.
        words: code values.
        status: labels and code values of the statuses of residence (在留資格), adults' and children's weights.
        given: the assumptions.
    """

    seed: int
    as_of: date
    exact_ages: bool
    resident: Edition
    nonresident: Edition
    tax: Edition | None
    city: places.City
    towns: Towns
    table: PlaceTable
    japanese: JapanesePools
    foreign: ForeignNames
    words: Words
    status: dict[str, str]
    given: Assumptions

    @property
    def today(self) -> int:
        """Day number of the reference date."""
        return days.number(self.as_of)

    @property
    def began(self) -> int:
        """The day from which the register shows history: the last renewal (改製) of all records."""
        return int(
            days.anniversary(self.as_of, np.array([int(self.given.number("history.renewed_years_ago"))]))[0]
        )

    @property
    def yes_no(self) -> tuple[str, str]:
        """Code values of flags (該当フラグ)."""
        return self.words("jumin.senkyoninmeibotorokufuragu", "yes"), self.words(
            "jumin.senkyoninmeibotorokufuragu", "no"
        )

    @property
    def lots(self) -> Bools:
        """Whether each town uses lots."""
        return self.towns.banchi


def open_book(
    city: places.City,
    towns: Towns,
    editions: tuple[Edition, Edition],
    tax: Edition | None,
    seed: int,
    as_of: date,
    exact_ages: bool,
    given: Assumptions,
) -> Book:
    """Draws what is drawn once for a town, and looks up what is looked up once."""
    resident, nonresident = editions
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    statuses = {*given.table("foreign.status")[0], *given.table("foreign.status_of_child")[0]}
    ordered = sorted(statuses)
    return Book(
        seed=seed,
        as_of=as_of,
        exact_ages=exact_ages,
        resident=resident,
        nonresident=nonresident,
        tax=tax,
        city=city,
        towns=towns,
        table=_places(city, towns, rng),
        japanese=japanese_pools(given),
        foreign=_foreign(given, resident, seed),
        words=words(editions),
        status=dict(zip(ordered, code_values(resident, "gaikokujin", "zairyushikaku", ordered), strict=True)),
        given=given,
    )


def _places(city: places.City, towns: Towns, rng: np.random.Generator) -> PlaceTable:
    """The city's towns and a sample of towns elsewhere."""
    others = [
        town
        for town in places.postal_towns()
        if town.name and not town.city.startswith(city.name) and len(town.city) <= LONGEST_CITY
    ]
    picked = [others[index] for index in rng.choice(len(others), ELSEWHERE, replace=False)]
    wards = [city.wards[index] for index in towns.ward]
    return PlaceTable(
        code=pa.array(
            [*(ward.code for ward in wards), *(places.six_digits(town.municipality) for town in picked)]
        ),
        prefecture=pa.array([*(city.prefecture for _ in wards), *(town.prefecture for town in picked)]),
        city=pa.array([*(city.name + ward.name for ward in wards), *(town.city for town in picked)]),
        town=pa.array([*towns.name, *(town.name for town in picked)]),
        postal_code=pa.array([*towns.postal_code, *(town.postal_code for town in picked)], pa.string()),
        inside=len(wards),
    )


def _foreign(given: Assumptions, resident: Edition, seed: int) -> ForeignNames:
    nationalities, _ = given.table("foreign.nationality")
    pools = foreign_pools(tuple(nationalities), seed)
    labels = [pool.label for pool in pools]
    family_range = _ranges([len(pool.family) for pool in pools])
    parts = [(pool, sex) for pool in pools for sex in (MAN, WOMAN)]
    by_sex = _ranges([len(pool.given[sex]) for pool, sex in parts]).reshape(len(pools), 2, 2)
    return ForeignNames(
        family=pa.concat_arrays([pool.family for pool in pools]),
        family_kanji=pa.concat_arrays([_or_null(pool.family_kanji, len(pool.family)) for pool in pools]),
        given=pa.concat_arrays([pool.given[sex] for pool, sex in parts]),
        given_kanji=pa.concat_arrays([_kanji(pool, sex) for pool, sex in parts]),
        family_range=family_range,
        given_range=np.concatenate([by_sex[:, :1], by_sex], axis=1),
        labels=labels,
        codes=code_values(resident, "gaikokujin", "kokusekichiikikodo", labels),
    )


def _ranges(counts: list[int]) -> Ints:
    sizes = np.array(counts, dtype=np.int64)
    return np.stack([np.cumsum(sizes) - sizes, sizes], axis=1)


def _or_null(texts: pa.Array | None, size: int) -> pa.Array:
    return pa.nulls(size, pa.string()) if texts is None else texts


def _kanji(pool: ForeignPool, sex: int) -> pa.Array:
    """Kanji given names, repeated as often as there are Latin ones to go beside."""
    size = len(pool.given[sex])
    if pool.given_kanji is None:
        return pa.nulls(size, pa.string())
    kanji = pool.given_kanji[sex]
    return kanji.take(pa.array(np.arange(size) % len(kanji)))
