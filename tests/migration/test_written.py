"""Records written from values: what is decoded is written again, and what cannot be written is told and never altered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban import characters
from kiban.migration import records
from kiban.migration.records import Copybook, Place, Reading

JEF = characters.code_page("jef")
CP932 = characters.code_page("cp932")
BOOK = """
       01  REC.
         03  KUBUN      PIC X(01).
         03  BANGO      PIC 9(05).
         03  GAKU       PIC S9(05) COMP-3.
         03  RITSU      PIC S9(03)V99 COMP-3.
         03  SU         PIC S9(04) COMP.
         03  ZAN        PIC S9(05).
         03  SHIMEI     PIC N(05).
         03  KATA       PIC X(08).
         03  NIHON.
           05  HONSEKI  PIC N(03).
           05  HI       PIC 9(03) COMP-3.
         03  GAIKOKU REDEFINES NIHON.
           05  ROMAJI   PIC X(06).
           05  FILLER   PIC X(02).
"""
TABLED = """
       01  REC.
         03  BANGO      PIC 9(05).
         03  KEN        PIC 9(01).
         03  MEISAI OCCURS 0 TO 3 TIMES DEPENDING ON KEN.
           05  KOMOKU   PIC X(03).
           05  KIN      PIC S9(03) COMP-3.
