"""What the decoded files of a segment hold, held against what a map reads."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kiban.kernel import Problem, Problems
from kiban.migration.mapping.model import MapLines
from kiban.standard import suggest

_OWN = {"#file": pa.string(), "#record": pa.int64()}


def files(decoded: Path, segment: str) -> list[Path]:
    """The decoded files of a segment, in order; none where it has no record at all."""
    return sorted((decoded / segment).glob("*.parquet"))


def check(made: MapLines, decoded: Path) -> dict[str, dict[str, pa.DataType]]:
    """The columns of every segment a map reads, with their types; text where a segment has no file.

    Raises:
        Problems: `map-field-unknown` for every field that a decoded file does not have.
    """
    problems: list[Problem] = []
    found: dict[str, dict[str, pa.DataType]] = {}
    for segment, fields in made.reads.items():
        found[segment] = {**_OWN, **dict.fromkeys(fields, pa.string())}
        for path in files(decoded, segment):
            schema = pq.read_schema(path)
            found[segment] = dict(zip(schema.names, schema.types, strict=True))
            known = [name for name in schema.names if not name.startswith("#")]
            problems += [
                Problem(
                    "map-field-unknown",
                    f"{segment} of {path.stem} has no field {name}",
                    made.target.map.name,
                    suggest(name, known, "correct 元フィールド, or ask for the file with that column"),
                )
                for name in fields
                if name not in known
            ]
    if problems:
        raise Problems(problems)
    return found
