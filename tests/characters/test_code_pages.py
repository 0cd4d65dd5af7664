"""Legacy code pages read and write strictly: what has no meaning is a fault with its place, never another character."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban import characters
from kiban.characters import CodePage
from kiban.kernel import Problem

PAGES = [name for name in characters.CODE_PAGES if name != "jipse"]
SHIFTED = ["jef", "keis78", "keis83", "jipsj", "ibm930", "ibm939", "ibm1390", "ibm1399"]
PAGE = {name: characters.code_page(name) for name in PAGES}


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("jef", "4040", "　"),
        ("jef", "B0A2", "啞"),  # of 1978, not 唖
        ("jef", "C5C4C3E6", "田中"),
        ("keis83", "B0A2", "唖"),
        ("keis78", "B9DC", "礦"),
        ("keis83", "B9DC", "砿"),
        ("keis83", "A1BD", "—"),
        ("jef", "A1BD", "―"),
    ],
)
def test_double_byte_codes_mean_what_the_maker_says(name: str, data: str, text: str) -> None:
    assert PAGE[name].decode(bytes.fromhex(data), start="double").text == text


def test_a_text_changes_between_one_and_two_bytes_by_shift_codes() -> None:
    data = PAGE["jef"].encode("ｱ田中A").data
    assert data == bytes.fromhex("81 28 C5C4 C3E6 29 C1")
    assert PAGE["jef"].decode(data).text == "ｱ田中A"


def test_the_wrong_ebcdic_page_reads_another_letter_so_the_page_has_to_be_known() -> None:
    assert PAGE["ibm930"].decode(b"\x81").text == "ｱ"
    assert PAGE["ibm939"].decode(b"\x81").text == "a"


@pytest.fixture(scope="module")
def codepages() -> Path:
    folder = Path(__file__).parents[3] / "shared" / "data" / "codepages"
    if not folder.is_dir():
        pytest.skip("the makers' tables are not beside the project")
    return folder


def test_jef_agrees_with_the_makers_table_but_for_listed_codes(codepages: Path) -> None:
    page, told, other = PAGE["jef"], {}, []
    for row in json.loads((codepages / "fujitsu_jef_mapping.json").read_text("utf-8")):
        code = int(row["code"], 16)
        usual = code >= 0xA1A1 and code & 0xFF >= 0xA1
        if usual and row["unicode"] and "encode_only" not in row["options"]:
            told.setdefault(code, set()).add(chr(int(row["unicode"], 16)))
    for code, texts in told.items():
        if page.double.get(code) not in texts:
            other.append(code)
    assert (len(told), len(other)) == (6_810, 8)
    gaps = [
        "ADE5",
        "ADE6",
        "ADE7",
        "ADE8",
        "ADE9",
        "ADF3",
        "ADF8",
        "ADF9",
    ]  # the maker's own symbols in row 13
    assert [f"{code:04X}" for code in sorted(other)] == gaps
    assert all(code not in page.double for code in other)  # a gap is told; another character never is


ONE_WAY = {
    **{0xA1A1: 0x4040, 0x43C7: 0x43CE, 0x6CF4: 0x6CFC, 0x73FB: 0xC4B9},
    **{0x7BC1: 0xA2A4, 0x7BC7: 0x7FF0, 0x7BD7: 0xA2A2, 0x7CF6: 0x75BA},
    0x72CA: 0x71CA,
}
"""Codes of the maker's table that are read and written with another; all but the last it lists as decode_only."""


def test_with_the_makers_table_every_code_comes_back_but_the_listed_ones(codepages: Path) -> None:
    page = characters.code_page("jef", tables=[codepages / "fujitsu_jef_mapping.json"])
    assert len(page.double) == 11_417
    assert page.one_way == ONE_WAY.keys()
    for code, text in page.double.items():
        raw = code.to_bytes(2, "big")
        assert page.decode(raw, start="double").text == text
        again = page.encode(text, start="double").data
        assert again == ONE_WAY.get(code, code).to_bytes(2, "big"), f"{code:04X}"
    codes = sorted(page.double.keys() - ONE_WAY.keys() - {0x4040})  # a field of blanks alone is empty
    block = np.array(codes, ">u2").view(np.uint8).reshape(-1, 2)
    made = characters.decode_block(page, block, "double")
    assert len(made.faults) == 0
    assert (characters.encode_block(page, made.text, 2, "double").block == block).all()


