"""The group 住民: 本籍, 住所, 前住所 and 転出先."""

from __future__ import annotations

import numpy as np

from kiban.town import days, lives, texts
from kiban.town.arrays import Bools, Ints
from kiban.town.columns import Column, choose, join, only, pick
from kiban.town.jumin_rows import JuminRows
from kiban.town.lives import JAPANESE, How
from kiban.town.offices import town_keys
from kiban.town.people import MAN, Role
from kiban.town.timeline import Closing


def domicile(at: JuminRows) -> dict[str, Column]:
    """本籍 and 筆頭者 of Japanese."""
    book, rng, persons = at.book, at.unit.stream(3), at.persons
    given, size = book.given, len(persons.birth)
    family = lives.is_family(persons)
    # The family shares one draw, others have their own.
    source = np.where(family, at.unit.heads[persons.household], np.arange(size))
    chance, anywhere = rng.random(size)[source], rng.integers(0, len(book.table.code), size)[source]
    here, inside = given.number("honseki.here"), given.number("honseki.in_city")
    town = np.select(
        [chance < here, chance < here + inside],
        [at.unit.household_town[persons.household], anywhere % book.table.inside],
        anywhere,
    )[at.person]
    lost = rng.random(size)[at.person] < given.number("honseki.unknown")
    there = at.japanese & ~lost
    kinds = [book.words("jumin.honseki_kubun", name) for name in ("there", "unknown", "none")]
    kind = np.where(lost, 1 + at.person % 2, 0)
    lot = texts.lot_numbers(1 + anywhere[at.person] % 2700, anywhere[at.person] % 7, np.ones(at.size, bool))
    first = _first_in_register(at, source)[at.person]
    names = choose(
        at.unmarried, texts.full_names(book, at.nation, at.surname, at.given), pick(at.unit.names, first)
    )
    return {
        "honseki_kubun": only(at.japanese, pick(kinds, kind)),
        "honseki_shikuchosonkodo": pick(book.table.code, town, there),
        "honseki_todofuken": pick(book.table.prefecture, town, there),
        "honseki_shikugunchosonmei": pick(book.table.city, town, there),
        "honseki_choaza": pick(book.table.town, town, there),
        "honseki_banchigohyoki": only(there, lot),
        "hittosha": only(there, names),
    }


def address(at: JuminRows) -> dict[str, Column]:
    """住所 on the day of the row."""
    book, place = at.book, at.rows.address
    addresses = at.unit.homes.addresses
    return {
        "jusho_shikuchosonkodo": at.ward,
        "jusho_choazakanribango": pick(town_keys(at.book), at.town),
        "jusho_todofuken": pick(book.table.prefecture, at.town),
        "jusho_shikugunchosonmei": pick(book.table.city, at.town),
        "jusho_choaza": pick(book.table.town, at.town),
        "jusho_banchigohyoki": pick(texts.address_numbers(book, addresses), place),
        "jusho_katagaki": pick(texts.building_names(addresses), place),
        "jusho_katagaki_furigana": pick(texts.building_kana(addresses), place),
        "jusho_yubinbango": pick(book.table.postal_code, at.town),
    }


def previous(at: JuminRows) -> dict[str, Column]:
    """前住所: the last address in the city, or where the person came from."""
    book, addresses = at.book, at.unit.homes.addresses
    moved = at.unit.homes.day[at.rows.household]
    start = at.persons.start[at.person]
    within: Bools = np.any((moved <= at.rows.day[:, None]) & (moved > start[:, None]), axis=1)
    how = at.persons.how[at.person]
    came = ~within & (how == How.MOVE)
    abroad = ~within & (how == How.ABROAD)
    draw = at.draws_of_family
    elsewhere = book.table.inside + draw % (len(book.table.code) - book.table.inside)
    before = np.maximum(at.rows.address - 1, 0)
    town = np.where(within, addresses.town[before], elsewhere)
    known = within | came
    lot = texts.lot_numbers(1 + draw % 1900, draw % 11, draw % 3 == 0)
    number = choose(within, pick(texts.address_numbers(book, addresses), before), lot)
    country = np.where(at.nation == JAPANESE, draw % len(book.foreign.codes), at.nation)
    return {
        "zenjusho_shikuchosonkodo": pick(book.table.code, town, known),
        "zenjusho_todofuken": pick(book.table.prefecture, town, known),
        "zenjusho_shikugunchosonmei": pick(book.table.city, town, known),
        "zenjusho_choaza": pick(book.table.town, town, known),
        "zenjusho_banchigohyoki": only(known, number),
        "zenjusho_katagaki": pick(texts.building_names(addresses), before, within),
        "zenjusho_yubinbango": pick(book.table.postal_code, town, known),
        "zenjusho_kokumeikodo": pick(book.foreign.codes, country, abroad),
        "zenjusho_kokumeito": pick(book.foreign.labels, country, abroad),
    }


def destination(at: JuminRows) -> dict[str, Column]:
    """Where somebody who left went, planned and confirmed."""
    book, out = at.book, at.rows.closing == Closing.MOVED_OUT
    abroad = at.rows.closing == Closing.MOVED_ABROAD
    draw = at.draws_of_family + 17
    town = book.table.inside + draw % (len(book.table.code) - book.table.inside)
    table = book.table
    lot = texts.lot_numbers(1 + draw % 1900, draw % 13, draw % 3 == 0)
    place = only(out, join(pick(table.prefecture, town), pick(table.city, town), pick(table.town, town), lot))
    notice = out & (at.rows.until + 20 <= book.today)
    country = np.where(at.nation == JAPANESE, draw % len(book.foreign.codes), at.nation)
    return {
        "tenshutsusaki_yotei_shikuchosonkodo": pick(table.code, town, out),
        "tenshutsusaki_yotei_jusho": place,
        "tenshutsusaki_yotei_yubinbango": pick(table.postal_code, town, out),
        "tenshutsusaki_yotei_kokumeikodo": pick(book.foreign.codes, country, abroad),
        "tenshutsuyoteinengappi": days.written(at.rows.until, ~(out | abroad)),
        "tenshutsusaki_kakutei_shikuchosonkodo": pick(table.code, town, notice),
        "tenshutsusaki_kakutei_jusho": only(notice, place),
        "tenshutsusaki_kakutei_yubinbango": pick(table.postal_code, town, notice),
        "tennyutsuchinengappi": days.written(at.rows.until + 12, ~notice),
        "tenshutsunengappi": days.written(at.rows.until, ~notice),
    }


def _first_in_register(at: JuminRows, source: Ints) -> Ints:
    """Index of the 筆頭者 of each person: the husband of a Japanese couple, else who the draw belongs to."""
    husband = at.unit.heads.copy()
    man = (at.persons.role == Role.SPOUSE) & (at.persons.sex == MAN) & (at.persons.nation == JAPANESE)
    man &= at.persons.end[at.unit.heads[at.persons.household]] == at.persons.end
    husband[at.persons.household[man]] = np.flatnonzero(man)
    foreign = at.persons.nation[husband] != JAPANESE
    family = lives.is_family(at.persons) & ~foreign[at.persons.household]
    return np.where(family, husband[at.persons.household], np.arange(len(source)))
