"""The groups 支援措置, 支援措置対象者, 加害者等, and 抑止 that follows from them."""

from __future__ import annotations

import numpy as np

from kiban.town import days, numbers, texts, uncertain
from kiban.town.arrays import Ints, run_positions
from kiban.town.columns import Column, choose, flag, join, only, pick, same, whole
from kiban.town.days import NEVER
from kiban.town.offices import office_codes
from kiban.town.people import MAN
from kiban.town.support import STATES, Measures, measures, together
from kiban.town.unit import Unit

KINDS = ("partner", "stalking", "child", "other")
CLOCK = "10:30:00"
CHILD, FORMER_SPOUSE, ACQUAINTANCE = "子", "元配偶者", "知人"


def support(unit: Unit) -> dict[str, dict[str, Column]]:
    """The four groups of a unit by their ID."""
    made = measures(unit)
    return {
        "shiensochi": _measures(unit, made),
        "shiensochi_taishosha": _protected(unit, made),
        "shiensochi_kagaisha": _aggressors(unit, made),
        "yokushi": _restrictions(unit, made),
    }


def _number(unit: Unit, measure: Ints) -> Column:
    return numbers.fixed((unit.plan.index + 1) * 10**5 + measure, 10)


def _town(unit: Unit, person: Ints) -> Ints:
    """Present, or last, town of people."""
    home = unit.homes
    household = unit.persons.household[person]
    town: Ints = home.addresses.town[home.offset[household] + home.moves[household]]
    return town


def _ward(unit: Unit, person: Ints) -> Column:
    return pick(unit.book.table.code, _town(unit, person))


def _operated(unit: Unit, office: Column, day: Ints) -> dict[str, Column]:
    return {
        "sosashaid": join("S", office, "02"),
        "sosanengappi": days.written(np.minimum(day, unit.book.today)),
        "sosajikoku": same(CLOCK, len(day)),
    }


_RESTRICTED = ("yokushi_etsuran_genjusho", "yokushi_utsushi_genjusho", "yokushi_fuhyo_honseki")
_FREE = ("yokushi_fuhyo_zenhonseki", "yokushi_fuhyo_zenzenhonseki", "zenjushochitaiofuragu")


def _measures(unit: Unit, made: Measures) -> dict[str, Column]:
    """支援措置: one row, and a second where it was extended."""
    word = unit.book.words
    longer = np.flatnonzero(made.extended < NEVER)
    measure = np.sort(np.r_[np.arange(len(made.applicant)), longer])
    second = run_positions(measure) == 1
    split = made.extended[measure]
    start = np.where(second, split, made.start[measure])
    end = np.where((split < NEVER) & ~second, split - 1, made.end[measure])
    state = np.where((split < NEVER) & ~second, STATES.index("running"), made.state[measure])
    provisional = state == STATES.index("provisional")
    person = made.applicant[measure]
    office = office_codes(unit.book, _town(unit, person))
    yes, no = unit.book.yes_no
    restricted = dict.fromkeys(_RESTRICTED, same(yes, len(measure)))
    free = dict.fromkeys(_FREE, same(no, len(measure)))
    return {
        "shiensochibango": _number(unit, measure),
        "rirekibango": whole(second + 1),
        "shiteitoshi_gyoseikutokodo": _ward(unit, person),
        "moshidesha_atenabango": pick(unit.number, person),
        "shiensochikubun": pick(
            [word("shiensochi.shiensochikubun", name) for name in KINDS], made.kind[measure]
        ),
        "shiensochijotai": pick([word("shiensochi.shiensochijotai", name) for name in STATES], state),
        "moshidenengappi": days.written(made.asked[measure]),
        "karishiensochifuragu": flag(provisional, yes, no),
        "karishiensochikaishinengappi": days.written(start, ~provisional),
        "shiensochikaishinengappi": days.written(start, provisional),
        "shiensochishuryonengappi": days.written(end, provisional),
        "enchokaisu": whole(second * 1),
        **restricted,
        "yokushi_utsushi_zenjusho": flag(measure % 2 == 0, yes, no),
        **free,
        "toshouketsukeshikuchosonkodo": _ward(unit, person),
        "uketsukebashokodo": office,
        **_operated(unit, office, start),
        "valid_from": days.dates(start),
        "valid_to": days.dates(np.where(second, NEVER, split)),
    }


def _person(unit: Unit, person: Ints) -> dict[str, Column]:
    """Name, birth and sex of people as the support groups hold them."""
    sexes = [unit.book.words("jumin.seibetsu", name) for name in ("man", "woman")]
    day, doubt, words = (pick(column, person) for column in uncertain.births(unit))
    return {
        "shimei": pick(unit.names, person),
        "seinengappi": day,
        "seinengappi_fushofuragu": doubt,
        "seinengappi_fushohyoki": words,
        "seibetsu": pick(sexes, unit.persons.sex[person] - MAN),
    }


