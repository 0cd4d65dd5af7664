"""The maps of the sample project take an unloaded city back to what it was, and a map with faults tells them all."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from kiban import main, migration
from kiban.kernel import Problem, Problems
from kiban.migration import mapping

HEAD = ",".join(mapping.HEADS)


@pytest.fixture
def project(unloaded: Path, tmp_path: Path) -> Path:
    return Path(copytree(unloaded / "project", tmp_path / "project"))


def maps_of(project: Path) -> tuple[mapping.Map, ...]:
    return mapping.load_maps(migration.load_plan(project, library=main.library()))


def faults_of(project: Path) -> list[Problem]:
    with pytest.raises(Problems) as raised:
        maps_of(project)
    return list(raised.value.problems)


def change(path: Path, item: str, make: Callable[[list[str]], list[str] | None]) -> None:
    """One line of a map, changed or left out."""
    lines = path.read_text("utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"{item},"))
    cells = make(lines[at].split(","))
    lines[at : at + 1] = [",".join(cells)] if cells is not None else []
    path.write_text("\n".join(lines) + "\n", "utf-8")


def test_every_item_of_every_target_is_accounted_for(project: Path) -> None:
    for made in maps_of(project):
        items = [item.romaji for item in made.group.items]
        assert [line.item for line in made.lines] == [*items, "valid_from", "valid_to"]
        assert all(line.rule or line.note for line in made.lines)
        assert made.register == f"{made.edition.id}.{made.group.id}"


@pytest.mark.parametrize(
    ("item", "cells", "code", "told"),
    [
        ("shimei", "shimey,氏名,移行,JK-SHIMEI,写す,,", "map-item-unknown", "did you mean shimei?"),
        ("biko", None, "map-item-missing", "nothing is said of biko (備考)"),
        ("shimei", "seibetsu,性別,移行,JK-SEIBETSU,写す,,", "map-item-twice", "first in maps/jumin.csv"),
        ("shimei", "shimei,氏,移行,JK-SHIMEI,写す,,", "map-item-name", "its name in the edition is 氏名"),
        ("shimei", "shimei,氏名,移す,JK-SHIMEI,写す,,", "map-how", "did you mean 移行?"),
        ("shimei", "shimei,氏名,移行,JK-SIMEI,写す,,", "map-field-unknown", "did you mean JK-SHIMEI?"),
        ("shimei", "shimei,氏名,移行,SH-REC.SH-KG-SHIMEI,写す,,", "map-field-unknown", "from the file SHIEN"),
        ("shimei", "shimei,氏名,移行,,写す,,", "map-field-missing", "none is named"),
        ("shimei", "shimei,氏名,移行,JK-SHIMEI,,,", "map-rule-missing", "write one of"),
        ("shimei", "shimei,氏名,移行,JK-SHIMEI,写し,,", "map-rule-unknown", "did you mean 写す?"),
        ("shimei", "shimei,氏名,移行,JK-SHIMEI,西暦日付,,", "map-rule-type", "rules for it:"),
        ("shimei", "shimei,氏名,移行,JK-SHIMEI,区切り,/,", "map-rule-type", "rules for it:"),
        ("shimei", "shimei,氏名,移行,JK-SHIMEI,写す,x,", "map-argument", "takes no argument"),
        ("setaibango", "setaibango,世帯番号,移行,JK-SETAI-NO,番号,,", "map-argument", "up to 15"),
        ("setaibango", "setaibango,世帯番号,移行,JK-SETAI-NO,番号,16,", "map-argument", "up to 15"),
        ("valid_from", "valid_from,有効開始日,派生,,定数,2023-02-29,初日", "map-constant", "not a day"),
        ("valid_from", "valid_from,有効開始日,派生,,定数,0000-01-01,初日", "map-constant", "no calendar"),
        ("setaibango", "setaibango,世帯番号,保有なし,,,,なし", "map-mandatory", "mandatory"),
        ("valid_to", "valid_to,有効終了日,保有なし,,,,なし", "map-mandatory", "mandatory"),
        ("biko", "biko,備考,保有なし,,,,", "map-note-missing", "say why"),
        ("biko", "biko,備考,保有なし,JK-SHIMEI,写す,,なし", "map-how", "has a field"),
        ("seibetsu", "seibetsu,性別,派生,,定数,9,不明とする", "map-constant", "not in the code list"),
        ("biko", "biko,備考,派生,,定数,移行済み,", "map-note-missing", "say why"),
        ("biko", "biko,備考,移行,,定数,移行済み,", "map-how", "write 派生"),
        ("zokugara1", "zokugara1,続柄１,移行,JK-ZOKU-CD(1),コード表,zok,", "map-codes-missing", "did you mean zoku?"),
        ("jusho_todofuken", "jusho_todofuken,住所_都道府県,派生,JK-KU-CD,参照,GYOSEIKU,区から", "map-argument", "データ/キー項目/項目"),
        ("jusho_todofuken", "jusho_todofuken,住所_都道府県,派生,JK-KU-CD,参照,GYOSEIK/区/都,区から", "map-segment", "GYOSEIKU"),
        ("jusho_todofuken", "jusho_todofuken,住所_都道府県,派生,JK-KU-CD,参照,SE-DATA/SE-KU/SE-YUBIN,区", "map-field-unknown", "SE-KU-CD"),
    ],
)  # fmt: skip
def test_a_fault_of_a_map_is_told_with_file_line_and_remedy(
    project: Path, item: str, cells: str | None, code: str, told: str
) -> None:
    change(project / "maps/jumin.csv", item, lambda _: cells.split(",") if cells is not None else None)
    problems = faults_of(project)
    [problem] = [one for one in problems if one.code == code]
    assert (problem.where or "").startswith("maps/jumin.csv")
    assert told in f"{problem.what} {problem.fix}"
    assert {one.code for one in problems} <= {code, "map-item-missing", "map-note-missing"}


def test_faults_of_code_tables_are_told_where_they_stand(project: Path) -> None:
    path = project / "codes/zoku.csv"
    path.write_text("旧コード,標準コード,名称\n10,01,世帯主\n10,02,夫\n11,ZZ,妻\n12,,子\n", "utf-8")
    told = {(one.code, one.where) for one in faults_of(project)}
    assert told == {
        ("map-codes-twice", "codes/zoku.csv:3"),
        ("map-code-unknown", "codes/zoku.csv:4"),
        ("map-code-empty", "codes/zoku.csv:5"),
    }


def test_faults_of_several_maps_are_told_at_once(project: Path) -> None:
    change(project / "maps/jumin.csv", "biko", lambda _: None)
    change(project / "maps/setai.csv", "setaibango", lambda cells: [*cells[:3], "SE-SETAI", *cells[4:]])
    assert {(one.code, (one.where or "").split(":")[0]) for one in faults_of(project)} == {
        ("map-item-missing", "maps/jumin.csv"),
        ("map-field-unknown", "maps/setai.csv"),
    }


def test_a_plan_without_a_library_maps_nothing(unloaded: Path) -> None:
    plan = migration.load_plan(unloaded / "project")
    with pytest.raises(Problems, match="not at hand"):
        mapping.load_maps(plan)
    assert mapping.load_maps(replace(plan, targets=())) == ()
