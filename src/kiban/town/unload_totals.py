"""What an old system prints of what it wrote: counts by ward, and of the tax ledger sums by ward and fiscal year."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from kiban.town.unload_fields import nendo
from kiban.town.unload_layout import Book

Counts = Counter[tuple[str, str, str, str]]
"""Value by file, ward, year and item; empty ward or year where a list is not by it. Yen and records, both whole."""

RECORDS, LIVE = "件数", "現在件数"
YEAR = "kazeinendo"
SUMS = {
    "年税額": "nenzeigaku",
    "課税標準額": "kazeihyojungaku",
    "市民税均等割": "shiminzei_kintowari",
    "市民税所得割": "shiminzei_shotokuwari",
    "県民税均等割": "kenminzei_kintowari",
    "県民税所得割": "kenminzei_shotokuwari",
    "森林環境税": "shinrinkankyozei",
}
"""Printed sums of the live rows of the tax ledger."""
EVERY_YEAR_TAX = "年税額（履歴を含む）"
"""The sum of all its rows, which the trailer repeats for the whole file."""


def count(counts: Counts, book: Book, file: str, wards: pa.Array, rows: pa.Table) -> None:
    """Adds rows to what will be printed of a file.

    Args:
        counts: changed.
        book: of the file.
        file: its name without extension.
        wards: legacy code of each row.
        rows: columns of the group, by romaji name.
    """
    live = pc.is_null(rows["valid_to"]).combine_chunks()
    summed = SUMS if book.name == "ZEI" else {}
    years = _years(rows) if summed else pa.array([""] * len(wards), pa.string())
    table = pa.table({"ward": wards, "year": years, **{item: rows[name] for item, name in summed.items()}})
    _add(counts, file, table, {RECORDS: None, **({EVERY_YEAR_TAX: "年税額"} if summed else {})})
    _add(counts, file, table.filter(live), {LIVE: None, **{item: item for item in summed}})


def _add(counts: Counts, file: str, table: pa.Table, items: dict[str, str | None]) -> None:
    asked = [([], "count_all") if column is None else (column, "sum") for column in items.values()]
    grouped = table.group_by(["ward", "year"], use_threads=False).aggregate(asked)
    keys = list(zip(grouped["ward"].to_pylist(), grouped["year"].to_pylist(), strict=True))
    for item, column in items.items():
        name = "count_all" if column is None else f"{column}_sum"
        for (ward, year), value in zip(keys, grouped[name].to_pylist(), strict=True):
            counts[file, ward, year, item] += value


def _years(rows: pa.Table) -> pa.Array:
    """The fiscal year as the old system writes it."""
    numbers = pc.cast(rows[YEAR].combine_chunks(), pa.int64()).to_numpy(zero_copy_only=False)
    return pc.cast(pa.array(nendo(numbers)), pa.string())


def total(counts: Counts, file: str, item: str) -> int:
    """What a file has of an item, over its wards and years."""
    return sum(value for (name, _, _, one), value in counts.items() if (name, one) == (file, item))


def write_totals(path: Path, counts: Counts) -> None:
    """The printed totals as an officer typed them: file, ward, year, item, value."""
    with path.open("w", encoding="cp932", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(("file", "ward", "year", "item", "value"))
        for key in sorted(counts):
            writer.writerow((*key, counts[key]))
