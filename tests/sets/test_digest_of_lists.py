"""Lists and bytes have one digest too, and no two of them share a writing."""

from __future__ import annotations

import csv
import json
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

COLUMNS = (Column("koku", "list"), Column("in", "bytes"), Column("na"))
GOLDEN = Path(__file__).parent / "golden_lists.csv"

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
nasty = st.sampled_from(
    ["", "-1:", "0:", "1:a", "NULL", "{}", 'a"b', "\\", "a,b", "辻\U000e0102", "か\u3099"]
)
values = st.tuples(
    st.none() | st.lists(st.none() | texts | nasty, max_size=4),
    st.none() | st.binary(max_size=20),
    st.none() | texts,
)
Row = tuple[list[str | None] | None, bytes | None, str | None]


def in_postgres(connection: Any, rows: list[Row]) -> list[tuple[str, int]]:
    digest, key = sets.postgres_digest(COLUMNS), sets.postgres_hash(COLUMNS[:1])
    made = 'SELECT %s::text[] koku, %s::bytea "in", %s::text na'
    statement = f"SELECT {digest}, {sets.postgres_bucket(key)} FROM ({made}) s"
    return [connection.execute(statement, row).fetchone() for row in rows]


def in_duckdb(rows: list[Row]) -> list[tuple[str, int]]:
    kinds = [pa.list_(pa.string()), pa.binary(), pa.string()]
    columns = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
    bucket = sets.duckdb_bucket(sets.duckdb_digest(COLUMNS[:1]))
    with duckdb.connect() as connection:
        connection.register("given", pa.table(columns, names=[column.name for column in COLUMNS]))
        return connection.execute(f"SELECT {sets.duckdb_digest(COLUMNS)}, {bucket} FROM given").fetchall()


def in_python(rows: list[Row]) -> list[tuple[str, int]]:
    return [(sets.row_digest(row, COLUMNS), sets.bucket(row[:1], COLUMNS[:1])) for row in rows]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(values, min_size=1, max_size=5))
def test_python_duckdb_and_postgresql_agree(database: Any, rows: list[Row]) -> None:
    assert in_duckdb(rows) == in_python(rows)
    with psycopg.connect(database.owner_dsn) as connection:
        assert in_postgres(connection, rows) == in_python(rows)


def golden() -> list[tuple[Row, str]]:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return [
            (
                (
                    json.loads(row["koku"]),
                    bytes.fromhex(row["in"]) if row["in"] != "null" else None,
                    json.loads(row["na"]),
                ),
                row["sha256"],
            )
            for row in csv.DictReader(file)
        ]


def test_the_golden_values_hold_in_all_three(database: Any) -> None:
    rows = [row for row, _ in golden()]
    digests = [digest for _, digest in golden()]
    assert len(rows) >= 8
    assert [digest for digest, _ in in_python(rows)] == digests
    assert [digest for digest, _ in in_duckdb(rows)] == digests
    with psycopg.connect(database.owner_dsn) as connection:
        assert [digest for digest, _ in in_postgres(connection, rows)] == digests


@given(first=values, second=values)
def test_two_different_rows_have_two_digests(first: Row, second: Row) -> None:
    one, other = in_python([first, second])
    assert (one == other) == (first == second)


def test_no_list_an_empty_one_and_those_with_nothing_in_them_are_told_apart() -> None:
    lists: list[list[str | None] | None] = [
        None, [], [None], [""], ["", ""], [None, None], ["a", "b"], ["ab"], ["1:a"], ["a1:b"], ["a", None], [None, "a"],
    ]  # fmt: skip
    assert len({sets.row_digest([value], COLUMNS[:1]) for value in lists}) == len(lists)


def test_an_array_that_is_no_list_never_passes_for_one(database: Any) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        made = f"SELECT {sets.postgres_digest(COLUMNS[:1])} FROM (SELECT %s::text[] koku) s"
        found = [connection.execute(made.encode(), (text,)).fetchone() for text in ("{{a,b}}", "{a,b}")]
    assert found[0] != found[1]
    assert found[1] == (sets.row_digest([["a", "b"]], COLUMNS[:1]),)


@pytest.mark.parametrize(
    ("value", "kind"), [("ab", "list"), ([1], "list"), ([["a"]], "list"), ("6162", "bytes"), ([], "text"), (b"", "text")]
)  # fmt: skip
def test_another_kind_of_value_is_refused(value: Any, kind: Any) -> None:
    with pytest.raises(Problem) as caught:
        sets.row_digest([value], [Column("koku", kind)])
    assert caught.value.code == "digest-value"


def test_a_changed_element_and_a_changed_byte_are_found_by_row_and_field(tmp_path: Path) -> None:
    kinds = [pa.string(), pa.list_(pa.string()), pa.binary()]
    schema = pa.schema(list(zip(("na", "koku", "in"), kinds, strict=True)))
    rows: list[dict[str, Any]] = [{"na": str(n), "koku": ["a", str(n)], "in": bytes([n])} for n in range(9)]
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "left.parquet")
    rows[3]["koku"] = ["a"]
    rows[4]["koku"] = None
    rows[5]["in"] = b"\x05\x00"
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "right.parquet")
    left, right = (f"read_parquet('{tmp_path}/{name}.parquet')" for name in ("left", "right"))
    found = sets.compare(left, right, COLUMNS[2:], COLUMNS, folder=tmp_path)
    assert [(line["key"], line["fields"]) for line in found.differences.to_pylist()] == [
        (["3"], ["koku"]),
        (["4"], ["koku"]),
        (["5"], ["in"]),
    ]
