"""The words every room speaks. Pure: standard library and its own tables only, no clock, no network."""

from kiban.kernel.actor import ALL_BUSINESSES, ALL_WARDS, Actor, Ward
from kiban.kernel.check_digits import (
    ATENABANGO_DIGITS,
    ATENABANGO_WEIGHTS,
    KOJINBANGO_WEIGHTS,
    LOCAL_GOVERNMENT_WEIGHTS,
    atenabango_check_digit,
    is_valid_atenabango,
    is_valid_juminhyokodo,
    is_valid_kojinbango,
    is_valid_local_government_code,
    is_valid_setaibango,
    juminhyokodo_check_digit,
    kojinbango_check_digit,
    local_government_check_digit,
    next_atenabango,
    next_setaibango,
    setaibango_check_digit,
    weighted_sum,
)
from kiban.kernel.dates import AgeRule, UncertainDate
from kiban.kernel.eras import FIRST_GREGORIAN_DAY, Era, era_named, eras
from kiban.kernel.fiscal import FiscalStyle, fiscal_wareki, fiscal_year
from kiban.kernel.moments import JAPAN, day_of, moments, stamp
from kiban.kernel.numerals import KANJI_NUMERALS, number_of
from kiban.kernel.period import AsOf, Period
from kiban.kernel.problem import Problem, Problems
from kiban.kernel.wareki import Wareki, parse_wareki, wareki, warekis
from kiban.kernel.written_dates import DateKind
from kiban.kernel.yen import (
    MAX_YEN,
    MIN_YEN,
    Rounding,
    instalments,
    rounded,
    times,
    yen,
    yen_not_negative,
)

__all__ = [
    "ALL_BUSINESSES",
    "ALL_WARDS",
    "ATENABANGO_DIGITS",
    "ATENABANGO_WEIGHTS",
    "FIRST_GREGORIAN_DAY",
    "JAPAN",
    "KANJI_NUMERALS",
    "KOJINBANGO_WEIGHTS",
    "LOCAL_GOVERNMENT_WEIGHTS",
    "MAX_YEN",
    "MIN_YEN",
    "Actor",
    "AgeRule",
    "AsOf",
    "DateKind",
    "Era",
    "FiscalStyle",
    "Period",
    "Problem",
    "Problems",
    "Rounding",
    "UncertainDate",
    "Ward",
    "Wareki",
    "atenabango_check_digit",
    "day_of",
    "era_named",
    "eras",
    "fiscal_wareki",
    "fiscal_year",
    "instalments",
    "is_valid_atenabango",
    "is_valid_juminhyokodo",
    "is_valid_kojinbango",
    "is_valid_local_government_code",
    "is_valid_setaibango",
    "juminhyokodo_check_digit",
    "kojinbango_check_digit",
    "local_government_check_digit",
    "moments",
    "next_atenabango",
    "next_setaibango",
    "number_of",
    "parse_wareki",
    "rounded",
    "setaibango_check_digit",
    "stamp",
    "times",
    "wareki",
    "warekis",
    "weighted_sum",
    "yen",
    "yen_not_negative",
]
