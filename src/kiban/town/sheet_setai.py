"""The group 世帯: each household number through time, with its head, its size and its address."""

from __future__ import annotations

import numpy as np

from kiban.town import days, texts
from kiban.town.arrays import Bools, Ints, run_positions
from kiban.town.columns import Column, flag, pick, same, whole
from kiban.town.days import NEVER
from kiban.town.lives import JAPANESE
from kiban.town.offices import town_keys
from kiban.town.unit import Unit


def setai(unit: Unit) -> dict[str, Column]:
    """A row for each day on which members, head or address of a household changed."""
    household, day, members, until, gone = _periods(unit)
    stay = unit.homes.stay_at(household, day)
    number = unit.setai_offset[household] + stay
    place = unit.homes.address_at(household, day)
    town = unit.homes.addresses.town[place]
    former = unit.household.former_head[household]
    head = np.where(
        (former >= 0) & (day < unit.household.head_change[household]), former, unit.heads[household]
    )
    book, word = unit.book, unit.book.words
    ward = pick(book.table.code, town)
    kinds = [word("setai.setaishubetsu", name) for name in ("japanese", "mixed", "foreign")]
    unset = word("setai.setainushimisetteifuragu", "no")
    return {
        "setaibango": pick(unit.setai, number),
        "rirekibango": whole(run_positions(number) + 1),
        "shiteitoshi_gyoseikutokodo": ward,
        "setainushi_atenabango": pick(unit.number, head),
        "setainushi_shimei": pick(unit.names, head),
        "setainushimisetteifuragu": same(unset, len(day)),
        "setaishubetsu": pick(kinds, _kinds(unit)[household]),
        "setaijotai": flag(gone, word("setai.setaijotai", "gone"), word("setai.setaijotai", "there")),
        "setaininzu": whole(members),
        "jusho_shikuchosonkodo": ward,
        "jusho_choazakanribango": pick(town_keys(book), town),
        "jusho_todofuken": pick(book.table.prefecture, town),
        "jusho_shikugunchosonmei": pick(book.table.city, town),
        "jusho_choaza": pick(book.table.town, town),
        "jusho_banchigohyoki": pick(texts.address_numbers(book, unit.homes.addresses), place),
        "jusho_katagaki": pick(texts.building_names(unit.homes.addresses), place),
        "jusho_yubinbango": pick(book.table.postal_code, town),
        "valid_from": days.dates(day),
        "valid_to": days.dates(until),
    }


def _periods(unit: Unit) -> tuple[Ints, Ints, Ints, Ints, Bools]:
    """Household, first day, members, end and whether the number ended there, by household and day."""
    persons, homes, size = unit.persons, unit.homes, len(unit.heads)
    every = np.arange(size)
    ends = persons.end < NEVER
    parts = [(persons.household, unit.changes.first, np.ones(len(persons.birth), dtype=np.int64))]
    parts.append((persons.household[ends], persons.end[ends], np.full(int(ends.sum()), -1)))
    changed = [homes.day[:, 0], homes.day[:, 1], unit.household.head_change]
    parts += [
        (every[day < NEVER], day[day < NEVER], np.zeros(int((day < NEVER).sum()), np.int64))
        for day in changed
    ]
    household, day, delta = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((day, household))
    household, day, delta = household[order], day[order], delta[order]
    starts = np.flatnonzero(np.r_[True, (household[1:] != household[:-1]) | (day[1:] != day[:-1])])
    members = np.cumsum(np.add.reduceat(delta, starts))
    household, day = household[starts], day[starts]
    first = np.r_[True, household[1:] != household[:-1]]
    places = np.flatnonzero(first)
    before = np.r_[0, members[places[1:] - 1]]
    members = members - np.repeat(before, np.diff(np.r_[places, len(first)]))
    until = np.where(np.r_[first[1:], True], NEVER, np.r_[day[1:], NEVER])
    stay = homes.stay_at(household, day)
    crossing = np.r_[(household[1:] == household[:-1]) & (stay[1:] != stay[:-1]), False]
    emptied = np.r_[(household[1:] == household[:-1]) & (members[1:] == 0), False]
    kept = members > 0
    return household[kept], day[kept], members[kept], until[kept], (crossing | emptied)[kept]


def _kinds(unit: Unit) -> Ints:
    """0 a household of Japanese, 1 of both, 2 of foreigners."""
    foreign = unit.persons.nation != JAPANESE
    total = np.bincount(unit.persons.household, minlength=len(unit.heads))
    abroad = np.bincount(unit.persons.household[foreign], minlength=len(unit.heads))
    return np.where(abroad == 0, 0, np.where(abroad == total, 2, 1))
