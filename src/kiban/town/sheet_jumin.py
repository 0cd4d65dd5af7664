"""The group 住民: who is a resident, under which name and number, and why the row is there."""

from __future__ import annotations

import numpy as np

from kiban.town import days, numbers, texts, uncertain
from kiban.town.columns import Column, choose, flag, join, nothing, only, pick, same, whole
from kiban.town.days import NEVER
from kiban.town.jumin_rows import CLOSING_WORDS, EVENT_WORDS, RELATIONS, TIMES, JuminRows, words_by
from kiban.town.lives import JAPANESE, YEAR
from kiban.town.offices import office_codes
from kiban.town.people import MAN, Role
from kiban.town.sheet_jumin_places import address, destination, domicile, previous
from kiban.town.support import protected
from kiban.town.timeline import Event
from kiban.town.unit import Unit


def jumin(unit: Unit) -> dict[str, Column]:
    """Every column of 住民 that the town fills."""
    at = JuminRows(unit)
    parts = (keys, name, birth, household, domicile, since, address, previous, destination, event, flags)
    return {column: values for part in parts for column, values in part(at).items()}


def keys(at: JuminRows) -> dict[str, Column]:
    """Numbers, ward and kind of the resident."""
    word = at.book.words
    states = words_by(at.unit, "jumin.juminjotai", {key: names[1] for key, names in CLOSING_WORDS.items()})
    states = [state or word("jumin.juminjotai", "resident") for state in states]
    serial = at.unit.serial
    return {
        "atenabango": pick(at.unit.number, at.person),
        "rirekibango": whole(at.rows.number),
        "setaibango": at.setai,
        "shiteitoshi_gyoseikutokodo": at.ward,
        "juminshubetsu": flag(
            at.japanese, word("jumin.juminshubetsu", "japanese"), word("jumin.juminshubetsu", "foreign")
        ),
        "juminjotai": pick(states, at.rows.closing),
        "kojinbango": pick(
            numbers.individual_numbers(serial, at.book.seed * numbers.PERSON_SHIFT), at.person
        ),
        "juminhyokodo": pick(numbers.resident_codes(serial, at.book.seed * numbers.CODE_SHIFT), at.person),
    }


def name(at: JuminRows) -> dict[str, Column]:
    """Names with readings, of the day of the row."""
    book, changes = at.book, at.unit.changes
    parts = (book, at.nation, at.surname, at.given)
    kana = texts.full_kana(*parts)
    sure = at.unit.serial[at.person] % 10 >= 10 * book.given.number("name.unconfirmed_kana")
    confirmed = [book.words("jumin.shimei_furiganakakuninjokyo", name) for name in ("no", "yes")]
    aliased = changes.alias[at.person] <= at.rows.day
    former = changes.former_surname[at.person] <= at.rows.day
    every = np.full(at.size, JAPANESE)
    alias = (book, every, changes.alias_surname[at.person], changes.alias_given[at.person])
    maiden = changes.maiden[at.person]
    return {
        "shimei": texts.full_names(*parts),
        "uji_nihonjin": texts.surnames(book, at.nation, at.surname),
        "na_nihonjin": texts.given_names(book, at.nation, at.given),
        "shimei_furigana": kana,
        "uji_nihonjin_furigana": texts.surname_kana(book, at.nation, at.surname),
        "na_nihonjin_furigana": texts.given_kana(book, at.nation, at.given),
        "shimei_furiganakakuninjokyo": only(at.japanese, pick(confirmed, sure.astype(np.int64))),
        "shimei_gaikokujinromaji": texts.latin_names(*parts),
        "shimei_gaikokujinkanji": texts.kanji_names(*parts),
        "tsusho": only(aliased, texts.full_names(*alias)),
        "tsusho_furigana": only(aliased, texts.full_kana(*alias)),
        "tsusho_furiganakakuninjokyo": only(aliased, same(confirmed[1], at.size)),
        "kyuji": only(former, texts.surnames(book, every, maiden)),
        "kyuji_furigana": only(former, texts.surname_kana(book, every, maiden)),
        "kyuji_furiganakakuninjokyo": only(former, same(confirmed[1], at.size)),
    }


def birth(at: JuminRows) -> dict[str, Column]:
    """Sex and birth."""
    sexes = [at.book.words("jumin.seibetsu", name) for name in ("man", "woman")]
    return {
        "seibetsu": pick(sexes, at.persons.sex[at.person] - MAN),
        **_triple(at, "seinengappi", uncertain.births(at.unit)),
    }


def household(at: JuminRows) -> dict[str, Column]:
    """Head and relationship, of the day of the row."""
    first, second = at.relations()
    word = "jumin.zokugara1"
    values = [at.book.words(word, name) for name in RELATIONS]
    labels = [at.book.words.labels[word][name] for name in RELATIONS]
    two = second >= 0
    return {
        "setainushi_shimei": pick(at.unit.names, at.head_now),
        "setaiinjunjo": whole(at.order()),
        "zokugara1": pick(values, first),
        "zokugara2": pick(values, second, two),
        "zokugara_hyoki": choose(
            two, join(pick(labels, first), "の", pick(labels, second)), pick(labels, first)
        ),
    }


