"""Compares two sides of the same data: buckets first, then the rows of buckets that differ, then their fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from kiban.kernel import Problem
from kiban.sets.buckets import PIECES, SUMS, BucketSum, digest_of
from kiban.sets.digest import Column, duckdb_bucket, duckdb_digest, quoted

Progress = Callable[[str, int, int], None]
"""Called with a step, how much of it is done, and how much there is."""

Side = str | Iterable[pa.RecordBatch]
"""SQL of a relation that DuckDB reads, such as read_parquet('…/*.parquet'); or a stream of digests: the key, `_bucket` and
`_digest` of each row, as `store.row_digests` gives them. A stream is read once and holds no values."""

DIFFERENCES = pa.schema(
    [("key", pa.list_(pa.string())), ("what", pa.string()), ("fields", pa.list_(pa.string()))]
)
"""A line for each row that is not the same on both sides: its key as text, `missing` on the right, `extra` there, `differs` with the
fields, or `repeated` where a side holds a key more than once. `fields` is empty where a side is a stream of digests."""


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Attributes:
        left, right: rows of each side.
        buckets: buckets whose digests differ, of 4,096.
        missing, extra, differing, repeated: rows by what is wrong with them.
        differences: see `DIFFERENCES`, in the order of keys; at most as many lines as asked for.
        digests: one of the rows of each side, in hex; see `digest_of`.
    """

    left: int
    right: int
    buckets: int
    missing: int
    extra: int
    differing: int
    repeated: int
    differences: pa.Table
    digests: tuple[str, str]

    @property
    def equal(self) -> bool:
        """Whether both sides hold the same rows."""
        return self.buckets == 0


def quiet(_step: str, _done: int, _total: int) -> None:
    """A progress that shows nothing."""


def compare(
    left: Side,
    right: Side,
    key: Sequence[Column],
    columns: Sequence[Column],
    *,
    folder: Path,
    most: int = 100_000,
    memory: str = "1536MB",
    progress: Progress = quiet,
) -> Comparison:
    """Compare two sides, each a relation that DuckDB can read or a stream of digests.

    Args:
        left: the side that is right by agreement.
        right: the other one.
        key: columns that tell the rows apart.
        columns: all columns that are compared, the key among them.
        folder: for what does not fit into memory; must exist.
        most: how many differences are listed; all are counted.
        memory: how much DuckDB may take for itself.
        progress: told about each of four steps.

    Raises:
        Problem: `compare-unreadable` where a side cannot be read or lacks a column, `compare-digest` where a stream holds
            something that is no digest; what a stream raises.
    """
    with duckdb.connect(
        config={"memory_limit": memory, "temp_directory": str(folder), "threads": 2}
    ) as connection:
        connection.execute("SET preserve_insertion_order = false")
        rows = []
        for number, (name, relation) in enumerate((("l", left), ("r", right))):
            progress("digests", number, 4)
            rows.append(_digests(connection, name, relation, key, columns))
        progress("buckets", 2, 4)
        digests = (_digest(connection, "l"), _digest(connection, "r"))
        buckets = _differing_buckets(connection)
        if not buckets:
            progress("rows", 4, 4)
            return Comparison(rows[0], rows[1], 0, 0, 0, 0, 0, DIFFERENCES.empty_table(), digests)
        progress("rows", 3, 4)
        counts = _differing_rows(connection, key)
        found = _fields(connection, left, right, key, columns, most)
        progress("rows", 4, 4)
    return Comparison(
        left=rows[0],
        right=rows[1],
        buckets=buckets,
        missing=counts.get("missing", 0),
        extra=counts.get("extra", 0),
        differing=counts.get("differs", 0),
        repeated=counts.get("repeated", 0),
        differences=found,
        digests=digests,
    )


def _digests(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    side: Side,
    key: Sequence[Column],
    columns: Sequence[Column],
) -> int:
    """A table of key, bucket and digest; only half of each digest is kept in memory, as two numbers."""
    keys = ", ".join(quoted(column.name) for column in key)
    where = {"l": "left", "r": "right"}[name]
    made = f"CREATE TEMP TABLE {name} AS SELECT {keys}, {{}} AS _bucket, {PIECES} FROM "
    try:
        if isinstance(side, str):
            bucket = duckdb_bucket(duckdb_digest(key))
            connection.execute(
                f"{made.format(bucket)} (SELECT {keys}, {duckdb_digest(columns)} AS _digest FROM {side})"
            )
        else:
            _take(connection, name, side, key, made.format("_bucket"), where)
    except duckdb.Error as error:
        raise Problem(
            "compare-unreadable",
            f"a side of the comparison cannot be read: {type(error).__name__}",
            where,
            "give a relation that holds every compared column, or a stream of the key, _bucket and _digest",
        ) from error
    [[count]] = connection.execute(f"SELECT count(*) FROM {name}").fetchall()
    return int(count)


_STREAMED = "_streamed"


