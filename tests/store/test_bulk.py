"""Arrow in and out: all or nothing, every fault at once, and a load that is cut goes on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.killing import copies

from kiban import store
from kiban.kernel import AsOf, Problem, Problems
from kiban.store import Part, Query, Store

from .conftest import CITY_HALL, EAST, EAST_CLERK, KEY, NADA, NADA_CLERK, move_in, person

SINCE = date(2020, 4, 1)


def people(count: int, first: int = 1, **items: Any) -> list[dict[str, Any]]:
    """Rows of jumin as an import reads them, every second one in the other ward."""
    wards = (EAST, NADA)
    rows = [
        person(str(n), shiteitoshi_gyoseikutokodo=wards[n % 2]) | items for n in range(first, first + count)
    ]
    return [row | {"valid_from": SINCE, "valid_to": None} for row in rows]


def part(city: Store, rows: list[dict[str, Any]], name: str = "a", register: str = "resident.jumin") -> Part:
    schema = store.arrow_schema(city.table(register).group)
    batch = pa.RecordBatch.from_pylist(rows, schema=pa.schema([f.with_nullable(True) for f in schema]))
    return Part(register, name, batch.num_rows, lambda: [batch])


def test_what_goes_in_comes_out_again(city: Store) -> None:
    rows = people(50)
    rows[3] |= {"shimei": '引用"符,改\n行', "valid_to": date(2025, 1, 1), "jusho_katagaki": ""}
    rows[4]["todokedenengappi"] = "0000-01-01"
    store.import_arrow(city, [part(city, rows)], CITY_HALL)
    out = pa.Table.from_batches(store.export_arrow(city, "resident.jumin", None, CITY_HALL)).to_pylist()
    empty = dict.fromkeys(store.arrow_schema(city.table("resident.jumin").group).names)
    assert sorted(out, key=lambda r: r["atenabango"]) == [empty | row for row in rows]
    assert store.verify(city).problems == ()


def test_an_export_is_limited_to_the_actor_and_to_its_dates(city: Store) -> None:
    rows = people(10)
    for row in rows[:4]:
        row["valid_to"] = date(2023, 1, 1)
    store.import_arrow(city, [part(city, rows)], CITY_HALL)

    def count(actor: Any, day: date | None) -> int:
        as_of = AsOf(day) if day else None
        return sum(batch.num_rows for batch in store.export_arrow(city, "resident.jumin", as_of, actor))

    assert [count(CITY_HALL, d) for d in (None, date(2022, 12, 31), date(2023, 1, 1), date(1999, 1, 1))] == [
        10,
        10,
        6,
        0,
    ]
    assert count(EAST_CLERK, None) == 5


def test_repeated_items_and_a_city_wide_register_survive_the_round_trip(city: Store) -> None:
    register = "nonresident_addressee.jutogaisha_atena_kihon_joho"
    group = city.table(register).group
    row: dict[str, Any] = {
        "atenabango": "7", "shimei": "髙﨑　一郎", "gyomuid": ["001", "002"], "daihyoatenafuragu": "0", "sosashaid": "x",
        "sosanengappi": "2024-01-01", "sosajikoku": "09:00:00", "valid_from": SINCE, "valid_to": None,
    }  # fmt: skip
    if group.item("daihyoatenafuragu").type == "9":
        row["daihyoatenafuragu"] = 0
    store.import_arrow(city, [part(city, [row], register=register)], CITY_HALL)
    [out] = pa.Table.from_batches(store.export_arrow(city, register, None, NADA_CLERK)).to_pylist()
    assert {name: out[name] for name in row} == row
    with city.session(NADA_CLERK) as session:
        assert [
            h.subject for h in session.search(register, Query(as_of=date(2025, 1, 1), name="高崎")).hits
        ] == ["7"]


def test_rows_loaded_in_bulk_live_on_by_events(city: Store) -> None:
    store.import_arrow(city, [part(city, people(10))], CITY_HALL)
    move_in(city, person("4", jusho_katagaki="新しい部屋", todokedenengappi="0000-01-01"))
    store.import_arrow(city, [part(city, people(5, first=100), "b")], CITY_HALL)
    with city.session(CITY_HALL) as session:
        assert session.sql("SELECT count(*) AS n FROM resident.jumin WHERE closed_by IS NULL") == [{"n": 15}]
        [row] = session.read("resident.jumin", AsOf(date(2026, 1, 1)), atenabango="4".zfill(15))
        assert (row["jusho_katagaki"], row["todokedenengappi"]) == ("新しい部屋", "0000-01-01")
    assert store.verify(city).problems == ()


def test_every_fault_of_a_load_is_told_at_once_and_nothing_has_changed(city: Store) -> None:
    rows = people(20)
    rows[2]["seibetsu"] = "男"
    rows[4]["shimei"] = "長" * 101
    rows[5]["kojinbango"] = "１２３"
    rows[7]["zokugara1"] = None
    rows[8]["todokedenengappi"] = "R3.4.1"
    rows[9]["valid_to"] = SINCE
    rows[10]["todokedenengappi"] = "2023-02-30"
    rows[11]["todokedenengappi"] = "0000-01-01"
    with pytest.raises(Problems) as refused:
        store.import_arrow(city, [part(city, rows)], CITY_HALL)
    told = {(p.code, p.what.split()[0]) for p in refused.value.problems}
    assert told >= {
        ("code-unknown", "seibetsu"),
        ("value-long", "shimei"),
        ("value-width", "kojinbango"),
        ("value-missing", "zokugara1"),
        ("date-form", "todokedenengappi"),
        ("date-calendar", "todokedenengappi"),
        ("period-empty", "valid_to"),
    }
    assert "in 1 row, first 10" in next(p.what for p in refused.value.problems if p.code == "date-calendar")
    assert "first 4" in next(p.what for p in refused.value.problems if p.code == "value-long")
    assert "長長" not in str(refused.value)
    report = store.verify(city)
    assert (report.rows["resident.jumin"], report.problems, report.notes[0][:1]) == (0, (), "3")


def test_overlapping_periods_and_missing_targets_are_refused(city: Store) -> None:
    twice = [*people(3), people(1)[0] | {"rirekibango": 2, "valid_from": date(2021, 1, 1)}]
    with pytest.raises(Problems, match="period-overlap"):
        store.import_arrow(city, [part(city, twice)], CITY_HALL)
    with pytest.raises(Problems, match="reference-missing"):
        store.import_arrow(city, [part(city, people(3, setaibango="404"), "b")], CITY_HALL)
    store.import_arrow(city, [part(city, people(3), "c")], CITY_HALL)
    report = store.verify(city)
    assert (report.rows["resident.jumin"], report.problems) == (3, ())


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda b: b.drop_columns(["atenabango"]), "column-missing"),
        (lambda b: b.append_column("nenrei", pa.array([1] * b.num_rows)), "column-unknown"),
        (
            lambda b: b.set_column(0, "atenabango", pa.array([None] * b.num_rows, pa.list_(pa.int8()))),
            "column-type",
        ),
    ],
)
def test_a_batch_of_another_shape_is_refused(city: Store, make: Any, code: str) -> None:
    good = part(city, people(3))
    [batch] = good.batches()
    with pytest.raises(Problem) as refused:
        store.import_arrow(city, [Part("resident.jumin", "bad", 3, lambda: [make(batch)])], CITY_HALL)
    assert refused.value.code == code


def test_a_truncated_parquet_file_is_refused_by_name(city: Store, tmp_path: Path) -> None:
    [batch] = part(city, people(3)).batches()
    file = tmp_path / "part-0.parquet"
    pq.write_table(pa.Table.from_batches([batch]), file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(Problem) as refused:
        store.parquet_parts("resident.jumin", tmp_path)
    assert (refused.value.code, refused.value.where) == ("part-unreadable", str(file))
    with pytest.raises(Problem, match="parts-missing"):
        store.parquet_parts("resident.jumin", tmp_path / "nowhere")


def test_a_load_cut_in_the_middle_goes_on_behind_the_last_finished_part(city: Store) -> None:
    read: list[str] = []

    def counted(name: str, rows: list[dict[str, Any]], *, breaks: bool = False) -> Part:
        made = part(city, rows, name)

        def batches() -> Iterator[pa.RecordBatch]:
            read.append(name)
            yield from made.batches()
            if breaks:
                raise KeyboardInterrupt

        return Part(made.register, name, made.rows, batches)

    first, second = people(10), people(10, first=50)
    with pytest.raises(KeyboardInterrupt):
        store.import_arrow(city, [counted("1", first), counted("2", second, breaks=True)], CITY_HALL)
    assert store.verify(city).rows["resident.jumin"] == 0
    assert "was cut" in store.verify(city).notes[0]
    read.clear()
    event = store.import_arrow(city, [counted("1", first), counted("2", second)], CITY_HALL)
    assert read == ["2"]
    assert store.verify(city).rows["resident.jumin"] == 20
    with pytest.raises(Problem, match=f"import-done|event {event}"):
        store.import_arrow(city, [counted("1", first), counted("2", second)], CITY_HALL)


_IMPORTS = """
from pathlib import Path
from kiban import main, store
from kiban.kernel import ALL_WARDS, Actor
from kiban.settings import Settings
"""
_LOADER = """
owner, app, folder = given
def tell(step, done, total):
    print(step, done, flush=True)
