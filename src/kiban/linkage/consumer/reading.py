"""Reads an SQLite file as Arrow. Run as a program: its argument is the file, stdin is the query, stdout is an Arrow stream.

A process of its own, because the driver brings a copy of SQLite of its own, and locks on files belong to the process: one
copy that closes the file would let go of what the other one holds, and a replica that is written meanwhile could break.
"""

from __future__ import annotations

import sys

import adbc_driver_sqlite.dbapi as adbc
import pyarrow as pa

_ROWS = 65_536


def main() -> None:
    """Write what the query answers, in batches of bounded size."""
    with adbc.connect(f"file:{sys.argv[1]}?mode=ro") as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(_ROWS)})
        cursor.execute(sys.stdin.read())
        found = cursor.fetch_record_batch()
        with pa.ipc.new_stream(sys.stdout.buffer, found.schema) as out:
            for batch in found:
                out.write_batch(batch)


if __name__ == "__main__":
    main()
