"""Counts by ward and fiscal year, and sums to the yen: PostgreSQL's on one side, DuckDB's of the decoded files on the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa

from kiban import store
from kiban.kernel import Actor
from kiban.migration.mapping import named
from kiban.migration.proof.side import Decoded
from kiban.store import Store

Number = int | Decimal
Place = tuple[str, str]
"""A ward of the standard and a fiscal year; "" where a group has none, or a row says none."""


@dataclass
class Cell:
    """One ward and fiscal year of a register, on both sides.

    Attributes:
        source, stored: rows that have to be there, and rows that are.
        source_sums, stored_sums: by item; an item of which no row has a value adds up to 0.
        every: rows of the segment, also those that were merged or rejected.
        merged, rejected: rows that the decisions of cleansing left out.
    """

    source: int = 0
    stored: int = 0
    source_sums: dict[str, Number] = field(default_factory=dict)
    stored_sums: dict[str, Number] = field(default_factory=dict)
    every: int = 0
    merged: int = 0
    rejected: int = 0

    @property
    def uneven(self) -> list[str]:
        """What does not agree: `rows`, `balance` (every row = stored + merged + rejected), or the item whose sums differ."""
        found = ["rows"] * (self.source != self.stored)
        found += ["balance"] * (self.every != self.stored + self.merged + self.rejected)
        names = dict.fromkeys([*self.source_sums, *self.stored_sums])
        return found + [n for n in names if self.source_sums.get(n, 0) != self.stored_sums.get(n, 0)]


def count(
    opened: Store, connection: duckdb.DuckDBPyConnection, decoded: Decoded, rows: Path, actor: Actor
) -> dict[Place, Cell]:
    """Count and add up both sides of a register.

    Args:
        opened: the store.
        connection: a DuckDB; see `side.engine`.
        decoded: the side that is right.
        rows: rows.parquet of the stage transform, from which only the rows left out are taken.
        actor: who reads.

    Returns:
        Every ward and year that any side names, in order.
    """
    cells: dict[Place, Cell] = {}
    for place, number, sums in _source(connection, decoded, decoded.numbers):
        cell = cells.setdefault(place, Cell())
        cell.source, cell.source_sums = number, sums
    for place, number, _ in _source(connection, decoded, [], every=True):
        cells.setdefault(place, Cell()).every = number
    for place, number, sums in _stored(opened, decoded, actor):
        cell = cells.setdefault(place, Cell())
        cell.stored, cell.stored_sums = number, sums
    left_out = connection.execute(
        "SELECT ward, year, sum(merged)::BIGINT, sum(rejected)::BIGINT FROM read_parquet(?, hive_partitioning = false) "
        "WHERE register = ? GROUP BY ALL",
        [str(rows), decoded.register],
    ).fetchall()
    for ward, year, merged, rejected in left_out:
        cell = cells.setdefault((ward or "", year or ""), Cell())
        cell.merged, cell.rejected = merged, rejected
    return dict(sorted(cells.items()))


def total(cells: Mapping[Place, Cell]) -> Cell:
    """All cells of a register together."""
    whole = Cell()
    for cell in cells.values():
        whole.source += cell.source
        whole.stored += cell.stored
        whole.every += cell.every
        whole.merged += cell.merged
        whole.rejected += cell.rejected
        _add(whole.source_sums, cell.source_sums)
        _add(whole.stored_sums, cell.stored_sums)
    return whole


def _add(to: dict[str, Number], sums: Mapping[str, Number]) -> None:
    for name, value in sums.items():
        to[name] = to.get(name, 0) + value


Line = tuple[Place, int, dict[str, Number]]


def _source(
    connection: duckdb.DuckDBPyConnection, decoded: Decoded, numbers: list[str], *, every: bool = False
) -> Iterable[Line]:
    places = (decoded.ward, decoded.year)
    wanted = [named(item.romaji) if item else "''" for item in places]
    sums = [f"coalesce(sum({named(name)}), 0)" for name in numbers]
    rows = decoded.select([*(item.romaji for item in places if item), *numbers], every)
    found = connection.execute(
        f"SELECT {', '.join([*wanted, 'count(*)', *sums])} FROM ({rows}) GROUP BY {', '.join(wanted)}"
    )
    for ward, year, number, *values in found.fetchall():
        yield (ward or "", year or ""), int(number), dict(zip(numbers, map(_whole, values), strict=True))


def _stored(opened: Store, decoded: Decoded, actor: Actor) -> Iterable[Line]:
    by = [item.romaji for item in (decoded.ward, decoded.year) if item]
    found: pa.Table = store.tally(opened, decoded.register, by, decoded.numbers, actor)
    for row in found.to_pylist():
        place = tuple((row[item.romaji] if item else None) or "" for item in (decoded.ward, decoded.year))
        yield (place[0], place[1]), row["_rows"], {name: _whole(row[name] or 0) for name in decoded.numbers}


def _whole(value: Number) -> Number:
    """A sum as a whole number where it is one."""
    return int(value) if value == int(value) else value
