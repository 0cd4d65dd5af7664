"""The lists of the old system that come as CSV in CP932: masters, foreign residents, aliases, former surnames."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kiban.kernel import Problem
from kiban.town.unload_fields import OPEN_END, day_numbers, legacy_codes
from kiban.town.unload_layout import LISTS, Field, layouts
from kiban.town.unload_system import System, parts
from kiban.town.unload_totals import RECORDS, Counts

SHORT = 10
"""Digits of the numbers of people and households in the old system."""


def csv_books() -> list[str]:
    """The file names, in order."""
    return [book for book, part in layouts() if part == "CSV"]


def write_csv(system: System, book: str, target: Path) -> Counts:
    """Writes one list; the empty field is the null.

    Raises:
        Problem: `unload-text-unwritable` where CP932 has no place for a character.
    """
    fields = layouts()[book, "CSV"].fields
    counts = Counts()
    with target.open("wb") as file:
        file.write(_lines([[field.name for field in fields]], system, book))
        for path in parts(system.town, fields[0].group):
            rows = pq.read_table(path, columns=[field.item for field in fields])
            columns = [_column(field, rows[field.item].combine_chunks(), system.lists) for field in fields]
            file.write(_lines(zip(*columns, strict=True), system, book))
            counts[book.removesuffix(".csv"), "", "", RECORDS] += rows.num_rows
    return counts


def _lines(rows: Iterable[Iterable[str]], system: System, book: str) -> bytes:
    text, page = io.StringIO(), system.pages[LISTS]
    csv.writer(text, lineterminator="\n").writerows(rows)
    # A line end is a control code, which a code page has no character for.
    made = [page.encode(line) for line in text.getvalue().splitlines()]
    faults = sum(len(line.faults) for line in made)
    if faults:
        raise Problem(
            "unload-text-unwritable",
            f"{faults} characters cannot be written in {page.name}",
            where=book,
            fix="give the characters gaiji codes",
        )
    return b"".join((line.data or b"") + b"\r\n" for line in made)


def _column(field: Field, column: pa.Array, lists: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    kind, _, name = field.encoding.partition(":")
    if kind in ("ymd", "ymd9"):
        days = day_numbers(column, OPEN_END if kind == "ymd9" else -1)
        return (f"{day:08d}" if day >= 0 else "" for day in days.tolist())
    if kind == "code":
        column = legacy_codes(column, lists[name], field.name)
    values = column.to_pylist()
    if kind == "list":
        return ("/".join(value or ()) for value in values)
    if kind == "zoned10":
        return (value[-SHORT:] for value in values)
    return ("" if value is None else str(value) for value in values)
