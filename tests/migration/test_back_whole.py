"""The proof of the way back: every row of the database, written back, is byte for byte what the legacy system had written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from kiban.migration import workers
from kiban.store import Server

from .migrated import Migrated, work_in
from .returning import (
    DAY,
    City,
    change,
    city_of,
    contents,
    figures,
    listed,
    move,
    read_back,
    returning,
    sorted_rows,
)

KAZEI = "individual_resident_tax.kazei"
SIGN = 234 + 1 + 10 + 1
"""The last half of SE-RIREKI-NO in the second record of SETAI, behind its type and its number."""


def test_everything_written_back_is_byte_for_byte_what_the_legacy_system_had_written(
    city: City, tmp_path: Path
) -> None:
    done = city.compare(tmp_path / "out")
    assert done["without_record"] == []
    for form in done["forms"]:
        assert form["same"] == form["records"] == form["landed"] > 0, form
        assert (form["new"], form["other"], form["lost"]) == (0, [], [])
    left = {form["kind"]: form["left"] for form in done["forms"] if form["left"]}
    # the day of the unload, which no item holds, and names that the register of residents has
    assert left == {"SHIEN": ["SH-KIJUN-YMD"], "ZEI": ["ZE-SHIMEI", "ZE-KANA"]}


def test_two_processes_find_the_same(city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = city.compare(tmp_path / "one")
    move(city, city.people(juminjotai="1")[0])
    city.go_back(tmp_path / "first")
    monkeypatch.setattr(workers, "_MANY", 0)
    monkeypatch.setattr("kiban.migration.back.tasks._AT_ONCE", 700)
    monkeypatch.setattr("kiban.migration.back.tasks.ROWS", 300)
    two = city.compare(tmp_path / "two")
    assert [form["same"] for form in two["forms"][1:]] == [form["same"] for form in one["forms"][1:]]
    assert two["forms"][0]["same"] == one["forms"][0]["same"] - 1
    city.go_back(tmp_path / "second")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_a_record_that_is_not_what_came_is_told_by_field_and_place(city: City, tmp_path: Path) -> None:
    mover = city.people(juminshubetsu="1", juminjotai="1")[0]
    move(city, mover, biko="控え")
    done = city.compare(tmp_path / "out")
    [form] = [one for one in done["forms"] if one["kind"] == "JUKI"]
    assert (form["new"], form["same"], form["records"]) == (1, form["landed"] - 1, form["landed"])
    [other] = form["other"]
    assert (other["field"], other["reason"], other["count"]) == ("JK-SHURYO-YMD", "other-value", 1)
    [[file, record]] = other["examples"]
    path = city.inputs["land"] / "files" / city.plan.file(file).path
    raw = path.read_bytes()[(record - 1) * 704 : record * 704]
    assert mover["atenabango"].lstrip("0").encode("cp500") in raw
    assert [(line["item"], line["code"]) for line in form["lost"]] == [("biko", "not-held")]
    assert "JK-SHURYO-YMD" in (tmp_path / "out" / "differences.csv").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def odd_one(unloaded: Path, databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    """A city with its tax ledger, two legacy codes for one code of the standard, and a sign that the machine does not write."""
    folder = tmp_path_factory.mktemp("odd")
    project, unload, work = folder / "old" / "project", folder / "old" / "unload", folder / "work"
    shutil.copytree(unloaded / "project", project)
    shutil.copytree(unloaded / "unload", unload)
    with (project / "codes" / "jotai.csv").open("a", encoding="utf-8") as codes:
        codes.write("31,4,死亡（職権）\n")
    setai = bytearray((unload / "SETAI.DAT").read_bytes())
    setai[SIGN] = setai[SIGN] & 0xF0 | 0xF
    (unload / "SETAI.DAT").write_bytes(setai)

    def load(database: Any) -> None:
        server = Server(database.owner_dsn, database.app_dsn)
        with work_in(work, server).open_store() as opened:
            city_of(project, work, server, opened)

    return Migrated(project, unload, work, databases.template("odd", load))


@pytest.fixture
def odd(odd_one: Migrated, databases: Any) -> Iterator[City]:
    """It, with a database of its own."""
    with returning(odd_one, databases) as found:
        yield found


def test_codes_and_signs_that_do_not_come_back_are_told_exactly(odd: City, tmp_path: Path) -> None:
    dead = 0
    for path in (odd.inputs["land"] / "files").glob("JUKI*.DAT"):
        juki = path.read_bytes()
        dead += sum(juki[at + 27 : at + 29] == b"\xf3\xf0" for at in range(704, len(juki) - 704, 704))
    found = {form["kind"]: form for form in odd.compare(tmp_path / "out")["forms"]}
    [sign] = found["SETAI"]["other"]
    assert (sign["field"], sign["reason"], sign["count"]) == ("SE-RIREKI-NO", "other-bytes", 1)
    assert sign["examples"] == [("SETAI", 2)] and found["SETAI"]["lost"] == []
    [code] = found["JUKI"]["other"]
    assert (code["field"], code["reason"], code["count"]) == ("JK-JOTAI", "code-several", dead) and dead > 10
    lost = [(one["item"], one["code"], one["count"]) for one in found["JUKI"]["lost"]]
    assert lost == [("juminjotai", "code-several", dead)]
    assert found["JUKI"]["same"] == found["JUKI"]["landed"] - dead
    tax = found["ZEI"]
    assert tax["same"] == tax["landed"] > 1_000 and (tax["other"], tax["lost"]) == ([], [])
    assert tax["left"] == ["ZE-SHIMEI", "ZE-KANA"]  # the register of residents has them


def test_a_tax_collected_in_another_way_goes_back_in_the_other_alternative_and_the_trailer_adds_up(
    odd: City, tmp_path: Path
) -> None:
    ordinary = next(row for row in odd.known(KAZEI) if row["choshuhoho"] == "1" and row["valid_to"] is None)
    key = {name: ordinary[name] for name in ("atenabango", "kazeinendo")}
    row = {item: ordinary[item] for item in odd.items(KAZEI)}
    changed = row | dict.fromkeys([f"kibetsuzeigaku_{at}ki" for at in (1, 2, 3, 4)], None)
    changed |= {"rirekibango": row["rirekibango"] + 1, "choshuhoho": "2", "tokubetsuchoshuzeigaku_6gatsu": 12_000,
                "tokubetsuchoshuzeigaku_7gatsuiko": 11_500, "nenzeigaku": 138_500}  # fmt: skip
    odd.record("徴収方法の変更", row["atenabango"], change(KAZEI, changed, DAY))
    done = odd.go_back(tmp_path / "out")
    assert figures(done) == {KAZEI: (1, 1, 0, 0)} and listed(tmp_path / "out") == []
    assert done["unfilled"] == {"ZEI": ["ZE-KANA", "ZE-SHIMEI"]}
    there = [row for row in odd.known(KAZEI) if all(row[name] == value for name, value in key.items())]
    assert sorted_rows(read_back(odd, tmp_path / "out", tmp_path / "read")[KAZEI]) == sorted_rows(there)
    trailer = pq.read_table(tmp_path / "read" / "decoded" / "ZE-TRAILER").to_pylist()[0]
    assert (trailer["ZET-KENSU"], trailer["ZET-NENZEI"]) == (
        len(there),
        sum(row["nenzeigaku"] for row in there),
    )
    header = pq.read_table(tmp_path / "read" / "decoded" / "ZE-HEADER").to_pylist()[0]
    assert (header["ZEH-FILE-ID"], str(header["ZEH-KIJUN-YMD"])) == ("ZEI", done["day"].replace("-", ""))
