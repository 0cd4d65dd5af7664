"""What the copybooks of a plan tell the checks: how long text fields are, and where the rows of tables lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kiban.migration.findings.segments import Width
from kiban.migration.plan import Plan
from kiban.migration.records import Field, Source
from kiban.migration.records.layout import base_name
from kiban.migration.sources import source_of


@dataclass(frozen=True)
class Books:
    """What the copybooks tell.

    Attributes:
        widths: of each text field, by its name.
        tables: of each table at the end of records, by its name: the byte of the record where it begins, and the bytes of a row.
    """

    widths: dict[str, Width]
    tables: dict[str, tuple[int, int]]


def read_books(plan: Plan) -> Books:
    """Read every copybook of the plan, once.

    Raises:
        Problem, Problems: as `source_of`.
    """
    books = Books({}, {})
    seen: set[str] = set()
    for file in plan.files:
        if file.form == "csv" or file.kind in seen:
            continue
        seen.add(file.kind)
        source = source_of(plan, file, plan.unload)
        for record in source.copybook.records:
            fields = record.fields + (record.table.fields if record.table else ())
            books.widths.update(_widths(source, fields))
            if record.table:
                books.tables[record.table.name] = (record.table.offset, record.table.length)
    return books


def _widths(source: Source, fields: tuple[Field, ...]) -> Iterator[tuple[str, Width]]:
    page = source.page
    for field in fields:
        if field.kind not in {"text", "national"}:
            continue
        usual = "double" if field.kind == "national" else "single"
        mode = source.reading.modes.get(base_name(field.name), usual)
        if mode == "mixed":
            shifts = sum(len(codes[0]) for codes in (page.to_double, page.to_single) if codes)
            yield field.name, Width(field.length, shifts)
        else:
            yield field.name, Width(field.length // 2 if mode == "double" else field.length)
