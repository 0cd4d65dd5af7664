"""What the mainframes of a town hand over."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from kiban import town
from kiban.characters import code_page
from kiban.kernel import FiscalStyle, Problem, Problems, fiscal_wareki
from kiban.town.unload_fields import nendo, packed, zoned
from kiban.town.unload_marks import field_of

JUKI, SETAI, SHIEN, PERSON = 704, 234, 347, 268
"""Record lengths as the copybooks give them; of SHIEN the fixed part, and each protected person."""
LENGTHS = {"JUKI1": JUKI, "JUKI2": JUKI, "JUKI3": JUKI, "SETAI": SETAI}
HISTORY, NAME, BIRTH, END = 11, 29, 143, 520
"""Offsets of JK-RIREKI-NO, JK-SHIMEI, JK-SEINEN-YMD and JK-SHURYO-YMD in a record of JUKI, counted by hand."""

Read = Callable[[str], pl.DataFrame]


@pytest.fixture(scope="module")
def out(small_town: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unload") / "old"
    town.unload(small_town, folder, processes=1)
    return folder


def _records(path: Path, length: int) -> list[bytes]:
    data = path.read_bytes()
    assert len(data) % length == 0
    return [data[at : at + length] for at in range(0, len(data), length)]


def _people(out: Path) -> list[bytes]:
    return [record for at in (1, 2, 3) for record in _records(out / f"unload/JUKI{at}.DAT", JUKI)[1:-1]]


def _digits(data: bytes) -> str:
    return "".join(str(byte - 0xF0) for byte in data)


def _totals(out: Path) -> dict[tuple[str, str, str], int]:
    with (out / "unload/TOTALS.csv").open(encoding="cp932", newline="") as file:
        return {(row["file"], row["ward"], row["item"]): int(row["value"]) for row in csv.DictReader(file)}


@pytest.mark.parametrize(("name", "length"), [("JUKI1", JUKI), ("JUKI3", JUKI), ("SETAI", SETAI)])
def test_header_data_and_trailer_are_of_one_length_and_the_trailer_counts(
    out: Path, name: str, length: int
) -> None:
    header, *data, trailer = _records(out / f"unload/{name}.DAT", length)
    page = code_page("jef")
    number = name.removeprefix("JUKI").removeprefix("SETAI").rjust(2, "0")
    assert (page.decode(header).text or "").rstrip() == f"H{name:<8}{number}2026100120261001"
    assert (page.decode(trailer).text or "").rstrip() == f"T{name:<8}{number}{len(data):09d}"
    assert {record[0] for record in data} == {0xC4}


def test_every_row_of_the_town_is_a_record(out: Path, read: Read) -> None:
    found = sorted((_digits(record[1:11]), record[11:13].hex()) for record in _people(out))
    rows = read("jumin").select("atenabango", "rirekibango").rows()
    assert found == sorted((number[-10:], f"{history:03d}c") for number, history in rows)


def test_every_household_row_is_a_record(out: Path, read: Read) -> None:
    found = sorted(_digits(record[1:11]) for record in _records(out / "unload/SETAI.DAT", SETAI)[1:-1])
    assert found == sorted(number[-10:] for number in read("setai")["setaibango"])


def test_births_are_packed_with_the_era_before_them(out: Path, read: Read) -> None:
    first_years = {"1": 1867, "2": 1911, "3": 1925, "4": 1988, "5": 2018}
    wanted = {
        (row[0][-10:], row[1]): (row[2] or "").replace("-", "")
        for row in read("jumin").select("atenabango", "rirekibango", "seinengappi").rows()
    }
    for record in _people(out):
        packed = record[BIRTH : BIRTH + 4].hex()
        assert packed[-1] == "f"
        day = wanted[_digits(record[1:11]), int(record[HISTORY : HISTORY + 2].hex()[:-1])]
        if day:
            assert str(first_years[packed[0]] + int(packed[1:3])) + packed[3:7] == day
        else:
            assert packed == "0000000f"


def test_an_open_row_ends_with_nines(out: Path, read: Read) -> None:
    ends = sorted(_digits(record[END : END + 8]) for record in _people(out))
    wanted = read("jumin")["valid_to"].dt.strftime("%Y%m%d").fill_null("99999999")
    assert ends == sorted(wanted)


def test_names_read_back_with_the_decisions_of_the_project(out: Path, read: Read) -> None:
    with (out / "project/characters/decisions.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["system"] == "jef"]
    gaiji = {
        int(row["code"], 16): "".join(chr(int(point, 16)) for point in row["unicode"].split()) for row in rows
    }
    assert gaiji
    page = code_page("jef", gaiji=gaiji)
    names = sorted(
        (page.decode(record[NAME : NAME + 64], start="double").text or "").rstrip() for record in _people(out)
    )
    assert names == sorted(read("jumin")["shimei"])


def test_gaiji_have_two_officers_each(out: Path) -> None:
    with (out / "project/characters/decisions.csv").open(encoding="utf-8") as file:
        decisions = list(csv.DictReader(file))
    with (out / "project/characters/chart.csv").open(encoding="utf-8") as file:
        chart = list(csv.DictReader(file))
    assert [(row["system"], row["code"]) for row in decisions] == [
        (row["system"], row["code"]) for row in chart
    ]
    assert all(row["decided_by_1"] != row["decided_by_2"] for row in decisions)


def test_some_gaiji_are_drawn_otherwise_or_give_way_to_another_and_it_is_said_why(out: Path) -> None:
    rows = {}
    for name in ("chart", "decisions"):
        with (out / f"project/characters/{name}.csv").open(encoding="utf-8") as file:
            rows[name] = list(csv.DictReader(file))
    classes = {row["class"] for row in rows["decisions"]}
    assert classes == {"exact", "design", "substitute"}
    for drawn, decided in zip(rows["chart"], rows["decisions"], strict=True):
        assert decided["unicode"]
        assert decided["reason"]
        assert drawn["unicode"] == ("" if decided["class"] == "substitute" else decided["unicode"])


def test_support_measures_say_their_length_and_hold_everybody(out: Path, read: Read) -> None:
    data = (out / "unload/SHIEN.DAT").read_bytes()
    people, records, at = [], 0, 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        assert data[at + 2 : at + 4] == b"\0\0"
        body = data[at + 4 : at + length]
        count = int(_digits(body[SHIEN - 2 : SHIEN]))
        assert len(body) == SHIEN + count * PERSON
        for one in range(count):
            person = body[SHIEN + one * PERSON :]
            people.append((_digits(body[8:18]), _digits(person[:2]), _digits(person[8:18])))
        at, records = at + length, records + 1
    rows = read("shiensochi_taishosha").select("shiensochibango", "taishosharenban", "atenabango").rows()
    assert records == len(read("shiensochi"))
    assert sorted(people) == sorted((number, f"{serial:02d}", who[-10:]) for number, serial, who in rows)


def test_printed_totals_agree_with_the_town(out: Path, read: Read) -> None:
    totals = _totals(out)
    order = {row[0]: f"{100 + row[1]}" for row in read("gyoseiku").select("gyoseikukodo", "hyojijun").rows()}
    rows = read("jumin")
    for code, ward in order.items():
        mine = rows.filter(pl.col("shiteitoshi_gyoseikutokodo") == code)
        printed = {
            item: value for (name, at, item), value in totals.items() if name[:4] == "JUKI" and at == ward
        }
        assert printed == {"件数": len(mine), "現在件数": mine["valid_to"].null_count()}


def test_lists_are_cp932_with_a_line_for_each_row(out: Path, read: Read) -> None:
    with (out / "unload/TSUSHO.csv").open(encoding="cp932", newline="") as file:
        lines = list(csv.DictReader(file))
    assert sorted(line["宛名番号"] for line in lines) == sorted(
        number[-10:] for number in read("tsusho")["atenabango"]
    )


def test_same_town_same_bytes_whatever_the_processes(small_town: Path, out: Path, tmp_path: Path) -> None:
    town.unload(small_town, tmp_path / "again", processes=2)
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        assert (tmp_path / "again" / path.relative_to(out)).read_bytes() == path.read_bytes()


def test_faults_are_where_the_list_says_and_nowhere_else(small_town: Path, out: Path, tmp_path: Path) -> None:
    report = town.unload(small_town, tmp_path / "bad", faults=80, processes=1)
    with (tmp_path / "bad/faults.csv").open(encoding="utf-8") as file:
        listed = [(row["file"], int(row["record"])) for row in csv.DictReader(file)]
    changed = [
        (f"{name}.DAT", number)
        for name, length in LENGTHS.items()
        for number, (good, bad) in enumerate(
            zip(
                _records(out / f"unload/{name}.DAT", length),
                _records(tmp_path / f"bad/unload/{name}.DAT", length),
                strict=True,
            ),
            start=1,
        )
        if good != bad
    ]
    assert sorted(listed) == changed
    assert {(fault.kind, fault.field) for fault in report.faults} == {
        (kind.name, kind.field) for kind in town.FAULT_KINDS if kind.book != "ZEI"
    }
    assert not (tmp_path / "bad/unload/faults.csv").exists()


def test_a_fault_is_in_the_field_that_the_list_names_and_in_no_other(
    small_town: Path, out: Path, tmp_path: Path
) -> None:
    report = town.unload(small_town, tmp_path / "bad", faults=80, processes=1)
    for fault in report.faults:
        name = fault.file.removesuffix(".DAT")
        good = _records(out / "unload" / fault.file, LENGTHS[name])[fault.record - 1]
        bad = _records(tmp_path / "bad/unload" / fault.file, LENGTHS[name])[fault.record - 1]
        differing = [at for at, (one, other) in enumerate(zip(good, bad, strict=True)) if one != other]
        if fault.field:
            field = field_of(name.rstrip("123"), fault.field)
            assert differing
            assert field.offset <= differing[0] and differing[-1] < field.offset + field.size, fault


def test_a_withheld_file_is_missing_but_printed_and_a_stale_one_is_a_year_older(
    small_town: Path, out: Path, tmp_path: Path
) -> None:
    town.unload(small_town, tmp_path / "short", withhold=["JUKI2.DAT"], stale=["SETAI.DAT"], processes=1)
    assert not (tmp_path / "short/unload/JUKI2.DAT").exists()
    assert _totals(tmp_path / "short") == _totals(out)
    header = _records(tmp_path / "short/unload/SETAI.DAT", SETAI)[0]
    assert _digits(header[11:19]) == "20251001"


def test_unknown_files_and_too_many_faults_are_refused(small_town: Path, tmp_path: Path) -> None:
    with pytest.raises(Problems) as refused:
        town.unload(small_town, tmp_path / "a", withhold=["NONE.DAT"], stale=["SHIEN.DAT"], processes=1)
    assert [problem.code for problem in refused.value.problems] == ["unload-file-unknown"] * 2
    assert not (tmp_path / "a").exists()
    with pytest.raises(Problem, match="unload-faults-many"):
        town.unload(small_town, tmp_path / "b", faults=10**6, processes=1)


def test_a_folder_without_a_finished_town_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="town-unfinished"):
        town.unload(tmp_path, tmp_path / "out")


def test_the_plan_that_comes_along_names_this_town_and_its_day(out: Path, small_town: Path) -> None:
    told = json.loads((small_town / "town.json").read_text(encoding="utf-8"))
    plan = (out / "project/plan.yaml").read_text(encoding="utf-8")
    assert f'\ncity: "{told["city"]["code"]}"\n' in plan
    assert f"\ncut_date: {told['as_of']}\n" in plan


def test_fiscal_years_are_written_as_the_era_of_their_first_day() -> None:
    eras = {"1": "明治", "2": "大正", "3": "昭和", "4": "平成", "5": "令和"}
    for year in range(1886, 2060):
        digits = str(nendo(np.array([year]))[0])
        number = "元" if digits[1:] == "01" else str(int(digits[1:]))
        assert f"{eras[digits[0]]}{number}年度" == fiscal_wareki(year, FiscalStyle.OPENING)


def test_a_sign_stands_in_the_zone_of_the_last_digit_and_in_the_last_half_byte() -> None:
    numbers = np.array([-120, 0, 45])
    assert [row.tobytes().hex() for row in zoned(numbers, 4, signed=True)] == [
        "f0f1f2d0",
        "f0f0f0c0",
        "f0f0f4c5",
    ]
    assert [row.tobytes().hex() for row in packed(numbers, 3, signed=True)] == ["00120d", "00000c", "00045c"]
