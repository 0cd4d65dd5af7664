"""A newer unload changes exactly what differs, once, and never over the work of clerks."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pyarrow.parquet as pq
import pytest
from tests.killing import copies

from kiban import store
from kiban.kernel import AsOf, Period, Problem, Problems
from kiban.migration.delta import KIND
from kiban.migration.plan import Delta
from kiban.migration.stages.apply import CHANGED, DELTA, VANISHED
from kiban.store import Change

from .moving import HALL, library, until_alone
from .newer import DAY, both_in, changed, held, last, rows_of

JUMIN, SETAI = "resident.jumin", "resident.setai"
MOVED, BORN = "000000000000001", "999999999999990"


@pytest.fixture(scope="module")
def loaded_template(databases: Any, old_city: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    def load(database: Any) -> None:
        work = tmp_path_factory.mktemp("loaded") / "work"
        both_in(work, old_city, store.Server(database.owner_dsn, database.app_dsn)).run()

    return str(databases.template("loaded", load))


@pytest.fixture
def reached(databases: Any, loaded_template: str) -> Iterator[store.Server]:
    """A database that holds the town."""
    with databases.fresh(loaded_template) as database:
        yield store.Server(database.owner_dsn, database.app_dsn)


@pytest.fixture(scope="module")
def people(old_city: Path) -> pl.DataFrame:
    return pl.read_parquet(old_city / "resident/jumin/*.parquet").sort("atenabango", "valid_from")


@pytest.fixture(scope="module")
def lived(old_city: Path, people: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town a week later: one moved, one died, one was born into a household of its own, one left for a new household with
    its own head, an erroneous row is gone, a support measure was changed."""
    now = people.filter(pl.col("valid_to").is_null())["atenabango"].to_list()
    mover, dead, leaver = now[:3]
    long = people.filter(pl.len().over("atenabango") > 2)["atenabango"][-1]

    def jumin(rows: pl.DataFrame) -> pl.DataFrame:
        ended = pl.col("atenabango").is_in([mover, dead, leaver]) & pl.col("valid_to").is_null()
        new = [
            last(rows, mover) | {"jusho_banchigohyoki": "９９番９号"},
            last(rows, dead) | {"juminjotai": "7"},
            last(rows, leaver) | {"setaibango": NEW_HOUSE},
            last(rows, mover) | {"atenabango": BORN, "setaibango": BORN_HOUSE, "rirekibango": 0},
        ]
        new = [row | {"valid_from": date(2026, 10, 5), "rirekibango": row["rirekibango"] + 1} for row in new]
        rows = rows.with_columns(valid_to=pl.when(ended).then(date(2026, 10, 5)).otherwise("valid_to"))
        first = (pl.col("atenabango") == long) & (
            pl.col("rirekibango") == pl.col("rirekibango").min().over("atenabango")
        )
        return pl.concat([rows.filter(~first), pl.DataFrame(new, schema=rows.schema)])

    def setai(rows: pl.DataFrame) -> pl.DataFrame:
        one = rows.to_dicts()[0] | {"rirekibango": 1, "valid_from": date(2026, 10, 5), "valid_to": None}
        new = [
            one | {"setaibango": BORN_HOUSE, "setainushi_atenabango": BORN},
            one | {"setaibango": NEW_HOUSE, "setainushi_atenabango": leaver},
        ]
        return pl.concat([rows, pl.DataFrame(new, schema=rows.schema)])

    def shiensochi(rows: pl.DataFrame) -> pl.DataFrame:
        at = pl.int_range(pl.len()) == 0
        return rows.with_columns(
            renrakusaki_denwabango=pl.when(at)
            .then(pl.lit(["078-000-0000"]))
            .otherwise("renrakusaki_denwabango")
        )

    folder = tmp_path_factory.mktemp("lived") / "town"
    return changed(old_city, folder, jumin=jumin, setai=setai, shiensochi=shiensochi)


BORN_HOUSE, NEW_HOUSE = "999999999999980", "999999999999981"


def events(reached: store.Server) -> list[tuple[Any, ...]]:
    with psycopg.connect(reached.owner_dsn) as owner:
        told = "SELECT subject, content FROM kiban.event WHERE kind = %s AND valid = %s AND actor = 'migration' ORDER BY event"
        return owner.execute(told, (KIND, DAY)).fetchall()


