"""A town's unload lands whole or is refused by name before a byte is decoded; what cannot be decoded is found at its byte."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kiban import characters, main, migration, town
from kiban.kernel import Problems
from kiban.migration import Result, Work

JUKI = 704


@pytest.fixture
def old(unloaded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(unloaded, tmp_path / "old"))


def run(old: Path, through: str | None = None) -> list[Result]:
    def no_store() -> NoReturn:
        raise AssertionError("these stages do not open the database")

    work = Work(old / "work", no_store, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))
    return migration.run(
        migration.STAGES, migration.load_plan(old / "project", library=main.library()), work, through=through
    )


def refused(old: Path) -> set[tuple[str, str | None]]:
    with pytest.raises(Problems) as problems:
        run(old, "land")
    assert not (old / "work" / "stages" / "decode").exists()
    return {(one.code, one.where) for one in problems.value.problems}


def test_a_whole_unload_is_decoded_without_a_fault_and_again_to_the_same_bytes(old: Path) -> None:
    first = run(old, "characters")
    assert all(one.gate is not None and one.gate.open for one in first)
    decoded = next(one for one in first if one.stage.name == "decode")
    assert decoded.summary is not None and decoded.summary["faults"] == 0
    shutil.rmtree(old / "work")
    assert [one.output for one in run(old, "characters")] == [one.output for one in first]


def test_everything_wrong_with_what_came_is_said_at_once(old: Path) -> None:
    unload = old / "unload"
    (unload / "SETAI.DAT").unlink()
    (unload / "NOTE.TXT").write_text("memo", encoding="utf-8")
    shutil.copyfile(unload / "JUKI1.DAT", unload / "JUKI2.DAT")
    third = (unload / "JUKI3.DAT").read_bytes()
    (unload / "JUKI3.DAT").write_bytes(third[:-10])
    found = refused(old)
    assert {("file-withheld", "SETAI.DAT"), ("file-unexpected", "NOTE.TXT")} <= found
    assert {
        ("file-duplicate", "JUKI2.DAT"),
        ("file-other", "JUKI2.DAT"),
        ("record-length", "JUKI-3"),
    } <= found


def test_a_record_lost_between_header_and_trailer_is_noticed(old: Path) -> None:
    data = (old / "unload" / "JUKI1.DAT").read_bytes()
    (old / "unload" / "JUKI1.DAT").write_bytes(data[:JUKI] + data[2 * JUKI :])
    assert refused(old) == {("file-truncated", "JUKI1.DAT")}


def test_a_file_of_another_day_is_noticed(old_city: Path, tmp_path: Path) -> None:
    town.unload(old_city, tmp_path / "old", stale=["JUKI2.DAT"], processes=1)
    assert refused(tmp_path / "old") == {("file-stale", "JUKI2.DAT")}


def test_an_undecodable_byte_is_told_at_its_place_and_closes_the_gate_of_cleansing(old: Path) -> None:
    path = old / "unload" / "JUKI1.DAT"
    data = bytearray(path.read_bytes())
    at = JUKI + 1 + 10  # JK-RIREKI-NO of the first data record, packed
    data[at : at + 2] = b"\xff\xff"
    path.write_bytes(data)
    done = {one.stage.name: one for one in run(old, "cleanse")}
    cleansed = done["cleanse"].gate
    assert cleansed is not None and not cleansed.open and "復号:JK-RIREKI-NO" in cleansed.reasons[0]
    assert done["decode"].out is not None
    [line] = migration.ledger(done["decode"].out).to_pylist()
    assert (line["file"], line["record"], line["offset"], line["field"]) == ("JUKI-1", 2, at, "JK-RIREKI-NO")
    assert line["raw"] == "FFFF"


def test_a_character_only_one_person_decided_on_closes_the_gate_until_the_second_does(old: Path) -> None:
    path = old / "project" / "characters" / "decisions.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    whole = path.read_bytes()
    rows[1][6] = rows[1][7] = ""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    last = run(old, "characters")[-1]
    assert last.stage.name == "characters" and last.gate is not None and not last.gate.open
    assert f"{rows[1][0]} {rows[1][1]}" in last.gate.reasons[0]
    path.write_bytes(whole)
    last = run(old, "characters")[-1]
    assert last.gate is not None and last.gate.open
    assert last.summary is not None and last.summary["undecided"] == 0 and last.summary["used"] > 0


def test_where_the_plan_names_keys_decisions_count_only_as_they_were_signed(old: Path) -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secret = old / "secret.pem"
    secret.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (old / "project" / "key.pem").write_bytes(public)
    plan = old / "project" / "plan.yaml"
    plan.write_text(plan.read_text(encoding="utf-8") + "\nkeys: [key.pem]\n", encoding="utf-8")
    decisions = old / "project" / "characters" / "decisions.csv"
    assert {code for code, _ in refused(old)} == {"decisions-unsigned"}
    for name in ("decisions.csv", "keis-decisions.csv"):
        characters.sign_decisions(decisions.with_name(name), secret)
    assert run(old, "characters")[-1].stage.name == "characters"
    decisions.write_text(
        decisions.read_text(encoding="utf-8").replace("字形が一致", "字形がほぼ一致"), "utf-8"
    )
    with pytest.raises(Problems) as changed:
        run(old, "characters")
    assert {one.code for one in changed.value.problems} == {"decisions-signature"}


def test_the_profile_shows_values_of_codes_and_of_nothing_else(old: Path) -> None:
    [profile] = [one for one in run(old, "profile") if one.stage.name == "profile"]
    assert profile.out is not None and profile.summary is not None
    fields = json.loads((profile.out / "profile.json").read_text(encoding="utf-8"))["JK-DATA"]["fields"]
    assert {value for value, _ in fields["JK-SEIBETSU"]["values"]} == {"1", "2"}
    coded = set(migration.load_plan(old / "project").file("JUKI-1").coded)
    assert {name for name, found in fields.items() if "values" in found} == coded
    assert profile.summary["double_keys"] == 0


def test_a_file_that_may_be_empty_is_taken_without_a_record_and_missed_when_it_is_not_there(
    old: Path,
) -> None:
    (old / "unload" / "SHIEN.DAT").write_bytes(b"")
    totals = old / "unload" / "TOTALS.csv"
    lines = totals.read_bytes().decode("cp932").splitlines()
    printed = [line.rsplit(",", 1)[0] + ",0" if line.startswith("SHIEN,") else line for line in lines]
    totals.write_bytes("\r\n".join(printed).encode("cp932"))
    results = {one.stage.name: one for one in run(old, "characters")}
    assert all(one.gate is not None and one.gate.open for one in results.values())
    decoded = results["decode"].out
    assert decoded is not None
    for segment in ("SH-REC", "SH-TAISHO"):
        empty = pq.read_table(decoded / segment / "SHIEN.parquet")
        assert empty.num_rows == 0 and "#record" in empty.schema.names
    shutil.rmtree(old / "work")
    (old / "unload" / "SHIEN.DAT").unlink()
    assert refused(old) == {("file-withheld", "SHIEN.DAT")}


def test_any_other_empty_file_counts_as_not_sent(old: Path) -> None:
    (old / "unload" / "SETAI.DAT").write_bytes(b"")
    assert refused(old) == {("file-empty", "SETAI.DAT")}