def test_what_the_makers_table_cannot_write_in_unicode_is_told_and_never_another_character(
    codepages: Path,
) -> None:
    file = codepages / "fujitsu_jef_mapping.json"
    page = characters.code_page("jef", tables=[file])
    rows = json.loads(file.read_text("utf-8"))
    lacking = {
        option: {int(row["code"], 16) for row in rows if option in row["options"]}
        for option in ("unmappable", "substitution")
    }
    assert (len(lacking["unmappable"]), len(lacking["substitution"])) == (456, 23)
    for code in sorted(lacking["unmappable"] | lacking["substitution"]):
        found = page.decode(code.to_bytes(2, "big"), start="double")
        assert found.text is None
        assert [fault.code for fault in found.faults] == ["code-unmapped"], f"{code:04X}"


def test_a_voiced_kana_of_the_makers_table_keeps_its_mark(codepages: Path) -> None:
    page = characters.code_page("jef", tables=[codepages / "fujitsu_jef_mapping.json"])
    assert page.decode(bytes.fromhex("71AB71AC"), start="double").text == "\U0001b019\U0001b019\u3099"


SWAPPED = "鰺鯵 鶯鴬 蠣蛎 攪撹 竈竃 灌潅 諫諌 頸頚 礦砿 蘂蕊 靱靭 賤賎 壺壷 礪砺 檮梼 濤涛 邇迩 蠅蝿 檜桧 儘侭 藪薮 籠篭"
"""The 22 pairs that JIS exchanged in 1983 between its two levels, as published: first what 1978 had in level 1."""


def test_the_generations_of_keis_differ_in_22_exchanged_pairs_and_in_where_four_kanji_are() -> None:
    old, new = PAGE["keis78"].double, PAGE["keis83"].double
    other = {code for code in old.keys() & new.keys() if old[code] != new[code]}
    assert len(other) == 44
    assert {frozenset((old[code], new[code])) for code in other} == {
        frozenset(pair) for pair in SWAPPED.split()
    }
    assert all(old[code] + new[code] in SWAPPED.split() for code in other if code < 0xD000)
    assert {code: old[code] for code in old.keys() - new.keys()} == {
        0x5CC3: "堯", 0x61FC: "槇", 0x65A7: "瑤", 0x6BA2: "遙"
    }  # fmt: skip
    assert {code: new[code] for code in new.keys() - old.keys()} == {
        0xF4A1: "堯", 0xF4A2: "槇", 0xF4A3: "遙", 0xF4A4: "瑤"
    }  # fmt: skip


def test_jef_is_shifted_in_three_sizes_of_which_one_is_written() -> None:
    page = PAGE["jef"]
    for shift in ("28", "38", "30E2"):
        assert page.decode(bytes.fromhex(f"81{shift}C5C429C1")).text == "ｱ田A"
    assert page.encode("ｱ田A").data == bytes.fromhex("8128C5C429C1")
    assert page.one_way_shifts == (b"\x38", b"\x30\xe2")


def test_ebcdik_agrees_with_the_makers_table(codepages: Path) -> None:
    rows = json.loads((codepages / "fujitsu_ebcdik_mapping.json").read_text("utf-8"))
    printable = {
        int(row["code"], 16): chr(int(row["unicode"], 16))
        for row in rows
        if {"compatible", "encode_only"}.isdisjoint(row["options"]) and int(row["code"], 16) >= 0x40
    }
    printable = {code: text for code, text in printable.items() if text.isprintable()}
    assert dict(PAGE["jef"].single) == printable


def test_a_citys_own_character_waits_for_a_decision_and_then_has_its_shape() -> None:
    raw = bytes.fromhex("80A1")
    [fault] = PAGE["jef"].decode(raw, start="double").faults
    assert (fault.offset, fault.raw, fault.code) == (0, raw, "gaiji-undecided")
    decided = characters.code_page("jef", gaiji={0x80A1: "辻\U000e0102"})
    assert decided.decode(raw, start="double").text == "辻\U000e0102"
    assert decided.encode("辻\U000e0102", start="double").data == raw


