"""A rule gives the same in both engines, whatever a field holds, and refuses what it cannot take."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban.kernel import Problem, Wareki, eras
from kiban.migration import mapping
from kiban.standard import Code, CodeList, Item

FIELD = 'JK-"X(1)'
CODES = {"10": "1", "A01": "11", "o'": "x"}
ARGUMENTS = {"番号": "15", "定数": "it's", "区切り": "/", "和暦年度": "初日の元号"}
TEXT = Item("", "", "x", "", False, False, ("", "", ""), "X", 20, None, None, None, "任意")
ITEMS = {
    **{rule: replace(TEXT, type="N") for rule in ("写す", "参照", "カナ全角")},
    **{rule: replace(TEXT, type="DATE", digits=10) for rule in ("和暦日付", "西暦日付")},
    "和暦年度": replace(TEXT, type="YEAR", digits=4),
    "数値": replace(TEXT, type="9", digits=18),
    "時刻": replace(TEXT, type="TIME", digits=8),
    "区切り": replace(TEXT, repeat=3),
}
UNKNOWN = replace(TEXT, type="DATE", digits=10, allows_unknown_date=True)
Row = tuple[Any, ...]
HELD = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "0", "0000000", "99999999", "20240230", "20241301", "4010107", "4010108", "5010430",
                     "3640107", "A01", "10", "o'", "ｶﾞｷﾞﾊﾟ ｰ", "ﾞ", "-7", "101", "235959", "240000", "+5", "7\n",
                     "508", "431", "501", "000",
                     "a/b", "/", "a//b", "1/2/3/4", "12.50", "0000012.5", "葛\U000e0100", "葛" * 20 + "\U000e0100"]),
    st.text("0123456789-+ ｱｶﾞﾟ\n１/.葛\U000e0100", max_size=22),
    st.integers(0, 99999999).map(str),
    st.dates().map(lambda day: f"{day:%Y%m%d}"),
)  # fmt: skip
ANSWERS = st.tuples(st.one_of(st.none(), st.just("神戸市")), st.one_of(st.none(), st.integers(1, 2)))


def compiled(rule: str, item: Item | None = None) -> mapping.Compiled:
    source = mapping.Source(FIELD, ARGUMENTS.get(rule, ""), CODES, "@x", "@x#")
    period = mapping.RULES[rule].types == ("period",) if rule in mapping.RULES else False
    return mapping.compile_rule(rule, source, None if period else item or ITEMS.get(rule, TEXT))


def both(
    one: mapping.Compiled, held: Sequence[object], answers: Sequence[tuple[object, object]] = ()
) -> tuple[list[Row], list[Row]]:
    found, ways = zip(*(answers or [(None, None)] * len(held)), strict=True)
    columns = {FIELD: pl.Series(held, strict=False), "@x": pl.Series(found, dtype=pl.String)}
    frame = pl.DataFrame({**columns, "@x#": pl.Series(ways, dtype=pl.Int64)}).with_row_index("n")
    told = frame.select("n", value=one.value, fault=one.fault, doubt=one.doubt)
    assert told.filter(
        pl.col("fault").is_not_null() & ~pl.col("doubt")
    ).is_empty()  # no fault without a doubt
    here = told.drop("doubt").rows()
    with duckdb.connect() as engine:
        engine.register("frame", frame.to_arrow())
        there = engine.sql(f"select n, {one.value_sql}, {one.fault_sql} from frame order by n").fetchall()
    return here, there


@pytest.mark.parametrize("rule", mapping.RULES)
@settings(max_examples=10, deadline=None)
@given(
    held=st.lists(st.tuples(HELD, ANSWERS), min_size=1, max_size=30),
    item=st.sampled_from(["", "needed", "unknown"]),
)
def test_both_engines_agree_and_nothing_is_dropped_in_silence(
    rule: str, held: list[tuple[str | None, tuple[str | None, int | None]]], item: str
) -> None:
    wanted = ITEMS.get(rule, TEXT)
    wanted = replace(wanted, condition="必須") if item == "needed" else wanted
    wanted = replace(wanted, allows_unknown_date=item == "unknown" and wanted.type == "DATE")
    texts, answers = ["1", *(text for text, _ in held)], [("a", 1), *(answer for _, answer in held)]
    here, there = both(compiled(rule, wanted), texts, answers)
    assert here == there
    assert all(value is None for _, value, fault in here if fault)
    if item == "needed" and mapping.RULES[rule].types != ("period",):  # an open end is no missing value
        assert all(fault for _, value, fault in here if value is None)


@pytest.mark.parametrize(
    ("rule", "held", "value", "fault"),
    [
        ("番号", 1234567890, "000001234567890", None),
        ("番号", 0, None, None),
        ("番号", "1234567890123456", None, "number-form"),
        ("数値", 7, "7", None),
        ("数値", "七", None, "number-form"),
        ("数値", "-7", None, "number-form"),  # the item is of type 9
        ("和暦日付", 3640107, "1989-01-07", None),
        ("和暦日付", 3640108, None, "date-era"),
        ("和暦日付", 4010108, "1989-01-08", None),
        ("和暦日付", 0, None, None),
        ("和暦日付", 3500230, None, "date-calendar"),
        ("西暦日付", 20240229, "2024-02-29", None),
        ("西暦日付", 20230229, None, "date-calendar"),
        ("西暦日付", 20240431, None, "date-calendar"),
        ("西暦日付", 20241301, None, "date-form"),
        ("西暦日付", 101, "0000-01-01", None),
        ("西暦日付", 99991231, "9999-12-31", None),
        ("有効期間開始", 20240401, "2024-04-01", None),
        ("有効期間開始", 0, None, None),
        ("有効期間開始", None, None, "period-missing"),
        ("有効期間開始", 101, None, "date-form"),
        ("有効期間開始", 99999999, None, "date-form"),
        ("有効期間終了", 99999999, None, None),
        ("有効期間終了", 0, None, "date-form"),  # nothing says that a row without an end is open
        ("有効期間終了", "", None, "period-missing"),
        ("有効期間終了", None, None, "period-missing"),
        ("有効期間終了", 20230230, None, "date-calendar"),
        ("和暦日付", 1450730, "1912-07-30", None),  # a day of two eras, in the older one
        ("和暦日付", 2151225, "1926-12-25", None),
        ("和暦日付", 1050101, None, "date-era"),  # 明治5年: lunar, not converted
        ("和暦日付", 1060101, "1873-01-01", None),
        ("和暦年度", 508, "2026", None),
        ("和暦年度", "431", "2019", None),
        ("和暦年度", 501, None, "year-era"),  # by the era of its first day 2019 is 平成31年度
        ("和暦年度", 632, None, "year-era"),
        ("和暦年度", 0, None, None),
        ("時刻", 90507, "09:05:07", None),
        ("時刻", 240000, None, "time-form"),
        ("コード表", "A01", "11", None),
        ("コード表", "A99", None, "code-unknown"),
        ("カナ全角", "ｶﾞﾊﾟ ﾔﾏ", "ガパ\u3000ヤマ", None),
        ("カナ全角", "ﾞｱ", None, "kana-form"),
        ("定数", None, "it's", None),
        ("区切り", "a/b", ["a", "b"], None),
        ("区切り", "a", ["a"], None),
        ("区切り", "", None, None),
        ("区切り", "a//b", None, "list-form"),
        ("区切り", "1/2/3/4", None, "value-many"),
        ("区切り", "a/" + "b" * 21, None, "value-long"),
        ("写す", "葛\U000e0100" * 20, "葛\U000e0100" * 20, None),  # a selector is no character
        ("写す", "葛" * 21, None, "value-long"),
    ],
)
def test_a_rule_does_what_it_says(rule: str, held: object, value: object, fault: str | None) -> None:
    here, there = both(compiled(rule), [held])
    assert here == there == [(0, value, fault)]


@pytest.mark.parametrize(
    ("rule", "held", "day"), [("西暦日付", 20240230, "2024-02-30"), ("和暦日付", 3500230, "1975-02-30")]
)
def test_a_day_only_its_month_lacks_is_kept_where_the_item_allows_it(rule: str, held: int, day: str) -> None:
    here, there = both(compiled(rule, UNKNOWN), [held])
    assert here == there == [(0, day, None)]


def test_every_day_that_an_era_can_write_is_the_kernel_s_or_refused() -> None:
    """All that seven digits can say: whatever the kernel calls a day comes out as that day, everything else is refused."""
    written, days = [], []
    for number, era in enumerate(eras(), 1):
        for year, month, day in product(range(100), range(14), range(33)):
            written.append(f"{number}{year:02d}{month:02d}{day:02d}")
            try:
                days.append(str(Wareki(era.name, year, month, day).date))
            except Problem:
                days.append(None)
    here, there = both(compiled("和暦日付"), written)
    assert here == there
    assert [value for _, value, _ in here] == days
    assert all((value is None) == (fault is not None) for _, value, fault in here)
    assert sum(day is not None for day in days) > 80_000


def test_the_page_on_maps_tells_every_rule_and_every_refusal() -> None:
    page = (Path(__file__).parents[2] / "docs/maps.md").read_text("utf-8")
    for rule in mapping.RULES:
        assert f"\n| {rule} |" in page
        item = replace(ITEMS.get(rule, TEXT), condition="必須")
        assert all(
            f"`{code}`" in page
            for code in re.findall("then '([a-z]+-[a-z]+)'", compiled(rule, item).fault_sql)
        )
    assert ",".join(mapping.HEADS) in page and ",".join(mapping.CODE_HEADS) in page


@pytest.mark.parametrize(
    ("held", "answer", "value", "fault"),
    [
        ("101", ("神戸市", 1), "神戸市", None),
        ("101", (None, 1), None, None),
        ("101", (None, None), None, "reference-missing"),
        ("101", ("神戸市", 2), None, "reference-several"),
        (None, (None, None), None, None),
    ],
)
def test_what_is_looked_up_has_exactly_one_answer(
    held: str | None, answer: tuple[str | None, int | None], value: str | None, fault: str | None
) -> None:
    here, there = both(compiled("参照"), [held], [answer])
    assert here == there == [(0, value, fault)]


def test_a_value_that_is_in_no_code_list_of_the_item_is_refused() -> None:
    codes = CodeList("1", "性別", (Code("1", "男"), Code("2", "女")))
    one = mapping.compile_rule("写す", mapping.Source(FIELD), replace(TEXT, code="1", digits=1), codes)
    here, there = both(one, ["1", "3", "", None])
    assert here == there == [(0, "1", None), (1, None, "code-unknown"), (2, None, None), (3, None, None)]


def test_half_width_items_take_no_full_width_character() -> None:
    one = mapping.compile_rule("写す", mapping.Source(FIELD), TEXT)
    here, there = both(one, ["ab-1", "ａ"])
    assert here == there == [(0, "ab-1", None), (1, None, "value-width")]


def test_amounts_keep_their_decimals() -> None:
    one = mapping.compile_rule("数値", mapping.Source(FIELD), replace(TEXT, type="9V", digits=5, scale=2))
    held = pl.Series([None, "12.50", "1.25"]).cast(pl.Decimal(7, 2)).to_list()
    here, there = both(one, held)
    assert here == there == [(0, None, None), (1, "12.50", None), (2, "1.25", None)]


def test_a_rule_that_is_not_on_the_list_is_named_with_the_nearest() -> None:
    with pytest.raises(Problem, match="和暦日付"):
        compiled("和歴日付")
