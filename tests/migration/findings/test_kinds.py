"""Every kind of check finds what it says, at its place, and nothing else."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban import kernel
from kiban.kernel import Problems
from kiban.migration.findings import KINDS

from .conftest import Desk

DAYS = ["始め,暦日,A,B,有効期間開始,must,", "終わり,暦日,A,E,有効期間終了,must,"]


def life(*periods: tuple[int, int], who: int = 1) -> list[dict[str, Any]]:
    return [{"W": who, "B": begin, "E": end} for begin, end in periods]


@pytest.mark.parametrize(
    ("check", "rows", "wrong"),
    [
        ("必須,A,X Y,,", [{"X": 1, "Y": "a"}, {"X": 0, "Y": ""}, {"X": None, "Y": None}], {(3, "X"), (3, "Y"), (4, "X"), (4, "Y")}),
        ("必須,A[Y=a],X,,", [{"X": 0, "Y": "a"}, {"X": 0, "Y": "b"}, {"X": 0, "Y": None}], {(2, "X")}),
        ("必須,A[Y!=a|c],X,,", [{"X": 0, "Y": "a"}, {"X": 0, "Y": "b"}, {"X": 0, "Y": None}], {(3, "X"), (4, "X")}),
        ("必須,A[Y=],X,,", [{"X": 0, "Y": "a"}, {"X": 0, "Y": None}], {(3, "X")}),
        ("桁数,A,X,5-7,", [{"X": "12345"}, {"X": "1234"}, {"X": "12345678"}, {"X": None}], {(3, "X"), (4, "X")}),
        ("負数,A,X,,", [{"X": 0}, {"X": -1}, {"X": None}], {(3, "X")}),
        ("コード,A,X,1 2,", [{"X": "1"}, {"X": "3"}, {"X": None}], {(3, "X")}),
        ("切れた文字,A,X,3,", [{"X": "氏名"}, {"X": "氏名前"}, {"X": "辻\U000e0100田"}, {"X": None}], {(3, "X")}),
        ("合計,A,X,Y + 5*Z,", [{"X": 11, "Y": 1, "Z": 2}, {"X": 3, "Y": 1, "Z": 2}], {(3, "X Y Z")}),
        ("合計,A,X,Y + Z,", [{"X": 3, "Y": 1, "Z": 2}, {"X": 4, "Y": 1, "Z": 2}, {"X": 1, "Y": 1, "Z": None}], {(3, "X Y Z")}),
        ("合計,A,X,Y - Z,", [{"X": 3, "Y": 5, "Z": 2}, {"X": None, "Y": 5, "Z": 2}], {(3, "X Y Z")}),
        ("一対一,A,X,5,", [{"X": "12"}, {"X": "012"}, {"X": "13"}, {"X": "13"}], {(2, "X"), (3, "X")}),
    ],
)  # fmt: skip
def test_a_check_of_one_row_names_its_field(
    desk: Desk, check: str, rows: list[dict[str, Any]], wrong: set[tuple[int, str]]
) -> None:
    desk.rows = {"A": rows}
    desk.checks = [f"規則,{check}must,"]
    assert {(record, name) for _, record, name, _ in desk.places()} == wrong


@pytest.mark.parametrize(
    ("check", "a", "b", "wrong"),
    [
        ("孤児,A,X,B.K", [{"X": 1}, {"X": 2}, {"X": 0}, {"X": None}], [{"K": 1}], {(3, "X", "reference-missing")}),
        ("孤児,A,X,B.K", [{"X": 1}, {"X": 2}], [{"K": "0001"}], {(3, "X", "reference-missing")}),
        ("孤児,A,X,B.K[S=1]", [{"X": 1}, {"X": 2}, {"X": 3}], [{"K": 1, "S": "1"}, {"K": 2, "S": "2"}],
         {(3, "X", "reference-ended"), (4, "X", "reference-missing")}),
        ("孤児,A,X Y,B.K L", [{"X": 1, "Y": "a"}, {"X": 1, "Y": "b"}], [{"K": 1, "L": "a"}], {(3, "X", "reference-missing")}),
        ("参照相違,A,X Y,B.K L", [{"X": 1, "Y": "a"}, {"X": 1, "Y": "b"}, {"X": 2, "Y": "b"}], [{"K": 1, "L": "a"}],
         {(3, "X", "reference-other")}),
        ("区不明,A,X,B.K", [{"X": "101"}, {"X": "999"}, {"X": None}], [{"K": "101"}],
         {(3, "X", "ward-unknown"), (4, "X", "value-missing")}),
        ("件数,A,X Y,B.K", [{"X": 2, "Y": 1}, {"X": 1, "Y": 2}, {"X": 0, "Y": 3}], [{"K": 1}, {"K": 1}], {(3, "X", "count-wrong")}),
        ("名寄せ不一致,A,X N S,B.K M T",
         [{"X": 1, "N": "山田 太郎", "S": "1"}, {"X": 1, "N": "山田太朗", "S": "1"}, {"X": 1, "N": "鈴木", "S": "2"},
          {"X": 9, "N": "誰", "S": "1"}],
         [{"K": 1, "M": "山田\u3000太郎", "T": "1"}],
         {(3, "N", "person-differs"), (4, "N", "person-other"), (4, "S", "person-other")}),
        ("保護不一致,A,F X,1; B.K[S=1]", [{"F": "1", "X": 1}, {"F": "0", "X": 1}, {"F": "1", "X": 2}, {"F": None, "X": 3}],
         [{"K": 1, "S": "1"}, {"K": 2, "S": "0"}], {(3, "F", "protection-missing"), (4, "F", "protection-extra")}),
    ],
)  # fmt: skip
def test_a_check_against_another_segment_names_the_row_that_refers(
    desk: Desk, check: str, a: list[dict[str, Any]], b: list[dict[str, Any]], wrong: set[tuple[int, str, str]]
) -> None:
    kind, *rest = check.split(",")
    desk.rows = {"A": a, "B": b}
    desk.checks = [f"規則,{kind},{','.join(rest)},must,"]
    assert {(record, name, code) for _, record, name, code in desk.places()} == wrong


def test_the_sum_of_a_table_is_held_against_its_record_and_left_alone_where_a_part_was_not_decoded(
    desk: Desk,
) -> None:
    desk.rows = {
        "A": [{"X": 30}, {"X": 31}, {"X": 5}],
        "T": [
            {"#record": r, "#index": i, "#file": "A", "G": g}
            for r, i, g in ((2, 1, 10), (2, 2, 20), (3, 1, 30), (4, 1, None))
        ],
    }
    desk.ledger = [("A", 4, "G", "nibble-bad")]
    desk.checks = ["期別の合計,合計,A,X,T.G,must,"]
    assert desk.places() == {("A", 3, "X G", "total-wrong"), ("A", 4, "G", "nibble-bad")}


def test_protection_of_a_table_row_counts_while_its_measure_runs(desk: Desk) -> None:
    desk.rows = {
        "A": [{"F": "1", "X": 1}, {"F": "0", "X": 2}, {"F": "0", "X": 3}],
        "M": [
            {"N": 7, "S": "4", "H": "1"},
            {"N": 8, "S": "4", "H": "1"},
            {"N": 7, "S": "2", "H": "9"},
            {"N": 9, "S": "2", "H": "9"},
        ],
        "T": [
            {"#record": r, "#index": i, "#file": "M", "P": p} for r, i, p in ((2, 1, 1), (3, 1, 2), (5, 1, 3))
        ],
    }
    desk.checks = ["印,保護不一致,A,F X,1; T.P; M.N[S=1|2|3 H=9],must,"]
    assert desk.places() == {("A", 4, "F", "protection-missing")}


def test_rows_that_repeat_another_can_be_merged_and_rows_that_share_only_their_key_cannot(desk: Desk) -> None:
    same = {"K": 1, "H": 1, "N": "a"}
    desk.rows = {
        "A": [
            same,
            same,
            {"K": 2, "H": 1, "N": "a"},
            {"K": 2, "H": 1, "N": "b"},
            {"K": None, "H": 1, "N": "c"},
            same,
        ]
    }
    desk.checks = ["二重,重複,A,K H,,must,"]
    assert desk.places() == {
        ("A", 3, "", "double-same"),
        ("A", 7, "", "double-same"),
        ("A", 4, "H", "double-other"),
        ("A", 5, "H", "double-other"),
    }


def test_overlaps_name_both_rows_and_a_row_told_as_a_double_overlaps_nothing(desk: Desk) -> None:
    desk.rows = {
        "A": life((20200101, 20210101), (20210101, 20220101), (20211231, 99999999), (20211231, 99999999))
    }
    desk.checks = [*DAYS, "二重,重複,A,W B,,must,", "重なり,期間重複,A,B E,W,must,"]
    assert desk.places() == {
        ("A", 5, "", "double-same"),
        ("A", 3, "E", "period-overlap"),
        ("A", 4, "B", "period-overlapped"),
    }


def test_time_that_belongs_to_no_period_is_told_at_both_sides(desk: Desk) -> None:
    desk.rows = {"A": [*life((20200101, 20210101), (20210102, 99999999)), *life((20200101, 20210101), who=2)]}
    desk.checks = [*DAYS, "空き,期間空白,A,B E,W,should,"]
    assert desk.places() == {("A", 2, "E", "period-gap"), ("A", 3, "B", "period-gap-before")}


def test_a_household_lives_from_its_first_member_to_its_last(desk: Desk) -> None:
    desk.rows = {
        "A": [*life((20200101, 20210101), (20210101, 99999999)), *life((20200105, 20220101), who=2)],
        "B": [{"K": 1, "B": 20200101, "E": 99999999}, {"K": 2, "B": 20200101, "E": 20220101}],
    }
    desk.checks = [
        *DAYS,
        "始2,暦日,B,B,有効期間開始,must,",
        "終2,暦日,B,E,有効期間終了,must,",
        "一生,期間相違,A,W B E,B.K B E,should,",
    ]
    assert desk.places() == {("A", 4, "B", "period-begin-other")}


PERIODS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=6)


@settings(max_examples=25, deadline=None)
@given(st.lists(PERIODS, min_size=1, max_size=3))
def test_overlaps_are_found_exactly_where_two_neighbours_share_a_day(
    lives: list[list[tuple[int, int]]],
) -> None:
    first = date(2020, 1, 1)
    rows: list[dict[str, Any]] = []
    for who, periods in enumerate(lives, 1):
        for begin, size in periods:
            days = [first + timedelta(begin), first + timedelta(begin + size)]
            rows.append(
                {
                    "W": who,
                    **{name: int(day.strftime("%Y%m%d")) for name, day in zip("BE", days, strict=True)},
                }
            )
    wanted = set()
    for who in range(1, len(lives) + 1):
        mine = sorted((row["B"], row["E"], at) for at, row in enumerate(rows, 2) if row["W"] == who)
        for one, other in itertools.pairwise(mine):
            if one[1] > other[0]:
                wanted |= {("A", one[2], "E", "period-overlap"), ("A", other[2], "B", "period-overlapped")}
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder), {"A": rows or [{"W": 0, "B": 20200101, "E": 20200102}]})
        desk.checks = [*DAYS, "重なり,期間重複,A,B E,W,must,"]
        assert desk.places() == wanted


NUMBERS = st.one_of(st.integers(0, 10**15 - 1), st.integers(0, 10**6))


@settings(max_examples=15, deadline=None)
@given(st.lists(NUMBERS, min_size=20, max_size=60))
def test_check_digits_are_those_of_the_kernel(numbers: list[int]) -> None:
    mended = [int(f"{n}{kernel.kojinbango_check_digit(f'{n % 10**11:011}')}") % 10**12 for n in numbers]
    rows = [
        {"A": n, "P": p, "P2": f"{p:012}", "J": p % 10**11, "L": f"{n % 10**6:06}", "W": n % 10**6}
        for n, p in zip(numbers, mended, strict=True)
    ]
    kinds = {
        "A": "宛名番号",
        "P": "個人番号",
        "P2": "個人番号",
        "J": "住民票コード",
        "L": "市区町村コード",
        "W": "市区町村コード",
    }
    good: dict[str, Callable[[Any], bool]] = {
        "A": lambda v: kernel.is_valid_atenabango(f"{v:015}"),
        "P": lambda v: kernel.is_valid_kojinbango(f"{v:012}"),
        "P2": kernel.is_valid_kojinbango,
        "J": lambda v: kernel.is_valid_juminhyokodo(f"{v:011}"),
        "L": kernel.is_valid_local_government_code,
        "W": lambda v: kernel.is_valid_local_government_code(f"{v:06}"),
    }
    wanted = {
        (at, name)
        for at, row in enumerate(rows, 2)
        for name in kinds
        if row[name] not in (0, "") and not good[name](row[name])
    }
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder), {"S": rows})
        desk.checks = [f"検査{name},検査数字,S,{name},{kind},must," for name, kind in kinds.items()]
        assert {(record, name) for _, record, name, _ in desk.places()} == wanted
        told = {line["規則"]: (int(line["対象"]), int(line["検出"])) for line in desk.left("checked.csv")}
    assert told["検査P2"] == (len(rows), sum(name == "P2" for _, name in wanted))


def test_text_is_full_where_no_other_kanji_fits_between_the_shifts(desk: Desk) -> None:
    from dataclasses import replace

    from kiban.migration.findings import checks, segments

    desk.rows = {"A": [{"X": "ＡＢＣ"}, {"X": "ＡＢ"}, {"X": "A棟２"}, {"X": "A棟B"}, {"X": "ABCDEFG"}]}
    desk.checks = ["切れた,切れた文字,A,X,,should,"]
    desk.write()
    [check] = checks.read_checks(desk.folder / "checks.csv")
    with segments.opened({"A": _decoded(desk)}, desk.folder / "none", desk.folder / "spill", {}) as bare:
        db = replace(bare, widths={"X": segments.Width(8, 2)})
        rows = db.query.execute(
            f"SELECT record FROM ({KINDS['切れた文字'].build(check, db)}) ORDER BY 1"
        ).fetchall()
    assert rows == [(2,), (4,), (6,)]


def _decoded(desk: Desk) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = desk.folder / "A"
    folder.mkdir()
    rows = [{"#file": "A", "#record": at, "#offset": 0, **row} for at, row in enumerate(desk.rows["A"], 2)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "A.parquet")
    return folder


def test_every_fault_of_the_list_of_checks_is_told_at_once_with_its_line(desk: Desk) -> None:
    desk.rows = {"A": [{"X": 1, "Y": "a"}]}
    desk.checks = [
        "規則,必須,A,X,,must,",
        "規則,必須,A,X,,must,",
        "他,必須だ,A,X,,must,",
        "重,期間重複,A,X,Y,must,",
        ",必須,A[X,X,,big,",
    ]
    with pytest.raises(Problems) as refused:
        desk.look()
    told = {(one.code, one.where) for one in refused.value.problems}
    assert told == {
        ("check-twice", "checks.csv:3"),
        ("check-kind", "checks.csv:4"),
        ("check-fields", "checks.csv:5"),
        ("check-name", "checks.csv:6"),
        ("check-severity", "checks.csv:6"),
        ("check-reference", "checks.csv:6"),
    }


def test_checks_are_held_against_the_data_before_any_of_them_runs(desk: Desk) -> None:
    desk.rows = {"A": [{"X": 1, "Y": "a"}]}
    desk.checks = [
        "一,必須,A,Z,,must,", "二,孤児,A,X,B.K,must,", "三,孤児,A,X,A.X Y,must,", "四,桁数,A,X,長い,must,",
        "五,将来日,A,Y,,must,", "六,検査数字,A,X,番号,must,", "七,暦日,A,X,日付,must,", "八,負数,A,Y,,must,",
    ]  # fmt: skip
    with pytest.raises(Problems) as refused:
        desk.look()
    told = {(one.code, (one.where or "").split()[-1]) for one in refused.value.problems}
    assert told == {
        ("check-field", "一"), ("check-segment", "二"), ("check-argument", "三"), ("check-argument", "四"),
        ("check-date-form", "五"), ("check-argument", "六"), ("check-argument", "七"), ("check-argument", "八"),
    }  # fmt: skip


def test_every_kind_of_check_is_explained() -> None:
    page = (Path(__file__).parents[3] / "docs" / "findings.md").read_text(encoding="utf-8")
    assert [name for name in KINDS if f"| {name} |" not in page] == []
