"""The individual resident tax: a row of 賦課 for each adult resident of 1 January of the last fiscal years."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from kiban.standard import Edition
from kiban.town import days
from kiban.town.arrays import Bools, Floats, Ints
from kiban.town.assumptions import OLDEST
from kiban.town.book import Book
from kiban.town.columns import Column, flag, only, pick, whole
from kiban.town.days import NEVER
from kiban.town.people import Role
from kiban.town.sheet_tax_amounts import (
    EXEMPT,
    ORDINARY,
    PENSION,
    SALARY,
    Family,
    Incomes,
    assess,
    income_limit,
    instalments,
)
from kiban.town.unit import Unit
from kiban.town.words import code_values

GROUP = "kazei"
ADULT, PENSIONER = 18, 65
LARGEST = 500_000_000
"""The standard's amounts have nine digits; no draw comes near to them."""
LARGEST_PENSION = 3_299_999
KINDS = ("課税", "均等割のみ課税", "非課税")
WAYS = ("普通徴収", "給与特別徴収", "年金特別徴収")
REASONS = ("当初賦課", "更正（申告）", "更正（調査）")
FLAGS = ("無", "有")


@dataclass(frozen=True)
class Draws:
    """What is drawn once of each person, so that the years resemble each other; one entry per person.

    Attributes:
        works: share of people of the same age who are likelier to have a salary.
        pay: how far the salary lies from the usual one, in standard deviations.
        retires: like `works`, of a pension.
        benefit: like `pay`, of the pension.
        trades: like `works`, of a business.
        profit: like `pay`, of the business.
        withheld: like `works`, of tax withheld at the source.
    """

    works: Floats
    pay: Floats
    retires: Floats
    benefit: Floats
    trades: Floats
    profit: Floats
    withheld: Floats


def tax_sheets(unit: Unit, edition: Edition) -> dict[str, dict[str, Column]]:
    """The one group of the tax ledger, by the item names of Kiban's first edition."""
    rng, size = unit.stream(6), len(unit.persons.birth)
    draws = Draws(
        rng.random(size), rng.normal(size=size), rng.random(size), rng.normal(size=size),
        rng.random(size), rng.normal(size=size), rng.random(size),
    )  # fmt: skip
    parts = [_year(unit, draws, year, rng) for year in fiscal_years(unit.book)]
    facts = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {GROUP: _columns(unit, edition, facts)}


def fiscal_years(book: Book) -> list[int]:
    """The last fiscal years whose tax was decided on 1 June at the latest, the newest last."""
    newest = book.as_of.year - (book.as_of < date(book.as_of.year, 6, 1))
    return list(range(newest - int(book.given.number("tax.years")) + 1, newest + 1))


def _year(unit: Unit, draws: Draws, year: int, rng: np.random.Generator) -> dict[str, Ints]:
    """The facts of one fiscal year's rows: everybody's first one, then those that corrected some of them."""
    given, birth = unit.book.given, unit.persons.birth
    at = np.flatnonzero((unit.rows.day <= _day(year)) & (unit.rows.until > _day(year)))
    incomes = _incomes(unit, draws, year, rng)
    there = np.zeros(len(birth), dtype=np.bool_)
    there[unit.rows.person[at]] = True
    at = at[birth[unit.rows.person[at]] <= _day(year - ADULT)]
    person = unit.rows.person[at]
    family = _family(unit, there, incomes.net(year)[2], year, person)
    own = Incomes(incomes.salary[person], incomes.pension[person], incomes.business[person])
    more = rng.random(len(person)) < given.number("tax.other_deductions")
    most = given.number("tax.other_deductions_most")
    other = np.where(more, (rng.random(len(person)) * most).astype(np.int64), 0)
    low = np.full(len(person), days.number(date(year, 7, 1)))
    last = np.full(len(person), min(days.number(date(year + 1, 3, 31)), unit.book.today))
    later, drawn = days.between(low, last, rng), rng.random(len(person))
    corrected = (drawn < given.number("tax.corrected")) & (low <= last)
    added = (drawn * 1e9).astype(np.int64) % 400_000 + 50_000
    again = Incomes(own.salary, own.pension, own.business + added)
    decided = np.full(len(person), days.number(date(year, 6, 1)))
    rows = (
        (own, 1, decided, np.where(corrected, later, NEVER), np.zeros_like(at)),
        (again, 2, later, np.full_like(at, NEVER), 1 + added % 2),
    )
    first, second = (
        {
            **_facts(unit, declared, family, other, year, draws.withheld[person]),
            **{"row": at, "year": np.full_like(at, year), "rirekibango": np.full_like(at, number)},
            **{"day": day, "until": until, "reason": reason},
        }
        for declared, number, day, until, reason in rows
    )
    return {name: np.concatenate([first[name], second[name][corrected]]) for name in first}


def _day(year: int) -> int:
    """The day on which a fiscal year's taxpayers are determined (賦課期日)."""
    return days.number(date(year, 1, 1))


