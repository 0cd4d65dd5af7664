"""Whole yen, rounded once and by name."""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban.kernel import (
    MAX_YEN,
    MIN_YEN,
    Problem,
    Rounding,
    instalments,
    rounded,
    times,
    yen,
    yen_not_negative,
)

amounts = st.integers(0, 10**13)


@given(amounts, st.integers(0, 10_000), st.integers(1, 10_000), st.sampled_from(Rounding))
def test_a_product_is_the_exact_one_rounded_once(
    amount: int, top: int, bottom: int, rounding: Rounding
) -> None:
    exact = Fraction(amount * top, bottom * rounding.unit)
    expected = {"down": floor(exact), "up": ceil(exact), "half up": floor(exact + Fraction(1, 2))}
    assert times(amount, top, bottom, rounding) == expected[rounding.direction] * rounding.unit


@given(amounts, st.sampled_from(Rounding))
def test_rounding_twice_changes_nothing(amount: int, rounding: Rounding) -> None:
    once = rounded(amount, rounding)
    assert rounded(once, rounding) == once
    assert once % rounding.unit == 0


@pytest.mark.parametrize(
    ("amount", "rounding", "result"),
    [
        (123_456, Rounding.BELOW_1000_DOWN, 123_000),
        (999, Rounding.BELOW_1000_DOWN, 0),
        (123_456, Rounding.BELOW_100_DOWN, 123_400),
        (123_401, Rounding.BELOW_100_UP, 123_500),
        (123_456, Rounding.BELOW_10_DOWN, 123_450),
        (123_451, Rounding.BELOW_10_UP, 123_460),
        (123_456, Rounding.BELOW_1_DOWN, 123_456),
    ],
)
def test_the_roundings_do_what_their_names_say(amount: int, rounding: Rounding, result: int) -> None:
    assert rounded(amount, rounding) == result


def test_half_a_yen_goes_up_only_where_the_name_says_so() -> None:
    assert times(1, 1, 2, Rounding.BELOW_1_HALF_UP) == 1
    assert times(1, 1, 2, Rounding.BELOW_1_DOWN) == 0
    assert times(1, 1, 3, Rounding.BELOW_1_HALF_UP) == 0
    assert times(1, 1, 3, Rounding.BELOW_1_UP) == 1


@given(amounts, st.integers(1, 12), st.sampled_from([r for r in Rounding if r.direction == "down"]))
def test_instalments_add_up_and_only_the_first_holds_fractions(
    total: int, count: int, unit: Rounding
) -> None:
    parts = instalments(total, count, unit)
    assert len(parts) == count
    assert sum(parts) == total
    assert len(set(parts[1:])) <= 1
    assert all(part % unit.unit == 0 for part in parts[1:])
    assert parts[0] == max(parts)


@pytest.mark.parametrize(("count", "unit"), [(0, Rounding.BELOW_1_DOWN), (4, Rounding.BELOW_1_UP)])
def test_instalments_need_a_part_and_a_rounding_down(count: int, unit: Rounding) -> None:
    with pytest.raises(Problem) as caught:
        instalments(1000, count, unit)
    assert caught.value.code == "instalments-invalid"


@pytest.mark.parametrize("amount", [MIN_YEN, -1, 0, MAX_YEN])
def test_amounts_in_64_bits_are_yen(amount: int) -> None:
    assert yen(amount) == amount


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (MAX_YEN + 1, "yen-out-of-range"),
        (MIN_YEN - 1, "yen-out-of-range"),
        (1.0, "yen-not-whole"),
        (True, "yen-not-whole"),
    ],
)
def test_anything_else_is_not(amount, code: str) -> None:
    with pytest.raises(Problem) as caught:
        yen(amount)
    assert caught.value.code == code


def test_no_name_says_where_a_negative_fraction_goes() -> None:
    with pytest.raises(Problem) as caught:
        rounded(-1, Rounding.BELOW_100_DOWN)
    assert caught.value.code == "yen-negative"
    assert yen_not_negative(0) == 0


@pytest.mark.parametrize(("top", "bottom"), [(-1, 2), (1, 0), (1, -2)])
def test_a_rate_is_a_positive_fraction(top: int, bottom: int) -> None:
    with pytest.raises(Problem) as caught:
        times(100, top, bottom, Rounding.BELOW_1_DOWN)
    assert caught.value.code == "rate-invalid"


def test_a_product_beyond_64_bits_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        times(MAX_YEN, 2, 1, Rounding.BELOW_1_DOWN)
    assert caught.value.code == "yen-out-of-range"
