"""Check digits: published samples, what they catch, and what the standard leaves open."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kiban import kernel
from kiban.kernel import Problem

bodies = st.text("0123456789", min_size=1, max_size=14)
positions = st.integers(0, 13)
changes = st.integers(1, 9)


def with_one_digit_changed(number: str, position: int, change: int) -> str:
    at = position % len(number)
    return number[:at] + str((int(number[at]) + change) % 10) + number[at + 1 :]


@given(st.integers(0, 10**13), positions, changes)
def test_one_wrong_digit_in_an_atenabango_is_always_caught(serial: int, position: int, change: int) -> None:
    number, _ = kernel.next_atenabango(serial)
    assert kernel.is_valid_atenabango(number)
    assert not kernel.is_valid_atenabango(with_one_digit_changed(number, position, change))


@given(st.integers(0, 999_998))
def test_only_serials_without_a_check_digit_are_skipped(serial: int) -> None:
    number, taken = kernel.next_atenabango(serial, digits=8)
    assert number[:-1] == f"{taken:07}"
    assert serial <= taken <= serial + 1
    for skipped in range(serial, taken):
        with pytest.raises(Problem) as caught:
            kernel.atenabango_check_digit(f"{skipped:07}")
        assert caught.value.code == "check-digit-unset"


@given(bodies)
def test_remainder_one_has_a_digit_only_by_a_citys_rule(head: str) -> None:
    # The last digit weighs 2; one of ten or none brings the remainder to 1.
    found = [d for d in "0123456789" if kernel.weighted_sum(head + d, kernel.ATENABANGO_WEIGHTS) % 11 == 1]
    assume(found)
    body = head + found[0]
    assert not any(kernel.is_valid_atenabango(body + digit) for digit in "0123456789")
    assert kernel.atenabango_check_digit(body, remainder_one="0") == "0"
    assert kernel.is_valid_atenabango(body + "0", remainder_one="0")
    assert not kernel.is_valid_atenabango(body + "1", remainder_one="0")


def test_a_rule_for_remainder_one_numbers_every_serial() -> None:
    assert kernel.next_atenabango(6, digits=8, remainder_one="0") == ("00000060", 6)


@pytest.mark.parametrize("rule", ["10", "", "x", "１"])
def test_a_rule_for_remainder_one_is_one_digit(rule: str) -> None:
    with pytest.raises(Problem) as caught:
        kernel.atenabango_check_digit("6", remainder_one=rule)
    assert caught.value.code == "check-digit-rule"


def test_remainder_zero_gives_zero() -> None:
    assert kernel.atenabango_check_digit("0") == "0"
    assert kernel.atenabango_check_digit("14") == "0"


@pytest.mark.parametrize(("serial", "digits"), [(-1, 8), (10**7, 8), (0, 1), (0, 16), (99, 3)])
def test_a_serial_without_room_is_refused(serial: int, digits: int) -> None:
    # 99 is the last serial of three digits and has remainder 1: it is skipped, and nothing follows it.
    with pytest.raises(Problem) as caught:
        kernel.next_atenabango(serial, digits=digits)
    assert caught.value.code == "serial-out-of-range"


def test_household_numbers_follow_the_same_rule() -> None:
    number, _ = kernel.next_setaibango(42, digits=10)
    assert kernel.is_valid_setaibango(number)
    assert kernel.setaibango_check_digit(number[:-1]) == number[-1]


def test_the_published_sample_of_a_kojinbango_is_valid() -> None:
    assert kernel.is_valid_kojinbango("123456789018")


@given(st.text("0123456789", min_size=11, max_size=11), positions, changes)
def test_one_wrong_digit_in_a_kojinbango_is_caught_unless_remainders_0_and_1_meet(
    body: str, position: int, change: int
) -> None:
    number = body + kernel.kojinbango_check_digit(body)
    assert kernel.is_valid_kojinbango(number)
    changed = with_one_digit_changed(number, position, change)
    remainders = {
        kernel.weighted_sum(each[:-1], kernel.KOJINBANGO_WEIGHTS) % 11 for each in (number, changed)
    }
    assert kernel.is_valid_kojinbango(changed) == (remainders == {0, 1})


@given(st.text("0123456789", min_size=10, max_size=10))
def test_a_juminhyokodo_has_one_valid_last_digit(body: str) -> None:
    valid = [digit for digit in "0123456789" if kernel.is_valid_juminhyokodo(body + digit)]
    assert valid == [kernel.juminhyokodo_check_digit(body)]


@pytest.mark.parametrize(
    "code", ["281018", "281000", "131016", "011002", "141003", "221309", "271004", "401005", "271403"]
)
def test_codes_of_cities_and_wards_are_valid(code: str) -> None:
    assert kernel.is_valid_local_government_code(code)


@given(st.text("0123456789", min_size=5, max_size=5))
def test_a_local_government_code_has_one_valid_last_digit(body: str) -> None:
    valid = [digit for digit in "0123456789" if kernel.is_valid_local_government_code(body + digit)]
    assert valid == [kernel.local_government_check_digit(body)]


@pytest.mark.parametrize("number", ["", "1", "12a43", "１２３４３", "123 43", "12343\n"])
def test_what_is_no_number_is_not_valid(number: str) -> None:
    assert not kernel.is_valid_atenabango(number)
    assert not kernel.is_valid_kojinbango(number)
    assert not kernel.is_valid_juminhyokodo(number)
    assert not kernel.is_valid_local_government_code(number)


@pytest.mark.parametrize(
    "function",
    [
        kernel.atenabango_check_digit,
        kernel.kojinbango_check_digit,
        kernel.juminhyokodo_check_digit,
        kernel.local_government_check_digit,
    ],
)
def test_a_body_that_is_no_number_is_refused(function) -> None:
    with pytest.raises(Problem) as caught:
        function("12x")
    assert caught.value.code == "check-digit-body"
    assert "12x" not in str(caught.value)
