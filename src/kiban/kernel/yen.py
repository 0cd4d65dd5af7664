"""Whole yen: range, and the roundings by the names the tax laws give them.

Amounts are plain int in the range of a signed 64-bit integer. Products keep their fraction exactly: a rate is
two integers. Formulas over whole columns live elsewhere and follow the same names.
"""

from __future__ import annotations

from enum import Enum

from kiban.kernel.problem import Problem

MAX_YEN = 2**63 - 1
"""The largest amount that a register, an Arrow column or a sum of them holds."""
MIN_YEN = -(2**63)
"""The smallest."""


class Rounding(Enum):
    """What becomes of a fraction (端数). The value is the unit in yen and the direction.

    Attributes:
        BELOW_1_DOWN: 1円未満切捨て.
        BELOW_1_UP: 1円未満切上げ.
        BELOW_1_HALF_UP: 1円未満四捨五入.
        BELOW_10_DOWN: 10円未満切捨て.
        BELOW_10_UP: 10円未満切上げ.
        BELOW_100_DOWN: 100円未満切捨て, of a tax (地方税法20条の4の2第3項; article not re-read).
        BELOW_100_UP: 100円未満切上げ.
        BELOW_1000_DOWN: 1,000円未満切捨て, of a tax base (same article, paragraph 1).
    """

    BELOW_1_DOWN = (1, "down")
    BELOW_1_UP = (1, "up")
    BELOW_1_HALF_UP = (1, "half up")
    BELOW_10_DOWN = (10, "down")
    BELOW_10_UP = (10, "up")
    BELOW_100_DOWN = (100, "down")
    BELOW_100_UP = (100, "up")
    BELOW_1000_DOWN = (1000, "down")

    @property
    def unit(self) -> int:
        """The unit in yen; results are multiples of it."""
        return self.value[0]

    @property
    def direction(self) -> str:
        """Where fractions of the unit go: down, up, or half up."""
        return self.value[1]


def yen(amount: int) -> int:
    """The amount itself, proved to be a whole number in range.

    Raises:
        Problem: `yen-not-whole` for anything but an int; `yen-out-of-range` beyond 64 bits.
    """
    if type(amount) is not int:
        raise Problem("yen-not-whole", "an amount is not a whole number of yen", fix="use int")
    if not MIN_YEN <= amount <= MAX_YEN:
        raise Problem("yen-out-of-range", "an amount does not fit in 64 bits", fix="check units and factors")
    return amount


def yen_not_negative(amount: int) -> int:
    """The amount itself, proved to be zero or more.

    Raises:
        Problem: `yen-negative` below zero; else the problems of `yen`.
    """
    if yen(amount) < 0:
        raise Problem("yen-negative", "an amount is below zero", fix="take deductions only down to zero")
    return amount


def rounded(amount: int, rounding: Rounding) -> int:
    """An amount brought to a multiple of the rounding's unit.

    >>> rounded(123_456, Rounding.BELOW_1000_DOWN), rounded(99, Rounding.BELOW_100_DOWN)
    (123000, 0)

    Raises:
        Problem: `yen-negative`, since no law says where a negative fraction goes; else those of `yen`.
    """
    return times(amount, 1, 1, rounding)


def times(amount: int, numerator: int, denominator: int, rounding: Rounding) -> int:
    """An amount times a rate given as two integers, rounded once.

    >>> times(1_234_000, 6, 100, Rounding.BELOW_1_DOWN)
    74040

    Args:
        amount: yen, zero or more.
        numerator: of the rate, zero or more.
        denominator: of the rate, one or more.
        rounding: what becomes of the fraction.

    Raises:
        Problem: `rate-invalid` where the rate is negative or has no denominator; `yen-negative`;
            else the problems of `yen`, also for the result.
    """
    yen_not_negative(amount)
    if numerator < 0 or denominator < 1:
        raise Problem(
            "rate-invalid", "a rate is negative or its denominator is not positive", fix="correct it"
        )
    exact, unit = amount * numerator, denominator * rounding.unit
    whole, rest = divmod(exact, unit)
    if (rounding.direction == "up" and rest) or (rounding.direction == "half up" and 2 * rest >= unit):
        whole += 1
    return yen(whole * rounding.unit)


def instalments(total: int, count: int, unit: Rounding) -> list[int]:
    """A total in equal parts, fractions of the unit added to the first (最初の納期に合算).

    >>> instalments(100_500, 4, Rounding.BELOW_1000_DOWN)
    [25500, 25000, 25000, 25000]

    Args:
        total: yen, zero or more.
        count: number of parts, one or more.
        unit: a rounding down, such as `BELOW_1000_DOWN` (普通徴収).

    Raises:
        Problem: `instalments-invalid` without a part, or with a rounding that is not down; or of `yen`.
    """
    if count < 1 or unit.direction != "down":
        raise Problem(
            "instalments-invalid",
            "instalments need one part or more, and a rounding down",
            fix="correct them",
        )
    each = times(total, 1, count, unit)
    return [total - each * (count - 1)] + [each] * (count - 1)
