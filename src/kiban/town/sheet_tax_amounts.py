"""Amounts of one tax row in whole yen: simple forms whose sums agree, not an assessment under the law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiban.town.arrays import Bools, Ints

FOREST_TAX = 2024
"""First fiscal year of the forest environment tax (森林環境税); 500 yen each left the flat amounts then."""
CITY_EIGHT = 2018
"""First fiscal year in which a designated city takes 8 of the 10 per cent."""
RAISED_ALLOWANCE = 2026
"""First fiscal year with the larger salary allowance and the higher limit for dependants."""
ORDINARY, SALARY, PENSION = 0, 1, 2
TAXED, FLAT_ONLY, EXEMPT = 0, 1, 2
FLAT_ENDS = (1_620_000, 1_622_000, 1_624_000, 1_628_000)
FLAT_SALARIES = (1_069_000, 1_070_000, 1_072_000, 1_074_000)
"""Before the larger allowance the table had these steps between its two forms (所得税法別表第五)."""
BASIC = (430_000, 290_000, 150_000, 0)
BASIC_STEPS = (24_000_000, 24_500_000, 25_000_000)
SPOUSE = (330_000, 220_000, 110_000, 0)
SPOUSE_STEPS = (9_000_000, 9_500_000, 10_000_000)


@dataclass(frozen=True)
class Incomes:
    """Gross amounts of the year before the fiscal year, one entry per person, in yen.

    Attributes:
        salary: 給与収入.
        pension: 公的年金等収入, of people of 65 and over, below 3,300,000.
        business: 営業等所得, expenses already taken off.
    """

    salary: Ints
    pension: Ints
    business: Ints

    def net(self, year: int) -> tuple[Ints, Ints, Ints]:
        """給与所得 and 公的年金等所得 of a fiscal year, and the sum of all."""
        salary = net_salary(self.salary, year)
        pension = np.maximum(self.pension - 1_100_000, 0)
        return salary, pension, salary + pension + self.business


@dataclass(frozen=True)
class Family:
    """Whom a taxpayer supports, one entry per taxpayer.

    Attributes:
        spouse: has a spouse without much income (同一生計配偶者).
        members: other dependants (扶養親族), those under 16 included.
        deduction: 扶養控除, in yen.
    """

    spouse: Bools
    members: Ints
    deduction: Ints


def net_salary(gross: Ints, year: int) -> Ints:
    """給与所得: the salary less its allowance, by steps of 4,000 yen below 6.6 million."""
    least, until = (650_000, 1_900_000) if year >= RAISED_ALLOWANCE else (550_000, 1_619_000)
    step = gross // 4_000 * 4_000
    ends = (until, *FLAT_ENDS, 1_800_000, 3_600_000, 6_600_000, 8_500_000)
    return np.select(
        [gross < end for end in ends],
        [
            np.maximum(gross - least, 0),
            *FLAT_SALARIES,
            step * 6 // 10 + 100_000,
            step * 7 // 10 - 80_000,
            step * 8 // 10 - 440_000,
            gross * 9 // 10 - 1_100_000,
        ],
        gross - 1_950_000,
    )


def income_limit(year: int) -> int:
    """The 合計所得金額 up to which somebody is a dependant."""
    return 580_000 if year >= RAISED_ALLOWANCE else 480_000


def assess(incomes: Incomes, family: Family, insurance: Ints, other: Ints, year: int) -> dict[str, Ints]:
    """Every amount of the rows of one fiscal year, by romaji; `kazeikubun` as TAXED, FLAT_ONLY or EXEMPT.

    Args:
        incomes: of the taxpayers.
        family: likewise.
        insurance: 社会保険料控除.
        other: その他の所得控除.
        year: fiscal year.
    """
    salary, pension, total = incomes.net(year)
    basic = np.array(BASIC)[np.searchsorted(BASIC_STEPS, total)]
    spouse = np.where(family.spouse, np.array(SPOUSE)[np.searchsorted(SPOUSE_STEPS, total)], 0)
    deductions = insurance + spouse + family.deduction + basic + other
    supported = family.members + family.spouse
    limit = 350_000 * (supported + 1) + 100_000
    rated = total > limit + np.where(supported > 0, 320_000, 0)
    flat = total > limit + np.where(supported > 0, 210_000, 0)
    base = np.where(rated, np.maximum(total - deductions, 0) // 1_000 * 1_000, 0)
    city_rate, prefecture_rate = (8, 2) if year >= CITY_EIGHT else (6, 4)
    city_flat, prefecture_flat, forest = (3_000, 1_000, 1_000) if year >= FOREST_TAX else (3_500, 1_500, 0)
    amounts = {
        "shiminzei_kintowari": flat * city_flat,
        "shiminzei_shotokuwari": base * city_rate // 10_000 * 100,
        "kenminzei_kintowari": flat * prefecture_flat,
        "kenminzei_shotokuwari": base * prefecture_rate // 10_000 * 100,
        "shinrinkankyozei": flat * forest,
    }
    by_income = amounts["shiminzei_shotokuwari"] + amounts["kenminzei_shotokuwari"]
    return {
        "kazeikubun": np.select([by_income > 0, flat], [TAXED, FLAT_ONLY], EXEMPT),
        "kyuyoshunyu": incomes.salary,
        "kyuyoshotoku": salary,
        "kotekinenkintoshunyu": incomes.pension,
        "kotekinenkintoshotoku": pension,
        "eigyotoshotoku": incomes.business,
        "soshotokukingaku": total,
        "gokeishotokukingaku": total,
        "fuyoshinzokusu": family.members,
        "shakaihokenryokojo": insurance,
        "haigushakojo": spouse,
        "fuyokojo": family.deduction,
        "kisokojo": basic,
        "sonotanoshotokukojo": other,
        "shotokukojogokei": deductions,
        "kazeihyojungaku": base,
        **amounts,
        "nenzeigaku": np.sum(list(amounts.values()), axis=0),
    }


def instalments(total: Ints) -> dict[int, dict[str, Ints]]:
    """The year's tax in instalments by way of collection; what does not divide evenly comes first."""
    quarter = total // 4 // 1_000 * 1_000
    month, payment = total // 12 // 100 * 100, total // 6 // 100 * 100
    return {
        ORDINARY: {
            "kibetsuzeigaku_1ki": total - 3 * quarter,
            **{f"kibetsuzeigaku_{number}ki": quarter for number in (2, 3, 4)},
        },
        SALARY: {
            "tokubetsuchoshuzeigaku_6gatsu": total - 11 * month,
            "tokubetsuchoshuzeigaku_7gatsuiko": month,
        },
        PENSION: {
            "nenkintokubetsuchoshuzeigaku_shokai": total - 5 * payment,
            "nenkintokubetsuchoshuzeigaku_2kaiiko": payment,
        },
    }
