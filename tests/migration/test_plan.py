"""A plan is read whole, or every fault in it is told with its line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kiban import main, migration
from kiban.kernel import Problems

PROJECT = Path(migration.__file__).parents[1] / "town" / "legacy" / "project"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder)
    (folder / "characters").mkdir(exist_ok=True)
    for name in (
        "chart.csv",
        "decisions.csv",
        "keis-chart.csv",
        "keis-decisions.csv",
    ):  # a town writes them with its unload
        (folder / "characters" / name).touch()
    return folder


def changed(project: Path, old: str, new: str) -> dict[str, list[str]]:
    """Codes of the faults, each with the lines it was told of, after changing the plan at one place."""
    plan = project / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    assert old in text
    plan.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Problems) as refused:
        migration.load_plan(project)
    assert all(problem.fix for problem in refused.value.problems)
    found: dict[str, list[str]] = {}
    for problem in refused.value.problems:
        found.setdefault(problem.code, []).append(problem.where or "")
    return found


def test_the_sample_plan_expects_every_part_of_a_file(project: Path) -> None:
    plan = migration.load_plan(project)
    assert [file.id for file in plan.files][:4] == ["JUKI-1", "JUKI-2", "JUKI-3", "SETAI"]
    assert plan.file("JUKI-2").path == "JUKI2.DAT"
    assert plan.file("JUKI-2").when["JK-TRAILER"] == ("JK-REC-KUBUN", ("T",))
    assert plan.unload == project / "../unload"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("code_page: jef", "code_page: jeff", "plan-code-page"),
        ("system: jef", "system: jeff", "plan-unknown-name"),
        ("copybook: copybooks/JUKI.cpy", "copybook: copybooks/JUKl.cpy", "plan-file-missing"),
        ("records: fixed", "records: fix", "field-choice"),
        ("cut_date: 2026-10-01", "cut_date: 2026-02-30", "field-form"),
        ('city: "281000"', 'city: "281001"', "field-form"),
        ("window_hours: 48", "window_hours: two days", "field-form"),
        ("vanish_most: 0.001", "vanish_most: 1%", "field-form"),
        ("vanish_count: 0", "vanish_count: -1", "field-form"),
        ("vanish_count: 0", "vanish: 0", "field-unknown"),
        ("path: JUKI{part}.DAT", "path: JUKI.DAT", "plan-part"),
        ("path: SETAI.DAT", "path: ../SETAI.DAT", "field-form"),
        ("  - id: SETAI", "  - id: JUKI", "plan-twice"),
        ("signers:", "singers:", "field-unknown"),
        ("mixed", "mixt", "field-choice"),
        ("title: 住民\n", "titel: 住民\n", "field-missing"),
        ("may_be_empty: true", "may_be_empty: perhaps", "field-form"),
        ("segment: BASHO}", "segment: BASHO, may_be_empty: true}", "field-form"),
    ],
)
def test_each_fault_is_told_with_its_line(project: Path, old: str, new: str, code: str) -> None:
    found = changed(project, old, new)
    assert code in found
    assert all(":" in where for where in found[code])


def test_all_faults_are_told_at_once(project: Path) -> None:
    found = changed(
        project, "cut_date: 2026-10-01\nwindow_hours: 48", "cut_date: soon\nwindow_hours: long\nnew: 1"
    )
    assert len(found["field-form"]) == 2 and "field-unknown" in found


def test_a_near_miss_is_named(project: Path) -> None:
    plan = project / "plan.yaml"
    plan.write_text(plan.read_text(encoding="utf-8").replace("system: jef", "system: jaf"), encoding="utf-8")
    with pytest.raises(Problems, match="did you mean jef"):
        migration.load_plan(project)


def test_a_missing_plan_is_said(tmp_path: Path) -> None:
    with pytest.raises(Problems) as refused:
        migration.load_plan(tmp_path)
    assert refused.value.problems[0].code == "file-missing"


def test_names_of_editions_and_groups_are_checked_against_the_library(project: Path) -> None:
    plan = project / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    assert set(migration.load_plan(project, None, main.library()).editions) >= {"resident"}
    first = "not_held:\n"
    added = "  - {edition: resident, group: idou, reason: なし}\n  - {edition: residents, group: ido, reason: なし}\n"
    plan.write_text(text.replace(first, first + added), encoding="utf-8")
    with pytest.raises(Problems) as refused:
        migration.load_plan(project, None, main.library())
    assert {one.code for one in refused.value.problems} == {"group-unknown", "business-unknown"}
    assert any("ido" in (one.fix or "") for one in refused.value.problems)


def test_an_edition_with_targets_has_every_group_accounted_for(project: Path) -> None:
    plan = project / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    (project / "maps").mkdir(exist_ok=True)
    (project / "maps" / "memo.csv").touch()
    if "\ntargets:" not in text:
        text += "\ntargets:\n"
    entry = "targets:\n  - {edition: resident@kiban-2026.2, group: memo, map: maps/memo.csv, from: JK-DATA}\n"
    plan.write_text(text.replace("targets:\n", entry, 1), encoding="utf-8")
    with pytest.raises(Problems) as refused:
        migration.load_plan(project, None, main.library())
    [problem] = refused.value.problems
    assert problem.code == "plan-group-open" and "jumin" in problem.what and "memo" not in problem.what
