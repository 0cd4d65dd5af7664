"""One digest of a row, whoever computes it; and two sides that differ anywhere are told apart, row by row and field by field."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiban import sets
from kiban.kernel import Problem
from kiban.sets import Column
from kiban.sets.shorter import duckdb_digest_of

COLUMNS = (
    Column("na"),
    Column("en", "integer"),
    Column("ritsu", "decimal", 3),
    Column("hi", "date"),
    Column("ari", "boolean"),
)
GOLDEN = Path(__file__).parent / "golden.csv"

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
values = st.tuples(
    st.none() | texts | st.sampled_from(["", "-1:", "辻\U000e0102", "か\u3099", "が", "𠮷"]),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.decimals(-(10**9), 10**9, places=3),
    st.none() | st.dates(),
    st.none() | st.booleans(),
)


def in_postgres(connection: Any, rows: list[tuple[Any, ...]]) -> list[tuple[str, int]]:
    digest = f"encode({sets.postgres_hash(COLUMNS, usual={'na': len('が'.encode())})}, 'hex')"
    bucket = sets.postgres_bucket(sets.postgres_hash(COLUMNS[:1]))
    made = "SELECT %s::text na, %s::bigint en, %s::numeric ritsu, %s::date hi, %s::boolean ari"
    return [connection.execute(f"SELECT {digest}, {bucket} FROM ({made}) s", row).fetchone() for row in rows]


def in_duckdb(rows: list[tuple[Any, ...]]) -> list[tuple[str, int]]:
    kinds = [pa.string(), pa.int64(), pa.decimal128(38, 3), pa.date32(), pa.bool_()]
    columns = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
    table = pa.table(columns, names=[column.name for column in COLUMNS])
    bucket = sets.duckdb_bucket(sets.duckdb_digest(COLUMNS[:1]))
    with duckdb.connect() as connection:
        connection.register("given", table)
        found = connection.execute(f"SELECT {sets.duckdb_digest(COLUMNS)}, {bucket} FROM given").fetchall()
        shorter = f"SELECT {duckdb_digest_of(table, COLUMNS)} FROM given"
        assert connection.execute(shorter).fetchall() == [(digest,) for digest, _ in found]
        return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(values, min_size=1, max_size=5))
def test_python_duckdb_and_postgresql_agree(database: Any, rows: list[tuple[Any, ...]]) -> None:
    here = [(sets.row_digest(row, COLUMNS), sets.bucket(row[:1], COLUMNS[:1])) for row in rows]
    assert in_duckdb(rows) == here
    with psycopg.connect(database.owner_dsn) as connection:
        assert in_postgres(connection, rows) == here


def test_the_specification_holds_its_golden_values() -> None:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 8
    for row in rows:
        value = (
            None if row["na"] == "NULL" else row["na"].encode().decode("unicode_escape"),
            int(row["en"]) if row["en"] else None,
            Decimal(row["ritsu"]) if row["ritsu"] else None,
            date.fromisoformat(row["hi"]) if row["hi"] else None,
            {"true": True, "false": False, "": None}[row["ari"]],
        )
        assert sets.row_digest(value, COLUMNS) == row["sha256"]


def test_nothing_and_an_empty_text_differ_and_frames_do_not_run_together() -> None:
    two = (Column("a"), Column("b"))
    seen = [
        sets.row_digest(row, two)
        for row in ((None, ""), ("", None), ("", ""), ("1:", ""), ("", "1:"), ("a", "b"), ("ab", ""))
    ]
    assert len(set(seen)) == len(seen)


def test_a_value_of_another_kind_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        sets.row_digest(["12"], [Column("en", "integer")])
    assert caught.value.code == "digest-value"


KEY = (Column("bango"),)
WIDE = (*KEY, *(Column(f"k{n}") for n in range(8)), Column("gaku", "integer"))


def city(size: int) -> pa.Table:
    columns = {"bango": [f"{n:015}" for n in range(size)]}
    columns |= {
        f"k{n}": [None if (row + n) % 7 == 0 else f"値{row % 97}-{n}" for row in range(size)]
        for n in range(8)
    }
    return pa.table({**columns, "gaku": pa.array(range(size), pa.int64())})


def sides(folder: Path, left: pa.Table, right: pa.Table) -> sets.Comparison:
    for name, table in (("left", left), ("right", right)):
        pq.write_table(table, folder / f"{name}.parquet")
    spill = folder / "spill"
    spill.mkdir(exist_ok=True)
    return sets.compare(
        f"read_parquet('{folder}/left.parquet')",
        f"read_parquet('{folder}/right.parquet')",
        KEY,
        WIDE,
        folder=spill,
    )


def test_equal_sides_are_equal_whatever_the_order_of_their_rows(tmp_path: Path) -> None:
    left = city(5_000)
    found = sides(tmp_path, left, left.take(pa.array(range(4_999, -1, -1))))
    assert found.equal
    assert (found.left, found.right, found.differences.num_rows) == (5_000, 5_000, 0)


def test_a_thousand_changed_fields_are_all_found_by_row_and_field(tmp_path: Path) -> None:
    left = city(20_000)
    columns = {name: left.column(name).to_pylist() for name in left.schema.names}
    changed = {}
    for number in range(1_000):
        row, name = number * 19 + 3, WIDE[1 + number % 9].name
        was = columns[name][row]
        columns[name][row] = (
            was + 1 if isinstance(was, int) else "別" if was is None else None if number % 2 else was + " "
        )
        changed[f"{row:015}"] = name
    found = sides(tmp_path, left, pa.table(columns, schema=left.schema))
    assert (found.missing, found.extra, found.differing) == (0, 0, 1_000)
    assert {line["key"][0]: line["fields"] for line in found.differences.to_pylist()} == {
        key: [name] for key, name in changed.items()
    }


def test_missing_extra_and_repeated_rows_are_told_apart(tmp_path: Path) -> None:
    left = city(1_000)
    right = pa.concat_tables([left.slice(1), left.slice(500, 1), city(1_001).slice(1_000)])
    found = sides(tmp_path, left, right)
    assert (found.missing, found.extra, found.differing, found.repeated) == (1, 1, 0, 1)
    assert [(line["key"], line["what"]) for line in found.differences.to_pylist()] == [
        ([f"{0:015}"], "missing"),
        ([f"{500:015}"], "repeated"),
        ([f"{1000:015}"], "extra"),
    ]


def test_a_row_that_stands_twice_on_one_side_is_no_equality(tmp_path: Path) -> None:
    left = city(10)
    found = sides(tmp_path, left, pa.concat_tables([left, left.slice(3, 1), left.slice(3, 1)]))
    assert not found.equal
    assert found.repeated == 1


def test_a_side_that_lacks_a_column_is_refused(tmp_path: Path) -> None:
    left = city(10)
    with pytest.raises(Problem) as caught:
        sides(tmp_path, left, left.drop_columns(["k3"]))
    assert caught.value.code == "compare-unreadable"
    assert caught.value.where == "right"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Decimal("1.2345"), "decimal"),
        (Decimal("NaN"), "decimal"),
        (Decimal("Infinity"), "decimal"),
        (1.5, "decimal"),
        (datetime(2026, 1, 1, tzinfo=UTC), "date"),
        (True, "integer"),
        (1, "boolean"),
        ("a\ud800", "text"),
    ],
)
def test_nothing_is_rounded_cut_or_taken_for_another_kind(value: Any, kind: Any) -> None:
    with pytest.raises(Problem) as caught:
        sets.row_digest([value], [Column("a", kind, 3)])
    assert caught.value.code == "digest-value"


@pytest.mark.parametrize(
    "text", ["-0.000", "-0", "0E+5", "1E+3", "-12.5", "0.001", "12345678901234567890123456789012345.678"]
)
def test_a_decimal_has_one_writing_in_all_three(database: Any, text: str) -> None:
    column = (Column("ritsu", "decimal", 3),)
    here = sets.row_digest([Decimal(text)], column)
    with psycopg.connect(database.owner_dsn) as connection:
        made = f"SELECT {sets.postgres_digest(column)} FROM (SELECT %s::numeric ritsu) s"
        assert connection.execute(made.encode(), (text,)).fetchone() == (here,)
    with duckdb.connect() as connection:
        made = f"SELECT {sets.duckdb_digest(column)} FROM (SELECT CAST(? AS DECIMAL(38,3)) ritsu)"
        assert connection.execute(made, [text]).fetchone() == (here,)


def test_days_that_python_does_not_have_are_told_apart_and_written_alike(database: Any) -> None:
    column = (Column("hi", "date"),)
    days = {
        "infinity": "infinity", "-infinity": "-infinity", "0001-12-31 BC": "0001-12-31 (BC)", "0001-12-31": "0001-12-31",
        "10000-01-01": "10000-01-01",
    }  # fmt: skip
    wanted = {day: sets.row_digest([written], (Column("hi"),)) for day, written in days.items()}
    assert len(set(wanted.values())) == len(days)
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("SET DateStyle = 'German'")
        made = f"SELECT {sets.postgres_digest(column)} FROM (SELECT %s::date hi) s"
        assert {day: connection.execute(made.encode(), (day,)).fetchone()[0] for day in days} == wanted
    with duckdb.connect() as connection:
        made = f"SELECT {sets.duckdb_digest(column)} FROM (SELECT CAST(? AS DATE) hi)"
        found = {day: connection.execute(made, [day.replace("BC", "(BC)")]).fetchone()[0] for day in days}
    assert found == wanted


def stream(table: pa.Table, size: int = 300) -> list[pa.RecordBatch]:
    """What another side tells of its rows: no value but the key."""
    rows = [list(row.values()) for row in table.select([column.name for column in WIDE]).to_pylist()]
    told = {
        "bango": pa.array([row[0] for row in rows], pa.string()),
        "_bucket": pa.array([sets.bucket(row[:1], KEY) for row in rows], pa.int32()),
        "_digest": pa.array([sets.row_digest(row, WIDE) for row in rows], pa.string()),
    }
    return pa.table(told).to_batches(max_chunksize=size) or [pa.RecordBatch.from_pydict(told)]


def test_a_stream_of_digests_names_the_same_rows_as_the_values_do(tmp_path: Path) -> None:
    left, right = city(1_000), pa.concat_tables([city(1_001).slice(1, 400), city(1_001).slice(402)])
    right = right.set_column(
        right.schema.names.index("k2"), "k2", pa.array(["別", *right["k2"].to_pylist()[1:]])
    )
    pq.write_table(left, tmp_path / "left.parquet")
    relation = f"read_parquet('{tmp_path}/left.parquet')"
    by_values = sides(tmp_path, left, right)
    for a, b in ((relation, stream(right)), (stream(left), iter(stream(right)))):
        found = sets.compare(a, b, KEY, WIDE, folder=tmp_path)
        assert (found.left, found.right, found.buckets) == (1_000, 999, by_values.buckets)
        assert found.digests == by_values.digests
        assert [(line["key"], line["what"], line["fields"]) for line in found.differences.to_pylist()] == [
            (line["key"], line["what"], []) for line in by_values.differences.to_pylist()
        ]
    assert [line["what"] for line in by_values.differences.to_pylist()] == [
        "missing",
        "differs",
        "missing",
        "extra",
    ]
    assert by_values.digests[0] != by_values.digests[1]
    same = sets.compare(relation, stream(left), KEY, WIDE, folder=tmp_path)
    assert same.equal and set(same.digests) == {by_values.digests[0]}
    assert sets.compare(stream(left.slice(0, 0)), stream(left), KEY, WIDE, folder=tmp_path).extra == 1_000


@pytest.mark.parametrize("column", ["_bucket", "_digest"])
def test_a_stream_with_a_wrong_bucket_or_half_a_digest_is_refused(tmp_path: Path, column: str) -> None:
    rows = pa.Table.from_batches(stream(city(5))).to_pylist()
    rows[3][column] = (
        (rows[3]["_bucket"] + 1) % sets.BUCKETS if column == "_bucket" else rows[3]["_digest"][:40]
    )
    schema = stream(city(5))[0].schema
    with pytest.raises(Problem) as caught:
        sets.compare(stream(city(5)), [pa.RecordBatch.from_pylist(rows, schema)], KEY, WIDE, folder=tmp_path)
    assert (caught.value.code, caught.value.where) == ("compare-digest", "right")


def test_what_a_stream_raises_comes_out_as_it_is(tmp_path: Path) -> None:
    def broken() -> Any:
        yield stream(city(5))[0]
        raise Problem("connection-lost", "gone")

    with pytest.raises(Problem) as caught:
        sets.compare(stream(city(5)), broken(), KEY, WIDE, folder=tmp_path)
    assert caught.value.code == "connection-lost"
