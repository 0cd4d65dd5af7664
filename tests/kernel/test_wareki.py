"""The Japanese calendar, both ways, and at the edges of the eras."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban.kernel import (
    FIRST_GREGORIAN_DAY,
    FiscalStyle,
    Problem,
    Wareki,
    era_named,
    eras,
    fiscal_wareki,
    fiscal_year,
    number_of,
    parse_wareki,
    wareki,
    warekis,
)

days = st.dates(FIRST_GREGORIAN_DAY, date(2100, 12, 31))


@given(days)
def test_every_day_comes_back_from_every_form(day: date) -> None:
    for written in warekis(day):
        assert written.date == day
        assert [parse_wareki(form) for form in (written.long(), written.plain(), written.short())] == [
            written
        ] * 3
    assert wareki(day) == warekis(day)[-1]


def test_every_day_belongs_to_one_era_but_for_two_days() -> None:
    shared = []
    for era in eras():
        for day in (era.first_day, era.last_day):
            if day and day >= FIRST_GREGORIAN_DAY and len(warekis(day)) == 2:
                shared.append(day)
    assert set(shared) == {date(1912, 7, 30), date(1926, 12, 25)}


def test_there_is_no_gap_between_eras() -> None:
    for older, newer in zip(eras(), eras()[1:], strict=False):
        assert older.last_day is not None
        assert newer.first_day - older.last_day <= timedelta(days=1)
        assert older.last_year == newer.first_year
    assert eras()[-1].last_year == 9999


@pytest.mark.parametrize(
    ("day", "forms"),
    [
        (date(1912, 7, 30), ["明治45年7月30日", "大正元年7月30日"]),
        (date(1926, 12, 25), ["大正15年12月25日", "昭和元年12月25日"]),
        (date(1989, 1, 7), ["昭和64年1月7日"]),
        (date(1989, 1, 8), ["平成元年1月8日"]),
        (date(2019, 4, 30), ["平成31年4月30日"]),
        (date(2019, 5, 1), ["令和元年5月1日"]),
        (date(1873, 1, 1), ["明治6年1月1日"]),
    ],
)
def test_the_edges_of_the_eras(day: date, forms: list[str]) -> None:
    assert [str(each) for each in warekis(day)] == forms


@pytest.mark.parametrize(
    "text",
    [
        "令和元年5月1日",
        "令和1年5月1日",
        "令和1.5.1",
        "R1.5.1",
        "r01.05.01",
        "Ｒ０１．０５．０１",
        "令1-5-1",
        "R1/5/1",
        "令和元年　五月一日",
    ],
)
def test_many_forms_are_one_day(text: str) -> None:
    assert parse_wareki(text) == Wareki("令和", 1, 5, 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2019年5月1日", "wareki-form"),
        ("平成3元年1月1日", "wareki-form"),
        ("平成31年5月1日", "wareki-outside-era"),
        ("平成元年1月7日", "wareki-outside-era"),
        ("昭和26年2月29日", "wareki-not-a-day"),
        ("明治5年12月3日", "wareki-before-gregorian"),
        ("昭和0年1月1日", "wareki-before-gregorian"),
        ("昭和十十年1月1日", "wareki-before-gregorian"),
    ],
)
def test_what_is_no_day_of_the_japanese_calendar_is_refused(text: str, code: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_wareki(text)
    assert caught.value.code == code


def test_days_before_the_gregorian_calendar_are_not_computed() -> None:
    with pytest.raises(Problem) as caught:
        wareki(date(1872, 12, 31))
    assert caught.value.code == "wareki-before-gregorian"


def test_a_year_beyond_the_calendar_is_no_day() -> None:
    with pytest.raises(Problem) as caught:
        Wareki("令和", 10**12, 1, 1)
    assert caught.value.code == "wareki-not-a-day"


def test_an_unknown_era_is_named_as_such() -> None:
    with pytest.raises(Problem) as caught:
        era_named("慶応")
    assert caught.value.code == "era-unknown"


@given(days)
def test_a_fiscal_year_begins_on_1_april(day: date) -> None:
    assert date(fiscal_year(day), 4, 1) <= day < date(fiscal_year(day) + 1, 4, 1)


@pytest.mark.parametrize(
    ("year", "style", "name"),
    [
        (2019, FiscalStyle.OPENING, "平成31年度"),
        (2019, FiscalStyle.RENAMED, "令和元年度"),
        (2020, None, "令和2年度"),
        (2018, None, "平成30年度"),
        (1988, None, "昭和63年度"),
        (1989, None, "平成元年度"),
        (1926, None, "大正15年度"),
        (1927, None, "昭和2年度"),
        (1912, FiscalStyle.OPENING, "明治45年度"),
        (1912, FiscalStyle.RENAMED, "大正元年度"),
        (1886, None, "明治19年度"),
    ],
)
def test_fiscal_years_have_names_of_their_own(year: int, style: FiscalStyle | None, name: str) -> None:
    assert fiscal_wareki(year, style) == name


@pytest.mark.parametrize(("year", "code"), [(2019, "fiscal-style-unset"), (1885, "fiscal-year-unknown")])
def test_a_fiscal_year_without_one_name_is_not_guessed(year: int, code: str) -> None:
    with pytest.raises(Problem) as caught:
        fiscal_wareki(year)
    assert caught.value.code == code


@given(st.integers(1, 9999))
def test_a_number_in_kanji_is_that_number(number: int) -> None:
    places = [(1000, "千"), (100, "百"), (10, "十"), (1, "")]
    kanji, rest = "", number
    for unit, name in places:
        digit, rest = divmod(rest, unit)
        if digit:
            kanji += ("" if digit == 1 and name else "〇一二三四五六七八九"[digit]) + name
    assert number_of(kanji) == number_of(str(number)) == number


@pytest.mark.parametrize(
    "text", ["", "x", "一二三四五", "十百", "十〇", "二三十", "12345", "一千九百五十五五十五"]
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert number_of(text) is None