def _take(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    batches: Iterable[pa.RecordBatch],
    key: Sequence[Column],
    made: str,
    where: str,
) -> None:
    """A stream of digests batch by batch; its buckets must be those of its keys, or rows would be looked for elsewhere."""
    bucket = duckdb_bucket(duckdb_digest(key))
    right = f"_bucket IS NOT DISTINCT FROM {bucket} AND regexp_full_match(_digest, '[0-9a-f]{{64}}')"
    first = True
    for batch in batches:
        connection.register(_STREAMED, batch)
        [[wrong]] = connection.execute(
            f"SELECT count(*) FROM {_STREAMED} WHERE ({right}) IS NOT TRUE"
        ).fetchall()
        if wrong:
            fix = "let the side compute its digests again, by the same key and specification"
            what = f"{wrong} of {batch.num_rows} rows have no digest, or the bucket of another key"
            raise Problem("compare-digest", what, where, fix)
        begin = made if first else made.replace(f"CREATE TEMP TABLE {name} AS", f"INSERT INTO {name}", 1)
        connection.execute(f"{begin}{_STREAMED}")
        connection.unregister(_STREAMED)
        first = False
    if first:
        fix = "give one batch without rows for a side that holds none"
        raise Problem("compare-unreadable", "a stream of digests without a batch", where, fix)


def _digest(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """One digest of all rows of a side."""
    lines = connection.execute(f"SELECT _bucket, {SUMS} FROM {name} GROUP BY 1 ORDER BY 1").fetchall()
    return digest_of(tuple(BucketSum(*line) for line in lines))


def _differing_buckets(connection: duckdb.DuckDBPyConnection) -> int:
    connection.execute(
        "CREATE TEMP TABLE differing AS SELECT coalesce(a._bucket, b._bucket) AS _bucket "
        f"FROM (SELECT _bucket, {SUMS} FROM l GROUP BY 1) a "
        f"FULL JOIN (SELECT _bucket, {SUMS} FROM r GROUP BY 1) b ON a._bucket = b._bucket "
        "WHERE a.n IS DISTINCT FROM b.n OR a.one IS DISTINCT FROM b.one OR a.two IS DISTINCT FROM b.two"
    )
    [[count]] = connection.execute("SELECT count(*) FROM differing").fetchall()
    return int(count)


def _differing_rows(connection: duckdb.DuckDBPyConnection, key: Sequence[Column]) -> dict[str, int]:
    names = [quoted(column.name) for column in key]
    chosen = ", ".join(names)
    sides = [
        f"(SELECT {chosen}, {SUMS} FROM {side} WHERE _bucket IN (FROM differing) GROUP BY ALL) {side}"
        for side in ("l", "r")
    ]
    same = " AND ".join(f"l.{name} IS NOT DISTINCT FROM r.{name}" for name in names)
    kept = ", ".join(f"coalesce(l.{name}, r.{name}) AS {name}" for name in names)
    connection.execute(
        f"CREATE TEMP TABLE found AS SELECT {kept}, "
        "CASE WHEN r.n IS NULL THEN 'missing' WHEN l.n IS NULL THEN 'extra' "
        "WHEN l.n > 1 OR r.n > 1 THEN 'repeated' ELSE 'differs' END AS what "
        f"FROM {sides[0]} FULL JOIN {sides[1]} ON {same} "
        "WHERE l.n IS DISTINCT FROM r.n OR l.one IS DISTINCT FROM r.one OR l.two IS DISTINCT FROM r.two"
    )
    return {
        str(what): int(n)
        for what, n in connection.execute("SELECT what, count(*) FROM found GROUP BY 1").fetchall()
    }


def _fields(
    connection: duckdb.DuckDBPyConnection,
    left: Side,
    right: Side,
    key: Sequence[Column],
    columns: Sequence[Column],
    most: int,
) -> pa.Table:
    """The listed differences with the fields that differ; only rows that were found are read again."""
    names = [quoted(column.name) for column in key]
    chosen = ", ".join(names)
    connection.execute(f"CREATE TEMP TABLE listed AS SELECT * FROM found ORDER BY {chosen} LIMIT {most}")
    if not (isinstance(left, str) and isinstance(right, str)):  # without values no field can be named
        as_text = ", ".join(f"CAST({name} AS VARCHAR)" for name in names)
        known = f"SELECT [{as_text}] AS key, what, [] AS fields FROM listed ORDER BY {chosen}"
        return connection.sql(known).to_arrow_table().cast(DIFFERENCES)
    every = ", ".join(quoted(column.name) for column in columns)
    for side, relation in (("a", left), ("b", right)):
        same = " AND ".join(f"s.{name} IS NOT DISTINCT FROM f.{name}" for name in names)
        connection.execute(
            f"CREATE TEMP TABLE {side} AS SELECT {every} FROM {relation} s "
            f"SEMI JOIN (SELECT * FROM listed WHERE what = 'differs') f ON {same}"
        )
    differs = ", ".join(
        f"CASE WHEN a.{quoted(column.name)} IS DISTINCT FROM b.{quoted(column.name)} THEN '{column.name.replace(chr(39), chr(39) * 2)}' END"
        for column in columns
    )
    joined = " AND ".join(f"f.{name} IS NOT DISTINCT FROM {{0}}.{name}" for name in names)
    keys = ", ".join(f"CAST(f.{name} AS VARCHAR)" for name in names)
    found = connection.sql(
        f"SELECT [{keys}] AS key, f.what, CASE WHEN f.what = 'differs' THEN "
        f"list_filter([{differs}], lambda field: field IS NOT NULL) ELSE [] END AS fields "
        f"FROM listed f LEFT JOIN a ON {joined.format('a')} LEFT JOIN b ON {joined.format('b')} "
        f"ORDER BY {', '.join('f.' + name for name in names)}"
    )
    return found.to_arrow_table().cast(DIFFERENCES)
