"""The proof of the way back: every row of the database, written back, is byte for byte what the legacy system had written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from kiban.migration import workers
from kiban.store import Server

from .migrated import Migrated, work_in
from .returning import City, city_of, contents, move


def test_everything_written_back_is_byte_for_byte_what_the_legacy_system_had_written(
    city: City, tmp_path: Path
) -> None:
    done = city.compare(tmp_path / "out")
    assert done["without_record"] == []
    for form in done["forms"]:
        assert form["same"] == form["records"] == form["landed"] > 0, form
        assert (form["new"], form["other"], form["lost"]) == (0, [], [])
    left = {form["kind"]: form["left"] for form in done["forms"] if form["left"]}
    assert left == {"SHIEN": ["SH-KIJUN-YMD"]}  # the day of the unload, which no item holds


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


def test_codes_and_signs_that_do_not_come_back_are_told_exactly(
    migrated: Migrated, databases: Any, tmp_path: Path
) -> None:
    """Two legacy codes for one code of the standard, and a sign that the machine does not write."""
    old = tmp_path / "old"
    shutil.copytree(migrated.project.parent, old)
    with (old / "project" / "codes" / "jotai.csv").open("a", encoding="utf-8") as codes:
        codes.write("31,4,死亡（職権）\n")
    setai = bytearray((old / "unload" / "SETAI.DAT").read_bytes())
    sign = (
        234 + 1 + 10 + 1
    )  # in the second record, behind its type and its number: the last half of SE-RIREKI-NO
    setai[sign] = setai[sign] & 0xF0 | 0xF
    (old / "unload" / "SETAI.DAT").write_bytes(setai)
    dead = 0
    for path in (old / "unload").glob("JUKI*.DAT"):
        juki = path.read_bytes()
        dead += sum(juki[at + 27 : at + 29] == b"\xf3\xf0" for at in range(704, len(juki) - 704, 704))
    with databases.fresh() as database:
        server = Server(database.owner_dsn, database.app_dsn)
        with work_in(tmp_path / "work", server).open_store() as opened:
            done = city_of(old / "project", tmp_path / "work", server, opened).compare(tmp_path / "out")
    found = {form["kind"]: form for form in done["forms"]}
    [sign_only] = found["SETAI"]["other"]
    assert (sign_only["field"], sign_only["reason"], sign_only["count"]) == ("SE-RIREKI-NO", "other-bytes", 1)
    assert sign_only["examples"] == [("SETAI", 2)] and found["SETAI"]["lost"] == []
    [code] = found["JUKI"]["other"]
    assert (code["field"], code["reason"], code["count"]) == ("JK-JOTAI", "code-several", dead) and dead > 10
    lost = [(one["item"], one["code"], one["count"]) for one in found["JUKI"]["lost"]]
    assert lost == [("juminjotai", "code-several", dead)]
    assert found["JUKI"]["same"] == found["JUKI"]["landed"] - dead
