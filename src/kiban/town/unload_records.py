"""Records of the old system: fixed length with header and trailer, and variable with record descriptor words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kiban.kernel import Problem
from kiban.town.unload_fields import Bytes, write_fields, zoned
from kiban.town.unload_layout import Layout, layouts
from kiban.town.unload_system import System, parts, ward_column

HEADER, DATA, TRAILER = "HDT"
ROWS_AT_ONCE = 25_000
RDW = 4
Counts = Counter[tuple[str, str, str, str]]
"""What the old system printed of what it wrote: value by file, ward, year and item."""


def fixed_part(system: System, book: str, path: Path, target: Path) -> Counts:
    """Writes the data records of one part, one file for each ward group (SETAI: one for all).

    Args:
        system: the old system.
        book: JUKI or SETAI.
        path: the part of the town.
        target: start of the names of the files, to which the number of the ward group is added.

    Returns:
        The counts of what was written.
    """
    counts: Counts = Counter()
    groups = file_groups(system, book)
    needed = sorted({field.item for layout in _tail(book) for field in layout.fields if field.item})
    files = {name: target.with_name(f"{target.name}.{name}").open("wb") for name in groups}
    try:
        for batch in pq.ParquetFile(path).iter_batches(ROWS_AT_ONCE, columns=needed):
            rows = pa.Table.from_batches([batch])
            wards = ward_column(rows, system.lists)
            for name, members in groups.items():
                here = pc.is_in(wards, pa.array(members, pa.string()))
                mine = rows.filter(here)
                if mine.num_rows:
                    files[name].write(records(system, book, mine).tobytes())
                    _count(counts, book, name, wards.filter(here), mine)
    finally:
        for file in files.values():
            file.close()
    return counts


def file_groups(system: System, book: str) -> dict[str, tuple[str, ...]]:
    """The wards of each file of a book, by file name without its extension."""
    if book == "JUKI":
        return {f"JUKI{at}": group for at, group in enumerate(system.groups, 1)}
    return {book: system.wards}


def records(system: System, book: str, rows: pa.Table) -> Bytes:
    """Rows as whole data records, (rows, record length) bytes."""
    layout, *kinds = _tail(book)
    length = record_length(book)
    blank = int.from_bytes(system.page.pad("single"), "big")
    block = np.full((rows.num_rows, length), blank, np.uint8)
    block[:, 0] = system.page.single_codes[DATA]
    write_fields(block[:, 1 : 1 + layout.size], layout, rows, system.page, system.lists)
    start = 1 + layout.size
    for kind, part in zip("12", kinds, strict=False):
        mask = pc.equal(rows["juminshubetsu"], kind)
        where = np.flatnonzero(mask.to_numpy())
        piece = np.full((len(where), part.size), blank, np.uint8)
        write_fields(piece, part, rows.filter(mask), system.page, system.lists)
        block[where, start : start + part.size] = piece
    return block


def record_length(book: str) -> int:
    """Bytes of each record of a fixed file: the type, the data, and the longer of what redefines each other."""
    layout, *kinds = _tail(book)
    return 1 + layout.size + max((part.size for part in kinds), default=0)


def closing(system: System, book: str, part: str, values: dict[str, int | str]) -> bytes:
    """A header or trailer record.

    Args:
        system: the old system.
        book: JUKI or SETAI.
        part: HEADER or TRAILER.
        values: what each field holds, by the end of its name.
    """
    blank = system.page.pad("single")
    record = bytearray(blank * record_length(book))
    record[0] = system.page.single_codes[part[0]]
    for field in layouts()[book, part].fields:
        value = values[field.name.split("-", 1)[1]]
        at = slice(1 + field.offset, 1 + field.offset + field.size)
        if isinstance(value, int):
            record[at] = zoned(np.array([value]), field.size).tobytes()
        else:
            record[at] = (system.page.encode(value).data or b"").ljust(field.size, blank)
    return bytes(record)


def write_support(system: System, file: BinaryIO) -> Counts:
    """The support measures: variable records, the protected persons at the end of the first of each measure.

    Raises:
        Problem: `unload-aggressors-many`, and as `write_fields`.
    """
    town, counts = system.town, Counts()
    data, aggressor, person = (layouts()["SHIEN", part] for part in ("DATA", "KAGAI", "TAISHO"))
    measures = _table(town, "shiensochi")
    number, serial = "shiensochibango", "rirekibango"
    measures = measures.sort_by([(number, "ascending"), (serial, "ascending")])
    main = _blocks(system, data, measures)
    main[:, : data.fields[0].size] = zoned(np.full(len(main), system.cut), data.fields[0].size)
    others = _by_measure(system, aggressor, _table(town, "shiensochi_kagaisha"))
    people = _by_measure(system, person, _table(town, "shiensochi_taishosha"))
    none = bytes(_blocks(system, aggressor, _table(town, "shiensochi_kagaisha").slice(0, 0), 1).tobytes())
    wards = ward_column(measures, system.lists).to_pylist()
    columns = zip(main, measures[number].to_pylist(), measures[serial].to_pylist(), wards, strict=True)
    for row, name, history, ward in columns:
        together = people.get(name, []) if history == 1 else []
        against = others.get(name, []) if history == 1 else []
        if len(against) > 1:
            raise Problem(
                "unload-aggressors-many",
                "a measure has more than one aggressor; the old system holds one",
                where="shiensochi_kagaisha",
                fix="make a town without such a measure",
            )
        flag = zoned(np.array([len(against)]), 1).tobytes()
        body = row.tobytes() + flag + (against[0][1:] if against else none[1:])
        body += zoned(np.array([len(together)]), 2).tobytes() + b"".join(one[2:] for one in together)
        file.write((len(body) + RDW).to_bytes(2, "big") + b"\0\0" + body)
        counts["SHIEN", ward, "", "件数"] += 1
        counts["SHIEN", ward, "", "対象者数"] += len(together)
    return counts


def _by_measure(system: System, layout: Layout, rows: pa.Table) -> dict[str, list[bytes]]:
    rows = rows.sort_by([(rows.column_names[0], "ascending"), (rows.column_names[1], "ascending")])
    found: dict[str, list[bytes]] = {}
    for name, row in zip(rows["shiensochibango"].to_pylist(), _blocks(system, layout, rows), strict=True):
        found.setdefault(name, []).append(row.tobytes())
    return found


def _blocks(system: System, layout: Layout, rows: pa.Table, empty: int = 0) -> Bytes:
    """Records without a type byte; or `empty` blank ones, with zeros in their numbers."""
    blank = int.from_bytes(system.page.pad("single"), "big")
    block = np.full((rows.num_rows or empty, layout.size), blank, np.uint8)
    if empty:
        rows = pa.table({name: pa.nulls(empty, rows[name].type) for name in rows.column_names})
    write_fields(block, layout, rows, system.page, system.lists)
    return block


def _table(town: Path, group: str) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in parts(town, group)])


def _tail(book: str) -> Iterator[Layout]:
    """The data part of a book, and what redefines each other behind it."""
    found = layouts()
    yield found[book, "DATA"]
    for kind in ("NIHONJIN", "GAIKOKUJIN"):
        if (book, kind) in found:
            yield found[book, kind]


def _count(counts: Counts, book: str, name: str, wards: pa.Array, rows: pa.Table) -> None:
    live = pc.is_null(rows["valid_to"])
    for item, column in (("件数", wards), ("現在件数", wards.filter(live.combine_chunks()))):
        for found in pc.value_counts(column).to_pylist():
            counts[name, found["values"], "", item] += found["counts"]