def test_the_database_becomes_the_newer_unload_by_one_event_for_each_subject(
    lived: Path,
    old_city: Path,
    people: pl.DataFrame,
    reached: store.Server,
    tmp_path: Path,
) -> None:
    with psycopg.connect(reached.owner_dsn) as owner:
        [(known,)] = owner.execute("SELECT recorded_at FROM kiban.head").fetchall()
    moving = both_in(tmp_path / "delta", lived, reached, DAY)
    result = moving.run()
    assert result.out is not None and result.gate is not None and result.gate.open
    registers = [f"{each.parent.name}.{each.name}" for each in lived.glob("*/*") if each.is_dir()]
    for register in registers:
        assert held(moving, register) == rows_of(lived, register), register
    day = AsOf(date(2026, 10, 6), known)
    assert held(moving, JUMIN, day) == [row for row in rows_of(old_city, JUMIN) if "'valid_to': None" in row]
    born = [(subject, sorted(content)) for subject, content in events(reached) if subject == BORN]
    assert born == [(BORN, [JUMIN, SETAI])]  # they name each other
    told = json.loads((result.out / DELTA).read_text(encoding="utf-8"))
    counts = {one["register"]: one for one in told["registers"]}
    rows = len(rows_of(lived, JUMIN))
    assert counts[JUMIN] == {
        "register": JUMIN, "rows": rows, "unchanged": rows - 7, "new": 4, "changed": 3, "gone": 1, "subjects": 5, "vanished": 0,
        "known": people["atenabango"].n_unique(),
    }  # fmt: skip
    assert [counts["resident.shiensochi"][name] for name in ("new", "changed", "gone", "subjects")] == [
        0,
        1,
        0,
        1,
    ]
    assert (
        len(events(reached)) == 7
    )  # five people, one of them with a household; another household; a measure
    lines = pq.read_table(result.out / CHANGED).to_pylist()
    assert {(line["what"], line["vanished"]) for line in lines if line["subject"] == [BORN]} == {
        ("new", False)
    }
    assert moving.holds()


def test_the_same_delta_again_changes_nothing_and_says_the_same(
    lived: Path, reached: store.Server, tmp_path: Path
) -> None:
    moving = both_in(tmp_path / "delta", lived, reached, DAY)
    first = moving.run()
    recorded = events(reached)
    assert not moving.run().fresh
    shutil.rmtree(moving.work.folder)
    again = moving.run()
    assert (again.fresh, again.output, events(reached)) == (True, first.output, recorded)
    later = both_in(tmp_path / "later", lived, reached, DAY + timedelta(days=7)).run()
    assert later.summary is not None
    assert [later.summary[name] for name in ("new", "changed", "gone")] == [0, 0, 0]
    assert not moving.run().fresh  # what came after it is not its affair


def test_an_older_unload_never_comes_over_a_newer_one(
    lived: Path, old_city: Path, reached: store.Server, tmp_path: Path
) -> None:
    both_in(tmp_path / "delta", lived, reached, DAY).run()
    with pytest.raises(Problems, match="delta-older"):
        both_in(tmp_path / "older", old_city, reached, DAY - timedelta(days=1)).run()
    with pytest.raises(Problem, match="delta-cut-date"):
        both_in(tmp_path / "older", old_city, reached, date(2026, 10, 1))


def test_what_was_recorded_by_others_since_the_load_is_never_overwritten(
    lived: Path, old_city: Path, reached: store.Server, tmp_path: Path
) -> None:
    ward = pq.read_table(next((old_city / "resident/gyoseiku").glob("*.parquet"))).to_pylist()[0]
    row = {name: value for name, value in ward.items() if value is not None and not name.startswith("valid_")}
    moving = both_in(tmp_path / "delta", lived, reached, DAY)
    with moving.store() as opened, opened.session(HALL) as session:
        session.record("設定", "city", [Change("resident.gyoseiku", row, Period(None))])
    before = held(moving, JUMIN)
    with pytest.raises(Problems) as refused:
        moving.run()
    assert [(one.code, one.where) for one in refused.value.problems] == [("delta-lived", "resident.gyoseiku")]
    assert refused.value.problems[0].what.startswith("1 events")
    assert (events(reached), held(moving, JUMIN)) == ([], before)


def test_a_delta_before_any_load_is_refused(lived: Path, database: Any, tmp_path: Path) -> None:
    reached = store.Server(database.owner_dsn, database.app_dsn)
    with pytest.raises(Problems, match="delta-unloaded"):
        both_in(tmp_path / "delta", lived, reached, DAY).run()


def test_another_edition_in_force_is_refused(lived: Path, reached: store.Server, tmp_path: Path) -> None:
    moving = both_in(tmp_path / "delta", lived, reached, DAY)
    with moving.store() as opened:
        wanted = library().edition("resident", "kiban-2026.2")
        store.apply(opened, wanted, HALL, reviewed=store.plan(opened, wanted).digest)
    with pytest.raises(Problems) as refused:
        moving.run()
    assert [(one.code, one.where) for one in refused.value.problems] == [("load-edition", "resident")]


