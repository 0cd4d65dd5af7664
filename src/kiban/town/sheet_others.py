"""The groups 外国人住民, 旧氏履歴, 通称履歴 and 異動, which follow from the rows of 住民."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiban.town import days, numbers, texts
from kiban.town.arrays import Bools, Ints, drawn, run_positions
from kiban.town.columns import Column, choose, join, only, pick, same, whole
from kiban.town.days import NEVER
from kiban.town.jumin_rows import CLOSING_WORDS, EVENT_WORDS, TIMES, words_by
from kiban.town.lives import FOREIGNERS_REGISTERED, JAPANESE, YEAR
from kiban.town.offices import office_codes
from kiban.town.timeline import Event
from kiban.town.unit import Unit

PERIODS = ("１年", "３年", "５年")
UNLIMITED = "無期限"


@dataclass(frozen=True)
class Thin:
    """Rows of a group that changes more rarely than 住民: a new one only where the ward changes.

    Attributes:
        person: index of the person.
        town: town on the first day; it gives the ward.
        day: first day.
        until: the day after the last, `NEVER` where open.
        number: 履歴番号, from 1.
    """

    person: Ints
    town: Ints
    day: Ints
    until: Ints
    number: Ints


def thin(unit: Unit, of_person: Bools, since: Ints) -> Thin:
    """Rows of some people from a day of theirs on, one for each ward they lived in since."""
    rows = unit.rows
    start = since[rows.person]
    first = rows.day == start
    kept = of_person[rows.person] & (first | ((rows.event == Event.WARD_MOVE) & (rows.day > start)))
    person, day = rows.person[kept], rows.day[kept]
    last = np.r_[person[1:] != person[:-1], True][: len(person)]
    until = np.where(last, unit.persons.end[person], np.r_[day[1:], NEVER][: len(person)])
    town = unit.homes.addresses.town[rows.address[kept]]
    return Thin(person, town, day, until, run_positions(person) + 1)


def _head(unit: Unit, rows: Thin) -> dict[str, Column]:
    return {
        "atenabango": pick(unit.number, rows.person),
        "rirekibango": whole(rows.number),
        "shiteitoshi_gyoseikutokodo": pick(unit.book.table.code, rows.town),
        "valid_from": days.dates(rows.day),
        "valid_to": days.dates(rows.until),
    }


def foreigners(unit: Unit) -> dict[str, Column]:
    """外国人住民: nationality and status of residence."""
    book, persons = unit.book, unit.persons
    rows = thin(unit, persons.nation != JAPANESE, unit.changes.first)
    nation, size = persons.nation[rows.person], len(rows.person)
    special, status, unlimited = _statuses(unit)
    special, unlimited = special[rows.person], unlimited[rows.person]
    draw = unit.serial[rows.person]
    ends = book.today + 30 + draw * 13 % 1700
    word, place = book.words, "gaikokujin.hodai30jono45kubun"
    since = np.maximum(persons.start[rows.person], FOREIGNERS_REGISTERED)
    card = join("KB", numbers.fixed(draw % 10**8, 8), "TW")
    has_kanji = texts.kanji_names(
        book, nation, persons.surname[rows.person], persons.given[rows.person]
    ).is_valid()
    prefers = has_kanji.to_numpy(zero_copy_only=False) & (draw % 3 == 0)
    latin, kanji = (word("gaikokujin.shimeiyusenkubun", name) for name in ("latin", "kanji"))
    return {
        **_head(unit, rows),
        "kokusekichiikikodo": pick(book.foreign.codes, nation),
        "kokusekichiiki": pick(book.foreign.labels, nation),
        "hodai30jono45kubun": pick(
            [word(place, "mid_long"), word(place, "special")], special.astype(np.int64)
        ),
        "zairyushikaku": only(~special, pick(list(book.status.values()), status[rows.person])),
        "zairyukikan": only(~special, choose(unlimited, same(UNLIMITED, size), pick(PERIODS, draw % 3))),
        "zairyukikanmanryonengappi": days.written(ends, special | unlimited),
        "zairyukadobango": only(~special, card),
        "tokubetsueijushashomeishobango": only(special, card),
        "gaikokujinjumintonattanengappi": days.written(since),
        "gaikokujinjumintonattanengappi_fushofuragu": same(word("jumin.seinengappi_fushofuragu", "no"), size),
        "jukyochitodokedefuragu": same(book.yes_no[0], size),
        "shimeiyusenkubun": choose(prefers, same(kanji, size), same(latin, size)),
    }


def _statuses(unit: Unit) -> tuple[Bools, Ints, Bools]:
    """Special permanent residence, index of the status, and whether it is without limit, by person."""
    given, book, rng = unit.book.given, unit.book, unit.stream(5)
    persons, size = unit.persons, len(unit.persons.birth)
    korea = given.table("foreign.nationality")[0].index("korea")
    special = (persons.nation == korea) & (rng.random(size) < given.number("foreign.special_permanent"))
    labels = list(book.status)
    place = []
    for name in ("foreign.status", "foreign.status_of_child"):
        names, weights = given.table(name)
        place.append(np.array([labels.index(label) for label in names])[drawn(rng, weights, size)])
    child = persons.birth > book.today - int(18 * YEAR)
    status = np.where(child, place[1], place[0])
    return special, status, status == labels.index(given.table("foreign.status")[0][0])


def former_surnames(unit: Unit) -> dict[str, Column]:
    """旧氏履歴: recorded former surnames."""
    book, changes = unit.book, unit.changes
    rows = thin(unit, changes.former_surname < NEVER, changes.former_surname)
    size = len(rows.person)
    japanese, maiden = np.full(size, JAPANESE), changes.maiden[rows.person]
    first, code, name = _recorded(unit, rows, changes.former_surname)
    return {
        **_head(unit, rows),
        "kyujirenban": whole(np.ones(size, dtype=np.int64)),
        "kyuji": texts.surnames(book, japanese, maiden),
        "kyuji_furigana": texts.surname_kana(book, japanese, maiden),
        "kyuji_furiganakakuninjokyo": same(book.words("jumin.shimei_furiganakakuninjokyo", "yes"), size),
        "kyuji_kisaikubun": same(book.words("kyuji.kyuji_kisaikubun", "entry"), size),
        "seikyunengappi": first,
        "kyuji_kisainengappi": first,
        "kyuji_kisaishikuchosonkodo": code,
        "kyuji_kisaishikuchosonmei": name,
    }


def aliases(unit: Unit) -> dict[str, Column]:
    """通称履歴: recorded aliases of foreign residents."""
    book, changes = unit.book, unit.changes
    rows = thin(unit, changes.alias < NEVER, changes.alias)
    size = len(rows.person)
    parts = (
        book,
        np.full(size, JAPANESE),
        changes.alias_surname[rows.person],
        changes.alias_given[rows.person],
    )
    first, code, name = _recorded(unit, rows, changes.alias)
    return {
        **_head(unit, rows),
        "tsushorenban": whole(np.ones(size, dtype=np.int64)),
        "tsusho": texts.full_names(*parts),
        "tsusho_furigana": texts.full_kana(*parts),
        "tsusho_furiganakakuninjokyo": same(book.words("jumin.shimei_furiganakakuninjokyo", "yes"), size),
        "tsusho_kisaikubun": same(book.words("tsusho.tsusho_kisaikubun", "entry"), size),
        "moshidenengappi": first,
        "tsusho_kisainengappi": first,
        "tsusho_kisaishikuchosonkodo": code,
        "tsusho_kisaishikuchosonmei": name,
    }


def _recorded(unit: Unit, rows: Thin, day: Ints) -> tuple[Column, Column, Column]:
    """Day, municipality code and name of a recording: those of the first row of the person."""
    start = np.arange(len(rows.person)) - (rows.number - 1)
    town = rows.town[start]
    return days.written(day[rows.person]), pick(unit.book.table.code, town), pick(unit.book.table.city, town)


def changes_made(unit: Unit, jumin: dict[str, Column]) -> dict[str, Column]:
    """異動: one row for each event of a person, and one for each erasure that no event of theirs follows."""
    rows, book = unit.rows, unit.book
    ends = np.flatnonzero(jumin_final(unit))
    source = np.r_[np.arange(len(rows.person)), ends]
    erasure = np.arange(len(source)) >= len(rows.person)
    day = np.where(erasure, rows.until[source], rows.day[source])
    before = np.where(erasure, source, np.maximum(source - 1, 0))
    entry = ~erasure & (rows.number[source] == 1)
    correction = ~erasure & ~entry
    town = unit.homes.addresses.town[rows.address[source]]
    filed = np.minimum(day + (rows.household[source] * 31 + day * 7 + 3) % 14, book.today)
    office, reasons, kinds = office_codes(book, town), *_reasons(unit, source, erasure)
    address = _address_texts(unit)
    told = np.isin(rows.event[source], [Event.RENEWAL, Event.EX_OFFICIO, Event.MINOR]) & ~erasure
    areas = [book.words("ido.idokubun", name) for name in ("entry", "correction", "erasure")]
    clock = pick(TIMES, (rows.household[source] * 31 + day * 7 + 5) % len(TIMES))
    return {
        "idobango": _event_numbers(unit, rows.household[source], day, erasure),
        "atenabango": pick(unit.number, rows.person[source]),
        "shiteitoshi_gyoseikutokodo": pick(book.table.code, town),
        "rirekibango": whole(rows.number[source]),
        "idokubun": pick(areas, correction * 1 + erasure * 2),
        "idojiyu": reasons,
        "idojiyu_fuzuikubun": kinds,
        "idonengappi": days.written(day),
        "shorinengappi": days.written(filed),
        "shorijikoku": clock,
        "todokedenengappi": days.written(filed, told),
        "idomae_gyoseikutokodo": pick(jumin["shiteitoshi_gyoseikutokodo"], before, ~entry),
        "idomae_setaibango": pick(jumin["setaibango"], before, ~entry),
        "idomae_jusho": pick(address, rows.address[before], ~entry),
        "idogo_gyoseikutokodo": pick(jumin["shiteitoshi_gyoseikutokodo"], source, ~erasure),
        "idogo_setaibango": pick(jumin["setaibango"], source, ~erasure),
        "idogo_jusho": pick(address, rows.address[source], ~erasure),
        "nyuryokubashokodo": office,
        "nyuryokutanmatsuid": join("T", office, "-01"),
        "sosashaid": join("S", office, "01"),
        "sosanengappi": days.written(filed),
        "sosajikoku": clock,
    }


def jumin_final(unit: Unit) -> Bools:
    """The rows of 住民 that death or departure closed."""
    last = np.r_[unit.rows.person[1:] != unit.rows.person[:-1], True][: len(unit.rows.person)]
    found: Bools = last & (unit.rows.until < NEVER)
    return found


def _reasons(unit: Unit, source: Ints, erasure: Bools) -> tuple[Column, Column]:
    """異動事由 and its 付随区分 of events, then of erasures."""
    events = words_by(unit, "jumin.idojiyu", {key: names[0] for key, names in EVENT_WORDS.items()})
    kinds = words_by(unit, "jumin.idojiyu_fuzuikubun", {key: names[1] for key, names in EVENT_WORDS.items()})
    gone = words_by(
        unit,
        "jumin.idojiyu",
        {key: names[0] for key, names in CLOSING_WORDS.items() if names[1] != "other_ward"},
    )
    notified = unit.book.words("jumin.idojiyu_fuzuikubun", "notified")
    of_event, of_end = unit.rows.event[source], unit.rows.closing[source]
    return (
        choose(erasure, pick(gone, of_end), pick(events, of_event)),
        choose(erasure, same(notified, len(source)), pick(kinds, of_event)),
    )


def _event_numbers(unit: Unit, household: Ints, day: Ints, erasure: Bools) -> Column:
    """異動番号: the same for all members of a household on whom one event of a day fell."""
    key = (household * 2 + erasure) * 10**6 + day + 10**5
    _, index = np.unique(key, return_inverse=True)
    return numbers.fixed((unit.plan.index + 1) * 10**7 + index.astype(np.int64), 14)


def _address_texts(unit: Unit) -> Column:
    """Each address of the unit in one text."""
    table, addresses = unit.book.table, unit.homes.addresses
    parts = (
        pick(table.prefecture, addresses.town),
        pick(table.city, addresses.town),
        pick(table.town, addresses.town),
    )
    return join(*parts, texts.address_numbers(unit.book, addresses))
