"""What was written, read again by the ordinary decoder and the ordinary rules, and held against the rows it was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from kiban.migration import mapping
from kiban.migration.mapping import Line, Map
from kiban.store import arrow_schema

Segments = Mapping[str, pl.DataFrame]
"""Decoded rows by segment, with `#record` and, of tables, `#index`."""
Answers = Mapping[str, pl.DataFrame]
"""What a rule 参照 finds, by item: `#key`, and the two columns that the rule reads."""


def answers(made: Map, decoded: Path) -> dict[str, pl.DataFrame]:
    """What the rules 参照 of a map find in the decoded files."""
    return {line.item: mapping.answers(line, decoded) for line in made.lines if line.lookup is not None}


@dataclass(frozen=True)
class Held:
    """Rows of a register beside what was read again for each of them.

    Attributes:
        made: the map.
        lines: those of it that are looked at.
        frame: the fields that their rules read, row by row; null where no record was read.
        rows: of the register.
    """

    made: Map
    lines: tuple[Line, ...]
    frame: pl.DataFrame
    rows: pl.DataFrame

    def differing(self) -> dict[str, pl.Series]:
        """By item, which rows have another value than what was read again gives; items without any are left out."""
        schema = arrow_schema(self.made.group)
        stored = self.rows.select(pl.col(line.item).alias(f"={line.item}") for line in self.lines)
        columns = [
            mapping.typed_value(line, schema.field(line.item).type)
            .ne_missing(pl.col(f"={line.item}"))
            .alias(line.item)
            for line in self.lines
        ]
        told = self.frame.hstack(stored).lazy().select(columns).collect()
        return {name: told[name] for name in told.columns if told[name].any()}


def held(
    made: Map,
    segments: Segments,
    places: pl.DataFrame,
    rows: pl.DataFrame,
    found: Answers,
    lines: Sequence[Line] | None = None,
) -> Held:
    """Put the rows of a register beside what was read for them.

    Args:
        made: the map.
        segments: what was read.
        places: `#record` of each row, of rows in tables also `#index`.
        rows: of the register, as many.
        found: see `answers`.
        lines: only these of the map; None for all.
    """
    chosen = made.lines if lines is None else tuple(lines)
    own = list(dict.fromkeys(line.field for line in chosen if line.field and not line.parent))
    frame = _joined(places, segments[made.target.source].select(*places.columns, *own), places.columns)
    for parent in dict.fromkeys(line.parent for line in chosen if line.parent):
        named = {line.inside: line.field for line in chosen if line.parent == parent}
        frame = _joined(frame, segments[parent].select("#record", *named).rename(named), ["#record"])
    for line in chosen:
        if line.lookup is not None:
            keyed = frame.with_columns(pl.col(line.field).cast(pl.String).alias("#key"))
            frame = _joined(keyed, found[line.item], ["#key"])
    return Held(made, chosen, frame, rows)


def applies(made: Map, frame: pl.DataFrame) -> pl.Series:
    """Which records become rows of the map's register at all."""
    if made.target.where is None:
        return pl.repeat(True, len(frame), dtype=pl.Boolean, eager=True)
    name, values = made.target.where
    return frame[name].cast(pl.String).is_in(list(values)).fill_null(False)


def _joined(frame: pl.DataFrame, other: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    return frame.join(other, on=list(on), how="left", maintain_order="left")