def since(at: JuminRows) -> dict[str, Column]:
    """Days of becoming a resident, of fixing the address, and of the notification."""
    start = at.persons.start[at.person]
    moved = at.unit.homes.day[at.rows.household]
    last = np.where(moved <= at.rows.day[:, None], moved, -NEVER).max(axis=1)
    fixed = days.written(np.maximum(start, last))
    unknown = nothing(at.size)
    triple = _triple(at, "jumintonattanengappi", uncertain.resident_since(at.unit))
    told = np.isin(at.rows.event, [Event.RENEWAL, Event.EX_OFFICIO, Event.MINOR])
    return {
        **{name: only(at.japanese, column) for name, column in triple.items()},
        "jushowosadametanengappi": fixed,
        "jushowosadametanengappi_fushofuragu": unknown,
        "todokedenengappi": days.written(at.filed, told),
    }


def event(at: JuminRows) -> dict[str, Column]:
    """Why and when the row was made, and how it was erased."""
    unit, rows = at.unit, at.rows
    reasons = words_by(unit, "jumin.idojiyu", {key: names[0] for key, names in EVENT_WORDS.items()})
    kinds = words_by(unit, "jumin.idojiyu_fuzuikubun", {key: names[1] for key, names in EVENT_WORDS.items()})
    erasures = words_by(unit, "jumin.shojojiyu", {key: names[0] for key, names in CLOSING_WORDS.items()})
    office = office_codes(at.book, at.town)
    return {
        "idojiyu": pick(reasons, rows.event),
        "idojiyu_fuzuikubun": pick(kinds, rows.event),
        "idonengappi": days.written(rows.day),
        "shorinengappi": days.written(at.filed),
        "shorijikoku": pick(TIMES, unit.spread(len(TIMES), 5)),
        "nyuryokubashokodo": office,
        "nyuryokutanmatsuid": join("T", office, "-", pick(["01", "02", "03", "04"], unit.spread(4, 1))),
        "shojojiyu": pick(erasures, rows.closing, at.erased),
        "shojonengappi": days.written(rows.until, ~at.erased),
        "kaiseifuragu": flag(rows.event == Event.RENEWAL, *at.book.yes_no),
        "kaiseinengappi": days.written(rows.day, rows.event != Event.RENEWAL),
    }


def flags(at: JuminRows) -> dict[str, Column]:
    """Which other businesses the person concerns. Rough rules of age: not those of the law."""
    end = np.minimum(at.rows.until, at.book.today)
    age = days.ages_on(end, at.persons.birth[at.person])
    some = at.unit.serial[at.person] % 100
    voter = at.japanese & (age >= 18) & (at.persons.start[at.person] < end - 90)
    child = (at.persons.role == Role.CHILD) & (at.persons.birth > at.book.today - int(18 * YEAR))
    has_child = np.zeros(len(at.unit.heads), dtype=np.bool_)
    has_child[at.persons.household[child & (at.persons.end == NEVER)]] = True
    receives = has_child[at.rows.household] & (at.person == at.unit.heads[at.rows.household])
    other = at.unit.serial[at.person] // 7 % 1000
    given, yes_no = at.book.given.number, at.book.yes_no
    open_row = at.rows.until == NEVER
    safe = protected(at.unit)[at.person] & open_row
    return {
        "senkyoninmeibotorokufuragu": flag(voter, *yes_no),
        "kokuminkenkohokengaitofuragu": flag(
            (age < 75) & (some < 100 * given("flags.national_health")), *yes_no
        ),
        "kokikoreishairyogaitofuragu": flag(age >= 75, *yes_no),
        "kaigohokengaitofuragu": flag(age >= 65, *yes_no),
        "kokuminnenkingaitofuragu": flag(
            (age >= 20) & (age < 60) & (some >= 100 - 100 * given("flags.national_pension")), *yes_no
        ),
        "jidoteatejukyufuragu": flag(receives & open_row, *yes_no),
        "seinenhikokenninfuragu": flag((age >= 70) & (other < 1000 * given("flags.guardianship")), *yes_no),
        "shiensochifuragu": flag(safe, *yes_no),
        "yokushifuragu": flag(safe, *yes_no),
        "valid_from": days.dates(at.rows.day),
        "valid_to": days.dates(at.rows.until),
    }


def _triple(at: JuminRows, name: str, of_persons: uncertain.Triple) -> dict[str, Column]:
    """An uncertain date of the people as the three columns of the rows."""
    day, doubt, words = (pick(column, at.person) for column in of_persons)
    return {name: day, f"{name}_fushofuragu": doubt, f"{name}_fushohyoki": words}
