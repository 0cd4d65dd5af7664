"""A city's data is looked at whole: a faultless one has nothing to decide, and of the known faults every one is located."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import polars as pl
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from kiban import main, migration, store, town
from kiban.cli import app
from kiban.migration import Result, Work
from kiban.migration.digests import folder_digest

Place = tuple[str, int, str]


@dataclass(frozen=True)
class Decided:
    """A city's folder, and what cleansing found there after the last decision."""

    old: Path
    result: Result


def run(old: Path, work: str = "work") -> dict[str, Result]:
    def no_store() -> NoReturn:
        raise AssertionError("these stages do not open the database")

    plan = migration.load_plan(old / "project", old / "unload", main.library())
    place = Work(old / work, no_store, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))
    return {one.stage.name: one for one in migration.run(migration.STAGES, plan, place, through="cleanse")}


def out(result: Result) -> Path:
    assert result.out is not None
    return result.out


def left(result: Result, name: str) -> list[dict[str, str]]:
    with (out(result) / name).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def seeded(old: Path) -> set[tuple[str, int, str, str]]:
    """File of the plan, record, field and kind of each known fault."""
    names = {Path(file.path).name: file.id for file in migration.load_plan(old / "project").files}
    with (old / "faults.csv").open(encoding="utf-8", newline="") as opened:
        return {
            (names[row["file"]], int(row["record"]), row["field"], row["kind"])
            for row in csv.DictReader(opened)
        }


def decide_on_everything(old: Path) -> Result:
    """Exclude every record with an open finding, and what that brings about in its turn, until the gate is open."""
    result = run(old)["cleanse"]
    plan = migration.load_plan(old / "project", old / "unload", main.library())
    rules: set[str] = set()
    for _ in range(5):
        if result.gate is not None and result.gate.open:
            break
        rules |= {line["規則"] for line in left(result, "findings.csv") if line["未決定"] != "0"}
        plan.findings.parent.mkdir(exist_ok=True)
        with plan.findings.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(migration.findings.DECISION_HEADS)
            writer.writerows(
                [rule, "*", "*", "除外", "誤りのため", "係長", "2026-10-15"] for rule in sorted(rules)
            )
        result = run(old)["cleanse"]
    return result


@pytest.fixture(scope="module")
def clean(unloaded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(unloaded, tmp_path_factory.mktemp("clean") / "old"))


@pytest.fixture(scope="module")
def looked(clean: Path) -> Result:
    return run(clean)["cleanse"]


