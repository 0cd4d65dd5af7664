"""The figures the legacy system printed are held against what was decoded, list by list and ward by ward."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pyarrow.parquet as pq
import pytest

from kiban import migration
from kiban.kernel import Problems
from kiban.migration import Result, Work

THROUGH = "totals"


def no_store() -> NoReturn:
    raise AssertionError("no stage here opens the database")


def run(city: Path) -> Result:
    plan = migration.load_plan(city / "project", city / "unload")
    work = Work(city / "work", no_store, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))
    return migration.run(migration.STAGES, plan, work, through=THROUGH)[-1]


@pytest.fixture
def city(unloaded: Path, tmp_path: Path) -> Path:
    shutil.copytree(unloaded, tmp_path / "old")
    return tmp_path / "old"


def change(city: Path, old: str, new: str) -> None:
    file = city / "unload" / "TOTALS.csv"
    text = file.read_bytes().decode("cp932")
    assert old in text
    file.write_bytes(text.replace(old, new, 1).encode("cp932"))


def test_every_printed_total_is_counted_again_and_agrees(city: Path) -> None:
    result = run(city)
    assert result.stage.name == THROUGH
    assert result.gate is not None and result.gate.open
    assert result.out is not None
    lines = pq.read_table(result.out / "totals.parquet").to_pylist()
    assert len(lines) > 40
    assert all(line["printed"] == line["counted"] for line in lines)
    assert {line["item"] for line in lines} == {"件数", "現在件数", "対象者数"}


def test_a_total_that_does_not_agree_closes_the_gate_and_names_the_list(city: Path) -> None:
    change(city, "JUKI1,101,,件数,", "JUKI1,101,,件数,9")
    result = run(city)
    assert result.gate is not None and not result.gate.open
    [reason] = result.gate.reasons
    assert "JUKI1 区101の件数" in reason


def test_a_ward_that_nobody_printed_closes_the_gate(city: Path) -> None:
    file = city / "unload" / "TOTALS.csv"
    lines = file.read_bytes().decode("cp932").splitlines(keepends=True)
    file.write_bytes(
        "".join(line for line in lines if not line.startswith("SETAI,105,,現在件数")).encode("cp932")
    )
    result = run(city)
    assert result.gate is not None
    assert ["帳票にありません" in reason for reason in result.gate.reasons] == [True]


def test_all_faults_of_the_printed_list_are_told_at_once(city: Path) -> None:
    change(city, "CHOAZA,,,件数,", "CHOUAZA,,,件数,")
    change(city, "JUKI1,101,,件数,", "JUKI1,101,,税額,")
    change(city, "JUKI1,102,,件数,", "JUKI1,102,,件数,約")
    with pytest.raises(Problems) as caught:
        run(city)
    assert [problem.code for problem in caught.value.problems] == [
        "totals-file",
        "totals-item",
        "totals-value",
    ]
    assert all("line" in (problem.where or "") for problem in caught.value.problems)