"""
READING = Reading(
    {"KATA": "mixed"}, {"NIHON": ("KUBUN", ["1"]), "GAIKOKU": ("KUBUN", ["2"])}, {"HI": ["spaces"]}
)
TYPES: dict[str, pa.DataType] = {
    "BANGO": pa.int64(), "GAKU": pa.int64(), "RITSU": pa.decimal128(5, 2), "SU": pa.int64(), "ZAN": pa.int64(), "HI": pa.int64(),
    "KEN": pa.int64(), "KIN": pa.int64(),
}  # fmt: skip
BLANK: dict[str, Any] = {"KUBUN": "1", "BANGO": 0, "GAKU": 0, "RITSU": Decimal(0), "SU": 0, "ZAN": 0}


def parse(text: str = BOOK) -> Copybook:
    return records.parse_copybook(text, "TEST.cpy")


def columns(rows: list[dict[str, Any]]) -> dict[str, pa.Array]:
    names = {name for row in rows for name in row}
    return {
        name: pa.array([row.get(name) for row in rows], TYPES.get(name, pa.string()))
        for name in sorted(names)
    }


def written(rows: list[dict[str, Any]], base: Any = None, **keep: list[bool]) -> records.Wrote:
    kept = {name: np.array(mask) for name, mask in keep.items()}
    return records.write_block(parse().records[0], columns(rows), READING, JEF, len(rows), base, kept)


def read(block: Any) -> records.Batch:
    numbers = np.arange(len(block), dtype=np.int64)
    place = Place("F", numbers + 1, numbers * block.shape[1])
    return records.decode_block(parse(), READING, JEF, block, place)


def told(wrote: records.Wrote) -> set[tuple[int, str, str]]:
    return set(zip(wrote.faults.row, wrote.faults.field, wrote.faults.code, strict=True))


ROW = st.fixed_dictionaries(
    {
        "KUBUN": st.just("1"),
        "BANGO": st.integers(0, 99999),
        "GAKU": st.integers(-99999, 99999),
        "RITSU": st.decimals(-999, 999, places=2),
        "SU": st.integers(-9999, 9999),
        "ZAN": st.integers(-99999, 99999),
        "SHIMEI": st.one_of(st.none(), st.text("田中渡邉", min_size=1, max_size=5)),
        "KATA": st.sampled_from([None, "ｱ", "A1", "ﾊｲﾂ"]),
        "HONSEKI": st.sampled_from([None, "兵庫", "田中田"]),
        "HI": st.one_of(st.none(), st.integers(0, 999)),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=8))
def test_what_is_written_is_decoded_to_the_same_values(rows: list[dict[str, Any]]) -> None:
    wrote = written(rows)
    assert told(wrote) == set()
    batch = read(wrote.block)
    assert batch.ledger.num_rows == 0
    for name in rows[0]:
        assert batch.segments["REC"].column(name).to_pylist() == [row[name] for row in rows], name


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("BANGO", 100_000, "digits-many"),
        ("BANGO", -1, "sign-bad"),
        ("GAKU", -100_000, "digits-many"),
        ("SU", 10_000, "digits-many"),
        ("ZAN", None, "number-missing"),
        ("SHIMEI", "田中太郎次郎", "field-overflow"),
        ("SHIMEI", "田\U0002000b", "char-unencodable"),
        ("KATA", "田中ﾊｲﾂ", "field-overflow"),
        ("ROMAJI", "TARO", "group-other"),
    ],
)
def test_a_value_that_cannot_be_written_is_told_and_its_field_is_empty(
    name: str, value: Any, code: str
) -> None:
    wrote = written([BLANK, BLANK | {name: value}])
    assert {line for line in told(wrote) if line[1] == name} == {(1, name, code)}
    good, bad = wrote.block
    assert bad.tobytes() == good.tobytes()


def test_a_field_that_is_not_named_keeps_its_bytes_and_so_does_one_that_is_to_be_kept() -> None:
    before = written([BLANK | {"SHIMEI": "田中", "GAKU": 7, "HONSEKI": "兵庫", "HI": None}] * 2).block
    after = written([{"GAKU": 8, "SHIMEI": "渡邉"}] * 2, (before, np.array([True, True])), GAKU=[True, False])
    found = read(after.block).segments["REC"].to_pylist()
    assert [(row["GAKU"], row["SHIMEI"], row["HONSEKI"]) for row in found] == [
        (7, "渡邉", "兵庫"),
        (8, "渡邉", "兵庫"),
    ]


def test_a_redefining_group_that_now_applies_is_emptied_first() -> None:
    before = written([BLANK | {"HONSEKI": "兵庫県", "HI": 123}]).block
    after = written([{"KUBUN": "2", "ROMAJI": "LEE"}], (before, np.array([True])))
    [row] = read(after.block).segments["REC"].to_pylist()
    assert (row["ROMAJI"], row["HONSEKI"], row["HI"]) == ("LEE", None, None)
    [back] = written([{"KUBUN": "1"}], (after.block, np.array([True]))).block
    assert back.tobytes() == written([BLANK | {"HI": None}]).block.tobytes()


@pytest.mark.parametrize("framing", ["rdw", "vb"])
def test_tables_of_varying_length_are_framed_with_their_descriptor_words(tmp_path: Any, framing: Any) -> None:
    book = parse(TABLED)
    record, table = book.records[0], book.records[0].table
    assert table is not None
    counts = np.array([2, 0, 3])
    told_ones = columns([{"BANGO": at, "KEN": int(count)} for at, count in enumerate(counts)])
    main = records.write_block(record, told_ones, Reading(), JEF, 3).block
    rows = [{"KOMOKU": f"A{at}", "KIN": -at} for at in range(5)]
    tables = records.write_block(table, columns(rows), Reading(), JEF, len(rows)).block
    data = records.framed(framing, *records.laid(record, main, tables, counts), 0, JEF.single_pad)
    path = tmp_path / "F.DAT"
    path.write_bytes(data)
    [batch] = records.decode_file(records.Source("F", path, framing, book, Reading(), JEF))
    assert batch.ledger.num_rows == 0
    found = batch.segments["MEISAI"].to_pylist()
    assert [(row["#record"], row["#index"], row["KOMOKU"], row["KIN"]) for row in found] == [
        (1, 1, "A0", 0), (1, 2, "A1", -1), (3, 1, "A2", -2), (3, 2, "A3", -3), (3, 3, "A4", -4),
    ]  # fmt: skip


def test_numbers_of_a_pc_are_written_in_its_own_digits() -> None:
    book = records.parse_copybook("01 R.\n 03 N PIC S9(03).\n 03 T PIC X(02).\n", "PC.cpy")
    wrote = records.write_block(
        book.records[0], {"N": pa.array([-12]), "T": pa.array(["A"])}, Reading(), CP932, 1
    )
    assert wrote.block.tobytes() == b"01\x72A "
