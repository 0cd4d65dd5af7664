"""Records of the old system: fixed length with header and trailer, and variable with record descriptor words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kiban.characters import CodePage
from kiban.kernel import Problem
from kiban.town.unload_fields import Bytes, packed, write_fields, zoned
from kiban.town.unload_layout import MAINFRAME, Book, Layout, book, layouts
from kiban.town.unload_system import System, parts, ward_column
from kiban.town.unload_totals import RECORDS, Counts, count

HEADER, DATA, TRAILER = "HDT"
ROWS_AT_ONCE = 25_000
RDW = 4
PEOPLE = "対象者数"
NAMES, NUMBER, SERIAL = "jumin", "atenabango", "rirekibango"


def fixed_part(system: System, book: Book, path: Path, target: Path) -> Counts:
    """Writes the data records of one part, one file for each ward group (SETAI: one for all).

    Args:
        system: the old system.
        book: what is written.
        path: the part of the town.
        target: start of the names of the files, to which the name of the file is added.

    Returns:
        The counts of what was written.
    """
    counts = Counts()
    groups = file_groups(system, book)
    every = [field for layout in _tail(book) for field in layout.fields if field.item]
    needed = sorted({field.item for field in every if field.group == book.group} | {"valid_to"})
    names = sorted({field.item for field in every} - set(needed))
    people = _people(system, path, names) if names else None
    files = {name: target.with_name(f"{target.name}.{name}").open("wb") for name in groups}
    try:
        for batch in pq.ParquetFile(path).iter_batches(ROWS_AT_ONCE, columns=needed):
            rows = pa.Table.from_batches([batch])
            rows = _with_names(rows, people) if people is not None else rows
            wards = ward_column(rows, system.lists)
            for name, members in groups.items():
                here = pc.is_in(wards, pa.array(members, pa.string()))
                mine = rows.filter(here)
                if mine.num_rows:
                    files[name].write(records(system, book, mine, system.page(book, name)).tobytes())
                    count(counts, book, name, wards.filter(here), mine)
    finally:
        for file in files.values():
            file.close()
    return counts


def _people(system: System, path: Path, names: list[str]) -> pa.Table:
    """What the resident register has of the people of a part: the newest row of each."""
    rows = pq.read_table(
        system.town / "resident" / NAMES / path.name, columns=[NUMBER, SERIAL, *names]
    ).sort_by([(NUMBER, "ascending"), (SERIAL, "ascending")])
    number = rows[NUMBER].combine_chunks()
    last = np.ones(len(number), np.bool_)
    last[:-1] = pc.not_equal(number[1:], number[:-1]).to_numpy(zero_copy_only=False)
    return rows.filter(pa.array(last)).select([NUMBER, *names])


def _with_names(rows: pa.Table, people: pa.Table) -> pa.Table:
    """Adds what another system holds of the person of each row.

    Raises:
        Problem: `unload-person-unknown`.
    """
    found = pc.index_in(rows[NUMBER].combine_chunks(), people[NUMBER].combine_chunks())
    if found.null_count:
        raise Problem(
            "unload-person-unknown",
            f"{found.null_count} rows are of people whom the resident register does not have",
            where=NUMBER,
            fix="make the town again",
        )
    for name in people.column_names[1:]:
        rows = rows.append_column(name, people[name].combine_chunks().take(found))
    return rows


def file_groups(system: System, book: Book) -> dict[str, tuple[str, ...]]:
    """The wards of each file of a book, by file name without its extension."""
    if book.grouped:
        return {f"{book.name}{at}": group for at, group in enumerate(system.groups, 1)}
    return {book.name: system.wards}


def records(system: System, book: Book, rows: pa.Table, page: CodePage) -> Bytes:
    """Rows as whole data records, (rows, record length) bytes."""
    layout = layouts()[book.name, "DATA"]
    blank = int.from_bytes(page.pad("single"), "big")
    block = np.full((rows.num_rows, record_length(book.name)), blank, np.uint8)
    block[:, 0] = page.single_codes[DATA]
    write_fields(block[:, 1 : 1 + layout.size], layout, rows, page, system.lists)
    start = 1 + layout.size
    for value, part in book.choices.items():
        other = layouts()[book.name, part]
        mask = pc.fill_null(pc.equal(rows[book.choice], value), False)
        where = np.flatnonzero(mask.to_numpy())
        piece = np.full((len(where), other.size), blank, np.uint8)
        write_fields(piece, other, rows.filter(mask), page, system.lists)
        block[where, start : start + other.size] = piece
    return block


def record_length(name: str) -> int:
    """Bytes of each record of a book: the type, the data, and the longest of what redefines each other."""
    layout, *kinds = _tail(book(name))
    return 1 + layout.size + max((part.size for part in kinds), default=0)


def closing(system: System, book: Book, part: str, values: dict[str, int | str]) -> bytes:
    """A header or trailer record.

    Args:
        system: the old system.
        book: of the file.
        part: HEADER or TRAILER.
        values: what each field holds, by the end of its name.
    """
    page = system.pages[book.system]
    blank = page.pad("single")
    record = bytearray(blank * record_length(book.name))
    record[0] = page.single_codes[part[0]]
    for field in layouts()[book.name, part].fields:
        value = values[field.name.split("-", 1)[1]]
        at = slice(1 + field.offset, 1 + field.offset + field.size)
        if isinstance(value, str):
            record[at] = (page.encode(value).data or b"").ljust(field.size, blank)
        elif field.encoding == "packed":
            record[at] = packed(np.array([value]), field.size, field.signed).tobytes()
        else:
            record[at] = zoned(np.array([value]), field.size).tobytes()
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
    counts.update({("SHIEN", ward, "", item): 0 for ward in system.wards for item in (RECORDS, PEOPLE)})
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
        counts["SHIEN", ward, "", RECORDS] += 1
        counts["SHIEN", ward, "", PEOPLE] += len(together)
    return counts


def _by_measure(system: System, layout: Layout, rows: pa.Table) -> dict[str, list[bytes]]:
    rows = rows.sort_by([(rows.column_names[0], "ascending"), (rows.column_names[1], "ascending")])
    found: dict[str, list[bytes]] = {}
    for name, row in zip(rows["shiensochibango"].to_pylist(), _blocks(system, layout, rows), strict=True):
        found.setdefault(name, []).append(row.tobytes())
    return found


def _blocks(system: System, layout: Layout, rows: pa.Table, empty: int = 0) -> Bytes:
    """Records without a type byte; or `empty` blank ones, with zeros in their numbers."""
    page = system.pages[MAINFRAME]
    blank = int.from_bytes(page.pad("single"), "big")
    block = np.full((rows.num_rows or empty, layout.size), blank, np.uint8)
    if empty:
        rows = pa.table({name: pa.nulls(empty, rows[name].type) for name in rows.column_names})
    write_fields(block, layout, rows, page, system.lists)
    return block


def _table(town: Path, group: str) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in parts(town, group)])


def _tail(book: Book) -> Iterator[Layout]:
    """The data part of a book, and what redefines each other behind it."""
    for part in ("DATA", *book.choices.values()):
        yield layouts()[book.name, part]