@pytest.mark.parametrize("limits", [Delta(vanish_most=Decimal("0.01")), Delta(vanish_count=3)])
def test_people_who_vanish_stop_the_delta_until_somebody_allows_it(
    old_city: Path,
    people: pl.DataFrame,
    reached: store.Server,
    tmp_path: Path,
    limits: Delta,
) -> None:
    gone = people["atenabango"].unique().sort()[-3:].to_list()
    town = changed(
        old_city, tmp_path / "town", jumin=lambda rows: rows.filter(~pl.col("atenabango").is_in(gone))
    )
    moving = both_in(tmp_path / "delta", town, reached, DAY)
    before = held(moving, JUMIN)
    stopped = moving.run()
    assert stopped.gate is not None and not stopped.gate.open and stopped.out is not None
    assert "3件" in stopped.gate.reasons[0] and "住民" in stopped.gate.reasons[0]
    listed = (stopped.out / VANISHED).read_text(encoding="utf-8").splitlines()
    assert listed[1:] == [f'"{JUMIN}","{number}"' for number in gone]
    assert (events(reached), held(moving, JUMIN)) == ([], before)
    allowed = replace(moving, plan=replace(moving.plan, delta=limits))
    done = allowed.run()
    assert done.gate is not None and done.gate.open
    assert [subject for subject, _ in events(reached)] == gone
    assert held(moving, JUMIN) == rows_of(town, JUMIN)
    assert moving.holds()


def test_rows_of_a_log_that_are_gone_or_changed_are_refused(
    old_city: Path, reached: store.Server, tmp_path: Path
) -> None:
    shorter = changed(old_city, tmp_path / "shorter", ido=lambda rows: rows[1:])
    with pytest.raises(Problem, match="delta-log"):
        both_in(tmp_path / "delta", shorter, reached, DAY).run()

    def longer(rows: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([rows, rows[:1].with_columns(idobango=pl.lit("new"))])

    town = changed(old_city, tmp_path / "longer", ido=longer)
    moving = both_in(tmp_path / "delta", town, reached, DAY)
    moving.run()
    assert held(moving, "resident.ido") == rows_of(town, "resident.ido")


def test_a_register_of_which_nothing_is_converted_any_more_is_not_emptied_in_silence(
    old_city: Path, reached: store.Server, tmp_path: Path
) -> None:
    town = tmp_path / "town"
    shutil.copytree(old_city, town)
    shutil.rmtree(town / "resident/shiensochi")
    stopped = both_in(tmp_path / "delta", town, reached, DAY).run()
    assert stopped.gate is not None and "支援措置" in stopped.gate.reasons[0]
    assert events(reached) == []


_IMPORTS = """
from dataclasses import replace
from pathlib import Path
from tests.migration.newer import DAY, both_in
from kiban import migration, store
"""
_RUN = """
work, town, owner, app = given
found = both_in(Path(work), Path(town), store.Server(owner, app), DAY)
def tell(step, done, total):
    print(step, done, flush=True)
migration.run(found.stages, found.plan, replace(found.work, progress=tell))
"""


@pytest.fixture(scope="module")
def everybody_moved(old_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("everybody") / "town"

    def moved(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(
            jusho_katagaki=pl.when(pl.col("valid_to").is_null())
            .then(pl.lit("新棟"))
            .otherwise("jusho_katagaki")
        )

    return changed(old_city, folder, jumin=moved)


def test_a_delta_killed_while_it_is_applied_goes_on_to_the_same_rows_and_the_same_bytes(
    everybody_moved: Path,
    loaded_template: str,
    reached: store.Server,
    databases: Any,
    tmp_path: Path,
) -> None:
    with databases.fresh(loaded_template) as other:
        there = store.Server(other.owner_dsn, other.app_dsn)
        whole = both_in(tmp_path / "whole", everybody_moved, there, DAY).run()
        as_whole = events(there)
    moving = both_in(tmp_path / "cut", everybody_moved, reached, DAY)
    seen = []
    with copies(_IMPORTS, _RUN) as start:
        for _ in range(3):
            copy = start(tmp_path / "cut", everybody_moved, reached.owner_dsn, reached.app_dsn)
            while (line := copy.line()) and not line.startswith("差分の反映"):
                pass
            assert copy.kill() == -signal.SIGKILL
            until_alone(reached)
            seen.append(len(events(reached)))
            assert moving.holds()
    assert 0 < seen[0] < seen[1] < seen[2] < len(as_whole)
    done = moving.run()
    assert done.output == whole.output
    assert [subject for subject, _ in events(reached)] == [subject for subject, _ in as_whole]
    assert held(moving, JUMIN) == rows_of(everybody_moved, JUMIN)
    assert moving.holds()
