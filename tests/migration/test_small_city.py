"""A city too small for a support measure, and without a tax ledger: what it does not have is not asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from kiban import main, migration, town
from kiban.kernel import Problems
from kiban.migration import Result, Work


def no_store() -> NoReturn:
    raise AssertionError("no stage here opens the database")


@pytest.fixture(scope="module")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    editions = main.library()
    town.make(
        folder / "town",
        resident=editions.edition("resident"),
        nonresident=editions.edition("nonresident_addressee"),
        residents=200,
        seed=3,
        city="28100",
        population=None,
        as_of=date(2026, 10, 1),
        processes=1,
    )
    town.unload(folder / "town", folder / "old", processes=1)
    return folder / "old"


def run(city: Path, tmp_path: Path) -> list[Result]:
    plan = migration.load_plan(city / "project", city / "unload", main.library())
    work = Work(tmp_path / "work", no_store, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))
    return migration.run(migration.STAGES, plan, work, through="characters")


def test_nobody_is_protected_and_every_gate_is_open(small_city: Path, tmp_path: Path) -> None:
    assert (small_city / "unload/SHIEN.DAT").stat().st_size == 0
    printed = (small_city / "unload/TOTALS.csv").read_bytes().decode("cp932").splitlines()
    assert {line.rsplit(",", 1)[1] for line in printed if line.startswith("SHIEN,")} == {"0"}
    assert all(one.gate is not None and one.gate.open for one in run(small_city, tmp_path))


def test_without_a_tax_ledger_nothing_of_it_is_in_the_project(small_city: Path) -> None:
    plan = migration.load_plan(small_city / "project", small_city / "unload", main.library())
    assert {file.kind for file in plan.files} >= {"JUKI", "SETAI", "SHIEN", "KYUJI"}
    assert "ZEI" not in {file.kind for file in plan.files}
    assert [system.id for system in plan.systems] == ["jef", "cp932"]
    assert "individual_resident_tax" not in plan.editions
    assert plan.signers == ("市民局 戸籍住民課長", "情報システム課長")
    assert not list((small_city / "unload").glob("ZEI*"))
    project = small_city / "project"
    assert not [path.name for path in project.rglob("*") if path.name.startswith(("ZEI", "keis"))]
    assert {path.stem for path in (project / "codes").iterdir()}.isdisjoint({"kosei", "kazei", "choshu"})
    for path in project.glob("*.csv"):
        text = path.read_text(encoding="utf-8")
        assert "\nZEI," not in text and ",ZE-" not in text


def test_the_rest_of_the_project_is_as_with_a_tax_ledger(small_city: Path, unloaded: Path) -> None:
    without = (small_city / "project/plan.yaml").read_text(encoding="utf-8")
    lines = (unloaded / "project/plan.yaml").read_text(encoding="utf-8").splitlines()
    kept = iter(lines)
    assert all(line in kept for line in without.splitlines())  # in the same order, and nothing new


def test_a_part_of_the_tax_ledger_cannot_be_asked_for(small_city: Path, tmp_path: Path) -> None:
    with pytest.raises(Problems) as refused:
        town.unload(small_city.parent / "town", tmp_path / "out", generation=["ZEI1.DAT"])
    assert [problem.code for problem in refused.value.problems] == ["unload-file-unknown"]
