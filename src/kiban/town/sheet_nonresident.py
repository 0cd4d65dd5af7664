"""Business 031: people who live elsewhere and are known to some business of the city."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from kiban.town import days, numbers, texts
from kiban.town.arrays import Ints, drawn
from kiban.town.book import Book
from kiban.town.columns import FULL_WIDTH, Column, only, pick
from kiban.town.days import NEVER
from kiban.town.lives import JAPANESE, YEAR
from kiban.town.people import MAN, WOMAN

PART_PEOPLE = 50_000
GROUP = "jutogaisha_atena_kihon_joho"


@dataclass(frozen=True)
class NonresidentPlan:
    """A part of the non-residents before it is made.

    Attributes:
        index: from 0.
        people: how many.
        serial: first serial of 宛名番号; twice as many as people are reserved.
    """

    index: int
    people: int
    serial: int


def nonresident_plans(book: Book, first_serial: int) -> list[NonresidentPlan]:
    """Cuts the non-residents into parts."""
    total = round(book.given.number("nonresident.share") * int(book.towns.people.sum()))
    sizes = [min(PART_PEOPLE, total - start) for start in range(0, total, PART_PEOPLE)] or [0]
    return [
        NonresidentPlan(index, size, first_serial + index * (2 * PART_PEOPLE + 400))
        for index, size in enumerate(sizes)
    ]


def _of_their_nation(book: Book, nation: Ints, sex: Ints, surname: Ints, given: Ints) -> tuple[Ints, Ints]:
    """Names of foreigners from those of their nation; others keep theirs."""
    abroad = nation != JAPANESE
    first, count = book.foreign.family_range[np.maximum(nation, 0)].T
    surname = np.where(abroad, first + surname % count, surname)
    first, count = book.foreign.given_range[np.maximum(nation, 0), sex].T
    return surname, np.where(abroad, first + given % count, given)


def nonresidents(plan: NonresidentPlan, book: Book) -> dict[str, Column]:
    """The columns of 住登外者宛名基本情報 of one part."""
    rng = np.random.default_rng(np.random.SeedSequence([book.seed, 5, plan.index]))
    size = plan.people
    same_as = _duplicates(size, book, rng)
    serial = numbers.usable_serials(plan.serial, 2 * size + 400, size)
    sex = rng.integers(MAN, WOMAN + 1, size).astype(np.int64)
    age = rng.integers(25, 100, size).astype(np.int64)
    birth = days.births(book.as_of, age, rng)
    foreign = rng.random(size) < book.given.number("nonresident.foreign")
    nation = np.where(foreign, rng.integers(0, len(book.foreign.codes), size), JAPANESE)
    surname = book.japanese.draw_surnames(rng, size)
    given = book.japanese.draw_given(rng, sex, age, book.given)
    abroad = nation != JAPANESE
    surname, given = _of_their_nation(book, nation, sex, surname, given)
    # A duplicate is the same person once more: only the number and the business differ.
    sex, birth, nation, surname, given = (part[same_as] for part in (sex, birth, nation, surname, given))
    since = np.full(size, book.today) - rng.integers(30, int(12 * YEAR), size)
    sexes = [book.words(f"{GROUP}.seibetsu", name) for name in ("man", "woman")]
    number = numbers.addressee_numbers(serial)
    duplicate = same_as != np.arange(size)
    known = serial[same_as] % 10 < 10 * book.given.number("nonresident.number_known")
    own_number = known & ~abroad[same_as]
    main, other = (book.words(f"{GROUP}.daihyoatenafuragu", name) for name in ("main", "other"))
    return {
        "atenabango": number,
        "kojinbango": only(
            own_number, numbers.individual_numbers(serial[same_as], book.seed * numbers.PERSON_SHIFT)
        ),
        **_names(book, nation, surname, given),
        "seibetsu": pick(sexes, sex - MAN),
        **_birth(book, birth, rng),
        **_address(book, rng.integers(0, 10**9, size)[same_as]),
        "gyomuid": _businesses(book, size, rng),
        "daihyoatenafuragu": pick(pa.array([int(main), int(other)], pa.int64()), duplicate.astype(np.int64)),
        "nayosesakiatenabango": pick(number, same_as, duplicate),
        "sosashaid": pick(["KIBAN01", "KIBAN02", "KIBAN03"], serial % 3),
        "sosanengappi": days.written(since),
        "sosajikoku": pick(["09:00:00", "11:15:00", "15:40:00"], serial // 3 % 3),
        "valid_from": days.dates(since),
        "valid_to": days.dates(np.full(size, NEVER)),
    }


def _duplicates(size: int, book: Book, rng: np.random.Generator) -> Ints:
    """Index of the person that each row is about; most are about their own."""
    same_as = np.arange(size)
    double = np.flatnonzero(rng.random(size) < book.given.number("nonresident.duplicate"))
    double = double[double > 0]
    target = np.floor(rng.random(len(double)) * double).astype(np.int64)
    # Only a main number is a target: chains of duplicates would hide it.
    good = ~np.isin(target, double)
    same_as[double[good]] = target[good]
    return same_as


def _names(book: Book, nation: Ints, surname: Ints, given: Ints) -> dict[str, Column]:
    parts = (book, nation, surname, given)
    return {
        "shimei": texts.full_names(*parts),
        "uji_nihonjin": texts.surnames(book, nation, surname),
        "na_nihonjin": texts.given_names(book, nation, given),
        "shimei_gaikokujinarufuabetto": texts.latin_names(*parts),
        "shimei_gaikokujinkanji": texts.kanji_names(*parts),
        "shimei_yomigana": texts.full_kana(*parts),
        "uji_nihonjin_yomigana": texts.surname_kana(book, nation, surname),
        "na_nihonjin_yomigana": texts.given_kana(book, nation, given),
    }


def _birth(book: Book, birth: Ints, rng: np.random.Generator) -> dict[str, Column]:
    """Many businesses do not know the birth; a few know only the year, and say so in words."""
    chance = rng.random(len(birth))
    vague = chance < 2 * book.given.number("unknown.birth")
    absent = chance > 1 - book.given.number("nonresident.birth_missing")
    years = days.years_of(birth)
    words = np.full(len(birth), None, dtype=object)
    words[vague] = [f"{year}年頃".translate(FULL_WIDTH) for year in years[vague]]
    return {
        "seinengappi": days.written(birth, vague | absent),
        "seinengappi_fushohyoki": pa.array(words, pa.string()),
    }


def _address(book: Book, draw: Ints) -> dict[str, Column]:
    """Towns elsewhere in Japan."""
    table = book.table
    town = table.inside + draw % (len(table.code) - table.inside)
    there = np.ones(len(draw), dtype=np.bool_)
    return {
        "jusho_shikuchosonkodo": pick(table.code, town),
        "jusho_todofuken": pick(table.prefecture, town),
        "jusho_shikugunchosonmei": pick(table.city, town),
        "jusho_choaza": pick(table.town, town),
        "jusho_banchigohyoki": texts.lot_numbers(1 + draw % 1900, draw % 9, there),
        "jusho_yubinbango": pick(table.postal_code, town),
    }


def _businesses(book: Book, size: int, rng: np.random.Generator) -> Column:
    """業務ID, one or two for each person."""
    labels, weights = book.given.table("nonresident.businesses")
    first = drawn(rng, weights, size)
    second = (first + rng.integers(1, len(labels), size)) % len(labels)
    two = rng.random(size) < book.given.number("nonresident.second_business")
    flat = np.stack([first, second], axis=1)[np.stack([np.ones(size, bool), two], axis=1)]
    offsets = np.r_[0, np.cumsum(1 + two)]
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pick(labels, flat))
