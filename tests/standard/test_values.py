"""Whether one value fits its item, and the same rules as plain data."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban import standard

BASE = standard.Item(
    "90100001", "項目", "komoku", "群", False, False, ("", "", ""), "X", 5, None, None, None, "任意"
)
CODES = standard.CodeList("1", "区分", (standard.Code("1", "一"), standard.Code("2", "二")))


def _item(kind: str, digits: int | None = 5, scale: int | None = None, **more: object) -> standard.Item:
    return replace(BASE, type=kind, digits=digits, scale=scale, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (_item("X"), "AB-12"),
        (_item("X"), "ｱｲｳ"),
        (_item("N"), "佐藤　一郎"),
        (_item("N", 2), "葛\U000e0100城\U000e0101"),
        (_item("N", 2), "神\ufe00戸"),
        (_item("9"), "00042"),
        (_item("S9"), "-12345"),
        (_item("9V", 3, 2), "123.45"),
        (_item("9V", 3, 2), "7"),
        (_item("YEAR", 4), "0000"),
        (_item("DATE", 10), "0000-01-01"),
        (_item("DATE", 10), "9999-12-31"),
        (_item("DATE", 10), "2024-02-29"),
        (_item("DATE", 10, allows_unknown_date=True), "1945-00-00"),
        (_item("DATE", 10, allows_unknown_date=True), "1903-02-29"),
        (_item("TIME", 8), "09:00:00"),
        (_item("TIME", 8), "23:59"),
        (_item("BLOB", None), "iVBORw0KGgo="),
        (_item("X"), ""),
    ],
)
def test_a_value_in_its_written_form_fits(item: standard.Item, text: str) -> None:
    assert standard.check_value(item, text) is None


@pytest.mark.parametrize(
    ("item", "text", "code"),
    [
        (_item("X"), "123456", "value-too-long"),
        (_item("X"), "佐藤", "value-type"),
        (_item("X"), "a\nb", "value-type"),
        (_item("X"), "ab\n", "value-type"),
        (_item("N"), "ABC", "value-type"),
        (_item("N"), "ｱ", "value-type"),
        (_item("N", 2), "三文字", "value-too-long"),
        (_item("9"), "-1", "value-type"),
        (_item("9"), "123456", "value-type"),
        (_item("9"), "１２", "value-type"),
        (_item("S9"), "+1", "value-type"),
        (_item("9V", 3, 2), "1.234", "value-type"),
        (_item("9V", 3, 2), "-1.2", "value-type"),
        (_item("9V", 3, 2), "1.", "value-type"),
        (_item("YEAR", 4), "令和6", "value-type"),
        (_item("DATE", 10), "2023-02-29", "value-not-a-day"),
        (_item("DATE", 10), "1945-00-00", "value-type"),
        (_item("DATE", 10), "2024/01/01", "value-type"),
        (_item("DATE", 10, allows_unknown_date=True), "昭和20年頃", "value-type"),
        (_item("TIME", 8), "24:00:00", "value-type"),
        (_item("X", condition="必須"), "", "value-missing"),
        (_item("X", key=True), "", "value-missing"),
    ],
)
def test_a_value_that_does_not_fit_is_a_problem(item: standard.Item, text: str, code: str) -> None:
    problem = standard.check_value(item, text)
    assert problem is not None
    assert problem.code == code
    assert problem.fix


def test_a_code_must_stand_in_its_list_unless_cities_fill_it() -> None:
    item = _item("X", 1, code="1")
    assert standard.check_value(item, "2", CODES) is None
    problem = standard.check_value(item, "3", CODES)
    assert problem is not None
    assert (problem.code, problem.fix) == ("value-not-in-code-list", "use one of 1, 2")
    assert standard.check_value(item, "3", replace(CODES, free=True)) is None


@pytest.mark.parametrize("text", ["山田太郎のひみつ", "1234567890123", "himitsu"])
def test_a_problem_never_quotes_the_value(text: str) -> None:
    problem = standard.check_value(_item("X", 5, code="1"), text, CODES)
    assert problem is not None
    assert text not in str(problem)


KINDS = st.one_of(
    st.sampled_from([_item("X"), _item("N"), _item("9"), _item("S9"), _item("9V", 3, 2), _item("YEAR", 4),
                     _item("TIME", 8), _item("DATE", 10), _item("DATE", 10, allows_unknown_date=True),
                     _item("X", condition="必須"), _item("X", 1, code="1")])
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=8),
    st.text("0123456789-.:", max_size=10),
    st.dates().map(str),
    st.integers(-200_000, 200_000).map(str),
    st.sampled_from(["1", "2", "", "神\ufe00戸", "12:30", "1945-00-00"]),
)


@given(KINDS, TEXTS)
def test_the_plain_rules_say_the_same_as_the_check(item: standard.Item, text: str) -> None:
    rule = standard.rules(item, CODES if item.code else None)
    plain = re.sub("[\ufe00-\ufe0f\U000e0100-\U000e01ef]", "", text)
    fits = (
        rule.nullable
        if not text
        else (rule.pattern is None or re.fullmatch(rule.pattern, text) is not None)
        and (rule.max_characters is None or len(plain) <= rule.max_characters)
        and (rule.allowed is None or text in rule.allowed)
        and (not rule.calendar or _is_day(text))
    )
    assert (standard.check_value(item, text, CODES if item.code else None) is None) == fits


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text.replace("0000", "0004", 1))
    except ValueError:
        return False
    return True


@given(st.dates())
def test_every_day_of_the_calendar_is_a_date(day: date) -> None:
    assert standard.check_value(_item("DATE", 10), day.isoformat()) is None
    assert standard.check_value(_item("DATE", 10, allows_unknown_date=True), day.isoformat()) is None
