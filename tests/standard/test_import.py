"""The official Excel of an item definition becomes an edition, and nothing of it is lost."""

from __future__ import annotations

import csv
import datetime
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Border, Font, PatternFill, Side
from openpyxl.workbook.workbook import Workbook

from kiban import standard
from kiban.kernel import Problem, Problems

OFFICIAL = Path(__file__).parents[3] / "shared/data/official/031_jutogaisha_item_definition.xlsx"
GROUP = {"住登外者宛名基本情報": "jutogaisha_atena_kihon_joho"}
BLUE = PatternFill("solid", fgColor="FFDAEEF3")
needs_official = pytest.mark.skipif(not OFFICIAL.exists(), reason="the official workbook is not here")


def _texts_in(folder: Path) -> set[str]:
    """Every text of every written file: whole cells, and the ID in its two parts."""
    texts = {(folder / "business.yaml").read_text(encoding="utf-8")}
    for path in folder.rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                texts |= {cell.strip() for cell in row}
                texts |= {part for cell in row if len(cell) == 8 for part in (cell[:3], cell[3:])}
    return texts


def _import(source: Path, target: Path, **options: object) -> standard.Imported:
    return standard.import_workbook(
        source,
        standard.ImportRequest(business="031", edition="2023-09", target=target, **options),  # type: ignore[arg-type]
    )


@needs_official
def test_the_official_list_is_read_whole(tmp_path: Path) -> None:
    imported = _import(OFFICIAL, tmp_path / "031", groups=GROUP, city=tuple(GROUP))
    edition = standard.load(tmp_path / "031")
    assert (imported.items, imported.code_lists, imported.title) == (29, 3, "住登外者宛名番号管理")
    assert imported.groups == (("jutogaisha_atena_kihon_joho", "住登外者宛名基本情報", 29),)
    assert (edition.status, edition.business) == ("official", "031")
    group = edition.group("住登外者宛名基本情報")
    assert [item.romaji for item in group.key] == ["atenabango"]
    assert group.item("shimei").type == "N"
    assert group.item("daihyoatenafuragu").type == "9"
    assert group.item("daihyoatenafuragu").code == "2"
    assert group.item("seibetsu").code == "1"
    assert group.item("gyomuid").repeat == 999
    assert group.item("seinengappi").allows_unknown_date
    assert not group.item("sosanengappi").allows_unknown_date
    assert group.item("jusho_shikugunchosonmei").sample.count("\n") == 3
    assert sum(item.condition == "条件付き必須" for item in group.items) == sum(
        "※※" in i.description for i in group.items
    )
    assert edition.codes["999"].free
    assert edition.codes["2"].label("0") == "代表宛名"


@needs_official
def test_every_cell_of_the_official_list_is_found_again_in_the_files(tmp_path: Path) -> None:
    _import(OFFICIAL, tmp_path / "031", groups=GROUP)
    texts = _texts_in(tmp_path / "031")
    missing = []
    for sheet in openpyxl.load_workbook(OFFICIAL).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                text = str(cell.value if cell.value is not None else "").strip()
                padded = text.zfill(len(cell.number_format)) if cell.number_format.strip("0") == "" else text
                if text and text not in texts and padded not in texts:
                    missing.append(f"{sheet.title}!{cell.coordinate}")
    assert missing == []


@needs_official
def test_the_end_marks_of_the_official_list_are_reported_and_not_taken_as_data(tmp_path: Path) -> None:
    imported = _import(OFFICIAL, tmp_path / "031", groups=GROUP)
    ((_, places),) = imported.places_not_understood.items()
    assert set(places) == {
        "W3",
        *(f"W{row}" for row in range(7, 36)),
        "A36",
        *(f"{c}36" for c in "DFGHIJKLMNOPQRSTUVW"),
    }
    understood = {x.text: x.understood_as for x in imported.leftovers}
    assert understood["水色セル：各グループにおける主キーのデータ項目"] == "legend"
    assert (
        understood["政府相互運用性フレームワーク（GIF）「コアデータパーツ日付及び時刻」の規定より"]
        == "legend"
    )
    assert understood["データ項目（ローマ字）"] == "legend"  # as header, and again in the legend sheet
    assert understood["コードID"] == "header"


