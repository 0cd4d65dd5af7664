"""The groups 行政区, 町字, 入力場所 and 認証者: what the city itself keeps."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from kiban.town import days, places
from kiban.town.book import Book
from kiban.town.columns import Column, nothing, pick, same, whole
from kiban.town.days import NEVER
from kiban.town.offices import offices, town_keys

FROM_UNKNOWN, OPEN_END = "0000-01-01", "9999-12-31"
VALID_FROM = days.number(date(1900, 1, 1))
"""The masters hold for all history of the register; when they really began is not known here."""


def masters(book: Book) -> dict[str, dict[str, Column]]:
    """The four groups by their ID."""
    return {
        "gyoseiku": _wards(book),
        "choaza": _towns(book),
        "nyuryokubasho": _offices(book),
        "ninshosha": _certifiers(book),
    }


def _always(count: int) -> dict[str, Column]:
    """Official and Kiban's own period of what has always been."""
    return {
        "tekiyokaishinengappi": same(FROM_UNKNOWN, count),
        "tekiyoshuryonengappi": same(OPEN_END, count),
        "valid_from": days.dates(np.full(count, VALID_FROM)),
        "valid_to": days.dates(np.full(count, NEVER)),
    }


def _wards(book: Book) -> dict[str, Column]:
    wards = book.city.wards
    count = len(wards)
    return {
        "gyoseikukodo": pa.array([ward.code for ward in wards]),
        "gyoseikumei": pa.array([ward.name for ward in wards]),
        "gyoseikumei_furigana": pa.array(_ward_kana(book)),
        "shikuchosonkodo": same(places.six_digits(book.city.code), count),
        "todofuken": same(book.city.prefecture, count),
        "shikuchosonmei": same(book.city.name, count),
        "hyojijun": whole(np.arange(1, count + 1)),
        **_always(count),
    }


def _ward_kana(book: Book) -> list[str]:
    """Readings of the wards: what is left of the table's readings after the city's."""
    whole_kana = [places.kana_of(ward.code[:5]) for ward in book.city.wards]
    alike = [len(set(letters)) == 1 for letters in zip(*whole_kana, strict=False)]
    start = whole_kana[0].rfind("シ", 0, [*alike, False].index(False)) + 1
    return [kana[start:] for kana in whole_kana]


def _towns(book: Book) -> dict[str, Column]:
    towns = book.towns
    count = len(towns.name)
    wards = pick([ward.code for ward in book.city.wards], towns.ward)
    return {
        "choazakanribango": pa.array(town_keys(book)),
        "shiteitoshi_gyoseikutokodo": wards,
        "shikuchosonkodo": wards,
        "choazamei": pa.array(towns.name),
        "choazamei_furigana": pa.array(towns.kana, pa.string()),
        "yubinbango": pa.array(towns.postal_code, pa.string()),
        "hyojijun": whole(np.arange(1, count + 1)),
        "jukyohyojijisshifuragu": pick(
            book.yes_no,
            towns.banchi.astype(np.int64),
        ),
        **_always(count),
    }


def _offices(book: Book) -> dict[str, Column]:
    listed = offices(book)
    terminals = [[f"T{office.code}-{serial:02d}" for serial in range(1, 5)] for office in listed]
    return {
        "nyuryokubashokodo": pa.array([office.code for office in listed]),
        "nyuryokubashomei": pa.array([office.name for office in listed]),
        "nyuryokubashokubun": pa.array(
            [book.words("nyuryokubasho.nyuryokubashokubun", office.kind) for office in listed]
        ),
        "shiteitoshi_gyoseikutokodo": pa.array([office.ward for office in listed], pa.string()),
        "nyuryokutanmatsuid": pa.array(terminals, pa.list_(pa.string())),
        **_always(len(listed)),
    }


def _certifiers(book: Book) -> dict[str, Column]:
    """The mayor and the ward mayors, with names of nobody."""
    rng = np.random.default_rng(np.random.SeedSequence([book.seed, 4]))
    wards = book.city.wards
    count = 1 + len(wards)
    surname = pick(book.japanese.surnames.spellings, book.japanese.draw_surnames(rng, count)).to_pylist()
    given = pick(book.japanese.men.spellings, book.japanese.men.draw(rng, count)).to_pylist()
    place, titles = (
        "ninshosha.ninshoshakubun",
        [f"{book.city.name}長", *(f"{book.city.name}{ward.name}長" for ward in wards)],
    )
    return {
        "ninshoshabango": pa.array([f"{index:06d}" for index in range(1, count + 1)]),
        "ninshoshakubun": pa.array(
            [book.words(place, "mayor"), *[book.words(place, "ward_mayor")] * len(wards)]
        ),
        "shiteitoshi_gyoseikutokodo": pa.array([None, *(ward.code for ward in wards)], pa.string()),
        "shokumei": pa.array(titles),
        "shimei": pa.array([f"{family}\u3000{name}" for family, name in zip(surname, given, strict=True)]),
        "denshikoin": nothing(count).cast(pa.binary()),
        **_always(count),
    }
