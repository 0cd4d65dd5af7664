"""A piece of work: some records to be written, with the rows of the registers they are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from kiban.migration.back.forms import Form
from kiban.migration.back.paper import Mask, Numbers
from kiban.migration.mapping import Map

_ORIGIN = ("#row", "#at", "#order", "#index", "#file", "#record", "#offset")


@dataclass(frozen=True)
class Rows:
    """The rows of one map within a piece.

    Attributes:
        made: the map.
        rows: of its register.
        at: the record of each, from 0.
        index: of a row in a table: which it is now, from 1, and which it was, 0 where it was not there; None of others.
    """

    made: Map
    rows: pl.DataFrame
    at: Numbers
    index: tuple[Numbers, Numbers] | None = None

    def places(self, *, before: bool = False) -> pl.DataFrame:
        """Where each is read again, or was read before: `#record`, and of a row in a table `#index`."""
        told = {"#record": self.at + 1}
        if self.index is not None:
            told["#index"] = self.index[1 if before else 0]
        return pl.DataFrame(told)

    def of(self, records: Numbers, size: int) -> Rows:
        """Those of some of the records, which are counted anew."""
        new = np.full(size, -1, np.int64)
        new[records] = np.arange(len(records))
        kept = np.flatnonzero(new[self.at] >= 0)
        index = (self.index[0][kept], self.index[1][kept]) if self.index is not None else None
        return Rows(self.made, self.rows[kept], new[self.at[kept]], index)

    def but(self, left: Mask) -> Rows:
        """Those that are not left out; of a table, numbered anew."""
        kept = np.flatnonzero(~left)
        at, index = self.at[kept], None
        if self.index is not None:
            counts = np.bincount(at)
            begins = np.cumsum(counts) - counts
            index = (np.arange(len(at)) - begins[at] + 1, self.index[1][kept])
        return Rows(self.made, self.rows[kept], at, index)

    def present(self, size: int) -> Mask:
        """Which of so many records have a row."""
        there = np.zeros(size, bool)
        there[self.at] = True
        return there


@dataclass(frozen=True)
class Piece:
    """Some records and the rows they are made of.

    Attributes:
        form: what they are.
        main, sides: rows by map; see `Form`.
        table: rows of their tables, one record after the other; None where no map has them.
        files: name of the file each record came in, None where it is new.
        numbers, begins: which record of it, from 1, and its first byte; 0 where it is new.
    """

    form: Form
    main: Rows
    sides: tuple[Rows, ...]
    table: Rows | None
    files: tuple[str | None, ...]
    numbers: Numbers
    begins: Numbers

    @property
    def size(self) -> int:
        """How many records."""
        return len(self.files)

    def of(self, records: Numbers) -> Piece:
        """Some of the records."""
        sides = tuple(side.of(records, self.size) for side in self.sides)
        table = self.table.of(records, self.size) if self.table is not None else None
        files = tuple(self.files[at] for at in records.tolist())
        main = self.main.of(records, self.size)
        return Piece(self.form, main, sides, table, files, self.numbers[records], self.begins[records])

    def without(self, left: Sequence[Mask]) -> Piece:
        """All but some rows.

        Args:
            left: for the rows of each map, in the order of `all`, those that are left out; of the main one with their records.
        """
        main, *others = left
        sides = tuple(side.but(mask) for side, mask in zip(self.sides, others, strict=False))
        table = self.table.but(others[-1]) if self.table is not None else None
        return replace(self, sides=sides, table=table).of(np.flatnonzero(~main))

    @property
    def all(self) -> Iterator[Rows]:
        """The rows of every map."""
        yield from (self.main, *self.sides)
        if self.table is not None:
            yield self.table


def read_piece(form: Form, paths: Mapping[str, tuple[Path, Path]], first: int, last: int) -> Piece:
    """Take rows from the desk.

    Args:
        form: what they are.
        paths: by register, where its rows lie and where they are placed.
        first: record, from 0.
        last: the record behind the last.
    """
    lying, placed = paths[form.main.register]
    span = pl.col("#row").is_between(first, last - 1)
    rows = pl.scan_parquet(lying).filter(span).sort("#row").collect()
    where = pl.scan_parquet(placed).filter(span).sort("#row").collect()
    sides = tuple(_others(made, paths[made.register][1], first, last, table=False) for made in form.sides)
    table = (
        _others(form.table, paths[form.table.register][1], first, last, table=True) if form.table else None
    )
    return Piece(
        form,
        Rows(form.main, _bare(rows), np.arange(len(rows))),
        sides,
        table,
        tuple(where["#file"].to_list()),
        where["#record"].fill_null(0).to_numpy(),
        where["#offset"].fill_null(0).to_numpy(),
    )


def _others(made: Map, path: Path, first: int, last: int, *, table: bool) -> Rows:
    inside = pl.col("#at").is_between(first, last - 1)
    found = pl.scan_parquet(path).filter(inside).sort("#at", "#order").collect()
    index = (found["#order"].cast(pl.Int64).to_numpy(), found["#index"].fill_null(0).to_numpy())
    return Rows(made, _bare(found), found["#at"].to_numpy() - first, index if table else None)


def _bare(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.drop(name for name in _ORIGIN if name in rows.columns)