@needs_official
def test_the_official_list_agrees_with_its_colours_and_has_one_sample_that_breaks_its_own_rule(
    tmp_path: Path,
) -> None:
    imported = _import(OFFICIAL, tmp_path / "031", groups=GROUP)
    codes = [(f.severity, f.problem.code) for f in imported.findings]
    assert codes == [("note", "cell-empty-text"), ("fault", "scope-undecided"), ("note", "sample-value")]
    assert "03100017 住所_市区郡町村名" in (imported.findings[-1].problem.where or "")


@needs_official
def test_each_row_cites_the_row_of_the_workbook(tmp_path: Path) -> None:
    _import(OFFICIAL, tmp_path / "031", groups=GROUP)
    with (tmp_path / "031/source/rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert rows[0][:2] == ["items.csv", "03100001"]
    assert rows[0][3] == "7"
    assert [row[3] for row in rows if row[0] == "codes/002_daihyoatenafuragu.csv"] == ["9", "10"]


@needs_official
def test_the_same_workbook_gives_the_same_files(tmp_path: Path) -> None:
    _import(OFFICIAL, tmp_path / "a")
    _import(OFFICIAL, tmp_path / "b")
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 7
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


# A workbook of our own, with everything that later and other workbooks may bring.

HEADS = (
    *("データ項目ID", "データ項目", "データ項目\n(ローマ字)", "グループ\n名称", "主キー", "外部キー"),
    *("クラス分類LV1", "データ型", "桁 数", "コード", "繰り返し", "データ出力条件", "項目定義", "項目説明"),
    *("標準仕様書関連箇所", "実装類型", "サンプル値", "備考", "改定日", "クラス分類_Lv2", "クラス分類_Lv3"),
)


def _row(
    number: int, name: str, romaji: str, group: str = "台帳", kind: object = "X", **more: object
) -> dict[str, object]:
    return {
        "データ項目ID": f"031{number:05}",
        "データ項目": name,
        "データ項目\n(ローマ字)": romaji,
        "グループ\n名称": group,
        "データ型": kind,
        "桁 数": 10,
        "データ出力条件": "任意",
        **more,
    }


ROWS = [
    _row(1, "番号", "bango", 主キー="〇", データ出力条件="必須"),
    _row(2, "氏名", "shimei", kind="Ｎ", 改定日=datetime.date(2026, 1, 5)),
    _row(3, "隠れた項目", "kakuretakomoku", kind=9, コード=5.0),
    _row(4, "番号", "bango", group="明細", 主キー="○", データ出力条件="必須"),
    _row(5, "率", "ritsu", group="明細", kind="９Ｖ", **{"桁 数": "3，2"}),
]


def _workbook() -> Workbook:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "基本データリスト"
    sheet["A1"] = "■（住登外者宛名番号管理）項目定義書"
    sheet["A2"] = "水色セル：主キー"
    sheet["C2"] = "作成：部署"
    for column, head in enumerate(HEADS, 1):
        sheet.cell(4, column, head)
    for line, values in enumerate(ROWS, 5):
        for column, head in enumerate(HEADS, 1):
            if head in values:
                sheet.cell(line, column, values[head])
    sheet["B5"].fill = BLUE
    sheet["B6"].fill = BLUE
    sheet["B7"].font = Font(strike=True)
    sheet["B9"].font = Font(color="FFFF0000")
    sheet["R6"] = CellRichText("残る", TextBlock(InlineFont(strike=True), "消えた"))
    sheet["Q6"].comment = Comment("改定予定", "係")
    sheet["Q7"] = "=1+1"
    sheet["Z6"] = "欄外"
    sheet["A12"] = "以上"
    sheet.row_dimensions[7].hidden = True
    sheet.column_dimensions["R"].hidden = True
    codes = book.create_sheet("コード一覧（個別）")
    codes.append(["コード一覧表", None, "業務名", "住登外者"])
    codes.append(["コードID", "コード名", "コード値", "コード値の内容", "備考"])
    codes.append([5, "区分", 0, "いいえ", None])
    codes.append([None, None, 1, "はい", None])
    codes.append(["（注）", None, None, None, None])
    old = book.create_sheet("旧版")
    old.sheet_state = "hidden"
    old.append(["データ項目ID", "データ項目", "データ項目（ローマ字）"])
    old.append(["03100001", "旧", "kyu"])
    book.create_sheet("改定履歴").append(["1.0版", "初版"])
    return book


DECIDED: dict[str, object] = {"city": ("台帳",), "wards": {"明細": "bango"}}


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    path = tmp_path / "odd.xlsx"
    _workbook().save(path)
    return path


def test_columns_are_found_by_their_header_and_further_ones_are_kept(odd: Path, tmp_path: Path) -> None:
    imported = _import(odd, tmp_path / "odd", **DECIDED)
    edition = standard.load(tmp_path / "odd")
    assert [(g.id, g.name, len(g.items)) for g in edition.groups] == [
        ("group_1", "台帳", 3),
        ("group_2", "明細", 2),
    ]
    assert edition.group("台帳").item("shimei").extra == (("追加列_改定日", "2026-01-05"),)
    assert edition.group("明細").item("ritsu").digits == 3
    assert edition.group("明細").item("ritsu").scale == 2
    assert edition.group("台帳").item("bango").key
    assert edition.codes["5"].values == ("0", "1")
    assert (tmp_path / "odd/codes/005_kakuretakomoku.csv").exists()
    assert imported.title == "住登外者宛名番号管理"


@pytest.mark.parametrize(
    ("code", "where", "says"),
    [
        ("column-further", "基本データリスト", "改定日"),
        ("mark-normalised", "基本データリスト!5", "U+3007"),
        ("key-colour", "基本データリスト!B6 (氏名)", "主キー is empty"),
        ("key-colour", "基本データリスト!B8 (番号)", "not light blue"),
        ("row-hidden", "基本データリスト", "7"),
        ("column-hidden", "基本データリスト", "18"),
        ("sheet-hidden", "旧版", "6 cells"),
        ("sheet-not-understood", "改定履歴", "neither"),
        ("cell-struck", "基本データリスト", "in 2 cells: R6, B7"),
        ("cell-red", "基本データリスト", "in 1 cells: B9"),
        ("cell-comment", "基本データリスト!Q6", "comment"),
        ("cell-formula", "基本データリスト!Q7", "formula"),
        ("group-unnamed", "business.yaml", "明細"),
    ],
)
def test_everything_unusual_is_reported(code: str, where: str, says: str, odd: Path, tmp_path: Path) -> None:
    found = [f.problem for f in _import(odd, tmp_path / "odd").findings if f.problem.code == code]
    assert any(p.where == where and says in p.what for p in found), found


def test_no_text_of_the_odd_workbook_is_lost(odd: Path, tmp_path: Path) -> None:
    imported = _import(odd, tmp_path / "odd")
    texts = _texts_in(tmp_path / "odd")
    for text in (
        "欄外",
        "以上",
        "作成：部署",
        "（注）",
        "kyu",
        "初版",
        "改定予定",
        "残る消えた",
        "水色セル：主キー",
        "住登外者",
    ):
        assert text in texts
    places = imported.places_not_understood
    assert set(places["基本データリスト"]) == {"Z6", "A12", "C2"}
    assert places["コード一覧（個別）"] == ("A5",)
    assert len(places["旧版"]) == 6


def test_a_group_name_given_that_the_workbook_has_not_suggests_the_closest(odd: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="did you mean 台帳") as raised:
        _import(odd, tmp_path / "odd", groups={"台 帳": "daicho"})
    assert raised.value.code == "group-unknown"
    assert list(tmp_path.iterdir()) == [odd]


def test_a_group_that_nobody_decided_on_can_be_looked_at_and_not_be_used(odd: Path, tmp_path: Path) -> None:
    _import(odd, tmp_path / "odd", city=("台帳",))
    reading = standard.read(tmp_path / "odd")
    assert [(p.code, p.what) for p in reading.faults] == [
        ("scope-undecided", "nobody has decided who may read group group_2 (明細)")
    ]
    assert [g.scope for g in reading.to_look_at().groups] == ["city", "undecided"]
    with pytest.raises(Problems, match="scope-undecided"):
        standard.load(tmp_path / "odd")
    with pytest.raises(Problems, match="scope-undecided"):
        standard.library([tmp_path])
    assert standard.library([tmp_path], undecided=True).edition("031").items


def test_a_group_is_given_to_the_city_or_to_wards_by_either_of_its_names(odd: Path, tmp_path: Path) -> None:
    _import(odd, tmp_path / "odd", groups={"明細": "meisai"}, city=("group_1",), wards={"meisai": "bango"})
    groups = standard.load(tmp_path / "odd").groups
    assert [(g.id, g.scope, g.ward.romaji if g.ward else None) for g in groups] == [
        ("group_1", "city", None),
        ("meisai", "ward", "bango"),
    ]


@pytest.mark.parametrize(
    ("options", "code", "fix"),
    [
        ({"city": ("台 帳",)}, "group-unknown", "did you mean 台帳?"),
        ({"wards": {"帳": "bango"}}, "group-unknown", "did you mean 台帳?"),
        ({"wards": {"台帳": "bangou"}}, "item-unknown", "did you mean bango?"),
        ({"city": ("台帳",), "wards": {"group_1": "bango"}}, "scope-twice", "keep one"),
    ],
)
def test_a_scope_that_cannot_be_is_refused_before_anything_is_written(
    options: dict[str, object], code: str, fix: str, odd: Path, tmp_path: Path
) -> None:
    with pytest.raises(Problem) as raised:
        _import(odd, tmp_path / "odd", **options)
    assert raised.value.code == code
    assert fix in (raised.value.fix or "")
    assert list(tmp_path.iterdir()) == [odd]


def test_what_a_killed_import_left_behind_is_cleared_away_and_the_old_edition_put_back(
    odd: Path, tmp_path: Path
) -> None:
    target = tmp_path / "031" / "a"
    _import(odd, target, **DECIDED)
    before = (target / "items.csv").read_bytes()
    target.rename(target.with_name(".a.old"))
    target.with_name(".a.new").mkdir()
    (target.with_name(".a.new") / "items.csv").write_text("half", encoding="utf-8")
    with pytest.raises(Problem, match="--replace"):
        _import(odd, target, **DECIDED)
    assert (target / "items.csv").read_bytes() == before
    assert [p.name for p in target.parent.iterdir()] == ["a"]
    _import(odd, target, replace=True)
    assert [p.name for p in target.parent.iterdir()] == ["a"]


def test_a_kill_in_the_middle_of_an_import_leaves_no_edition_and_the_next_one_works(
    odd: Path, tmp_path: Path
) -> None:
    target = tmp_path / "031" / "a"
    script = (
        "import os, signal, sys; from pathlib import Path; from kiban.standard.importing import write\n"
        "def fill(folder):\n"
        "    (folder / 'business.yaml').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write.write_folder(Path(sys.argv[1]), fill, replace=False)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(target)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    assert standard.edition_folders([tmp_path]) == ()
    _import(odd, target, **DECIDED)
    assert [p.name for p in target.parent.iterdir()] == ["a"]
    assert standard.load(target).items


def test_cells_merged_over_rows_count_for_each_row(tmp_path: Path) -> None:
    book = _workbook()
    sheet = book["基本データリスト"]
    sheet["D6"] = sheet["D7"] = None
    sheet.merge_cells("D5:D7")
    book.save(tmp_path / "merged.xlsx")
    imported = _import(tmp_path / "merged.xlsx", tmp_path / "merged")
    assert imported.groups[0][2] == 3
    assert [f.problem.where for f in imported.findings if f.problem.code == "cell-merged"] == [
        "基本データリスト!6",
        "基本データリスト!7",
    ]


def test_faults_of_the_workbook_itself_are_written_as_they_are_and_told(tmp_path: Path) -> None:
    book = _workbook()
    sheet = book["基本データリスト"]
    sheet["H6"] = "Z"
    book.save(tmp_path / "faulty.xlsx")
    imported = _import(tmp_path / "faulty.xlsx", tmp_path / "faulty", **DECIDED)
    assert [f.problem.code for f in imported.findings if f.severity == "fault"] == ["type-unknown"]
    assert ",Z," in (tmp_path / "faulty/items.csv").read_text(encoding="utf-8")


def test_borders_around_merged_cells_change_nothing_that_is_read(tmp_path: Path) -> None:
    book = _workbook()
    sheet = book["基本データリスト"]
    sheet["D6"] = sheet["D7"] = None
    sheet.merge_cells("D5:D7")
    book.save(tmp_path / "plain.xlsx")
    thin = Side(style="thin")
    for row in sheet.iter_rows():
        for cell in row:
            cell.border = Border(left=thin, right=thin, top=thin, bottom=thin)
    sheet["A1"].border = Border(diagonal=thin, diagonalUp=True)
    book.save(tmp_path / "framed.xlsx")
    plain, framed = (_import(tmp_path / f"{n}.xlsx", tmp_path / n, **DECIDED) for n in ("plain", "framed"))
    assert plain.leftovers == framed.leftovers
    assert [f.problem.code for f in plain.findings] == [f.problem.code for f in framed.findings]
    assert (tmp_path / "plain/items.csv").read_bytes() == (tmp_path / "framed/items.csv").read_bytes()


def _truncated(path: Path) -> None:
    _workbook().save(path)
    path.write_bytes(path.read_bytes()[:-300])


def _damaged(path: Path) -> None:
    _workbook().save(path)
    data = bytearray(path.read_bytes())
    data[60:90] = bytes(30)
    path.write_bytes(bytes(data))


def _zip_of_text(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x")


def _without_list(path: Path) -> None:
    Workbook().save(path)


def _broken_sheet(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"):
            archive.writestr(name, "<broken")


@pytest.mark.parametrize(
    ("make", "code", "fix"),
    [
        (lambda p: p.write_bytes(b""), "workbook-empty", "fetch it again"),
        (lambda p: p.write_bytes("データ項目ID,データ項目".encode("cp932")), "workbook-not-xlsx", "choose the .xlsx"),
        (lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600)), "workbook-old-format", "save it as .xlsx"),
        (lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le")),
         "workbook-encrypted", "without a password"),
        (_truncated, "workbook-damaged", "fetch the file again"),
        (_damaged, "workbook-damaged", "fetch the file again"),
        (_broken_sheet, "workbook-damaged", "open it in Excel"),
        (_zip_of_text, "workbook-not-xlsx", "choose the .xlsx"),
        (_without_list, "workbook-no-item-list", "on a visible sheet"),
        (lambda p: None, "workbook-missing", "check the path"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_clear_problem_and_nothing_is_written(
    make: Callable[[Path], object], code: str, fix: str, tmp_path: Path
) -> None:
    source = tmp_path / "in" / "wrong.xlsx"
    source.parent.mkdir()
    make(source)
    with pytest.raises(Problem) as raised:
        _import(source, tmp_path / "out" / "031")
    assert raised.value.code == code
    assert fix in (raised.value.fix or "")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_an_edition_that_is_there_is_replaced_only_when_asked_and_never_a_stranger(
    odd: Path, tmp_path: Path
) -> None:
    target = tmp_path / "031"
    _import(odd, target)
    with pytest.raises(Problem, match="--replace") as raised:
        _import(odd, target)
    assert raised.value.code == "target-exists"
    (target / "items.csv").write_text("changed", encoding="utf-8")
    _import(odd, target, replace=True, **DECIDED)
    assert standard.load(target).items
    (target / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(Problem, match="also holds README"):
        _import(odd, target, replace=True)
    stranger = tmp_path / "home"
    stranger.mkdir()
    (stranger / "letter").write_text("dear", encoding="utf-8")
    with pytest.raises(Problem, match="not an edition folder"):
        _import(odd, stranger, replace=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["031", "home", "odd.xlsx"]


def test_a_disk_that_refuses_leaves_nothing_half_written(odd: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(Problem) as raised:
        _import(odd, tmp_path / "file" / "031")
    assert raised.value.code == "target-not-writable"


@pytest.mark.parametrize(
    ("business", "edition", "code"), [("31", "a", "business-form"), ("031", "a b", "edition-form")]
)
def test_a_request_in_a_wrong_form_is_refused(
    business: str, edition: str, code: str, odd: Path, tmp_path: Path
) -> None:
    with pytest.raises(Problem) as raised:
        standard.import_workbook(odd, standard.ImportRequest(business, edition, tmp_path / "x"))
    assert raised.value.code == code


def test_a_book_of_a_whole_business_has_its_items_on_several_sheets(tmp_path: Path) -> None:
    book = _workbook()
    second = book.copy_worksheet(book["基本データリスト"])
    second.title = "基本データリスト（２）"
    for row in range(5, 10):
        second.cell(row, 1, f"0310010{row}")
        second.cell(row, 4, "第二")
    second.cell(8, 3, "bango2")
    book.save(tmp_path / "two.xlsx")
    imported = _import(tmp_path / "two.xlsx", tmp_path / "two")
    assert imported.items == 10
    assert [(name, count) for _, name, count in imported.groups] == [("台帳", 3), ("明細", 2), ("第二", 5)]


def test_a_format_far_below_the_list_costs_nothing(tmp_path: Path) -> None:
    book = _workbook()
    book["基本データリスト"].cell(1_048_576, 16_384).fill = BLUE
    book.save(tmp_path / "far.xlsx")
    assert _import(tmp_path / "far.xlsx", tmp_path / "far").items == 5