@pytest.fixture(scope="module")
def faults(faulty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The faulty city, looked at once: a later run of the same stages finds all of it done."""
    return Path(shutil.copytree(faulty, tmp_path_factory.mktemp("faults") / "old"))


@pytest.fixture(scope="module")
def found(faults: Path) -> dict[str, Result]:
    return run(faults)


@pytest.fixture(scope="module")
def decided(found: dict[str, Result], faults: Path, tmp_path_factory: pytest.TempPathFactory) -> Decided:
    """A copy of it in which officials have decided on everything."""
    old = Path(shutil.copytree(faults, tmp_path_factory.mktemp("decided") / "old"))
    return Decided(old, decide_on_everything(old))


def test_faultless_data_has_nothing_to_decide(looked: Result) -> None:
    assert looked.gate is not None and looked.gate.open
    summary = looked.summary or {}
    assert (summary["must"], summary["should"], summary["rejected"], summary["merged"]) == (0, 0, 0, 0)
    assert summary["checks"] > 50


def test_what_the_register_will_hold_rows_to_needs_a_check_and_the_line_is_told(
    clean: Path, tmp_path: Path
) -> None:
    old = Path(shutil.copytree(clean, tmp_path / "old"))
    path = old / "project" / "checks.csv"
    rules = path.read_text("utf-8").splitlines(keepends=True)
    gone = ("旧氏の人がいない", "旧氏の履歴の重なり", "旧氏の終了日の暦")
    path.write_text("".join(line for line in rules if not line.startswith(gone)), encoding="utf-8")
    gate = run(old)["cleanse"].gate
    assert gate is not None and [reason.split("：")[-1] for reason in gate.reasons] == [
        "孤児,KYUJI,宛名番号,JK-DATA.JK-ATENA-NO,must",
        "暦日,KYUJI,有効終了日,有効期間終了,must",
        "期間重複,KYUJI,有効開始日 有効終了日,宛名番号 旧氏連番,must",
    ]


def test_every_number_with_a_check_digit_was_tested_and_numbers_stay_apart(
    clean: Path, looked: Result
) -> None:
    told = {line["規則"]: line for line in left(looked, "checked.csv")}
    decoded = clean / "work" / "stages" / "decode"
    rows = pq.read_table(
        next(decoded.glob("*/JK-DATA")), columns=["JK-ATENA-NO", "JK-KOJIN-NO", "JK-JUHYO-CD"]
    )
    for rule, name in (
        ("宛名番号の検査数字", "JK-ATENA-NO"),
        ("個人番号の検査数字", "JK-KOJIN-NO"),
        ("住民票コードの検査数字", "JK-JUHYO-CD"),
    ):
        assert int(told[rule]["対象"]) == sum(bool(value) for value in rows[name].to_pylist()) > 1_500
    assert [told[rule]["検出"] for rule in ("宛名番号の一対一", "世帯番号の一対一")] == ["0", "0"]
    orphans = [line for line in told.values() if line["検査"] == "孤児"]
    assert len(orphans) > 10 and {line["検出"] for line in orphans} == {"0"}


def test_every_date_of_every_declared_field_is_in_one_class(looked: Result) -> None:
    rows = {line["規則"]: int(line["対象"]) for line in left(looked, "checked.csv") if line["検査"] == "暦日"}
    counted = dict.fromkeys(rows, 0)
    for line in left(looked, "dates.csv"):
        counted[line["規則"]] += int(line["件数"])
    assert counted == rows and len(rows) >= 20
    assert not [line for line in left(looked, "dates.csv") if line["種類"] == "読めない"]


def test_every_known_fault_is_located_by_file_record_and_field(
    faults: Path, found: dict[str, Result]
) -> None:
    result = found["cleanse"]
    assert result.gate is not None and not result.gate.open
    places: set[Place] = {
        (one["file"], one["record"], field)
        for one in pq.read_table(out(result) / migration.findings.FINDINGS).to_pylist()
        if one["severity"] != "note"
        for field in one["field"].split() or [""]  # a sum names every field of it
    }
    wanted = seeded(faults)
    assert len(wanted) == 100
    assert {one for one in wanted if one[:3] not in places} == set()
    # Nothing undecoded is forgotten: every line of the decode ledger is a finding.
    ledger = migration.ledger(out(found["decode"])).to_pylist()
    assert {(line["file"], line["record"], line["field"]) for line in ledger} <= places


def test_a_code_page_of_another_generation_is_noticed_by_the_names_of_two_systems(
    old_city: Path, tmp_path: Path
) -> None:
    shutil.copytree(old_city, tmp_path / "town")
    taxed = pl.read_parquet(tmp_path / "town/individual_resident_tax/kazei/*.parquet")["atenabango"][0]
    for path in (tmp_path / "town/resident/jumin").glob("*.parquet"):
        table = pq.read_table(path)
        here, at = pc.equal(table["atenabango"], taxed), table.schema.get_field_index("shimei")
        named = pc.if_else(here, "壺井\u3000桧", table["shimei"])
        pq.write_table(table.set_column(at, table.schema.field(at), named), path)

    def told(name: str, generation: list[str]) -> set[str]:
        town.unload(tmp_path / "town", tmp_path / name, generation=generation, processes=1)
        return {
            line["内容"]
            for line in left(run(tmp_path / name)["cleanse"], "findings.csv")
            if line["規則"] == "納税者の人違い"
        }

    assert told("right", []) == set()
    assert told("wrong", ["ZEI1.DAT", "ZEI2.DAT", "ZEI3.DAT"]) == {"同じ番号の人と1項目が違う"}


def test_a_second_look_gives_the_same_bytes(faults: Path, found: dict[str, Result]) -> None:
    second = run(faults, "elsewhere")["cleanse"]
    assert second.fresh and folder_digest(out(found["cleanse"])) == folder_digest(out(second))


def test_decided_findings_open_the_gate_and_the_decided_rows_are_listed(decided: Decided) -> None:
    result = decided.result
    assert result.gate is not None and result.gate.open
    excluded = pq.read_table(out(result) / migration.findings.EXCLUDED)
    assert excluded.column_names == ["segment", "file", "record", "index", "fate", "reason"]
    assert excluded.num_rows == (result.summary or {})["rejected"] > 100
    keys = [
        tuple(one[name] for name in ("segment", "file", "record", "index")) for one in excluded.to_pylist()
    ]
    assert len(set(keys)) == len(keys)
    assert all(one["reason"].endswith("：誤りのため") for one in excluded.to_pylist())


def test_the_command_lists_places_and_teaches_how_to_decide(faults: Path, found: dict[str, Result]) -> None:
    project, unload = str(faults / "project"), str(faults / "unload")
    runner = CliRunner()
    told = runner.invoke(app, ["migrate", "findings", project, "--unload", unload])
    assert told.exit_code == 0 and "決め方" in told.output and "出し直し" in told.output
    places = runner.invoke(
        app,
        ["migrate", "findings", project, "--unload", unload, "--rule", "個人番号の検査数字", "--most", "1"],
    )
    assert (
        "JK-KOJIN-NO：検査数字が合わない（未決定）" in places.output
        and places.output.count("JK-KOJIN-NO") == 1
    )
    listed = runner.invoke(app, ["migrate", "findings", project, "--unload", unload, "--csv"])
    assert listed.output.startswith("規則,内容,重大度")


def test_the_register_takes_all_that_cleansing_lets_through(decided: Decided, database: Any) -> None:
    old = decided.old
    reached = store.Server(database.owner_dsn, database.app_dsn)

    def open_store() -> store.Store:
        opened = store.Store(reached, main.library(), b"a key of tests, thirty-two bytes!")
        opened.install()
        return opened

    plan = migration.load_plan(old / "project", old / "unload", main.library())
    place = Work(old / "work", open_store, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))
    # Printed totals tell of the faults too; here only what was decided stands between the files and the register.
    wanted = ("inventory", "land", "decode", "characters", "cleanse", "transform", "load")
    stages = [stage for stage in migration.STAGES if stage.name in wanted]
    done = {one.stage.name: one for one in migration.run(stages, plan, place)}
    assert [name for name, one in done.items() if one.gate is None or not one.gate.open] == []
    assert (done["transform"].summary or {})["refused"] == 0
    with open_store() as opened:
        report = store.verify(opened)
    assert report.problems == () and report.rows["resident.jumin"] > 1_500
