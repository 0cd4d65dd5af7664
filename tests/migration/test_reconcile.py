"""What the database holds is proved against the legacy files by another path; whatever is not as they say is found by name."""

from __future__ import annotations

import json
import random
import signal
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
from tests.killing import copies

from kiban import migration, store

from .migrated import STAGES, Case, Migrated, copied, stages, work_in
from .moving import library, until_alone


def test_a_sound_load_gets_its_certificate_and_the_same_one_again(
    case: Case, migrated: Migrated, databases: Any, tmp_path: Path
) -> None:
    first = case.reconcile()
    assert [one.fresh for one in migration.run(STAGES, case.plan, case.work)] == [False] * len(STAGES)
    assert first.gate is not None and first.gate.open and first.out is not None
    found = case.certificate()
    assert found["unexplained"] == 0
    assert found["totals"]["rows"] == sum(one["rows"]["stored"] for one in found["registers"]) > 16_000
    assert all(one["digests"]["source"] == one["digests"]["stored"] for one in found["registers"])
    assert {one["register"]: len(one["items"]) for one in found["registers"]}["resident.jumin"] == 106
    assert found["protection"]["people"] == found["protection"]["equal"] > 4
    with copied(migrated, databases, tmp_path / "elsewhere") as other:
        again = other.reconcile()
        assert again.fresh and again.output == first.output


def test_rows_that_are_gone_came_from_nowhere_or_count_otherwise_are_named(case: Case) -> None:
    with case.owner() as owner:
        owner.execute("DELETE FROM resident.choaza WHERE ctid = (SELECT min(ctid) FROM resident.choaza)")
        [(gone,)] = owner.execute(
            "UPDATE resident.choaza SET choazakanribango = '999999999999' "
            "WHERE ctid = (SELECT max(ctid) FROM resident.choaza) RETURNING old.choazakanribango"
        ).fetchall()
        [(household, ward, begun)] = owner.execute(
            "UPDATE resident.setai SET setaininzu = setaininzu + 2 WHERE ctid = (SELECT min(ctid) FROM resident.setai) "
            "RETURNING setaibango, shiteitoshi_gyoseikutokodo, valid_from::text"
        ).fetchall()
    result = case.reconcile()
    lines = case.told("differences")
    assert {(line["what"], line["register"]) for line in lines} == {
        ("missing", "resident.choaza"),
        ("extra", "resident.choaza"),
        ("differs", "resident.setai"),
    }
    [extra] = [line for line in lines if line["what"] == "extra"]
    assert (extra["key"][0], extra["file"]) == ("999999999999", None)
    assert gone in [line["key"][0] for line in lines if line["what"] == "missing"]
    [differs] = [line for line in lines if line["what"] == "differs"]
    assert (differs["key"], differs["item"]) == ([household, begun], "setaininzu")
    [setai] = [one for one in case.certificate()["registers"] if one["register"] == "resident.setai"]
    [cell] = [one for one in setai["cells"] if one["sums"]["setaininzu"][0] != one["sums"]["setaininzu"][1]]
    assert (cell["ward"], cell["sums"]["setaininzu"][1] - cell["sums"]["setaininzu"][0]) == (ward, 2)
    assert result.gate is not None
    assert any(f"世帯 区{ward}の世帯人数の合計が一致しません" in reason for reason in result.gate.reasons)
    assert any(reason.startswith("町字の件数が一致しません") for reason in result.gate.reasons)


def test_one_yen_is_missed_by_business_year_ward_and_item(case: Case) -> None:
    with case.owner() as owner:
        [(person, year, begun, ward)] = owner.execute(
            "UPDATE individual_resident_tax.kazei SET nenzeigaku = nenzeigaku - 1 "
            "WHERE ctid = (SELECT min(ctid) FROM individual_resident_tax.kazei WHERE nenzeigaku > 0) "
            "RETURNING atenabango, kazeinendo, valid_from::text, shiteitoshi_gyoseikutokodo"
        ).fetchall()
    result = case.reconcile()
    [line] = case.told("differences")
    assert (line["register"], line["item"]) == ("individual_resident_tax.kazei", "nenzeigaku")
    assert line["key"] == [person, year, begun] and line["file"].startswith("ZEI")
    found = case.certificate()
    assert (found["totals"]["differences"], found["totals"]["uneven"], found["unexplained"]) == (1, 1, 2)
    [kazei] = [one for one in found["registers"] if one["register"] == "individual_resident_tax.kazei"]
    uneven = [
        (cell["ward"], cell["year"], item, old - new)
        for cell in kazei["cells"]
        for item, (old, new) in cell["sums"].items()
        if old != new
    ]
    assert uneven == [(ward, year, "nenzeigaku", 1)]
    assert result.gate is not None
    assert any(
        f"賦課 区{ward} {year}年度の年税額の合計が一致しません" in reason for reason in result.gate.reasons
    )


