"""A rule gives the same in both engines, whatever a field holds, and refuses what it cannot take."""

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban.kernel import Problem
from kiban.migration import mapping

CODES = {"10": "1", "A01": "11", "o'": "x"}
HELD = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "0", "0000000", "99999999", "20240230", "20241301", "4010107", "4010108", "5010430",
                     "3640107", "A01", "10", "o'", "ｶﾞｷﾞﾊﾟ ｰ", "ﾞ", "-7", "101", "235959", "240000", "+5", "7\n"]),
    st.text("0123456789-+ ｱｶﾞﾟ\n１", max_size=20),
    st.integers(0, 99999999).map(str),
    st.dates().map(lambda day: f"{day:%Y%m%d}"),
)  # fmt: skip


def compiled(rule: str) -> mapping.Compiled:
    return mapping.compile_rule(rule, 'JK-"X(1)', codes=CODES, constant="it's")


def both(rule: str, held: list[object]) -> tuple[list[object], list[object]]:
    one = compiled(rule)
    frame = pl.DataFrame({'JK-"X(1)': held}, strict=False).select(pl.all(), pl.int_range(pl.len()).alias("n"))
    here = frame.select("n", value=one.value, refused=one.refused).rows()
    with duckdb.connect() as engine:
        engine.register("frame", frame.to_arrow())
        there = engine.sql(f"select n, {one.value_sql}, {one.refused_sql} from frame order by n").fetchall()
    return here, there  # type: ignore[return-value]


@pytest.mark.parametrize("rule", mapping.RULES)
@settings(max_examples=10, deadline=None)
@given(held=st.lists(HELD, min_size=1, max_size=30))
def test_both_engines_agree_and_nothing_is_dropped_in_silence(rule: str, held: list[str | None]) -> None:
    here, there = both(rule, ["1", *held])
    assert here == there
    assert all(value is None for _, value, refused in here if refused)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("rule", "held", "value", "refused"),
    [
        ("番号15桁", 1234567890, "000001234567890", False),
        ("番号15桁", 0, None, False),
        ("数値", 7, "7", False),
        ("数値", "七", None, True),
        ("和暦日付", 3640107, "1989-01-07", False),
        ("和暦日付", 3640108, None, True),
        ("和暦日付", 4010108, "1989-01-08", False),
        ("和暦日付", 0, None, False),
        ("西暦日付", 20240230, "2024-02-30", False),
        ("西暦日付", 20241301, None, True),
        ("西暦日付", 101, "0000-01-01", False),
        ("有効期間開始", 99999999, None, True),
        ("有効期間終了", 99999999, None, False),
        ("有効期間終了", 0, None, True),  # nothing says that a row without an end is open
        ("和暦日付", 1450730, "1912-07-30", False),  # a day of two eras, in the older one
        ("和暦日付", 2151225, "1926-12-25", False),
        ("和暦日付", 1050101, None, True),  # 明治5年: lunar, not converted
        ("和暦日付", 1060101, "1873-01-01", False),
        ("時刻", 90507, "09:05:07", False),
        ("時刻", 240000, None, True),
        ("コード表", "A01", "11", False),
        ("コード表", "A99", None, True),
        ("カナ全角", "ｶﾞﾊﾟ ﾔﾏ", "ガパ\u3000ヤマ", False),
        ("カナ全角", "ﾞｱ", None, True),
        ("定数", None, "it's", False),
    ],
)
def test_a_rule_does_what_it_says(rule: str, held: object, value: object, refused: bool) -> None:
    here, there = both(rule, [held])
    assert here == there == [(0, value, refused)]


def test_a_rule_that_is_not_on_the_list_is_named_with_the_nearest() -> None:
    with pytest.raises(Problem, match="和暦日付"):
        mapping.compile_rule("和歴日付", "JK-SEINEN-YMD")
