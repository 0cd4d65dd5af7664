"""Reads CSV files of legacy systems in the same form as records: strictly, with the place of every fault."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from kiban import characters
from kiban.kernel import Problem
from kiban.migration.records.decode import Batch
from kiban.migration.records.places import LEDGER, USES

_ROWS = 50_000
_LONGEST = 65_536  # bytes of a record with line ends within quotes


def decode_csv(name: str, path: Path, page: characters.CodePage, segment: str) -> Iterator[Batch]:
    """Decode a CSV file with a line of column names, in blocks.

    Empty cells are null. A line with too many or too few cells, or with a quote that never ends, gives no row and a line
    in the ledger. Every cell is text; the map says what it means.

    Args:
        name: of the file in the plan.
        path: of the file.
        page: its code page; separators and quotes are ASCII in every page that CSV is written in.
        segment: name of the dataset.

    Raises:
        Problem: `csv-header` where the first line cannot be read or names a column twice.
    """
    records = _records(path)
    first = next(records, None)
    names = _names(name, first[2] if first else b"", page)
    columns: list[list[str | None]] = [[] for _ in names]
    origin: list[tuple[int, int]] = []
    lines: list[tuple[str, int, int, str, str, str]] = []
    uses: list[tuple[str, int, int, int, str, str]] = []
    known: dict[bytes, characters.Decoded] = {}
    for number, offset, raw in records:
        cells = _cells(raw)
        if cells is None or len(cells) != len(names):
            code = "line-broken" if cells is None else "columns-wrong"
            lines.append((name, number, offset, segment, raw[:16].hex().upper(), code))
        else:
            origin.append((number, offset))
            for column, header, cell in zip(columns, names, cells, strict=True):
                column.append(_text(cell, page, known, (name, number, offset, header, raw), lines, uses))
        if len(origin) + len(lines) >= _ROWS:
            yield _batch(name, segment, names, columns, origin, lines, uses)
            columns, origin, lines, uses = [[] for _ in names], [], [], []
            known.clear()
    # A list of nobody is a list all the same, so that whoever reads it finds its columns.
    yield _batch(name, segment, names, columns, origin, lines, uses)


def _names(name: str, raw: bytes, page: characters.CodePage) -> list[str]:
    found = [page.decode(cell).text for cell in _cells(raw) or []]
    if not found or None in found or "" in found or len(set(found)) < len(found):
        raise Problem(
            "csv-header",
            "the first line does not name the columns, each once",
            f"{name} line 1",
            "ask for the file with its line of column names, in the code page of the plan",
        )
    return [str(one) for one in found]


def _records(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Number of the record (from 0 for the names), byte it begins at, its bytes without the end of line."""
    number, offset = 0, 0
    begun, quotes, held = 0, 0, bytearray()
    with path.open("rb") as file:
        for line in file:
            if not held:
                begun = offset
            offset += len(line)
            held += line
            quotes += line.count(b'"')
            if quotes % 2 == 0 or len(held) > _LONGEST:  # a stray quote must not swallow the rest of the file
                yield number, begun, bytes(held).rstrip(b"\r\n")
                number, quotes, held = number + 1, 0, bytearray()
    if held:
        yield number, begun, bytes(held).rstrip(b"\r\n")


def _cells(raw: bytes) -> list[bytes] | None:
    """Cells as bytes; None where a line cannot be split. Latin-1 gives every byte a character and takes none away."""
    if raw.count(b'"') % 2:
        return None
    try:
        return [cell.encode("latin-1") for cell in next(csv.reader([raw.decode("latin-1")]), [])]
    except csv.Error:  # an end of line outside of quotes, or a cell longer than any
        return None


def _text(
    cell: bytes,
    page: characters.CodePage,
    known: dict[bytes, characters.Decoded],
    place: tuple[str, int, int, str, bytes],
    lines: list[tuple[str, int, int, str, str, str]],
    uses: list[tuple[str, int, int, int, str, str]],
) -> str | None:
    if not cell:
        return None
    read = known.get(cell)
    if read is None:
        read = known[cell] = page.decode(cell)
    name, number, offset, header, raw = place
    certain = (
        raw.count(cell) == 1
    )  # else the place in the line is not: the line is told instead of a wrong byte
    begin = offset + raw.find(cell) * certain
    lines += [
        (
            name,
            number,
            begin + fault.offset * certain,
            header,
            fault.raw.hex().upper(),
            fault.code,
        )
        for fault in read.faults
    ]
    uses += [(name, number, 0, begin + at * certain, header, code.hex().upper()) for at, code in read.own]
    return read.text


def _batch(
    name: str,
    segment: str,
    names: list[str],
    columns: list[list[str | None]],
    origin: list[tuple[int, int]],
    lines: list[tuple[str, int, int, str, str, str]],
    uses: list[tuple[str, int, int, int, str, str]],
) -> Batch:
    made = {
        "#file": pa.array([name] * len(origin), pa.string()),
        "#record": pa.array([number for number, _ in origin], pa.int64()),
        "#offset": pa.array([offset for _, offset in origin], pa.int64()),
    }
    made |= {header: pa.array(column, pa.string()) for header, column in zip(names, columns, strict=True)}
    ledger = [pa.array([line[place] for line in lines], kind.type) for place, kind in enumerate(LEDGER)]
    used = [pa.array([line[place] for line in uses], kind.type) for place, kind in enumerate(USES)]
    return Batch(
        {segment: pa.RecordBatch.from_pydict(made)},
        pa.RecordBatch.from_arrays(ledger, schema=LEDGER),
        pa.RecordBatch.from_arrays(used, schema=USES),
        0,
    )