def test_only_cells_of_the_citys_area_wait_for_a_decision() -> None:
    assert [PAGE["jef"].reason(code, 2) for code in (0x80A1, 0x8140, 0x81A1, 0xA0FE, 0xA0FF)] == [
        "gaiji-undecided",
        "code-unmapped",
        "gaiji-undecided",
        "gaiji-undecided",
        "code-unmapped",
    ]


def test_where_published_tables_of_a_maker_disagree_a_table_has_to_say(tmp_path: Path) -> None:
    [fault] = PAGE["keis83"].decode(b"\x4f").faults
    assert fault.code == "code-unmapped"
    said = tmp_path / "said.json"
    said.write_text('[{"code": "4F", "unicode": "0021"}]', "utf-8")
    assert characters.code_page("keis83", tables=[said]).decode(b"\x4f").text == "!"


def test_a_selector_that_no_code_carries_is_not_dropped() -> None:
    made = PAGE["jef"].encode("辻\U000e0102", start="double")
    assert made.data is None
    assert [fault.code for fault in made.faults] == ["char-unencodable"]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: characters.code_page("jeff"), "code-page-unknown"),
        (lambda: characters.code_page("jipse"), "code-table-needed"),
        (lambda: characters.code_page("jef", gaiji={0x4141: "髙"}), "gaiji-outside"),
        (lambda: characters.code_page("jef", tables=[Path("/nowhere.json")]), "code-table-unreadable"),
        (
            lambda: characters.decode_block(PAGE["jef"], np.zeros((1, 3), np.uint8), "double"),
            "field-width-odd",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(call: object, code: str) -> None:
    with pytest.raises(Problem) as caught:
        call()  # type: ignore[operator]
    assert caught.value.code == code


def texts(page: CodePage) -> st.SearchStrategy[str]:
    units = sorted({*page.single_codes, *page.double_codes})
    return st.lists(st.sampled_from(units), max_size=20).map("".join)


@pytest.mark.parametrize("name", PAGES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_written_reads_the_same(name: str, data: st.DataObject) -> None:
    text = data.draw(texts(PAGE[name]))
    written = PAGE[name].encode(text)
    assert written.faults == ()
    assert PAGE[name].decode(written.data or b"").text == text


def column(page: CodePage, rows: list[bytes], mode: str) -> characters.DecodedBlock:
    return characters.decode_block(page, np.array([list(row) for row in rows], np.uint8), mode)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PAGES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_block_reads_what_single_texts_read(name: str, data: st.DataObject) -> None:
    page = PAGE[name]
    rows = data.draw(st.lists(st.binary(min_size=12, max_size=12), min_size=1, max_size=8))
    pads = {chr(0x3000), " "}
    for mode, start in (("mixed", "single"), ("double", "double")):
        if mode == "double" and page.leads:
            continue
        if mode == "double" and any(shift in row for row in rows for shift in page.to_single):
            continue  # a double field has no shift codes; the text alone would take them for such
        made = column(page, rows, mode)
        for number, row in enumerate(rows):
            single = page.decode(row, start=start)  # type: ignore[arg-type]
            places = [
                (int(offset), code)
                for at, offset, code in zip(
                    made.faults.row, made.faults.offset, made.faults.code, strict=True
                )
                if at == number
            ]
            if not any(row):
                continue
            assert places == [(fault.offset, fault.code) for fault in single.faults]
            if single.text is not None:
                kept = single.text.rstrip("".join(pads)) or None
                assert made.text[number].as_py() == kept


@pytest.mark.parametrize("name", SHIFTED)
def test_a_bad_code_is_found_at_every_place_and_nothing_is_put_for_it(name: str) -> None:
    page = PAGE[name]
    good = page.encode("田中太郎", start="double").data or b""
    bad = next(
        code
        for code in (b"\xfe\xfe", b"\xff\xff", b"\x7f\x7f")
        if page.decode(code, start="double").text is None
    )
    for place in range(0, len(good), 2):
        row = good[:place] + bad + good[place + 2 :]
        made = column(page, [good, row], "double")
        assert made.text.to_pylist() == ["田中太郎", None]
        assert (made.faults.row.tolist(), made.faults.offset.tolist()) == ([1], [place])
        assert made.faults.raw == [bad]


def test_a_cut_shift_is_a_fault_in_its_field() -> None:
    page = PAGE["jef"]
    made = column(
        page,
        [bytes.fromhex("28C5C4C3E629"), bytes.fromhex("28C5C4C3E640"), bytes.fromhex("28C5C4C3E6C5")],
        "mixed",
    )
    assert made.text.to_pylist() == ["田中", None, None]
    assert set(made.faults.code) <= {"shift-unbalanced", "byte-truncated", "code-unmapped"}
    assert set(made.faults.row.tolist()) == {1, 2}


def test_padding_and_low_values_are_nothing_but_a_low_value_inside_a_text_is_a_fault() -> None:
    page = PAGE["jef"]
    made = column(page, [b"\x40\x40\x40\x40", bytes(4), b"\xc5\xc4\x00\x00"], "double")
    assert made.text.to_pylist() == [None, None, None]
    assert made.faults.row.tolist() == [2]
    assert made.faults.code == ["code-unmapped"]


@pytest.mark.parametrize("name", ["jef", "keis83", "jipsj", "ibm939"])
@pytest.mark.parametrize("mode", ["single", "double", "mixed"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_column_written_reads_the_same(name: str, mode: str, data: st.DataObject) -> None:
    page = PAGE[name]
    codes = {"single": page.single_codes, "double": page.double_codes}.get(mode) or page.double_codes
    alphabet = st.lists(st.sampled_from(sorted(set(codes) - {" ", "　"})), min_size=1, max_size=8).map(
        "".join
    )
    rows = data.draw(st.lists(st.none() | alphabet, min_size=1, max_size=6))
    made = characters.encode_block(page, pa.array(rows, pa.string()), 40, mode)  # type: ignore[arg-type]
    assert len(made.faults) == 0
    assert characters.decode_block(page, made.block, mode).text.to_pylist() == rows  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("mode", ["single", "double", "mixed"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_column_is_written_as_single_texts_are(name: str, mode: str, data: st.DataObject) -> None:
    own = PAGE[name].user_areas[0][0] if PAGE[name].user_areas else None
    page = characters.code_page(name, gaiji={own: "辻\U000e0102"}) if own else PAGE[name]
    units = st.sampled_from(
        ["辻", "\U000e0102", "辻\U000e0102", "𠮷", "ｱ", "ア", "A", "Ａ", " ", "　", "田", "\ufffd"]
    )
    alphabet = units | st.sampled_from(sorted(page.double_codes)) | st.characters(codec="utf-8")
    rows = data.draw(st.lists(st.none() | st.lists(alphabet, max_size=9).map("".join), max_size=8))
    array = pa.array([None, *rows], pa.string())[1:]  # a slice, as batches are
    made = characters.encode_block(page, array, 14, mode)  # type: ignore[arg-type]
    pad = page.pad(mode)  # type: ignore[arg-type]
    expected, faults = [], []
    for number, row in enumerate(rows):
        single = page.encode_as(row or "", mode)  # type: ignore[arg-type]
        wrong = [(number, fault.offset, fault.code) for fault in single.faults]
        if single.data is not None and len(single.data) > 14:
            wrong = [(number, len(row or ""), "field-overflow")]
        faults += wrong
        data_of = b"" if wrong else single.data or b""
        expected.append(data_of + pad * ((14 - len(data_of)) // len(pad)))
    assert [line.tobytes() for line in made.block] == expected
    found = zip(made.faults.row.tolist(), made.faults.offset.tolist(), made.faults.code, strict=True)
    assert list(found) == faults


def test_a_text_too_long_for_its_field_is_a_fault_and_is_not_cut() -> None:
    made = characters.encode_block(PAGE["jef"], pa.array(["田中", "田中太郎"]), 4, "double")
    assert made.faults.row.tolist() == [1]
    assert made.faults.code == ["field-overflow"]
    assert made.block[1].tobytes() == b"\x40\x40\x40\x40"


def test_a_column_with_wide_offsets_is_written_like_any_other() -> None:
    page = characters.code_page("jef")
    texts = ["辻", None, "渡邉", "東灘区"]
    wide = characters.encode_block(page, pa.array(texts, pa.large_string()), 8, "double")
    assert (wide.block == characters.encode_block(page, pa.array(texts), 8, "double").block).all()