def _incomes(unit: Unit, draws: Draws, year: int, rng: np.random.Generator) -> Incomes:
    """Everybody's incomes of the year before, whether they were residents or not."""
    given = unit.book.given
    age = np.clip(days.ages_on(_day(year), unit.persons.birth), 0, OLDEST)
    trend = (1 + given.number("tax.raise")) ** (year - unit.book.as_of.year)
    drift = np.exp(rng.normal(0, given.number("tax.yearly_spread"), len(age)))

    def amount(name: str, far: Floats, usual: Floats | float, has: Bools, most: int) -> Ints:
        drawn = usual * np.exp(given.number(f"tax.{name}_spread") * far) * trend * drift
        return np.where(has, np.minimum(drawn, most), 0).astype(np.int64)

    old = unit.persons.birth <= _day(year - PENSIONER)
    adult = unit.persons.birth <= _day(year - ADULT)
    return Incomes(
        salary=amount(
            "salary",
            draws.pay,
            given.curve("tax.salary")[age],
            draws.works < given.curve("tax.salaried")[age],
            LARGEST,
        ),
        pension=amount(
            "pension",
            draws.benefit,
            given.number("tax.pension"),
            old & (draws.retires < given.number("tax.pensioned")),
            LARGEST_PENSION,
        ),
        business=amount(
            "business",
            draws.profit,
            given.number("tax.business"),
            adult & (draws.trades < given.number("tax.in_business")),
            LARGEST,
        ),
    )


def _family(unit: Unit, there: Bools, income: Ints, year: int, person: Ints) -> Family:
    """Spouses and children without much income, counted once: with whoever of the couple earns more."""
    persons, heads = unit.persons, unit.heads
    limit, home = income_limit(year), persons.household
    spouses = np.flatnonzero(there & (persons.role == Role.SPOUSE) & (np.arange(len(there)) != heads[home]))
    spouse = np.full(len(heads), -1)
    spouse[home[spouses]] = spouses
    couple = (spouse >= 0) & there[heads]
    ahead = couple & (income[spouse] > income[heads]) | ~there[heads]
    earner, partner = np.where(ahead, spouse, heads), np.where(ahead, heads, spouse)
    child = there & (persons.role == Role.CHILD) & (income <= limit) & (persons.birth > _day(year - 23))
    child &= np.arange(len(there)) != earner[home]
    worth = np.select(
        [persons.birth > _day(year - 16), persons.birth > _day(year - 19)], [0, 330_000], 450_000
    )
    members = np.bincount(home[child], minlength=len(heads))
    deduction = np.bincount(home[child], weights=worth[child], minlength=len(heads)).astype(np.int64)
    mine = earner[home[person]] == person
    supports = couple & (income[partner] <= limit) & (income[earner] > income[partner])
    return Family(
        spouse=mine & supports[home[person]],
        members=np.where(mine, members[home[person]], 0),
        deduction=np.where(mine, deduction[home[person]], 0),
    )


def _facts(
    unit: Unit, incomes: Incomes, family: Family, other: Ints, year: int, withheld: Floats
) -> dict[str, Ints]:
    """Amounts of the rows, and the way in which the tax is collected."""
    given = unit.book.given
    earned = incomes.salary + incomes.pension + incomes.business
    insurance = (earned * given.number("tax.insurance")).astype(np.int64)
    from_salary = (incomes.salary > 0) & (withheld < given.number("tax.salary_withheld"))
    from_pension = (incomes.pension > 0) & (incomes.salary + incomes.business == 0)
    from_pension &= withheld < given.number("tax.pension_withheld")
    return {
        **assess(incomes, family, insurance, other, year),
        "way": np.select([from_salary, from_pension], [SALARY, PENSION], ORDINARY),
        "spouse": family.spouse.astype(np.int64),
    }


def _columns(unit: Unit, edition: Edition, facts: dict[str, Ints]) -> dict[str, Column]:
    """The rows as columns; instalments only where the tax is collected in their way."""
    row, taxed = facts["row"], facts["kazeikubun"] != EXEMPT
    years = [str(year) for year in range(int(facts["year"].max(initial=0)) + 1)]
    no, yes = code_values(edition, GROUP, "doitsuseikeihaigushafuragu", FLAGS)
    plain = ("row", "year", "day", "until", "reason", "way", "spouse", "kazeikubun")
    paid = {
        name: only(taxed & (facts["way"] == way), whole(amount))
        for way, amounts in instalments(facts["nenzeigaku"]).items()
        for name, amount in amounts.items()
    }
    return {
        "atenabango": pick(unit.number, unit.rows.person[row]),
        "kazeinendo": pick(years, facts["year"]),
        "fukanendo": pick(years, facts["year"]),
        "shiteitoshi_gyoseikutokodo": pick(
            unit.book.table.code, unit.homes.addresses.town[unit.rows.address[row]]
        ),
        "fukaketteinengappi": days.written(facts["day"]),
        "koseijiyu": pick(code_values(edition, GROUP, "koseijiyu", REASONS), facts["reason"]),
        "kazeikubun": pick(code_values(edition, GROUP, "kazeikubun", KINDS), facts["kazeikubun"]),
        "choshuhoho": pick(code_values(edition, GROUP, "choshuhoho", WAYS), facts["way"], taxed),
        "doitsuseikeihaigushafuragu": flag(facts["spouse"] == 1, yes, no),
        **{name: whole(amount) for name, amount in facts.items() if name not in plain},
        **paid,
        "valid_from": days.dates(facts["day"]),
        "valid_to": days.dates(facts["until"]),
    }
