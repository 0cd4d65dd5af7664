"""Rows of the registers brought together with the legacy records they came from, on disk and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from kiban.migration.back.forms import Form
from kiban.migration.mapping import Map, named, quoted
from kiban.standard import Group

ROWS = 16_384
"""Of a piece of work."""
LINES = pa.schema([(name, pa.string()) for name in ("register", "subject", "history", "item", "code")])
"""What did not go back: whose row of which register, which of its history, the item (or "" for all of it), and why."""
STANDING, OLD, BASE, PLACED, FOUND, LOST = "rows", "old", "base", "placed", "found", "lost"
"""What is laid down for a register: its rows, the legacy records they came from, the keys of all of these, where rows belong, that with
the rows that have no place, and those."""
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"threads": 2, "memory_limit": "1500MB"}


@dataclass(frozen=True)
class Desk:
    """A place to work.

    Attributes:
        folder: of everything that is laid down; the caller takes it away.
        decoded: output of the stage decode.
        excluded: excluded.parquet of the stage cleanse, None where there is none.
        query: DuckDB.
    """

    folder: Path
    decoded: Path
    excluded: Path | None
    query: duckdb.DuckDBPyConnection

    def path(self, register: str, what: str) -> Path:
        """Where something of a register is laid down."""
        return place(self.folder, register, what)

    def keep(
        self, register: str, what: str, batches: Iterator[pa.RecordBatch], *, numbered: bool = False
    ) -> int:
        """Lay rows down as they come, with `#row` from 0 where they are to be numbered; how many there are."""
        rows = 0
        writer: pq.ParquetWriter | None = None
        try:
            for batch in batches:
                number = pa.array(range(rows, rows + batch.num_rows), pa.int64())
                kept = batch.append_column("#row", number) if numbered else batch
                writer = writer or pq.ParquetWriter(
                    self.path(register, what), kept.schema, compression="zstd"
                )
                writer.write_batch(kept, row_group_size=ROWS)
                rows += batch.num_rows
        finally:
            if writer is not None:
                writer.close()
        return rows

    def write(self, select: str, path: Path) -> int:
        """Lay the answer to a query down; how many rows it has."""
        self.query.execute(f"COPY ({select}) TO {quoted(str(path))} (FORMAT parquet, COMPRESSION zstd)")
        return int(pq.read_metadata(path).num_rows)

    def count(self, register: str, what: str) -> int:
        """How many rows were laid down."""
        return int(pq.read_metadata(self.path(register, what)).num_rows)

    def rows(self, register: str, what: str) -> str:
        """What was laid down, as a table of DuckDB."""
        return f"read_parquet({quoted(str(self.path(register, what)))})"

    def keys(self, select: str) -> pa.Table:
        """The answer to a query as a table in memory."""
        return self.query.sql(select).to_arrow_table()


def place(folder: Path, register: str, what: str) -> Path:
    """Where something of a register is laid down."""
    return folder / f"{register}.{what}.parquet"


@contextmanager
def desk(folder: Path, decoded: Path, excluded: Path | None) -> Iterator[Desk]:
    """A new desk in an empty folder."""
    with duckdb.connect(config=_SETTINGS) as query:
        query.execute(f"SET temp_directory = {quoted(str(folder))}")
        yield Desk(folder, decoded, excluded, query)


def subject(group: Group) -> str:
    """SQL of the items that identify the subject of a row, as one text."""
    return " || '/' || ".join(f"cast({named(item.romaji)} as varchar)" for item in group.subject)


def whole_rows(made: Map, code: str, source: str) -> str:
    """A line (`LINES`) for each row that did not go back at all.

    Args:
        made: of the rows.
        code: SQL of why.
        source: SQL of the rows, behind FROM.
    """
    number = made.group.history
    history = f"cast({named(number.romaji)} as varchar)" if number is not None else "''"
    told = zip((quoted(made.register), subject(made.group), history, "''", code), LINES.names, strict=True)
    return f"SELECT {', '.join(f'{value} AS {name}' for value, name in told)} FROM {source}"


def match(at: Desk, made: Map) -> int:
    """Find the legacy record from which each row came: by the key, and of several rows with one key by the day they begin.

    Reads the rows (`rows`); leaves `old` (`#row`, `#file`, `#record`, `#index`) and `base`, the keys of all legacy records.

    Returns:
        How many legacy records there are.
    """
    keys = ", ".join(named(item.romaji) for item in made.group.key)
    begin = "valid_from" if made.group.kind == "register" else "cast(null as date)"
    origin = '"#file", "#record", "#index"'
    base = f"SELECT {origin}, {keys}, {begin} AS begins FROM ({made.sql(at.decoded, at.excluded)})"
    count = at.write(base, at.path(made.register, BASE))
    mine = f'SELECT "#row", {keys}, {begin} AS starts FROM {at.rows(made.register, STANDING)}'
    order = "(starts IS DISTINCT FROM begins)"
    at.write(
        f'SELECT "#row", {origin} FROM ({mine}) JOIN {at.rows(made.register, BASE)} USING ({keys}) '
        f'QUALIFY row_number() OVER (PARTITION BY {origin} ORDER BY {order}, "#row") = 1 '
        f'AND row_number() OVER (PARTITION BY "#row" ORDER BY {order}, {origin}) = 1 ORDER BY "#row"',
        at.path(made.register, OLD),
    )
    return count


def place_main(at: Desk, form: Form) -> None:
    """Leave `placed` for the main rows of a form: `#row`, and `#file`, `#record`, `#offset` where there is a legacy record."""
    name = form.main.register
    paths = ", ".join(quoted(str(path)) for path in sorted((at.decoded / form.segment).glob("*.parquet")))
    offsets = f'SELECT "#file", "#record", "#offset" FROM read_parquet([{paths}])'
    at.write(
        f'SELECT r."#row", o."#file", o."#record", d."#offset" FROM {at.rows(name, STANDING)} r '
        f'LEFT JOIN {at.rows(name, OLD)} o USING ("#row") LEFT JOIN ({offsets}) d '
        f'ON d."#file" = o."#file" AND d."#record" = o."#record" ORDER BY r."#row"',
        at.path(name, PLACED),
    )


def place_other(at: Desk, form: Form, made: Map) -> None:
    """Find the record in which each row of another map of a form belongs.

    That is the record from which it came; else the one of its link, where there is one only; else the one in which all others
    of its link are. Where there are several, none is guessed.

    Leaves `placed` (the rows with `#at`, the `#row` of the record, `#order` in it, and `#index`, their former place in its table) and
    `lost` (see `LINES`): `record-missing`, `record-several`, `record-full`.
    """
    links, main, name = form.links(made), form.main.register, made.register
    rows = at.rows(name, STANDING)
    origin = f'SELECT o."#row", p."#row" AS "#at", o."#index" FROM {at.rows(name, OLD)} o '
    direct = f'{origin} JOIN {at.rows(main, PLACED)} p USING ("#file", "#record")'
    same = " AND ".join(f"s.{named(mine)} = m.{named(theirs)}" for mine, theirs in links.items()) or "false"
    linked = (
        f'SELECT s."#row", count(*) AS ways, min(m."#row") AS "#at" FROM {rows} s JOIN {at.rows(main, STANDING)} m '
        f"ON {same} GROUP BY 1"
    )
    mine = ", ".join(f"s.{named(one)}" for one in links) or "1"
    alike = " AND ".join(f"k.{named(one)} = s.{named(one)}" for one in links) or "false"
    kin = f'SELECT {mine}, count(DISTINCT d."#at") AS ways, min(d."#at") AS "#at" FROM {rows} s JOIN direct d USING ("#row") GROUP BY ALL'
    order = ", ".join(f"s.{named(item.romaji)}" for item in made.group.key)
    found = (
        f"WITH direct AS ({direct}), linked AS ({linked}), kin AS ({kin}) "
        'SELECT s.*, d."#index", l.ways IS NULL AS alone, coalesce(d."#at", CASE WHEN l.ways = 1 THEN l."#at" END, '
        'CASE WHEN l.ways > 1 AND k.ways = 1 THEN k."#at" END) AS "#at" '
        f'FROM {rows} s LEFT JOIN direct d USING ("#row") LEFT JOIN linked l USING ("#row") LEFT JOIN kin k ON {alike}'
    )
    room = form.record.table.most if made is form.table and form.record and form.record.table else 1
    at.write(
        f'SELECT s.*, row_number() OVER (PARTITION BY "#at" ORDER BY "#index" NULLS LAST, {order}) AS "#order" FROM ({found}) s',
        at.path(name, FOUND),
    )
    everything = at.rows(name, FOUND)
    at.write(
        f'SELECT * EXCLUDE (alone) FROM {everything} WHERE "#at" IS NOT NULL AND "#order" <= {room} ORDER BY "#at", "#order"',
        at.path(name, PLACED),
    )
    code = "CASE WHEN \"#at\" IS NOT NULL THEN 'record-full' WHEN alone THEN 'record-missing' ELSE 'record-several' END"
    at.write(
        whole_rows(made, code, f'{everything} WHERE "#at" IS NULL OR "#order" > {room}'), at.path(name, LOST)
    )
