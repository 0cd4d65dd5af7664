"""Records of mainframes: every byte belongs to something, what cannot be read is told with its place, and the rest comes back."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban import characters
from kiban.kernel import Problem, Problems
from kiban.migration import records
from kiban.migration.records import Copybook, Reading, Source

JEF = characters.code_page("jef")
COPYBOOKS = Path(__file__).parents[2] / "src" / "kiban" / "town" / "legacy" / "project" / "copybooks"

SMALL = """
       01  REC.
         03  KUBUN      PIC X(01).
         03  BANGO      PIC 9(05).
         03  GAKU       PIC S9(05) COMP-3.
         03  RITSU      PIC S9(03)V99 COMP-3.
         03  SU         PIC S9(04) COMP.
         03  ZAN        PIC S9(05).
         03  SHIMEI     PIC N(05).
         03  KANA       PIC X(06).
         03  KI         PIC S9(03) COMP-3 OCCURS 2 TIMES.
         03  FILLER     PIC X(03).
"""


def parse(text: str) -> Copybook:
    return records.parse_copybook(text, "TEST.cpy")


def row(**other: bytes) -> bytes:
    parts = {
        "KUBUN": b"\xc1",
        "BANGO": b"\xf0\xf0\xf1\xf2\xf3",
        "GAKU": bytes.fromhex("12345D"),
        "RITSU": bytes.fromhex("00123C"),
        "SU": b"\xff\xfe",
        "ZAN": b"\xf0\xf0\xf0\xf4\xd2",
        "SHIMEI": bytes.fromhex("C5C4C3E6404040404040"),
        "KANA": b"\x81\x82\x40\x40\x40\x40",
        "KI": bytes.fromhex("001C002C"),
        "FILLER": b"\x40\x40\x40",
    }
    return b"".join((parts | other).values())


def source(
    folder: Path, data: bytes, text: str = SMALL, reading: Reading | None = None, **more: str
) -> Source:
    file = folder / "F.DAT"
    file.write_bytes(data)
    return Source("F", file, more.get("framing", "fixed"), parse(text), reading or Reading(), JEF)  # type: ignore[arg-type]


def only(found: Source) -> records.Batch:
    [batch] = records.decode_file(found)
    return batch


def test_every_kind_of_field_is_read(tmp_path: Path) -> None:
    batch = only(source(tmp_path, row() * 2))
    assert batch.ledger.num_rows == 0
    [first, second] = batch.segments["REC"].to_pylist()
    assert first == {
        "#file": "F",
        "#record": 1,
        "#offset": 0,
        "KUBUN": "A",
        "BANGO": 123,
        "GAKU": -12345,
        "RITSU": Decimal("1.23"),
        "SU": -2,
        "ZAN": -42,
        "SHIMEI": "田中",
        "KANA": "ｱｲ",
        "KI(1)": 1,
        "KI(2)": 2,
    }
    assert (second["#record"], second["#offset"]) == (2, len(row()))


@pytest.mark.parametrize(
    ("field", "raw", "code", "offset"),
    [
        ("GAKU", "1A345C", "nibble-bad", 6),
        ("GAKU", "123459", "sign-bad", 6),
        ("GAKU", "000000", "low-values", 6),
        ("GAKU", "404040", "spaces", 6),
        ("BANGO", "4040404040", "spaces", 1),
        ("BANGO", "F0F0C1F2F3", "zone-bad", 1),
        ("BANGO", "F0F0FAF2F3", "digit-bad", 1),
        ("ZAN", "F0F0F0F4A2", "sign-bad", 14),
        ("SU", "7FFF", "digits-many", 12),
        ("SHIMEI", "C5C4FFFF404040404040", "code-unmapped", 21),
        ("SHIMEI", "C5C480A1404040404040", "gaiji-undecided", 21),
        ("KANA", "810000404040", "code-unmapped", 30),
    ],
)
def test_what_cannot_be_read_is_null_and_told_with_its_place(
    tmp_path: Path, field: str, raw: str, code: str, offset: int
) -> None:
    good = only(source(tmp_path, row())).segments["REC"].to_pylist()[0]
    batch = only(source(tmp_path, row() + row(**{field: bytes.fromhex(raw)})))
    lines = batch.ledger.to_pylist()
    assert {(line["file"], line["record"], line["field"], line["code"]) for line in lines} == {
        ("F", 2, field, code)
    }
    assert lines[0]["offset"] == len(row()) + offset
    assert lines[0]["raw"] in raw
    second = batch.segments["REC"].to_pylist()[1]
    assert second[field] is None
    same = {name: value for name, value in good.items() if name != field and not name.startswith("#")}
    assert {name: second[name] for name in same} == same  # nothing else changed


def test_a_bad_byte_at_any_place_never_passes_as_something_else(tmp_path: Path) -> None:
    clean = only(source(tmp_path, row())).segments["REC"].to_pylist()[0]
    for place in range(1, len(row()) - 3):
        data = bytearray(row())
        data[place] = 0xFF
        batch = only(source(tmp_path, bytes(data)))
        seen = batch.segments["REC"].to_pylist()[0]
        changed = [name for name in clean if seen[name] != clean[name]]
        told = {line["field"] for line in batch.ledger.to_pylist()}
        for name in changed:
            assert name in told or name in {"SU", "GAKU", "RITSU"}, (
                place,
                name,
            )  # a number may be another number
            if name in {"SHIMEI", "KANA"}:
                assert seen[name] is None


def test_declared_unset_numbers_are_nothing_and_no_fault(tmp_path: Path) -> None:
    reading = Reading(unset={"GAKU": ["low-values"]})
    batch = only(source(tmp_path, row(GAKU=bytes(3)), reading=reading))
    assert batch.ledger.num_rows == 0
    assert batch.segments["REC"].to_pylist()[0]["GAKU"] is None


def test_content_of_fillers_is_counted(tmp_path: Path) -> None:
    assert only(source(tmp_path, row(FILLER=b"\x40\xc1\xc2"))).filled == 2


def test_a_file_that_is_no_whole_number_of_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="and 7 bytes more") as caught:
        list(records.decode_file(source(tmp_path, row() + row()[:7])))
    assert caught.value.code == "record-length"


ALTERNATIVES = """
01 REC.
  03 SHU PIC X.
  03 NIHON.
    05 HONSEKI PIC X(4).
  03 GAIKOKU REDEFINES NIHON.
    05 KUNI PIC X(3).
    05 FILLER PIC X.
  03 ATO PIC X(9).
