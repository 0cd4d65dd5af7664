"""Check digits of the numbers that identify people, households and municipalities.

The arithmetic is a weighted sum and a remainder, so that callers with columns can repeat it from the weights
named here. Numbers are strings of ASCII digits: leading zeros belong to them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kiban.kernel.problem import Problem

ATENABANGO_WEIGHTS = (2, 3, 4, 5, 6, 7)
"""Weights from the right, repeated: modulus 11, weights 2 to 7 (住民記録システム標準仕様書 1.1.13)."""

KOJINBANGO_WEIGHTS = (2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6)
"""Weights from the right: n + 1 for the first six, n - 5 for the others (平成26年総務省令第85号5条)."""

LOCAL_GOVERNMENT_WEIGHTS = (2, 3, 4, 5, 6)
"""Weights from the right of the five-digit body (全国地方公共団体コード)."""

REMAINDER_ONE_UNSET = None
"""The standard does not say what follows from remainder 1, where 11 - 1 has two digits."""

ATENABANGO_DIGITS = 15
"""The longest 宛名番号 or 世帯番号, check digit included."""

_DIGITS = re.compile(r"[0-9]+", re.ASCII)


def weighted_sum(body: str, weights: Sequence[int]) -> int:
    """Sum of digit times weight, taken from the right; weights repeat where the body is longer.

    >>> weighted_sum("1234", (2, 3, 4, 5, 6, 7))
    30

    Raises:
        Problem: `check-digit-body` where the body is not a run of ASCII digits.
    """
    if not _DIGITS.fullmatch(body):
        raise Problem("check-digit-body", "the number is not a run of digits", fix="give digits 0 to 9 only")
    return sum(int(digit) * weights[i % len(weights)] for i, digit in enumerate(reversed(body)))


def atenabango_check_digit(body: str, *, remainder_one: str | None = REMAINDER_ONE_UNSET) -> str:
    """Check digit of a 宛名番号: modulus 11, weights 2 to 7 from the right, remainder 0 gives 0.

    >>> atenabango_check_digit("1234")
    '3'

    Args:
        body: the serial number without its check digit, leading zeros allowed.
        remainder_one: the digit a city uses where the remainder is 1; the standard does not state one.

    Raises:
        Problem: `check-digit-unset` where the remainder is 1 and the city has no rule for it;
            `check-digit-rule` where that rule is not one digit; `check-digit-body`.
    """
    remainder = weighted_sum(body, ATENABANGO_WEIGHTS) % 11
    if remainder == 0:
        return "0"
    if remainder > 1:
        return str(11 - remainder)
    if remainder_one is None:
        raise Problem(
            "check-digit-unset",
            "the remainder is 1, for which the standard states no check digit",
            fix="skip this serial (next_atenabango does), or set the city's rule for remainder 1",
        )
    if not re.fullmatch(r"[0-9]", remainder_one, re.ASCII):
        raise Problem(
            "check-digit-rule", "the rule for remainder 1 is not one digit", fix="give one digit 0 to 9"
        )
    return remainder_one


def is_valid_atenabango(number: str, *, remainder_one: str | None = REMAINDER_ONE_UNSET) -> bool:
    """Whether the last digit of a 宛名番号 is its check digit.

    Legacy numbers are never renumbered and may fail. Without a rule for remainder 1, its numbers do fail.

    >>> is_valid_atenabango("12343"), is_valid_atenabango("12344")
    (True, False)
    """
    if len(number) < 2 or not _DIGITS.fullmatch(number):
        return False
    if weighted_sum(number[:-1], ATENABANGO_WEIGHTS) % 11 == 1 and remainder_one is None:
        return False
    return atenabango_check_digit(number[:-1], remainder_one=remainder_one) == number[-1]


def next_atenabango(
    serial: int, *, digits: int = ATENABANGO_DIGITS, remainder_one: str | None = REMAINDER_ONE_UNSET
) -> tuple[str, int]:
    """The first 宛名番号 at or after a serial, and the serial it took; ask next for that serial plus one.

    Serials whose remainder is 1 are skipped while the city has no rule for them: about one in eleven.

    >>> next_atenabango(1, digits=8)
    ('00000019', 1)
    >>> next_atenabango(6, digits=8)
    ('00000078', 7)

    Args:
        serial: 0 or more.
        digits: length of the whole number, zero-padded, check digit included; 2 to 15.
        remainder_one: see `atenabango_check_digit`.

    Raises:
        Problem: `serial-out-of-range` where the serial is negative or has no room in the digits.
    """
    while 0 <= serial < 10 ** (digits - 1) and 2 <= digits <= ATENABANGO_DIGITS:
        body = str(serial).zfill(digits - 1)
        if remainder_one is not None or weighted_sum(body, ATENABANGO_WEIGHTS) % 11 != 1:
            return body + atenabango_check_digit(body, remainder_one=remainder_one), serial
        serial += 1
    raise Problem(
        "serial-out-of-range",
        f"no serial from {serial} on fits a number of {digits} digits",
        fix=f"use serials of 0 or more and numbers of 2 to {ATENABANGO_DIGITS} digits",
    )


setaibango_check_digit = atenabango_check_digit
"""The 世帯番号 follows the rule of the 宛名番号."""
is_valid_setaibango = is_valid_atenabango
"""The 世帯番号 follows the rule of the 宛名番号."""
next_setaibango = next_atenabango
"""The 世帯番号 follows the rule of the 宛名番号."""


def kojinbango_check_digit(body: str) -> str:
    """Check digit of a 個人番号 (My Number): 11 less the remainder by 11; remainders 0 and 1 give 0.

    Source: 平成26年総務省令第85号 第5条.

    >>> kojinbango_check_digit("12345678901")
    '8'

    Raises:
        Problem: `check-digit-body` where the body is not 11 digits.
    """
    _need(body, 11)
    remainder = weighted_sum(body, KOJINBANGO_WEIGHTS) % 11
    return "0" if remainder <= 1 else str(11 - remainder)


def is_valid_kojinbango(number: str) -> bool:
    """Whether a text is twelve digits of which the last is the check digit of a 個人番号."""
    return _is_digits(number, 12) and kojinbango_check_digit(number[:-1]) == number[-1]


def juminhyokodo_check_digit(body: str) -> str:
    """Check digit of a 住民票コード of ten digits and one.

    Unconfirmed: the weights of the 個人番号 reproduce the one published sample known to us; the notice itself
    has not been seen. Report a failing code, do not refuse it.

    Raises:
        Problem: `check-digit-body` where the body is not 10 digits.
    """
    _need(body, 10)
    remainder = weighted_sum(body, KOJINBANGO_WEIGHTS) % 11
    return "0" if remainder <= 1 else str(11 - remainder)


def is_valid_juminhyokodo(number: str) -> bool:
    """Whether a text is eleven digits ending in the (unconfirmed) check digit of a 住民票コード."""
    return _is_digits(number, 11) and juminhyokodo_check_digit(number[:-1]) == number[-1]


def local_government_check_digit(body: str) -> str:
    """Check digit of a 全国地方公共団体コード: the last digit of 11 less the remainder by 11.

    >>> local_government_check_digit("28101")  # 神戸市東灘区
    '8'

    Raises:
        Problem: `check-digit-body` where the body is not 5 digits.
    """
    _need(body, 5)
    return str((11 - weighted_sum(body, LOCAL_GOVERNMENT_WEIGHTS) % 11) % 10)


def is_valid_local_government_code(code: str) -> bool:
    """Whether a text is six digits of which the last is the check digit of a 全国地方公共団体コード."""
    return _is_digits(code, 6) and local_government_check_digit(code[:-1]) == code[-1]


def _is_digits(text: str, length: int) -> bool:
    return len(text) == length and _DIGITS.fullmatch(text) is not None


def _need(body: str, length: int) -> None:
    if not _is_digits(body, length):
        raise Problem(
            "check-digit-body",
            f"the body of the number is not {length} digits",
            fix="leave the check digit off",
        )
