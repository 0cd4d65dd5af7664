"""PostgreSQL's own digest of what it holds is the one that anybody computes from the rows that come out."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kiban import sets, store
from kiban.kernel import AsOf, Problem, Problems
from kiban.store import Change, Store

from .conftest import CITY_HALL, EAST, EAST_CLERK, NADA, NADA_CLERK, SINCE, code, move_in, person

JUMIN = "resident.jumin"
KEY = ("atenabango", "valid_from")


def load(city: Store, rows: list[dict[str, Any]]) -> None:
    schema = store.arrow_schema(city.table(JUMIN).group)
    rows = [row | {"valid_from": SINCE.start, "valid_to": row.get("valid_to")} for row in rows]
    batch = pa.RecordBatch.from_pylist(rows, schema=pa.schema([f.with_nullable(True) for f in schema]))
    store.import_arrow(city, [store.Part(JUMIN, "a", len(rows), lambda: [batch])], CITY_HALL)


def exported(city: Store, as_of: AsOf | None = None, actor: Any = CITY_HALL) -> pa.Table:
    return pa.Table.from_batches(store.export_arrow(city, JUMIN, as_of, actor))


def computed(city: Store, items: tuple[str, ...], **how: Any) -> list[dict[str, Any]]:
    found = store.row_digests(city, JUMIN, items, KEY, how.pop("actor", CITY_HALL), how.pop("as_of", None))
    return sorted(
        pa.Table.from_batches(found).to_pylist(), key=lambda row: (row["atenabango"], row["valid_from"])
    )


def nasty() -> list[dict[str, Any]]:
    names = ['引用"符,改\n行', "辻\U000e0102　𠮷", "か\u3099", "が", "-1:", "\\N", "a\tb\r\nc", "'; --"]
    rows = [
        person(str(n), name, shiteitoshi_gyoseikutokodo=(EAST, NADA)[n % 2])
        for n, name in enumerate(names, 1)
    ]
    rows[0] |= {"jusho_katagaki": "", "valid_to": date(2025, 1, 1)}
    rows[1] |= {"todokedenengappi": "0000-01-01", "jusho_katagaki": None}
    rows[2] |= {"todokedenengappi": "9999-12-31", "rirekibango": 0}
    rows[3] |= {"todokedenengappi": "0001-01-01"}
    return rows


def test_every_stored_value_enters_as_it_comes_out_again(city: Store) -> None:
    load(city, nasty())
    out = exported(city)
    items = tuple(out.schema.names)
    whole, key = (store.digest_columns(city.table(JUMIN).group, names) for names in (items, KEY))
    in_python = [
        {name: row[name] for name in KEY}
        | {
            "_bucket": sets.bucket([row[name] for name in KEY], key),
            "_digest": sets.row_digest(list(row.values()), whole),
        }
        for row in sorted(out.to_pylist(), key=lambda row: row["atenabango"])
    ]
    assert len(in_python) == 8
    assert computed(city, items) == in_python
    with duckdb.connect() as connection:
        connection.register("out", out)
        in_duckdb = connection.execute(
            f"SELECT {sets.duckdb_digest(whole)} FROM out ORDER BY atenabango"
        ).fetchall()
    assert [digest for (digest,) in in_duckdb] == [row["_digest"] for row in in_python]
    each = [sets.BucketSum(row["_bucket"], 1, *sets.pieces(row["_digest"])) for row in in_python]
    event, _ = store.last_event(city)
    for sessions in (1, 2, 3):
        found = store.row_buckets(city, JUMIN, items, KEY, CITY_HALL, event, sessions=sessions)
        assert found == sets.buckets_together([one] for one in each)


def test_one_changed_field_of_a_stored_row_changes_its_digest_alone(city: Store) -> None:
    load(city, nasty())
    items = tuple(store.arrow_schema(city.table(JUMIN).group).names)
    before = computed(city, items)
    with city.owner() as connection:  # behind the back of Kiban
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE resident.jumin SET shimei = %s WHERE atenabango = %s", ("が", "3".zfill(15))
        )
    after = computed(city, items)
    assert [old["atenabango"] for old, new in zip(before, after, strict=True) if old != new] == [
        "3".zfill(15)
    ]


def test_only_rows_of_the_dates_and_wards_asked_for_are_told_and_the_look_is_logged(city: Store) -> None:
    load(city, nasty())
    assert [len(computed(city, KEY, actor=actor)) for actor in (CITY_HALL, EAST_CLERK, NADA_CLERK)] == [
        8,
        4,
        4,
    ]
    assert len(computed(city, KEY, as_of=AsOf(date(2025, 1, 1)))) == 7
    assert computed(city, KEY, as_of=AsOf(date(1999, 1, 1))) == []
    with psycopg.connect(city.server.owner_dsn) as connection:
        [[asked]] = connection.execute("SELECT count(*) FROM kiban.lookup WHERE asked ? 'digests'").fetchall()
    assert asked == 5


def test_what_was_known_before_a_correction_keeps_its_digest(city: Store) -> None:
    load(city, [person("1")])
    items = ("shimei", *KEY)
    before = computed(city, items)
    with psycopg.connect(city.server.owner_dsn) as connection:
        [[then]] = connection.execute("SELECT clock_timestamp()").fetchall()
    assert isinstance(then, datetime)
    move_in(city, person("1", "訂正　花子", rirekibango=2))
    assert computed(city, items) != before
    assert computed(city, items, as_of=AsOf(date(2026, 1, 1), then)) == before
    with pytest.raises(Problem) as caught:
        computed(city, items, as_of=AsOf(date(2026, 1, 1), then + timedelta(days=36_500)))
    assert caught.value.code == "known-future"


def test_every_wrong_item_is_told_at_once(city: Store) -> None:
    with pytest.raises(Problems) as caught:
        computed(city, ("shimei", "shimei", "nonesuch", "nothing"))
    assert [problem.code for problem in caught.value.problems] == [
        "item-twice",
        "item-unknown",
        "item-unknown",
    ]
    with pytest.raises(Problems) as caught:
        computed(city, ())
    assert [problem.code for problem in caught.value.problems] == ["digest-empty"]


def test_lists_and_pictures_of_stored_rows_enter_too(city: Store) -> None:
    edition = city.edition("resident")
    office = {"nyuryokubashokubun": code(edition, "nyuryokubasho", "nyuryokubashokubun")}
    terminals: list[list[str] | None] = [["T1", 'T"2'], [], None]
    rows = [
        office | {"nyuryokubashokodo": f"{n}" * 6, "nyuryokubashomei": "支所", "nyuryokutanmatsuid": listed}
        for n, listed in enumerate(terminals, 2)
    ]
    record(city, "resident.nyuryokubasho", rows)
    signer = {"ninshoshabango": "1", "ninshoshakubun": code(edition, "ninshosha", "ninshoshakubun")}
    record(
        city,
        "resident.ninshosha",
        [signer | {"shokumei": "市長", "shimei": "神戸　太郎", "denshikoin": b"\x89P\0"}],
    )
    for register, key, most in (
        ("resident.nyuryokubasho", "nyuryokubashokodo", 4),
        ("resident.ninshosha", "ninshoshabango", 1),
    ):
        out = pa.Table.from_batches(store.export_arrow(city, register, None, CITY_HALL))
        whole = store.digest_columns(city.table(register).group, out.schema.names)
        stored = pa.Table.from_batches(store.row_digests(city, register, out.schema.names, [key], CITY_HALL))
        assert out.num_rows == most
        assert {row[key]: row["_digest"] for row in stored.to_pylist()} == {
            row[key]: sets.row_digest(list(row.values()), whole) for row in out.to_pylist()
        }


def record(city: Store, register: str, rows: list[dict[str, Any]]) -> None:
    since = {"tekiyokaishinengappi": "2000-01-01"}
    with city.session(CITY_HALL) as session:
        session.record("設定", "city", [Change(register, since | row, SINCE) for row in rows])


def test_a_field_changed_in_the_database_is_found_from_the_files_that_went_in(
    city: Store, tmp_path: Path
) -> None:
    load(city, [person(str(n), f"住民　{n}") for n in range(1, 201)])
    items = exported(city).schema.names
    pq.write_table(exported(city), tmp_path / "in.parquet")
    whole, key = (store.digest_columns(city.table(JUMIN).group, names) for names in (items, KEY))

    def compared() -> sets.Comparison:
        stored = store.row_digests(city, JUMIN, items, KEY, CITY_HALL)
        return sets.compare(f"read_parquet('{tmp_path}/in.parquet')", stored, key, whole, folder=tmp_path)

    assert compared().equal
    with city.owner() as connection:  # behind the back of Kiban
        connection.execute("SET session_replication_role = replica")
        for number, name in ((7, "住民 7"), (90, "住民　９０")):
            connection.execute(
                "UPDATE resident.jumin SET shimei = %s WHERE atenabango = %s", (name, str(number).zfill(15))
            )
        connection.execute("DELETE FROM resident.jumin WHERE atenabango = %s", ("200".zfill(15),))
    lines = [(int(line["key"][0]), line["what"]) for line in compared().differences.to_pylist()]
    assert lines == [(7, "differs"), (90, "differs"), (200, "missing")]
