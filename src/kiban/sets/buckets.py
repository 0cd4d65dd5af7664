"""The digests of the 4,096 buckets of some rows: computed by DuckDB, added up, written compactly, compared."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import duckdb

from kiban.sets.digest import BUCKETS, Column, duckdb_bucket, duckdb_digest, quoted

PIECES = "CAST('0x' || _digest[1:15] AS BIGINT) AS _one, CAST('0x' || _digest[16:30] AS BIGINT) AS _two"
"""DuckDB SQL of the two numbers of a row's digest, see `digest.pieces`."""
SUMS = "count(*) AS n, sum(CAST(_one AS HUGEINT)) AS one, sum(CAST(_two AS HUGEINT)) AS two"
"""DuckDB SQL of a bucket's digest from them."""

_NUMBER = 2  # bytes of a bucket's number


class BucketSum(NamedTuple):
    """The digest of one bucket that holds rows."""

    number: int
    rows: int
    one: int
    two: int


Buckets = tuple[BucketSum, ...]
"""In the order of the numbers; a bucket without rows is left out."""


class Figures(NamedTuple):
    """What is known of some rows: how many, their sums by column in whole yen, and their buckets."""

    rows: int
    sums: dict[str, int]
    buckets: Buckets


def figures(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    key: Sequence[Column],
    columns: Sequence[Column],
    sums: Sequence[str],
    digest: Callable[[Sequence[Column]], str] = duckdb_digest,
) -> Figures:
    """Count, add up and digest the rows of a relation.

    Args:
        connection: to a DuckDB that sees the relation.
        relation: SQL that may stand after FROM.
        key: columns that tell the rows apart; without any there are no buckets.
        columns: all columns of the digest.
        sums: columns of whole numbers; an absent value adds nothing.
        digest: DuckDB SQL of the digest of columns; as good as `duckdb_digest`.

    Raises:
        duckdb.Error: where the relation cannot be read or lacks a column.
    """
    added = [f"sum(CAST({quoted(name)} AS HUGEINT)) AS _s{place}" for place, name in enumerate(sums)]
    if not key:
        found = connection.execute(f"SELECT {', '.join(['count(*)', *added])} FROM {relation}").fetchall()
        [[rows, *totals]] = found
        return Figures(rows, {name: int(total or 0) for name, total in zip(sums, totals, strict=True)}, ())
    kept = "".join(f", {quoted(name)}" for name in sums)
    bucket = duckdb_bucket(digest(key))
    inner = f"SELECT {bucket} AS _bucket, {digest(columns)} AS _digest{kept} FROM {relation}"
    lines = connection.execute(
        f"SELECT {', '.join(['_bucket', SUMS, *added])} "
        f"FROM (SELECT _bucket, {PIECES}{kept} FROM ({inner})) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    buckets = tuple(BucketSum(*(int(value) for value in line[:4])) for line in lines)
    totals = [sum(int(line[4 + place] or 0) for line in lines) for place in range(len(sums))]
    return Figures(sum(b.rows for b in buckets), dict(zip(sums, totals, strict=True)), buckets)


def added(many: Iterable[Buckets]) -> Buckets:
    """The buckets of all rows together."""
    rows, ones, twos = [0] * BUCKETS, [0] * BUCKETS, [0] * BUCKETS
    for buckets in many:
        for number, n, one, two in buckets:
            rows[number] += n
            ones[number] += one
            twos[number] += two
    return tuple(BucketSum(n, rows[n], ones[n], twos[n]) for n in range(BUCKETS) if rows[n])


def digest_of(buckets: Buckets) -> str:
    """One digest of all rows, in hex: SHA-256 of a line `number rows one two` for each bucket that holds rows."""
    return hashlib.sha256(
        "".join(f"{b.number} {b.rows} {b.one} {b.two}\n" for b in buckets).encode()
    ).hexdigest()


def differing(left: Buckets, right: Buckets) -> tuple[int, ...]:
    """The numbers of the buckets that are not the same on both sides."""
    return tuple(sorted({bucket.number for bucket in set(left) ^ set(right)}))


def buckets_body(buckets: Buckets) -> dict[str, Any]:
    """Each bucket as its number (2 bytes), rows and two sums, big-endian, as wide as the largest of them needs."""
    rows = _width(b.rows for b in buckets)
    sums = _width(number for b in buckets for number in (b.one, b.two))
    data = b"".join(
        b.number.to_bytes(_NUMBER, "big")
        + b.rows.to_bytes(rows, "big")
        + b.one.to_bytes(sums, "big")
        + b.two.to_bytes(sums, "big")
        for b in buckets
    )
    return {"rows_bytes": rows, "sum_bytes": sums, "data": base64.b64encode(data).decode()}


def read_buckets(body: Mapping[str, Any]) -> Buckets:
    """What `buckets_body` wrote.

    Raises:
        ValueError: where it is anything else.
    """
    rows, sums, data = body["rows_bytes"], body["sum_bytes"], base64.b64decode(body["data"], validate=True)
    ends = (_NUMBER, _NUMBER + rows, _NUMBER + rows + sums, _NUMBER + rows + 2 * sums)
    found = []
    for place in range(0, len(data), ends[-1]):
        line, begin, numbers = data[place : place + ends[-1]], 0, []
        for end in ends:
            numbers.append(int.from_bytes(line[begin:end], "big"))
            begin = end
        found.append(BucketSum(*numbers))
    buckets = tuple(found)
    numbers = [b.number for b in buckets]
    if (
        numbers != sorted(set(numbers))
        or any(b.number >= BUCKETS or not b.rows for b in buckets)
        or buckets_body(buckets) != dict(body)
    ):
        raise ValueError("not the buckets of any rows")
    return buckets


def _width(numbers: Iterable[int]) -> int:
    return max((max(numbers, default=0).bit_length() + 7) // 8, 1)
