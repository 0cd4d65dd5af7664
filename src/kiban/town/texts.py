"""Names, numbers and addresses of one work unit as Arrow columns."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from kiban.town.arrays import Ints
from kiban.town.book import Book
from kiban.town.columns import Column, choose, figures, join, only, pick
from kiban.town.homes import BUILDINGS, Addresses
from kiban.town.lives import JAPANESE

BUILDING_FILE = Path(__file__).with_name("buildings.yaml")
SPACE = "\u3000"


@cache
def buildings() -> tuple[pa.Array, pa.Array]:
    """Names of buildings and their readings, `BUILDINGS` of each."""
    words = yaml.safe_load(BUILDING_FILE.read_text(encoding="utf-8"))
    pairs = [(first, last) for first in words["first"].items() for last in words["last"].items()][:BUILDINGS]
    names = pa.array([first[0] + last[0] for first, last in pairs])
    return names, pa.array([first[1] + last[1] for first, last in pairs])


def surnames(book: Book, nation: Ints, surname: Ints) -> Column:
    """Surnames of Japanese; null for foreigners."""
    return pick(book.japanese.surnames.spellings, surname, nation == JAPANESE)


def given_names(book: Book, nation: Ints, given: Ints) -> Column:
    """Given names of Japanese; null for foreigners."""
    return pick(book.japanese.given_spellings, given, nation == JAPANESE)


def surname_kana(book: Book, nation: Ints, surname: Ints) -> Column:
    """Readings of surnames of Japanese; null for foreigners."""
    return pick(book.japanese.surnames.kana, surname, nation == JAPANESE)


def given_kana(book: Book, nation: Ints, given: Ints) -> Column:
    """Readings of given names of Japanese; null for foreigners."""
    return pick(book.japanese.given_kana, given, nation == JAPANESE)


def latin_names(book: Book, nation: Ints, surname: Ints, given: Ints) -> Column:
    """Names in Latin letters of foreigners; null for Japanese."""
    abroad = nation != JAPANESE
    return join(pick(book.foreign.family, surname, abroad), SPACE, pick(book.foreign.given, given, abroad))


def kanji_names(book: Book, nation: Ints, surname: Ints, given: Ints) -> Column:
    """Kanji names of foreigners who have one."""
    abroad = nation != JAPANESE
    family = pick(book.foreign.family_kanji, surname, abroad)
    return join(family, SPACE, pick(book.foreign.given_kanji, given, abroad))


def full_names(book: Book, nation: Ints, surname: Ints, given: Ints) -> Column:
    """氏名: surname and given name of Japanese, the Latin name of foreigners."""
    own = join(surnames(book, nation, surname), SPACE, given_names(book, nation, given))
    return pc.coalesce(own, latin_names(book, nation, surname, given))


def full_kana(book: Book, nation: Ints, surname: Ints, given: Ints) -> Column:
    """Readings of the names of Japanese; null for foreigners."""
    return join(surname_kana(book, nation, surname), SPACE, given_kana(book, nation, given))


def lot_numbers(block: Ints, house: Ints, lots: np.ndarray) -> Column:
    """番地号: １番６号, １００８番地 or １００８番地の３."""
    by_house = join(figures(block), "番", figures(house), "号")
    by_lot = join(figures(block), "番地")
    by_part = join(by_lot, "の", figures(house))
    return choose(~lots, by_house, choose(house > 0, by_part, by_lot))


def address_numbers(book: Book, addresses: Addresses) -> Column:
    """番地号 of addresses inside the city."""
    return lot_numbers(addresses.block, addresses.house, book.lots[addresses.town])


def building_names(addresses: Addresses) -> Column:
    """方書, null where there is none."""
    return _rooms(addresses, 0, "号")


def building_kana(addresses: Addresses) -> Column:
    """Its reading."""
    return _rooms(addresses, 1, "ゴウ")


def _rooms(addresses: Addresses, kind: int, unit: str) -> Column:
    there = addresses.building >= 0
    names = pick(buildings()[kind], addresses.building, there)
    return only(there, join(names, figures(addresses.room), unit))
