"""The digests of both sides of a flow: the provider's by PostgreSQL over the registers, the consumer's by DuckDB over its copy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kiban import sets, store
from kiban.linkage.consumer import Replica
from kiban.linkage.contracts.model import Feed
from kiban.linkage.files import Protected, Source, digest_columns, digester, key_columns
from kiban.sets import Buckets, BucketSum

_SESSIONS = 2  # one session of PostgreSQL is busy longer than all that reads the consumer's copy beside it


@dataclass(frozen=True)
class Provider:
    """The side that is right by agreement.

    Attributes:
        source: the registers as the consumer may see them, as known after one event.
    """

    source: Source

    def buckets(self, feed: Feed) -> Buckets:
        """The digests of the buckets of a feed, added up by PostgreSQL."""
        source = self.source
        whole = store.row_buckets(
            source.opened, feed.register, feed.columns, feed.key, source.actor, source.event,
            absent=self._absent(feed), sessions=_SESSIONS,
        )  # fmt: skip
        if not self._others(feed):
            return whole
        minus, plus = (self._figures(feed, one).buckets for one in (self._alike, source.protected))
        return _moved(whole, minus, plus)

    def digests(self, feed: Feed, buckets: Sequence[int]) -> Iterator[pa.Table]:
        """Unit and digest of each row of some buckets."""
        source, unit, others = self.source, feed.unit.romaji, self._others(feed)
        found = store.row_digests(
            source.opened, feed.register, feed.columns, feed.key, source.actor, source.event,
            absent=self._absent(feed), buckets=buckets, beside=[unit],
        )  # fmt: skip
        named = pa.array(others, pa.string())
        for batch in found:
            kept = batch.filter(pc.invert(pc.is_in(batch.column(unit), value_set=named)))
            yield pa.table({"unit": kept.column(unit), "digest": kept.column("_digest")})
        if others:
            with duckdb.connect() as connection:
                for batch in source.batches(feed, named):
                    yield from _digested(connection, feed, [batch], buckets)

    @property
    def _alike(self) -> Protected:
        """Everybody as those are whom nobody named."""
        return Protected({}, self.source.protected.others)

    def _absent(self, feed: Feed) -> Collection[str]:
        hidden = self.source.contract.protection.withheld.get(feed.name, frozenset())
        return hidden if self.source.protected.hides_others else ()

    def _others(self, feed: Feed) -> list[str]:
        """Units of whom something else is withheld than of all others: few, and digested apart."""
        hidden = self.source.contract.protection.withheld.get(feed.name, frozenset())
        return sorted(self.source.protected.exceptions) if hidden else []

    def _figures(self, feed: Feed, protected: Protected) -> sets.Figures:
        source = Source(self.source.opened, self.source.contract, protected, self.source.event)
        with digester(feed) as found:
            return found.of_all(source.batches(feed, pa.array(self._others(feed), pa.string())))


def consumer_buckets(replica: Replica, feed: Feed) -> Buckets:
    """The digests of the buckets of what a replica holds of a feed."""
    with digester(feed) as found:
        return found.of_all(replica.batches(feed.name)).buckets


def differing_units(
    provider: Provider, replica: Replica, feed: Feed, buckets: Sequence[int], folder: Path
) -> list[str]:
    """The units whose rows are not the same on both sides, of the buckets that differ."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "1GB", "threads": 2, "temp_directory": str(folder)
    }  # fmt: skip
    with duckdb.connect(config=config) as connection:
        for side in ("p", "c"):
            connection.execute(f"CREATE TABLE {side} (unit VARCHAR, digest VARCHAR)")
        for table in provider.digests(feed, buckets):
            _insert(connection, "p", table)
        for table in _digested(connection, feed, replica.batches(feed.name), buckets):
            _insert(connection, "c", table)
        found = connection.execute(_DIFFERING).fetchall()
    return [unit for (unit,) in found]


_DIFFERING = """
    SELECT DISTINCT unit FROM
        ((SELECT * FROM p EXCEPT ALL SELECT * FROM c) UNION ALL (SELECT * FROM c EXCEPT ALL SELECT * FROM p)) ORDER BY 1
"""


def _insert(connection: duckdb.DuckDBPyConnection, side: str, table: pa.Table) -> None:
    connection.register("_rows", table)
    connection.execute(f"INSERT INTO {side} FROM _rows")
    connection.unregister("_rows")


def _digested(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    batches: Iterable[pa.RecordBatch],
    buckets: Sequence[int],
) -> Iterator[pa.Table]:
    unit = '"' + feed.unit.romaji + '"'
    bucket = sets.duckdb_bucket(sets.duckdb_digest(key_columns(feed)))
    only = ", ".join(map(str, buckets)) or "NULL"
    rows = f"SELECT * FROM (SELECT *, {bucket} AS _bucket FROM _come) WHERE _bucket IN ({only})"
    digest = sets.duckdb_digest(digest_columns(feed))
    for batch in batches:
        connection.register("_come", pa.Table.from_batches([batch]))
        yield connection.sql(f"SELECT {unit} AS unit, {digest} AS digest FROM ({rows})").to_arrow_table()
        connection.unregister("_come")


def _moved(whole: Buckets, minus: Buckets, plus: Buckets) -> Buckets:
    """The buckets with some rows taken out and others put in."""
    found = {one.number: [one.rows, one.one, one.two] for one in whole}
    for sign, many in ((-1, minus), (1, plus)):
        for number, *values in many:
            held = found.setdefault(number, [0, 0, 0])
            found[number] = [a + sign * b for a, b in zip(held, values, strict=True)]
    return tuple(BucketSum(number, *held) for number, held in sorted(found.items()) if held[0])