"""


def test_alternatives_of_the_same_bytes_are_chosen_by_a_field(tmp_path: Path) -> None:
    when = {"NIHON": ("SHU", ["1"]), "GAIKOKU": ("SHU", ["2"])}
    data = b"".join(kind + JEF.encode("ABC ABCDEFGHI").data for kind in (b"\xf1", b"\xf2", b"\xf9"))  # type: ignore[operator]
    batch = only(source(tmp_path, data, ALTERNATIVES, Reading(when=when)))
    rows = batch.segments["REC"].to_pylist()
    assert [(one["HONSEKI"], one["KUNI"]) for one in rows] == [("ABC", None), (None, "ABC"), (None, None)]
    [line] = batch.ledger.to_pylist()
    assert (line["record"], line["code"], line["raw"]) == (3, "discriminator-unknown", "F9")


def test_an_alternative_nobody_decides_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        only(source(tmp_path, b"\xf1" * 14, ALTERNATIVES))
    assert caught.value.code == "choice-open"


VARYING = """
01 REC.
  03 NO PIC 9(3).
  03 SU PIC 9(2).
  03 TAISHO OCCURS 0 TO 5 TIMES DEPENDING ON SU.
    05 T-NO PIC 9(2).
    05 T-NA PIC N(2).
"""


def varying(number: int, names: list[str], told: int | None = None) -> bytes:
    body = JEF.encode(f"{number:03}{len(names) if told is None else told:02}").data or b""
    for index, name in enumerate(names):
        body += (JEF.encode(f"{index:02}").data or b"") + (JEF.encode(name, start="double").data or b"")
    return (len(body) + 4).to_bytes(2, "big") + b"\0\0" + body


def test_a_table_of_varying_length_becomes_rows_of_its_own(tmp_path: Path) -> None:
    data = varying(1, ["田中", "中田"]) + varying(2, []) + varying(3, ["田田"])
    batch = only(source(tmp_path, data, VARYING, framing="rdw"))
    assert [(one["NO"], one["SU"]) for one in batch.segments["REC"].to_pylist()] == [(1, 2), (2, 0), (3, 1)]
    rows = batch.segments["TAISHO"].to_pylist()
    assert [(one["#record"], one["#index"], one["T-NA"]) for one in rows] == [
        (1, 1, "田中"),
        (1, 2, "中田"),
        (3, 1, "田田"),
    ]


def test_a_counter_that_does_not_fit_its_record_is_told_and_gives_no_rows(tmp_path: Path) -> None:
    batch = only(source(tmp_path, varying(1, ["田中"], told=3), VARYING, framing="rdw"))
    assert [line["code"] for line in batch.ledger.to_pylist()] == ["table-count"]
    assert batch.segments["TAISHO"].num_rows == 0


def test_a_cut_variable_file_is_refused_at_the_byte(tmp_path: Path) -> None:
    data = varying(1, ["田中"]) + varying(2, ["田中"])[:-1]
    with pytest.raises(Problem) as caught:
        records.record_count(source(tmp_path, data, VARYING, framing="rdw"))
    assert caught.value.code == "record-descriptor"
    assert "byte 15" in (caught.value.where or "")


packed = st.integers(-99999, 99999)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(packed, min_size=1, max_size=20),
    kind=st.sampled_from(["COMP-3", "", "COMP", "SIGN LEADING SEPARATE", "SIGN TRAILING SEPARATE"]),
)
def test_numbers_written_are_read_again(values: list[int], kind: str) -> None:
    [field] = parse(f"01 R.\n  03 F PIC S9(5) {kind}.").records[0].fields
    from kiban.migration.records import numbers

    for ascii_digits in (False, True):
        block = numbers.encode(field, np.array(values, np.int64), ascii_digits=ascii_digits)
        read, reasons = numbers.decode(field, block, ascii_digits=ascii_digits)
        assert not reasons.any()
        assert read.tolist() == values


def proved(found: records.Source) -> records.Proof:
    read = list(records.decode_file(found))
    rows = [pair for batch in read for pair in batch.segments.items()]
    return records.prove(found, rows, pa.Table.from_batches([batch.ledger for batch in read]))


def test_writing_back_gives_the_same_bytes_but_for_what_is_listed(tmp_path: Path) -> None:
    found = source(tmp_path, row() * 3 + row(GAKU=bytes.fromhex("12345F")))
    proof = proved(found)
    assert (proof.records, proof.unexplained, proof.missing) == (4, 0, 0)
    assert proof.other == {"GAKU": 1}  # a positive sign of another writing: same amount, other byte
    assert proof.examples == {"GAKU": (3 * len(row()) + 6,)}
    assert proof.fields == 4 * 10 - 1


def test_a_shift_of_another_size_of_print_is_read_and_listed_as_written_otherwise(tmp_path: Path) -> None:
    reading = Reading(modes={"KANA": "mixed"})
    shifts = [JEF.to_double[0] + b"\xc5\xc4\x29\x40\x40", b"\x30\xe2\xc5\xc4\x29\x40"]
    found = source(tmp_path, b"".join(row(KANA=kana) for kana in shifts), reading=reading)
    assert [one["KANA"] for one in only(found).segments["REC"].to_pylist()] == ["田", "田"]
    proof = proved(found)
    assert (proof.other, proof.unexplained) == ({"KANA": 1}, 0)
    assert proof.examples == {"KANA": (len(row()) + row().index(b"\x81\x82"),)}


def test_a_byte_that_no_value_and_no_line_of_the_ledger_accounts_for_is_told(tmp_path: Path) -> None:
    found = source(tmp_path, row() * 3)
    read = list(records.decode_file(found))
    [(name, rows)] = [pair for batch in read for pair in batch.segments.items()]
    at = rows.schema.get_field_index("GAKU")
    emptied = rows.set_column(at, "GAKU", pa.nulls(3, rows.schema.field("GAKU").type))
    proof = records.prove(found, [(name, emptied)], records.LEDGER.empty_table())
    assert proof.unexplained == 3 * 3 and proof.examples[""][0] == 6
    changed = rows.set_column(at, "GAKU", pa.array([7, 7, 7], rows.schema.field("GAKU").type))
    assert records.prove(found, [(name, changed)], records.LEDGER.empty_table()).other == {"GAKU": 3}
    assert records.prove(found, [(name, rows.slice(1))], records.LEDGER.empty_table()).missing == 1


@pytest.mark.parametrize("name", sorted(file.name for file in COPYBOOKS.glob("*.cpy")))
def test_every_byte_of_the_sample_copybooks_belongs_to_a_field(name: str) -> None:
    book = records.parse_copybook((COPYBOOKS / name).read_text("utf-8"), name)
    for record in book.records:
        covered = np.zeros(record.length, bool)
        for field in record.fields:
            covered[field.offset : field.offset + field.length] = True
        assert covered.all()


def test_all_faults_of_a_copybook_are_told_at_once_with_their_lines() -> None:
    text = "01 R.\n 03 A PIC X(2).\n 03 B COMP-1.\n 03 C PIC Z9.\n 03 D REDEFINES E PIC X.\n 03 A PIC 9(20)."
    with pytest.raises(Problems) as caught:
        parse(text)
    assert {problem.code for problem in caught.value.problems} >= {
        "copybook-float",
        "copybook-picture",
        "copybook-redefines",
        "copybook-digits",
    }
    assert all("line" in (problem.where or "") for problem in caught.value.problems)


def test_a_file_without_a_record_has_every_segment_of_its_copybook_without_a_row(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    [nothing] = records.decode_file(source(tmp_path / "empty", b""))
    something = only(source(tmp_path, row()))
    assert {name: rows.schema for name, rows in nothing.segments.items()} == {
        name: rows.schema for name, rows in something.segments.items()
    }
    assert {rows.num_rows for rows in [*nothing.segments.values(), nothing.ledger, nothing.uses]} == {0}


def test_ranges_of_a_file_are_the_whole_file(tmp_path: Path) -> None:
    found = source(tmp_path, row() * 7)
    parts = [*records.decode_file(found, 0, 3), *records.decode_file(found, 3, 7)]
    together = pa.Table.from_batches([batch.segments["REC"] for batch in parts])
    assert together.equals(pa.Table.from_batches([only(found).segments["REC"]]))
    assert replace(found, name="G").length == len(row())


def names_and_places(text: str) -> list[tuple[str, int, int]]:
    return [(field.name, field.offset, field.length) for field in parse(text).records[0].fields]


def test_a_beginning_value_says_nothing_about_the_file_wherever_it_stands() -> None:
    text = "01 R.\n 03 A VALUE 'PIC X.' PIC X(2).\n 03 B PIC 9(3) VALUE ZERO COMP-3.\n 03 C PIC X."
    assert names_and_places(text) == [("A", 0, 2), ("B", 2, 2), ("C", 4, 1)]


def test_the_usage_of_a_group_is_that_of_its_fields() -> None:
    assert names_and_places("01 R.\n 03 G COMP-3.\n  05 A PIC S9(5).\n  05 B PIC 9(2) DISPLAY.") == [
        ("A", 0, 3),
        ("B", 3, 2),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "01 R.\n 03 G.\n 03 A PIC X.",
        "01 R.\n 03 A PIC X.\n  05 B PIC X.",
        "01 R.\n 03 A PIC X.\n77 B PIC X.",
        "01 R.\n 03 A PIC X.\n 03 B PIC S9(10) COMP SYNC.",
        "01 R.\n 03 G OCCURS 2.\n  05 A PIC X.\n  05 B PIC S9(4) COMP SYNC.",
        "01 R.\n 03 A PIC X(2).\n 03 B REDEFINES A PIC X(2).\n 03 C REDEFINES B PIC X(2).",
        "01 R.\n 03 A PIC X OCCURS N TIMES.",
        "01 R.\n 03 N PIC 9.\n 03 G OCCURS 0 TO 3 DEPENDING ON N.\n  05 A PIC X.\n  05 B REDEFINES A PIC X.",
        "01 R.\n 03 N PIC 9.\n 03 A PIC X.\n 03 B REDEFINES A PIC X.\n 03 G OCCURS 0 TO 3 DEPENDING ON N.\n  05 C PIC X.",
    ],
)
def test_what_is_not_understood_is_refused_and_never_read_as_something_else(text: str) -> None:
    with pytest.raises(Problems):
        parse(text)


def test_a_variable_record_longer_than_its_copybook_is_told(tmp_path: Path) -> None:
    text = "01 A.\n 03 X PIC X(2).\n01 B.\n 03 Y PIC X(4)."
    reading = Reading(when={"A": ("X", ["AA"]), "B": ("Y", ["BBBB"])})
    data = b"\x00\x08\x00\x00\xc1\xc1\xc1\xc1" + b"\x00\x08\x00\x00\xc2\xc2\xc2\xc2"
    batch = only(source(tmp_path, data, text, reading, framing="rdw"))
    assert [(line["record"], line["code"], line["raw"]) for line in batch.ledger.to_pylist()] == [
        (1, "record-long", "C1C1")
    ]
    assert batch.segments["B"].num_rows == 1


def test_two_places_with_alternatives_are_both_read(tmp_path: Path) -> None:
    text = (
        "01 R.\n 03 S PIC X.\n 03 A PIC X.\n 03 B REDEFINES A PIC 9.\n 03 C PIC X.\n 03 D REDEFINES C PIC 9."
    )
    when = {name: ("S", [kind]) for name, kind in (("A", "1"), ("B", "2"), ("C", "1"), ("D", "2"))}
    batch = only(source(tmp_path, b"\xf1\xc1\xc2" + b"\xf2\xf3\xf4", text, Reading(when=when)))
    rows = batch.segments["R"].to_pylist()
    assert [(row["A"], row["B"], row["C"], row["D"]) for row in rows] == [
        ("A", None, "B", None),
        (None, 3, None, 4),
    ]
