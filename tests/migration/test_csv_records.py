"""CSV files of legacy systems: read strictly, with a place for everything that is wrong."""

from pathlib import Path

import pytest

from kiban import characters
from kiban.kernel import Problem
from kiban.migration import records

CP932 = characters.code_page("cp932")


def read(folder: Path, data: bytes) -> records.Batch:
    file = folder / "F.CSV"
    file.write_bytes(data)
    [batch] = records.decode_csv("F", file, CP932, "TSUSHO")
    return batch


def test_cells_are_texts_and_empty_ones_are_nothing(tmp_path: Path) -> None:
    batch = read(tmp_path, '番号,名前\r\n001,"山田, ""太郎"""\r\n002,\r\n'.encode("cp932"))
    rows = batch.segments["TSUSHO"].to_pylist()
    assert [(row["#record"], row["番号"], row["名前"]) for row in rows] == [
        (1, "001", '山田, "太郎"'),
        (2, "002", None),
    ]
    assert rows[1]["#offset"] == len('番号,名前\r\n001,"山田, ""太郎"""\r\n'.encode("cp932"))
    assert batch.ledger.num_rows == 0


def test_a_bad_code_and_a_citys_own_character_are_told_with_their_bytes(tmp_path: Path) -> None:
    batch = read(tmp_path, b"A,B\nxx,\xf0\x40\nyy,\xfd\n")
    assert [row["B"] for row in batch.segments["TSUSHO"].to_pylist()] == [None, None]
    assert [
        (line["record"], line["offset"], line["field"], line["raw"], line["code"])
        for line in batch.ledger.to_pylist()
    ] == [
        (1, 7, "B", "F040", "gaiji-undecided"),
        (2, 13, "B", "FD", "code-unmapped"),
    ]


def test_a_line_of_another_shape_gives_no_row_but_a_line_in_the_ledger(tmp_path: Path) -> None:
    batch = read(tmp_path, b'A,B\n1,2,3\n4,5\n6,"7\n')
    assert [row["A"] for row in batch.segments["TSUSHO"].to_pylist()] == ["4"]
    assert [(line["record"], line["code"]) for line in batch.ledger.to_pylist()] == [
        (1, "columns-wrong"),
        (3, "line-broken"),
    ]


def test_a_cell_may_run_over_lines(tmp_path: Path) -> None:
    batch = read(tmp_path, b'A,B\n1,"x\ny"\n2,z\n')
    assert [row["#record"] for row in batch.segments["TSUSHO"].to_pylist()] == [1, 2]


@pytest.mark.parametrize("data", [b"", b"A,A\n1,2\n", b"A,\n1,2\n", b"A,\xfd\n"])
def test_columns_without_names_are_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "F.CSV"
    file.write_bytes(data)
    with pytest.raises(Problem) as caught:
        list(records.decode_csv("F", file, CP932, "S"))
    assert caught.value.code == "csv-header"


def test_a_stray_quote_does_not_swallow_the_rest_of_a_large_file(tmp_path: Path) -> None:
    line = b"1,ABCDEFGHIJKLMNOPQRSTUVWXYZ\n"
    file = tmp_path / "F.CSV"
    file.write_bytes(b'A,B\n1,"x\n' + line * 10_000)
    read = list(records.decode_csv("F", file, CP932, "S"))
    broken = [one for batch in read for one in batch.ledger.to_pylist()]
    assert [one["code"] for one in broken] == ["line-broken"]
    assert sum(batch.segments["S"].num_rows for batch in read) > 7_000


def test_an_end_of_line_within_a_line_is_told(tmp_path: Path) -> None:
    batch = read(tmp_path, b"A,B\n1,x\ry\n2,z\n")
    assert [line["code"] for line in batch.ledger.to_pylist()] == ["line-broken"]
    assert [row["A"] for row in batch.segments["TSUSHO"].to_pylist()] == ["2"]


def test_where_the_place_in_a_line_is_not_certain_the_line_is_told(tmp_path: Path) -> None:
    batch = read(tmp_path, b"A,B\nx\xfd,\xfd\n")
    assert [(line["field"], line["offset"]) for line in batch.ledger.to_pylist()] == [("A", 5), ("B", 4)]
