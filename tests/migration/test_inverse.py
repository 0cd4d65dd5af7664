"""The rules of a map the other way: what went to the standard and comes back is what the legacy system had written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban.kernel import Problem
from kiban.migration import mapping
from kiban.migration.mapping import Source
from kiban.standard import Item

CODES = {"10": "1", "A01": "11", "A02": "12", "B01": "11"}
ARGUMENTS = {"番号": "15", "区切り": "/", "和暦年度": "初日の元号"}
TEXT = Item("", "", "x", "", False, False, ("", "", ""), "X", 40, None, None, None, "任意")
ITEMS = {
    "写す": replace(TEXT, type="N"),
    "カナ全角": replace(TEXT, type="N"),
    "和暦日付": replace(TEXT, type="DATE", digits=10, allows_unknown_date=True),
    "西暦日付": replace(TEXT, type="DATE", digits=10, allows_unknown_date=True),
    "和暦年度": replace(TEXT, type="YEAR", digits=4),
    "数値": replace(TEXT, type="S9", digits=18),
    "時刻": replace(TEXT, type="TIME", digits=8),
    "区切り": replace(TEXT, repeat=9),
}
WIDTHS = {"番号": 10}
PERIODS = ("有効期間開始", "有効期間終了")
THERE_AND_BACK = [rule for rule in mapping.RULES if rule not in mapping.NOTHING_BACK]

DAYS = st.dates(date(1873, 1, 1), date(2117, 12, 31))
ERAS = [
    (date(1873, 1, 1), 1868),
    (date(1912, 7, 30), 1912),
    (date(1926, 12, 25), 1926),
    (date(1989, 1, 8), 1989),
    (date(2019, 5, 1), 2019),
]


def in_era(day: date) -> str:
    number = sum(day >= first for first, _ in ERAS)
    return f"{number}{day.year - ERAS[number - 1][1] + 1:02}{day:%m%d}"


HALF = st.lists(st.sampled_from([*"ｱｶﾀﾅﾜｦﾝｧｯｮｰ･ -A1", "ｶﾞ", "ﾊﾟ", "ｳﾞ", "ｼﾞｮ"]), min_size=1, max_size=20).map(
    "".join
)
LEGACY = {
    "写す": st.text("田中A1 葛\U000e0100", min_size=1, max_size=40),
    "コード表": st.sampled_from(["10", "A02"]),
    "番号": st.integers(1, 10**10 - 1).map(lambda number: f"{number:010}"),
    "数値": st.integers(-(10**18) + 1, 10**18 - 1).map(str),
    "和暦日付": DAYS.map(in_era),
    "西暦日付": st.one_of(DAYS.map(lambda day: f"{day:%Y%m%d}"), st.sampled_from(["20230230", "00000101"])),
    "和暦年度": st.sampled_from(["119", "363", "431", "502", "599"]),
    "カナ全角": HALF,
    "時刻": st.times().map(lambda time: f"{time:%H%M%S}"),
    "区切り": st.lists(st.text("ab01", min_size=1, max_size=40), min_size=1, max_size=9).map("/".join),
    "有効期間開始": st.one_of(DAYS.map(lambda day: f"{day:%Y%m%d}"), st.just("00000000")),
    "有効期間終了": st.one_of(DAYS.map(lambda day: f"{day:%Y%m%d}"), st.just("99999999")),
}


def there(rule: str, held: list[str | None]) -> pl.Series:
    """The standard's values, as the store types them; nothing may be refused."""
    item = None if rule in PERIODS else ITEMS.get(rule, TEXT)
    made = mapping.compile_rule(rule, Source("F", ARGUMENTS.get(rule, ""), CODES), item)
    frame = pl.DataFrame({"F": pl.Series(held, dtype=pl.String)}).select(value=made.value, fault=made.fault)
    assert frame["fault"].null_count() == len(held)
    if rule in PERIODS:
        return frame["value"].str.to_date("%Y-%m-%d")
    return frame["value"].cast(pl.Int64) if rule == "数値" else frame["value"]


