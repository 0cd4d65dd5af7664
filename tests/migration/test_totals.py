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
    taxes = {"年税額", "課税標準額", "市民税所得割", "県民税所得割", "トレーラ ZET-NENZEI"}
    assert {line["item"] for line in lines} >= {"件数", "現在件数", "対象者数"} | taxes
    years = {line["year"] for line in lines if line["item"] == "年税額"}
    assert years == {"506", "507", "508"}


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


def test_one_yen_closes_the_gate_and_names_file_ward_year_and_item(city: Path) -> None:
    value = printed(city, "ZEI1", "101", "508", "県民税所得割")
    change(city, f"ZEI1,101,508,県民税所得割,{value}", f"ZEI1,101,508,県民税所得割,{value + 1}")
    [reason] = reasons(run(city))
    assert reason.startswith(
        f"ZEI1 区101 年度508の県民税所得割が旧システムの帳票 {value + 1:,} と復号結果 {value:,}"
    )


def test_yen_in_another_year_close_the_gate(city: Path) -> None:
    value = printed(city, "ZEI2", "104", "506", "年税額")
    change(city, f"ZEI2,104,506,年税額,{value}", f"ZEI2,104,505,年税額,{value}")
    found = reasons(run(city))
    assert len(found) == 2
    assert any("年度505の年税額" in reason for reason in found)
    assert any("年度506の年税額" in reason and "帳票にありません" in reason for reason in found)


def test_a_year_that_is_a_number_is_the_same_with_leading_zeros(city: Path) -> None:
    change(city, "ZEI1,101,508,年税額,", "ZEI1,101,0508,年税額,")
    assert reasons(run(city)) == []


def test_a_trailer_that_tells_another_sum_closes_the_gate(city: Path) -> None:
    path = city / "unload/ZEI3.DAT"
    raw = bytearray(path.read_bytes())
    raw[-302 + 27] ^= 0x01 << 4  # the last but two digit pair of ZET-NENZEI
    path.write_bytes(bytes(raw))
    [reason] = reasons(run(city))
    assert reason.startswith("ZEI3のトレーラ ZET-NENZEIがトレーラレコード ")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("ZEI,年税額,ZE-DATA", "ZEI,年税額,ZE-DATE", "totals-segment"),
        ("ZE-DATA,ZE-KU-CD,ZE-NENDO,ZE-HYOJUN", "ZE-DATA,ZE-KU-CD,ZE-NEN,ZE-HYOJUN", "totals-field"),
        ("ZE-NENDO,ZE-HYOJUN", "ZE-NENDO,ZE-SHIMEI", "totals-sum"),
        ("ZEI,課税標準額", "ZEl,課税標準額", "totals-kind"),
        ("ZEI,課税標準額", "ZEI,年税額", "totals-rule-twice"),
        ("99999999,金額", "99999999,図", "totals-use"),
        ("ZE-SHURYO-YMD,99999999,金額", ",99999999,金額", "totals-condition"),
        ("ZEI,課税標準額,ZE-DATA", "ZEI,課税標準額,", "totals-blank"),
        ("合計フィールド", "合計", "totals-columns"),
    ],
)
def test_every_fault_of_the_rules_is_told_by_its_line(city: Path, old: str, new: str, code: str) -> None:
    rules = city / "project/totals.csv"
    text = rules.read_text(encoding="utf-8")
    assert old in text
    line = text[: text.index(old)].count("\n") + 1
    rules.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Problems) as caught:
        run(city)
    told = {(problem.code, problem.where) for problem in caught.value.problems}
    assert (code, f"totals.csv line {line}") in told


def reasons(result: Result) -> list[str]:
    assert result.gate is not None
    return list(result.gate.reasons)


def printed(city: Path, *key: str) -> int:
    lines = (city / "unload/TOTALS.csv").read_bytes().decode("cp932").splitlines()
    [value] = [line.rsplit(",", 1)[1] for line in lines if line.startswith(",".join(key) + ",")]
    return int(value)
