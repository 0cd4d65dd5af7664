"""What was converted is loaded whole or not at all, into registers that are free, and a load that is cut goes on."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from tests.killing import copies

from kiban import migration, store
from kiban.kernel import Period, Problems
from kiban.migration.stages.load import LOADED
from kiban.store import Change

from .moving import HALL, Migration, library, migration_in, rows_in, until_alone


@pytest.fixture
def reached(database: Any) -> store.Server:
    return store.Server(database.owner_dsn, database.app_dsn)


@pytest.fixture
def moving(old_city: Path, reached: store.Server, tmp_path: Path) -> Iterator[Migration]:
    yield migration_in(tmp_path / "work", old_city, reached)


def test_every_converted_row_is_loaded_into_the_editions_of_the_plan(
    moving: Migration, old_city: Path, reached: store.Server
) -> None:
    result = moving.run()
    assert result.gate is not None and result.gate.open and result.out is not None
    assert moving.holds() == rows_in(old_city)
    told = json.loads((result.out / LOADED).read_text(encoding="utf-8"))
    assert {one["register"]: (one["loaded"], one["rejected"]) for one in told["registers"] if one["in"]} == {
        name: (rows, 0) for name, rows in rows_in(old_city).items()
    }
    with moving.store() as opened:
        assert set(opened.applied()) == {"resident", "nonresident_addressee", "individual_resident_tax"}
        assert opened.applied() == told["editions"]
    with psycopg.connect(reached.owner_dsn) as owner:
        who = owner.execute("SELECT actor, purpose FROM kiban.event WHERE kind = 'import'").fetchall()
    assert who == [("migration", "データ移行 juki")]


def test_a_finished_load_stands_and_is_known_again_when_its_output_is_lost(
    moving: Migration, old_city: Path
) -> None:
    first = moving.run()
    assert not moving.run().fresh
    assert first.out is not None
    before = (first.out / LOADED).read_bytes()
    shutil.rmtree(moving.work.folder)  # as if it had been killed between the event and its note
    again = moving.run()
    assert again.fresh and again.out is not None
    assert (again.output, (again.out / LOADED).read_bytes()) == (first.output, before)
    assert moving.holds() == rows_in(old_city)


def test_a_lost_database_is_loaded_again(moving: Migration, databases: Any, old_city: Path) -> None:
    first = moving.run()
    with databases.fresh() as other:
        elsewhere = migration_in(moving.work.folder, old_city, store.Server(other.owner_dsn, other.app_dsn))
        assert [one.state for one in migration.status(elsewhere.stages, elsewhere.plan, elsewhere.work)] == [
            "done",
            "stale",
        ]
        again = elsewhere.run()
        assert again.fresh and again.output == first.output
        assert elsewhere.holds() == rows_in(old_city)


def test_registers_that_hold_other_rows_are_refused_by_name_and_left_alone(
    moving: Migration, old_city: Path
) -> None:
    ward = pq.read_table(next((old_city / "resident/gyoseiku").glob("*.parquet"))).to_pylist()[0]
    row = {name: value for name, value in ward.items() if value is not None and not name.startswith("valid_")}
    with moving.store() as opened:
        store.apply(opened, moving.plan.editions["resident"], HALL)
        with opened.session(HALL) as session:
            session.record("設定", "city", [Change("resident.gyoseiku", row, Period(None))])
    with pytest.raises(Problems) as refused:
        moving.run()
    assert [(one.code, one.where) for one in refused.value.problems] == [
        ("load-occupied", "resident.gyoseiku")
    ]
    assert "empty database" in (refused.value.problems[0].fix or "")
    assert moving.holds() == {"resident.gyoseiku": 1}
    with moving.store() as opened:
        assert set(opened.applied()) == {"resident"}


def test_rows_changed_after_the_load_are_never_loaded_over(moving: Migration, old_city: Path) -> None:
    moving.run()
    row = pq.read_table(next((old_city / "resident/gyoseiku").glob("*.parquet"))).to_pylist()[0]
    row = {name: value for name, value in row.items() if value is not None and not name.startswith("valid_")}
    with moving.store() as opened, opened.session(HALL) as session:
        session.record(
            "設定", "city", [Change("resident.gyoseiku", row | {"gyoseikumei": "新区"}, Period(None))]
        )
    assert not moving.run().fresh  # the load is done, whatever came after it
    shutil.rmtree(moving.work.folder)
    with pytest.raises(Problems, match="load-occupied"):
        moving.run()


def test_another_edition_in_force_is_refused_by_name(moving: Migration) -> None:
    with moving.store() as opened:
        store.apply(opened, library().edition("resident", "kiban-2026.2"), HALL)
    with pytest.raises(Problems) as refused:
        moving.run()
    assert [(one.code, one.where) for one in refused.value.problems] == [("load-edition", "resident")]
    assert moving.holds() == {}


def test_everything_the_store_refuses_is_told_and_no_row_is_there(
    old_city: Path, reached: store.Server, tmp_path: Path
) -> None:
    wrong = tmp_path / "converted"
    shutil.copytree(old_city, wrong)
    for register, column in (("jumin", "seibetsu"), ("setai", "setaijotai")):
        path = sorted((wrong / "resident" / register).glob("*.parquet"))[0]
        table = pq.read_table(path)
        values = table.column(column).to_pylist()
        at = table.schema.get_field_index(column)
        pq.write_table(table.set_column(at, table.schema.field(at), [["?", *values[1:]]]), path)
    moving = migration_in(tmp_path / "work", wrong, reached)
    with pytest.raises(Problems) as refused:
        moving.run()
    assert {(one.code, one.what.split()[0]) for one in refused.value.problems} == {
        ("code-unknown", "seibetsu"),
        ("code-unknown", "setaijotai"),
    }
    assert moving.holds() == {}
    assert migration.status(moving.stages, moving.plan, moving.work)[-1].state == "open"


_IMPORTS = """
from dataclasses import replace
from pathlib import Path
from tests.migration.moving import migration_in
from kiban import migration, store
"""
_RUN = """
work, town, owner, app = given
found = migration_in(Path(work), Path(town), store.Server(owner, app))
def tell(step, done, total):
    print(step, done, flush=True)
print(migration.run(found.stages, found.plan, replace(found.work, progress=tell))[-1].output)
"""


def test_a_load_killed_anywhere_goes_on_to_the_same_rows_and_the_same_bytes(
    moving: Migration, old_city: Path, databases: Any, tmp_path: Path
) -> None:
    whole = moving.run()
    with databases.fresh() as other, copies(_IMPORTS, _RUN) as start:
        reached = store.Server(other.owner_dsn, other.app_dsn)
        work = tmp_path / "cut"
        cut = migration_in(work, old_city, reached)
        killed = 0
        for lines in (1, 4, 8, 12, 20, 35, 60):
            copy = start(work, old_city, reached.owner_dsn, reached.app_dsn)
            for _ in range(lines):
                copy.line()
            killed += copy.kill() == -signal.SIGKILL
            until_alone(reached)
            assert cut.holds() in ({}, rows_in(old_city))
            if lines == 12:  # the work folder may be moved between two attempts
                shutil.move(work, tmp_path / "moved")
                work = tmp_path / "moved"
                cut = migration_in(work, old_city, reached)
        assert killed >= 5
        last = cut.run()
        assert last.output == whole.output
        assert cut.holds() == rows_in(old_city)