def back(rule: str, values: pl.Series) -> pl.DataFrame:
    made = mapping.inverse_rule(rule, Source("F", ARGUMENTS.get(rule, ""), CODES), "v", WIDTHS.get(rule))
    assert made is not None
    return pl.DataFrame({"v": values}).select(value=made.value, fault=made.fault)


@pytest.mark.parametrize("rule", THERE_AND_BACK)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_rule_and_its_inverse_give_the_legacy_value_again(rule: str, data: Any) -> None:
    held = data.draw(st.lists(LEGACY[rule], min_size=1, max_size=20))
    found = back(rule, there(rule, held))
    assert found["fault"].null_count() == len(held)
    assert found["value"].to_list() == held


STANDARD = {
    "写す": st.text(min_size=1, max_size=20),
    "コード表": st.sampled_from(["1", "11", "12", "99"]),
    "番号": st.one_of(
        st.integers(0, 10**15 - 1).map(lambda number: f"{number:015}"), st.sampled_from(["A", ""])
    ),
    "数値": st.integers(-(10**18) + 1, 10**18 - 1),
    "和暦日付": st.one_of(st.dates().map(str), st.sampled_from(["2023-02-30", "9999", "0000-01-01"])),
    "西暦日付": st.one_of(st.dates().map(str), st.sampled_from(["2023-02-30", "9999", "0000-01-01"])),
    "和暦年度": st.integers(1800, 2200).map(str),
    "カナ全角": st.text("アカガパヴァッョー・　ヮヰーA１漢-", min_size=1, max_size=40),
    "時刻": st.one_of(st.times().map(lambda time: f"{time:%H:%M:%S}"), st.sampled_from(["24:00:00", "9時"])),
    "区切り": st.lists(st.text("ab/", max_size=3), max_size=9),
    "有効期間開始": st.one_of(st.none(), st.dates(date(1, 1, 1))),
    "有効期間終了": st.one_of(st.none(), st.dates(date(1, 1, 1), date(9999, 12, 30))),
}
TYPES: dict[str, Any] = {
    "数値": pl.Int64,
    "区切り": pl.List(pl.String),
    "有効期間開始": pl.Date,
    "有効期間終了": pl.Date,
}


@pytest.mark.parametrize("rule", THERE_AND_BACK)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_inverse_and_its_rule_give_the_value_of_the_standard_again_or_a_fault(
    rule: str, data: Any
) -> None:
    values = pl.Series(
        data.draw(st.lists(STANDARD[rule], min_size=1, max_size=20)), dtype=TYPES.get(rule, pl.String)
    )
    found = back(rule, values)
    written = found["fault"].is_null()
    assert found.filter(~written)["value"].null_count() == (~written).sum()
    again = there(rule, found.filter(written)["value"].to_list())
    assert again.to_list() == values.filter(written).to_list()


@pytest.mark.parametrize(
    ("rule", "legacy", "comes_back"),
    [
        ("和暦日付", "1450730", "2010730"),  # the last day of Meiji is the first of Taisho
        ("和暦日付", "2151225", "3011225"),
        ("カナ全角", "カﾅ", "ｶﾅ"),
        ("番号", "123", "0000000123"),
        ("数値", "007", "7"),
        ("西暦日付", "00000000", None),
    ],
)
def test_what_comes_back_otherwise_is_known(rule: str, legacy: str, comes_back: str | None) -> None:
    value = there(rule, [legacy])
    assert back(rule, value)["value"].to_list() == [comes_back]
    assert there(rule, [comes_back]).to_list() == value.to_list()  # and says the same


def test_a_code_that_shares_its_code_of_the_standard_has_no_way_back() -> None:
    found = back("コード表", there("コード表", ["A01", "B01", "10"]))
    assert found.rows() == [(None, "code-several"), (None, "code-several"), ("10", None)]
    assert back("コード表", pl.Series(["77"]))["fault"].to_list() == ["code-unknown"]


def test_what_reads_no_field_of_its_own_gives_nothing_back() -> None:
    assert [mapping.inverse_rule(rule, Source(), "v") for rule in mapping.NOTHING_BACK] == [None, None]
    with pytest.raises(Problem, match="map-rule-unknown"):
        mapping.inverse_rule("写", Source(), "v")
