"""The rows of a replica as Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import adbc_driver_sqlite.dbapi as adbc
import pyarrow as pa

from kiban.linkage.consumer import tables
from kiban.linkage.contracts.model import Feed

_BATCH = 65_536


def batches(file: Path, feed: Feed) -> Iterator[pa.RecordBatch]:
    """All rows of a feed at one instant; see `Replica.batches`."""
    kinds = tables.types(feed)
    # SQLite's values have types and its columns have not: the driver learns them from a first row, which is cut off.
    first = ", ".join("0" if pa.types.is_integer(f.type) else "''" for f in kinds)
    statement = f"SELECT {first} UNION ALL SELECT * FROM {tables.quoted(feed.name)}"
    with adbc.connect(f"file:{file}?mode=ro") as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(_BATCH)})
        cursor.execute(statement)
        cut = 1
        for batch in cursor.fetch_record_batch():
            columns = [
                tables.arrow_column(column, f.type)
                for column, f in zip(batch.slice(cut).columns, kinds, strict=True)
            ]
            cut = 0
            yield pa.record_batch(columns, schema=kinds)