def _protected(unit: Unit, made: Measures) -> dict[str, Column]:
    """支援措置対象者: the applicant, then the children protected with them."""
    with_measure, with_person = together(unit)
    measure = np.r_[np.arange(len(made.applicant)), with_measure]
    person = np.r_[made.applicant, with_person]
    order = np.argsort(measure, kind="stable")
    measure, person = measure[order], person[order]
    serial = run_positions(measure)
    word, place = unit.book.words, "shiensochi_taishosha.taishoshakubun"
    family = unit.persons
    kana = texts.full_kana(unit.book, family.nation[person], family.surname[person], family.given[person])
    return {
        "shiensochibango": _number(unit, measure),
        "taishosharenban": whole(serial + 1),
        "rirekibango": whole(np.ones(len(person), dtype=np.int64)),
        "shiteitoshi_gyoseikutokodo": _ward(unit, made.applicant[measure]),
        "taishoshakubun": flag(serial == 0, word(place, "applicant"), word(place, "together")),
        "atenabango": pick(unit.number, person),
        **_person(unit, person),
        "shimei_furigana": kana,
        "moshideshatonokankei": only(serial > 0, same(CHILD, len(person))),
        "jusho_hyoki": _where(unit, person),
        "valid_from": days.dates(made.start[measure]),
        "valid_to": days.dates(np.full(len(person), NEVER)),
    }


def _where(unit: Unit, person: Ints) -> Column:
    """The present, or last, address in the city in one text."""
    home, table = unit.homes, unit.book.table
    household = unit.persons.household[person]
    place = home.offset[household] + home.moves[household]
    town = home.addresses.town[place]
    number = pick(texts.address_numbers(unit.book, home.addresses), place)
    return join(pick(table.prefecture, town), pick(table.city, town), pick(table.town, town), number)


def _aggressors(unit: Unit, made: Measures) -> dict[str, Column]:
    """加害者等: most are on the register of the city, now or formerly."""
    person = made.aggressor
    former = unit.persons.household[person] == unit.persons.household[made.applicant]
    size = len(person)
    return {
        "shiensochibango": _number(unit, np.arange(size)),
        "kagaisharenban": whole(np.ones(size, dtype=np.int64)),
        "rirekibango": whole(np.ones(size, dtype=np.int64)),
        "shiteitoshi_gyoseikutokodo": _ward(unit, made.applicant),
        "kagaisha_atenabango": pick(unit.number, person),
        **_person(unit, person),
        "jusho_hyoki": only(~former, _where(unit, person)),
        "moshideshatonokankei": choose(former, same(FORMER_SPOUSE, size), same(ACQUAINTANCE, size)),
        "valid_from": days.dates(made.start),
        "valid_to": days.dates(np.full(size, NEVER)),
    }


def _restrictions(unit: Unit, made: Measures) -> dict[str, Column]:
    """抑止: one for each protected person; it stays until an officer lifts it."""
    with_measure, with_person = together(unit)
    measure = np.r_[np.arange(len(made.applicant)), with_measure]
    person = np.r_[made.applicant, with_person]
    # Somebody may be protected twice; one restriction is enough, and the one that still runs counts.
    order = np.argsort(made.state[measure] == STATES.index("ended"), kind="stable")
    measure, person = measure[order], person[order]
    first = np.unique(person, return_index=True)[1]
    measure, person = measure[first], person[first]
    lifted = made.state[measure] == STATES.index("ended")
    start, end = made.start[measure], made.end[measure]
    word = unit.book.words
    yes, no = unit.book.yes_no
    office = office_codes(unit.book, _town(unit, person))
    size = len(person)
    done = np.minimum(end + 1, unit.book.today)
    return {
        "yokushibango": numbers.fixed((unit.plan.index + 1) * 10**5 + np.arange(size), 10),
        "rirekibango": whole(np.ones(size, dtype=np.int64)),
        "shiteitoshi_gyoseikutokodo": _ward(unit, person),
        "yokushishubetsu": same(word("yokushi.yokushishubetsu", "support"), size),
        "yokushitani": same(word("yokushi.yokushitani", "person"), size),
        "yokushitaisho_atenabango": pick(unit.number, person),
        "yokushishori": same(word("yokushi.yokushishori", "issue"), size),
        "yokushireberu": same(word("yokushi.yokushireberu", "error"), size),
        "yokushikaishinengappi": days.written(start),
        "yokushishuryonengappi": days.written(end, made.state[measure] == STATES.index("provisional")),
        "yokushikaijofuragu": flag(lifted, yes, no),
        "yokushikaijonengappi": days.written(done, ~lifted),
        "ichijikaijofuragu": same(no, size),
        **_operated(unit, office, start),
        "valid_from": days.dates(start),
        "valid_to": days.dates(np.where(lifted, np.maximum(done, start + 1), NEVER)),
    }
