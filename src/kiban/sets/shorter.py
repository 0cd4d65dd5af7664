"""The digest of the rows of one Arrow table in less work: what all values of a column have in common is looked at once."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from kiban.sets.digest import Column, duckdb_frame, quoted


def duckdb_digest_of(table: pa.Table, columns: Sequence[Column]) -> str:
    """DuckDB SQL that gives for the rows of a table, and for no others, what `digest.duckdb_digest` gives.

    A column without values is written once, and so is the length of texts that are all of one: codes, numbers, dates.

    Args:
        table: the rows.
        columns: in order; each has a column of its name in the table, of its kind.
    """
    parts: list[str] = []
    written = ""  # what every row has at this place
    for column in columns:
        place = table.schema.get_field_index(column.name)
        before, part = _frame(table.column(place), column) if place >= 0 else ("", duckdb_frame(column))
        written += before
        if part:
            parts += [f"'{written}'", part] if written else [part]
            written = ""
    parts.append(f"'{written}'")
    return f"sha256(concat({', '.join(parts)}))"


def _frame(values: pa.ChunkedArray, column: Column) -> tuple[str, str]:
    """How the frames of all values begin, and the SQL of what follows; without any where nothing does."""
    if values.null_count == len(values):
        return "-1:", ""
    if column.kind != "text" or not pa.types.is_string(values.type):
        return "", duckdb_frame(column)
    lengths = pc.min_max(pc.binary_length(values)).as_py()
    if lengths["min"] != lengths["max"]:
        return "", duckdb_frame(column)
    begin, name = f"{lengths['min']}:", quoted(column.name)
    return ("", f"coalesce('{begin}' || {name}, '-1:')") if values.null_count else (begin, name)
