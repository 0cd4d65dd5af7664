"""Every fault of an edition is told at once, with its place and what to do."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiban import standard
from kiban.kernel import Problems

ITEMS = "items.csv"
YAML = "business.yaml"
SEX = "codes/001_seibetsu.csv"


@dataclass(frozen=True)
class Broken:
    """One way to break the tiny edition.

    Attributes:
        name: of the case.
        edits: what is changed.
        code: of the fault.
        where: beginning of its place.
        fix: part of its advice.
        together: whether it can be broken together with the others.
    """

    name: str
    edits: tuple[tuple[str, str, str], ...]
    code: str
    where: str
    fix: str
    together: bool = True


CASES = [
    Broken("a type is misspelt", ((ITEMS, "seinengappi,人,,,人,生年月日,,DATE", "seinengappi,人,,,人,生年月日,,DATA"),),
           "type-unknown", "items.csv:9 (90100008 生年月日)", "did you mean DATE?"),
    Broken("a type is missing", ((ITEMS, "setainushi,世帯,,,世帯,共通,,N", "setainushi,世帯,,,世帯,共通,,"),),
           "type-missing", "items.csv:19 (90100023 世帯主)", "write one of X, N"),
    Broken("digits are missing", ((ITEMS, "kukodo,人,,,人,共通,,X,6", "kukodo,人,,,人,共通,,X,"),),
           "digits-missing", "items.csv:4 (90100003 行政区コード)", "as n"),
    Broken("digits are no number", ((ITEMS, "kojinbango,人,,,人,共通,,X,12", "kojinbango,人,,,人,共通,,X,十二"),),
           "digits-form", "items.csv:5 (", "such as 10"),
    Broken("a decimal has whole digits", ((ITEMS, '9V,"3,2"', "9V,5"),),
           "digits-form-9v", "items.csv:15 (90100014 率)", "such as 5,2"),
    Broken("text has decimal digits", ((ITEMS, "jusho,人,,,人,住所,,N,300", 'jusho,人,,,人,住所,,N,"300,2"'),),
           "digits-form", "items.csv:12 (90100011 住所)", "change データ型 to 9V"),
    Broken("romaji stands twice", ((ITEMS, "氏名_フリガナ,shimei_furigana", "氏名_フリガナ,shimei"),),
           "romaji-twice", "items.csv:8 (90100007 氏名_フリガナ)", "such as shimei_2", together=False),
    Broken("romaji has capitals", ((ITEMS, "shobunkubun", "Shobun Kubun"),),
           "romaji-form", "items.csv:14 (90100013 処分区分)", "shobun_kubun"),
    Broken("romaji is missing", ((ITEMS, "shorinendo", ""),),
           "romaji-missing", "items.csv:23 (90100034 処理年度)", "write the romaji"),
    Broken("romaji is the registers' own", ((ITEMS, "shorijikoku", "valid_from"),),
           "romaji-reserved", "items.csv:22 (90100033 処理時刻)", "valid_from_item"),
    Broken("romaji is longer than the database keeps", ((ITEMS, "shorinengappi", "s" * 64),),
           "romaji-too-long", "items.csv:21 (90100032 処理年月日)", "at most 63 letters"),
    Broken("an ID has letters", ((ITEMS, "90100004,", "9010000A,"),),
           "item-id-form", "items.csv:5 (9010000A 個人番号)", "write the business ID and five digits"),
    Broken("an ID is of another business", ((ITEMS, "90100012,", "00100012,"),),
           "item-id-of-other-business", "items.csv:13 (00100012 業務ID)", "write 90100012"),
    Broken("an ID stands twice", ((ITEMS, "90100015,", "90100014,"),),
           "item-id-twice", "items.csv:16 (90100014 増減)", "give one of them a free number"),
    Broken("an item has no name", ((ITEMS, "90100031,処理番号,", "90100031,,"),),
           "item-without-name", "items.csv:20 (90100031)", "write the Japanese name"),
    Broken("a key mark is a look-alike", ((ITEMS, "shoribango,処理,○", "shoribango,処理,〇"),),
           "mark-unknown", "items.csv:20", "did you mean ○ (U+25CB)?"),
    Broken("an item has no group", ((ITEMS, "zogen,人,", "zogen,,"),),
           "item-without-group", "items.csv:16", "write the name of the group"),
    Broken("a group is not declared", ((ITEMS, "setainushi,世帯,,", "setainushi,世代,,"),),
           "group-undeclared", "items.csv:19 (90100023 世帯主)", "did you mean 世帯?"),
    Broken("a declared group has no items", ((YAML, "  - id: setai\n",
                                               "  - {id: kara, name: 空, kind: log, scope: city}\n  - id: setai\n"),),
           "group-without-items", "business.yaml:22", "or remove the group", together=False),
    Broken("two groups have one id", ((YAML, "id: shori", "id: setai"),),
           "group-twice", "business.yaml:27", "name every group once"),
    Broken("a code list is not there", ((ITEMS, "gyomuid,人,,,人,共通,,X,3,,999", "gyomuid,人,,,人,共通,,X,3,9,999"),),
           "code-list-unknown", "items.csv:13", "did you mean 999?"),
    Broken("repetition is no number", ((ITEMS, "X,3,,999,任意", "X,3,,何回も,任意"),),
           "repeat-form", "items.csv:13", "such as 999", together=False),
    Broken("a condition is unknown", ((ITEMS, "氏名,,Ｎ,100,,,必須", "氏名,,Ｎ,100,,,必要"),),
           "condition-unknown", "items.csv:7 (90100006 氏名)", "write one of 必須, 条件付き必須, 任意"),
    Broken("a condition is missing", ((ITEMS, "X,1,001,,任意", "X,1,001,,"),),
           "condition-missing", "items.csv:11 (90100010 性別)", "write one of 必須"),
    Broken("a conditional item has no condition", ((ITEMS, "※※生年月日が不詳の場合は出力必須", ""),),
           "condition-without-text", "items.csv:10 (90100009 生年月日_不詳表記)", "beginning with ※※"),
    Broken("a foreign key has no target", ((ITEMS, "jusho,人,,,", "jusho,人,,○,"),),
           "foreign-key-without-target", "items.csv:12 (90100011 住所)", "to references:"),
    Broken("a foreign key could point to two", ((ITEMS, "setainushi,世帯,,,", "shoribango,世帯,○,,"),
                                                (ITEMS, "zogen,人,,,", "shoribango,人,,○,")),
           "foreign-key-ambiguous", "items.csv:16", "{group: hito, item: shoribango, to: …}", together=False),
    Broken("a reference has another type", ((ITEMS, "世帯,○,,世帯,共通,,X,15", "世帯,○,,世帯,共通,,9,15"),),
           "foreign-key-type", "items.csv:6 (90100005 世帯番号)", "give both the type 9"),
    Broken("a reference names no group", ((YAML, "to: setai}", "to: setaii}"),),
           "reference-group-unknown", "business.yaml:32", "did you mean setai?", together=False),
    Broken("a reference names no item", ((YAML, "item: setaibango", "item: setaibangou"),),
           "item-unknown", "business.yaml:32", "did you mean setaibango?", together=False),
    Broken("the ward item is not there", ((YAML, "    ward: kukodo\n    search:", "    ward: kukod\n    search:"),),
           "item-unknown", "business.yaml:14", "did you mean kukodo?"),
    Broken("a ward group names no ward item", ((YAML, "    scope: ward\n    ward: kukodo\n  - id: shori",
                                                "    scope: ward\n  - id: shori"),),
           "ward-missing", "business.yaml:25", "that holds the ward code", together=False),
    Broken("nobody has decided who may read a group", ((YAML, "kind: log\n    scope: city", "kind: log\n    scope: undecided"),),
           "scope-undecided", "business.yaml:30", "write scope: ward and ward:", together=False),
    Broken("a group says nothing of who may read it", ((YAML, "kind: log\n    scope: city", "kind: log"),),
           "scope-undecided", "business.yaml:27", "or scope: city after deciding", together=False),
    Broken("what a business publishes is no list", ((YAML, "groups:", "publishes: 住民異動\ngroups:"),),
           "field-not-list", "business.yaml:8", "publishes: [a, b]", together=False),
    Broken("a search item is not there", ((YAML, "address: [jusho]", "address: [jyusho]"),),
           "item-unknown", "business.yaml:21", "did you mean jusho?"),
    Broken("the history is not in the key", ((YAML, "history: rirekibango", "history: zogen"),),
           "history-not-key", "business.yaml:12", "or set history: null", together=False),
    Broken("a group has no key", ((ITEMS, "setaibango,世帯,○", "setaibango,世帯,"),),
           "group-without-key", "business.yaml:23", "with ○ in 主キー", together=False),
    Broken("a kind is unknown", ((YAML, "kind: log", "kind: logs"),),
           "field-choice", "business.yaml:29", "did you mean log?"),
    Broken("a field is misspelt", ((YAML, "basis:", "bases:"),),
           "field-unknown", "business.yaml:6", "did you mean basis?"),
    Broken("a field is missing", ((YAML, "title: 試験台帳\n", ""),),
           "field-missing", "business.yaml:1", "add a line title: …", together=False),
    Broken("the edition has blanks", ((YAML, 'edition: "test-1"', 'edition: "test 1"'),),
           "field-form", "business.yaml:4", "without blanks"),
    Broken("the day does not exist", ((YAML, "2026-04-01", "2026-04-31"),),
           "day-form", "business.yaml:7", "such as 2026-04-01"),
    Broken("renames start from nowhere", ((YAML, "groups:", "renames: {a: shimei}\ngroups:"),),
           "replaces-missing", "business.yaml:8", "ID of the earlier edition", together=False),
    Broken("a rename leads nowhere", ((YAML, "groups:", "replaces: test-0\nrenames: {a: simei}\ngroups:"),),
           "rename-target-unknown", "business.yaml:9", "did you mean shimei?", together=False),
    Broken("a recode leads nowhere", ((YAML, "groups:", 'replaces: test-0\nrecodes: {"001": {"9": "4"}}\ngroups:'),),
           "recode-target-unknown", "business.yaml:9", "known are 0, 1, 2", together=False),
    Broken("a key of YAML stands twice", ((YAML, "title: 試験台帳", "title: 試験台帳\ntitle: 台帳"),),
           "yaml-key-twice", "business.yaml:4", "keep one of them", together=False),
    Broken("YAML points back at itself", ((YAML, "groups:", "law: &a [x]\nowner: *a\ngroups:"),),
           "yaml-alias", "business.yaml:9", "write the value out", together=False),
    Broken("YAML nests without end", ((YAML, "groups:", "law: " + "[" * 5000 + "\ngroups:"),),
           "yaml-broken", "business.yaml", "as in other editions", together=False),
    Broken("a text is a list", ((YAML, "basis: 試験", "basis: [試験, 一]\nlaw: 試験"),),
           "field-not-text", "business.yaml:6", "basis: text", together=False),
    Broken("a list is a text", ((YAML, "numbers: [kojinbango]", "numbers: kojinbango"),),
           "field-not-list", "business.yaml:17", "numbers: [a, b]", together=False),
    Broken("YAML is not YAML", ((YAML, "groups:", "groups: ["),),
           "yaml-broken", "business.yaml:", "check indentation", together=False),
    Broken("a code value stands twice", ((SEX, "", "001,性別,2,女性,,,\n"),),
           "code-value-twice", "codes/001_seibetsu.csv:5", "有効終了日"),
    Broken("a code has no value", ((SEX, "001,性別,0,不明", "001,性別,,不明"),),
           "code-value-missing", "codes/001_seibetsu.csv:2", "write the value"),
    Broken("a code has no label", ((SEX, "001,性別,1,男", "001,性別,1,"),),
           "code-label-missing", "codes/001_seibetsu.csv:3", "write what the value means"),
    Broken("a code ends before it starts", ((SEX, "2,女,,,", "2,女,,2026-04-01,2026-04-01"),),
           "code-period-empty", "codes/001_seibetsu.csv:4", "the day after the last day"),
    Broken("two lists stand in one file", ((SEX, "001,性別,2,女", "002,続柄,2,女"),),
           "code-file-mixed", "codes/001_seibetsu.csv:4", "one code list per file", together=False),
    Broken("a list stands in two files", (("codes/1_again.csv", "",
                                            "コードID,コード名,コード値,コード値の内容,備考\n1,性,1,男,\n"),),
           "code-list-twice", "codes/1_again.csv", "another コードID"),
    Broken("a code is longer than its item", (("codes/001_seibetsu.csv", "001,性別,0,", "001,性別,00,"),),
           "code-value-too-long", "items.csv:11", "raise 桁数 to 2", together=False),
    Broken("a code list is empty", (("codes/003_empty.csv", "", "コードID,コード名,コード値,コード値の内容,備考\n"),),
           "code-list-empty", "codes/003_empty.csv", "任意"),
    Broken("a row has too few cells", ((ITEMS, "2026,\n", "2026\n"),),
           "row-ragged", "items.csv:23", "quote cells that hold a comma"),
    Broken("a column is misspelt", ((ITEMS, ",桁数,", ",桁,"),),
           "header-column-unknown", "items.csv:1", "did you mean 桁数?", together=False),
    Broken("a column is missing", ((ITEMS, "サンプル値,備考", "サンプル値"),),
           "header-column-missing", "items.csv:1", "as column 20", together=False),
    Broken("columns are in another order", ((ITEMS, "主キー,外部キー", "外部キー,主キー"),),
           "header-order", "items.csv:1", "the order is データ項目ID,", together=False),
    Broken("a quotation is never closed", ((ITEMS, "人を識別する番号", '"人を識別する番号'),),
           "csv-broken", "items.csv:2", "close the quotation mark", together=False),
    Broken("a NUL stands in the list", ((ITEMS, "行政区,,", "行政区\0,,"),),
           "nul-character", "items.csv:4", "remove it"),
]  # fmt: skip


def _faults(folder: Path) -> list[standard.Finding]:
    return [finding for finding in standard.check(folder) if finding.severity == "fault"]


def test_the_tiny_edition_has_neither_fault_nor_note(tiny: standard.Edition) -> None:
    assert standard.check(tiny.folder) == ()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_fault_is_told_with_its_place_and_advice(case: Broken, edited: Callable[..., Path]) -> None:
    found = [f.problem for f in _faults(edited(case.edits)) if f.problem.code == case.code]
    assert found, f"{case.code} was not found"
    assert any((p.where or "").startswith(case.where) and case.fix in (p.fix or "") for p in found), found


def test_every_fault_is_told_in_one_reading(edited: Callable[..., Path]) -> None:
    cases = [case for case in CASES if case.together]
    folder = edited([edit for case in cases for edit in case.edits])
    found = {(f.problem.code, f.problem.where) for f in _faults(folder)}
    missing = [
        case.name
        for case in cases
        if not any(c == case.code and (w or "").startswith(case.where) for c, w in found)
    ]
    assert missing == []
    assert len({code for code, _ in found}) >= 25


def test_a_broken_edition_is_not_loaded_and_all_its_faults_are_raised(edited: Callable[..., Path]) -> None:
    folder = edited([(ITEMS, "X,15", "Q,15"), (ITEMS, "任意", "随意")])
    with pytest.raises(Problems) as raised:
        standard.load(folder)
    assert {p.code for p in raised.value.problems} == {"type-unknown", "condition-unknown"}
    assert "2 problems" in str(raised.value)


def test_a_list_in_shift_jis_is_told_as_such_and_still_read(edited: Callable[..., Path]) -> None:
    folder = edited([(ITEMS, "DATE", "DATA")])
    path = folder / ITEMS
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp932"))
    codes = {f.problem.code: f.problem for f in _faults(folder)}
    assert set(codes) == {"encoding-not-utf8", "type-unknown"}
    assert codes["encoding-not-utf8"].where == "items.csv:1"
    assert "CP932 (Shift_JIS)" in codes["encoding-not-utf8"].what


def test_a_byte_order_mark_is_told(edited: Callable[..., Path]) -> None:
    folder = edited()
    path = folder / ITEMS
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    (fault,) = _faults(folder)
    assert (fault.problem.code, fault.problem.where) == ("encoding-bom", "items.csv:1")
    assert "without BOM" in (fault.problem.fix or "")


def test_bytes_that_are_no_text_at_all_are_a_problem_and_no_crash(edited: Callable[..., Path]) -> None:
    folder = edited()
    for file in (ITEMS, YAML, SEX):
        (folder / file).write_bytes(bytes(range(256)) * 3)
    assert len(_faults(folder)) >= 3


@pytest.mark.parametrize("file", [ITEMS, YAML])
def test_a_missing_file_is_told(file: str, edited: Callable[..., Path]) -> None:
    folder = edited()
    (folder / file).unlink()
    assert ("file-missing", file) in {(f.problem.code, f.problem.where) for f in _faults(folder)}


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    (fault,) = _faults(tmp_path / "nowhere")
    assert fault.problem.code == "edition-missing"


def test_a_line_break_inside_a_cell_does_not_shift_the_lines_told(edited: Callable[..., Path]) -> None:
    folder = edited([(ITEMS, "人を識別する番号", '"人を\n識別する\n番号"'), (ITEMS, "DATE", "DATA")])
    (fault,) = _faults(folder)
    assert (fault.problem.where or "").startswith("items.csv:11 ")


def test_an_unquoted_business_number_is_not_read_as_octal(edited: Callable[..., Path]) -> None:
    folder = edited([(YAML, '"901"', "010")])
    assert {f.problem.code for f in _faults(folder)} == {"item-id-of-other-business"}


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        ((ITEMS, "1964-07-01", "昭和39年"), "sample-value"),
        ((ITEMS, "000000000000018,", '"000000000000018\n123456789012345678",'), "sample-value"),
        ((ITEMS, ",○,1,\n90100011", ",○,7,\n90100011"), "sample-value"),
        ((ITEMS, "TIME,8", "TIME,9"), "digits-unusual"),
        ((ITEMS, "seinengappi_fushohyoki", "fushohyoki"), "unknown-date-without-words"),
        (
            (ITEMS, "setaibango,世帯,○,,世帯,共通,,X,15", "setaibango,世帯,○,,世帯,共通,,X,20"),
            "foreign-key-digits",
        ),
        ((ITEMS, "X,6,,,必須,,,,○,281018", "X,6,住民基本台帳005,,必須,,,,○,281018"), "code-list-not-at-hand"),
        ((ITEMS, "X,1,001", "X,1,"), "code-list-unused"),
        ((ITEMS, "X,12,,,任意,,", "X,12,,,任意,,※※いつも"), "condition-text-unused"),
        (("codes/読.txt", "", "x"), "code-file-ignored"),
    ],
)
def test_what_stops_nothing_is_a_note(
    edit: tuple[str, str, str], code: str, edited: Callable[..., Path]
) -> None:
    folder = edited([edit])
    assert standard.load(folder).business == "901"
    assert [(f.severity, f.problem.code) for f in standard.check(folder)] == [("note", code)]


def test_slips_of_an_official_list_do_not_keep_it_from_being_loaded(edited: Callable[..., Path]) -> None:
    slip = (ITEMS, "※※生年月日が不詳の場合は出力必須", "")
    official = edited([slip, (YAML, "status: reference", "status: official")])
    assert standard.load(official).status == "official"
    assert [f.severity for f in standard.check(official)] == ["note"]


def test_a_rule_that_forbids_unknown_dates_is_not_read_as_permission(edited: Callable[..., Path]) -> None:
    folder = edited([(ITEMS, "・不詳日を許容する", "・不詳日を許容しない")])
    assert not standard.load(folder).group("hito").item("seinengappi").allows_unknown_date


def test_further_columns_are_kept_with_their_items(edited: Callable[..., Path]) -> None:
    folder = edited([(ITEMS, "サンプル値,備考\n", "サンプル値,備考,追加列_改定日\n")])
    text = (folder / ITEMS).read_text(encoding="utf-8").splitlines()
    (folder / ITEMS).write_text(
        "\n".join([text[0], *(f"{line},2026-01" for line in text[1:])]) + "\n", encoding="utf-8"
    )
    assert standard.load(folder).items[0].extra == (("追加列_改定日", "2026-01"),)


def test_a_code_may_return_after_it_ended(edited: Callable[..., Path]) -> None:
    folder = edited([(SEX, "2,女,,,", "2,女,,,2020-04-01"), (SEX, "", "001,性別,2,女性,,2026-04-01,\n")])
    code_list = standard.load(folder).codes["1"]
    assert code_list.values == ("0", "1", "2")
    assert code_list.label("2") == "女性"


def test_two_editions_side_by_side_and_one_id_twice(edited: Callable[..., Path], tmp_path: Path) -> None:
    edited(name="a")
    edited([(YAML, "test-1", "test-2")], name="b")
    library = standard.library([tmp_path])
    assert [e.edition for e in library.editions] == ["test-1", "test-2"]
    assert library.edition("901").edition == "test-1"
    edited(name="c")
    with pytest.raises(Problems, match="edition-twice"):
        standard.library([tmp_path])


def test_a_library_names_the_folder_of_each_fault_and_each_missing_root(
    edited: Callable[..., Path], tmp_path: Path
) -> None:
    folder = edited([(ITEMS, "DATE", "DATA")])
    with pytest.raises(Problems) as raised:
        standard.library([folder, tmp_path / "nowhere"])
    assert {p.code for p in raised.value.problems} == {"type-unknown", "root-missing"}
    assert any((p.where or "").startswith(f"{folder}/items.csv:9") for p in raised.value.problems)