def test_what_cleansing_left_out_is_balanced_and_never_takes_protection_away(
    case: Case, databases: Any
) -> None:
    source = pq.read_table(case.decoded / "SH-REC" / "SHIEN.parquet").to_pylist()
    subjects = pq.read_table(case.decoded / "SH-TAISHO" / "SHIEN.parquet").to_pylist()
    measure = next(row["SH-SHIEN-NO"] for row in source if row["SH-JOTAI"] == "2")
    records = {row["#record"] for row in source if row["SH-SHIEN-NO"] == measure}
    line = {"file": "SHIEN", "fate": "rejected", "reason": "試し"}
    left_out = [line | {"segment": "SH-REC", "record": record, "index": 0} for record in sorted(records)]
    left_out += [
        line | {"segment": "SH-TAISHO", "record": row["#record"], "index": row["#index"]}
        for row in subjects
        if row["#record"] in records
    ]
    with databases.fresh() as database:
        work = work_in(case.work.folder, store.Server(database.owner_dsn, database.app_dsn))
        result = migration.run(stages(*left_out), case.plan, work)[-1]
        assert result.stage.name == "reconcile" and result.out is not None
        certificate = json.loads((result.out / "certificate.json").read_text(encoding="utf-8"))
        assert certificate["totals"]["differences"] == certificate["totals"]["uneven"] == 0
        whole = {one["register"]: one["whole"] for one in certificate["registers"]}
        assert whole["resident.shiensochi"]["rejected"] == len(records)
        assert whole["resident.shiensochi"]["every"] == len(source)
        people = {str(row["SH-TS-ATENA"]).zfill(15) for row in subjects if row["#record"] in records}
        judged = pq.read_table(result.out / "protection.parquet").to_pylist()
        assert {one["person"] for one in judged if one["verdict"] != "equal"} == people
        assert result.gate is not None and not result.gate.open


def test_a_lost_database_takes_its_certificate_with_it(case: Case, databases: Any) -> None:
    first = case.reconcile()
    with databases.fresh() as database:
        work = work_in(case.work.folder, store.Server(database.owner_dsn, database.app_dsn))
        assert [one.state for one in migration.status(STAGES, case.plan, work)][-2:] == ["stale", "stale"]
        again = migration.run(STAGES, case.plan, work)
        assert [one.fresh for one in again][-3:] == [False, True, True]
        assert again[-1].output == first.output


_IMPORTS = """
from dataclasses import replace
from pathlib import Path
from kiban import migration as room, store
from tests.migration.migrated import STAGES, work_in
from tests.migration.moving import library
"""
_RUN = """
folder, owner, app, project, unload = given
work = work_in(Path(folder), store.Server(owner, app))
def tell(step, done, total):
    print(step, done, flush=True)
plan = room.load_plan(Path(project), Path(unload), library())
print(room.run(STAGES, plan, replace(work, progress=tell))[-1].output)
"""


def test_a_load_killed_half_way_ends_with_the_same_certificate(
    case: Case, migrated: Migrated, databases: Any
) -> None:
    whole = case.reconcile()
    with databases.fresh() as database, copies(_IMPORTS, _RUN) as start:
        server = store.Server(database.owner_dsn, database.app_dsn)
        given = (case.work.folder, server.owner_dsn, server.app_dsn, migrated.project, migrated.unload)
        for step, wanted in (("取込み（行）", 5), ("取込み（索引と検査）", 7), ("突合", 3)):
            copy, seen = start(*given), 0
            while seen < wanted and (line := copy.line()):
                seen += line.startswith(step)
            assert (seen, copy.kill()) == (wanted, -signal.SIGKILL)
            until_alone(server)
        again = migration.run(STAGES, case.plan, work_in(case.work.folder, server))[-1]
        assert again.fresh and again.output == whole.output
        with work_in(case.work.folder, server).open_store() as opened:
            assert store.verify(opened).problems == ()


def test_a_thousand_single_fields_changed_in_the_database_are_all_located(case: Case) -> None:
    draw = random.Random(1)
    seeded = set()
    with case.owner() as owner:
        for register, wanted in (
            ("resident.jumin", 500),
            ("resident.setai", 200),
            ("resident.choaza", 40),
            ("resident.shiensochi", 3),
            ("resident.shiensochi_taishosha", 7),
            ("individual_resident_tax.kazei", 250),
        ):
            seeded |= _seed(owner, register, wanted, draw)
    assert len(seeded) == 1_000
    result = case.reconcile()
    assert result.gate is not None and not result.gate.open
    located = {
        (line["register"], tuple(line["key"]), line["item"])
        for line in case.told("differences")
        if line["what"] == "differs"
    }
    assert located == seeded
    assert all(line["file"] and line["record"] for line in case.told("differences"))
    found = case.certificate()
    assert found["totals"]["differences"] == len({place[:2] for place in seeded})
    assert found["unexplained"] >= found["totals"]["differences"]


def _seed(
    owner: psycopg.Connection[Any], register: str, wanted: int, draw: random.Random
) -> set[tuple[Any, ...]]:
    """Change single fields of different rows and items; where they are."""
    business, _, group = register.partition(".")
    known = library().edition(business).group(group)
    keys = [item.romaji for item in known.subject] + ["valid_from"]
    items = [
        item
        for item in known.items
        if item.romaji not in keys
        and not item.repeats
        and item != known.ward
        and item.romaji not in known.references
    ]
    named = ", ".join(f'"{key}"' for key in keys)
    rows = owner.execute(f"SELECT ctid::text, {named} FROM {register} ORDER BY {named}".encode()).fetchall()
    places = draw.sample([(row, item) for row in rows for item in items], wanted)
    found = set()
    for (_, *key), item in places:
        where = " AND ".join(f'"{name}" IS NOT DISTINCT FROM %s' for name in keys)
        column = f'"{item.romaji}"'
        new = {
            "9": f"coalesce({column}, 0) + 1",
            "DATE": f"CASE WHEN {column}::text = '2001-02-03' THEN '2001-02-04' ELSE '2001-02-03' END"
            + ("" if item.allows_unknown_date else "::date"),
        }.get(item.type, f"coalesce({column}, '') || '違'")
        owner.execute(f'ALTER TABLE {register} DROP CONSTRAINT IF EXISTS "ck_{item.romaji}"'.encode())
        done = owner.execute(f"UPDATE {register} SET {column} = {new} WHERE {where}".encode(), key)
        assert done.rowcount == 1
        told = [None if part in (None, date.min) else str(part) for part in key]
        found.add((register, tuple(told), item.romaji))
    return found