with store.Store(store.Server(owner, app), main.library(given=Settings(home=Path("unused"))), %r) as city:
    parts = store.parquet_parts("resident.jumin", Path(folder))
    store.import_arrow(city, parts, Actor("hall", None, ALL_WARDS, "t", protected=True), progress=tell)
"""


def test_a_load_killed_at_any_moment_leaves_a_sound_store_and_ends_at_the_same_rows(
    city: Store, tmp_path: Path
) -> None:
    for number in range(6):
        [batch] = part(city, people(400, first=1 + 400 * number)).batches()
        pq.write_table(pa.Table.from_batches([batch]), tmp_path / f"part-{number}.parquet")
    with copies(_IMPORTS, _LOADER % KEY) as start:
        for lines in (1, 3, 5, 7, 8, 9, 10, 12, 40):
            copy = start(city.server.owner_dsn, city.server.app_dsn, tmp_path)
            for _ in range(lines):
                if not copy.line():
                    break
            finished = copy.kill() == 0
            _until_alone(city)
            report = store.verify(city)
            assert report.problems == ()
            assert report.rows["resident.jumin"] in (0, 2400)
            if finished:
                break
        if store.verify(city).rows["resident.jumin"] == 0:
            last = start(city.server.owner_dsn, city.server.app_dsn, tmp_path)
            while last.line():
                pass
            assert last.ended == 0
    assert store.verify(city).rows["resident.jumin"] == 2400
    assert store.verify(city).problems == ()


def _until_alone(city: Store) -> None:
    """Wait until the server has noticed that the killed process is gone and has undone its transactions."""
    with psycopg.connect(city.server.owner_dsn, autocommit=True) as owner:
        for _ in range(200):
            others = owner.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend' AND usename = 'kiban_owner'"
            ).fetchone()
            if others == (0,):
                return
            time.sleep(0.05)
    raise AssertionError("the killed process still holds connections")
