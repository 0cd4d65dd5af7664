"""Every date of an old system is classed, none is made up, and what is vague or in no calendar stays as it was written."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban.kernel import DateKind, UncertainDate, eras, fiscal_year
from kiban.migration.findings.dates import CLASSES, classed

from .conftest import Desk

GOLDEN = Path(__file__).with_name("legacy_dates.csv")
"""Forms of legacy dates with what they are; the eras and months in it were typed apart from the code."""


def golden() -> list[dict[str, str]]:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_five_hundred_legacy_dates_are_what_the_golden_list_says(desk: Desk) -> None:
    cases = golden()
    assert len(cases) >= 500
    forms = sorted({case["form"] for case in cases})
    desk.rows = {
        form: [
            {"#record": at, "D": case["date"] or None, "F": case["flag"] or None, "H": case["words"] or None}
            for at, case in enumerate(cases)
            if case["form"] == form
        ]
        for form in forms
    }
    desk.checks = [f"暦{form},暦日,{form},D F H,{form},must," for form in forms]
    found = {one["record"]: one["code"] for one in desk.found()}
    assert found == {at: case["code"] for at, case in enumerate(cases) if case["code"]}
    told = Counter({(line["規則"], line["種類"]): int(line["件数"]) for line in desk.left("dates.csv")})
    assert told == Counter((f"暦{case['form']}", CLASSES[case["kind"]]) for case in cases)


def test_a_day_of_the_golden_list_is_converted_to_that_day_and_to_no_other() -> None:
    from kiban.migration.findings.dates import _ANY_DAY, _OPEN
    from kiban.migration.mapping import Source, compile_rule

    with duckdb.connect() as query:
        for case in golden():
            made = compile_rule(case["form"], Source("D"), None if case["form"] in _OPEN else _ANY_DAY)
            [(iso,)] = query.execute(
                f'SELECT {made.value_sql} FROM (SELECT ? AS "D")', [case["date"] or None]
            ).fetchall()
            assert (iso or "") == case["iso"], case


@pytest.mark.parametrize(
    "case",
    [c for c in golden() if c["words"] or c["kind"] == "noncalendar"],
    ids=lambda c: c["words"] or c["date"],
)
def test_vague_and_impossible_days_come_back_as_they_were_written(case: dict[str, str]) -> None:
    if case["kind"] not in ("unreadable",) and (case["iso"] or case["words"]):
        triple = (case["iso"] or None, case["flag"] or None, case["words"] or None)
        assert UncertainDate.parse(*triple).triple() == triple


RAW = st.one_of(
    st.none(),
    st.integers(0, 99999999),
    st.integers(10000101, 21001231),
    st.dates().map(lambda day: int(f"{day:%Y%m%d}")),
)
FLAGS, WORDS = (
    st.sampled_from([None, "0", "1", "2"]),
    st.sampled_from([None, "昭和２５年頃", "大正年月日不詳", "読めない"]),
)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(RAW, FLAGS, WORDS), min_size=1, max_size=60))
def test_every_row_has_one_class_and_exact_days_are_those_of_the_calendar(
    held: list[tuple[Any, str | None, str | None]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [{"D": raw, "F": flag, "H": words} for raw, flag, words in [*held, (20260101, "0", "言葉")]]
        desk = Desk(Path(folder), {"A": rows}, ["暦,暦日,A,D F H,西暦日付 非暦日可,must,"])
        desk.look()
        counts = {line["種類"]: int(line["件数"]) for line in desk.left("dates.csv")}
    assert sum(counts.values()) == len(rows)
    exact = sum(
        UncertainDate.parse(f"{text[:4]}-{text[4:6]}-{text[6:]}").kind is DateKind.EXACT
        for row in rows
        if row["D"]
        and row["F"] in (None, "0")
        and _month_and_day(text := f"{row['D']:08}")
        and not text.startswith("0000")
    )
    assert counts.get(CLASSES[DateKind.EXACT.value], 0) == exact


def _month_and_day(text: str) -> bool:
    return 1 <= int(text[4:6]) <= 12 and 1 <= int(text[6:]) <= 31


def test_a_day_beside_the_mark_that_it_is_unknown_is_told_and_never_used() -> None:
    one = classed("1950-03-01", "1", "昭和２５年頃")
    assert (one.kind, one.code) == ("year", "date-beside-flag")


def test_days_after_the_cut_date_are_told_and_open_ends_are_none(desk: Desk) -> None:
    desk.rows = {"A": [{"D": 20261001}, {"D": 20261002}, {"D": 99991231}, {"D": 0}, {"D": 20260230}]}
    desk.checks = ["暦,暦日,A,D,西暦日付 非暦日可,must,", "将来,将来日,A,D,,must,"]
    assert desk.places() == {("A", 3, "D", "date-future")}


def test_a_birth_of_another_century_is_told_by_the_days_on_which_the_person_lived(desk: Desk) -> None:
    people = [
        (4250401, 4250401, 99999999),  # born in 平成25年
        (1250401, 4250401, 99999999),  # 明治 for 平成
        (2150401, 3150101, 20200101),  # a hundred at the end of the row, in 2020
        (4250402, 4250401, 99999999),  # born after becoming a resident
        (3260229, 3260215, 99999999),  # 29 February stands for a day of that month
        (3260229, 3260131, 99999999),
        (0, 4250401, 99999999),
    ]
    desk.rows = {"A": [{"B": birth, "J": since, "E": end} for birth, since, end in people]}
    desk.checks = [
        "生,暦日,A,B,和暦日付 非暦日可,must,", "住,暦日,A,J,和暦日付 非暦日可,must,", "終,暦日,A,E,有効期間終了,must,",
        "生年,生年月日,A,B J E,120,must,",
    ]  # fmt: skip
    assert desk.places() == {
        ("A", 3, "B", "birth-long-ago"),
        ("A", 5, "B", "birth-after"),
        ("A", 7, "B", "birth-after"),
    }


def test_two_dates_stand_in_their_order_and_not_too_far_apart(desk: Desk) -> None:
    desk.rows = {
        "A": [{"D": 20200101, "E": end} for end in (20200101, 20210101, 20210102, 20191231, 0, 20200230)]
    }
    desk.checks = [
        "前,暦日,A,D,西暦日付,must,",
        "後,暦日,A,E,西暦日付 非暦日可,must,",
        "順,日付順序,A,D E,366,should,",
    ]
    assert desk.places() == {("A", 4, "E", "date-apart"), ("A", 5, "E", "date-order")}


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.dates(date(1990, 1, 1), date(2026, 9, 30)), st.integers(-2, 8)), min_size=1, max_size=40
    )
)
def test_a_fiscal_year_and_the_day_on_which_it_was_decided_belong_together(
    told: list[tuple[date, int]],
) -> None:
    rows, wanted = [], set()
    for at, (day, back) in enumerate(told, 2):
        year = fiscal_year(day) - back
        era = next(
            number
            for number, one in reversed(list(enumerate(eras(), 1)))
            if one.first_day <= date(year, 4, 1)
        )
        short = 100 * era + year - eras()[era - 1].first_year + 1
        rows.append({"N": short if at % 2 else year, "D": int(f"{day:%Y%m%d}")})
        wanted |= {(at, "year-other")} if not 0 <= back <= 5 else set()
    rows.append({"N": 700, "D": 20260401})
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder), {"A": rows}, ["暦,暦日,A,D,西暦日付,must,", "年,年度,A,N D,5,must,"])
        assert {(one["record"], one["code"]) for one in desk.found()} == wanted | {
            (len(rows) + 1, "year-form")
        }
