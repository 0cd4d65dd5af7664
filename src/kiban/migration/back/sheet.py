"""Lines of CSV files on the way back: what stood there, what goes back, and what is read from it."""

from __future__ import annotations

import csv
import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from kiban.characters import CodePage
from kiban.migration import records
from kiban.migration.back.paper import Mask, New, Numbers, Old
from kiban.migration.back.texts import Texts

_MARKS = (b'"', b",", b"\r", b"\n")


@dataclass(frozen=True)
class Columns:
    """A `Part` of cells; its blocks are lists of the cells of a line, as bytes without their quotes.

    Attributes:
        page: of the files.
        segment: of their lines.
        paths: landed file of each part, by its name in the plan.
    """

    page: CodePage
    segment: str
    paths: Mapping[str, Path]

    @cached_property
    def heading(self) -> bytes:
        """The line of column names, with its end."""
        with next(iter(self.paths.values())).open("rb") as file:
            return file.readline()

    @cached_property
    def fields(self) -> Sequence[str]:
        """Names of the columns."""
        return [self.page.decode(cell).text or "" for cell in _cells(self.heading)]

    @property
    def end(self) -> bytes:
        """The end of a line."""
        return b"\r\n" if self.heading.endswith(b"\r\n") else b"\n"

    def old(self, files: Sequence[str | None], begins: Numbers) -> Old:
        """See `Part.old`."""
        there = np.array([name is not None for name in files], bool)
        block: list[list[bytes]] = [[b""] * len(self.fields) for _ in files]
        for name, path in self.paths.items():
            rows = [at for at, one in enumerate(files) if one == name]
            if rows:
                with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    for at in rows:
                        block[at] = _cells(_line(data, int(begins[at])))
        return Old(block, there)

    def new(self, made: Texts, old: Old, keep: Mapping[str, Mask], absent: Mapping[str, Mask]) -> New:
        """See `Part.new`."""
        lines = [list(cells) for cells in old.block]
        faults: dict[str, pl.Series] = {}
        for at, name in enumerate(self.fields):
            if name not in made.values:
                continue
            kept = keep.get(name, np.zeros(len(lines), bool)) & old.there
            known: dict[str | None, tuple[bytes, str | None]] = {None: (b"", None)}
            own = made.faults.get(name)
            codes = own.to_list() if own is not None else [None] * len(lines)
            for row, text in enumerate(made.values[name].to_list()):
                if kept[row]:
                    codes[row] = None
                    continue
                if text not in known:
                    wrote = self.page.encode(text)
                    known[text] = (wrote.data or b"", wrote.faults[0].code if wrote.faults else None)
                lines[row][at], code = known[text]
                codes[row] = codes[row] or code
            if any(codes):
                faults[name] = pl.Series(codes, dtype=pl.String)
        return New(lines, faults)

    def differing(self, old: Old, new: New) -> dict[str, Mask]:
        """See `Part.differing`."""
        found: dict[str, Mask] = {}
        for at, name in enumerate(self.fields):
            pairs = zip(old.block, new.block, strict=True)
            other = (
                np.fromiter((before[at] != now[at] for before, now in pairs), bool, len(new.block))
                & old.there
            )
            found |= {name: other} if other.any() else {}
        return found


@dataclass(frozen=True)
class Sheet:
    """A `Paper` of lines.

    Attributes:
        main: their columns.
    """

    main: Columns
    rows: None = None

    @property
    def told(self) -> Mapping[str, str]:
        """Nothing is the same in every line."""
        return {}

    def before(self, old: Old, _files: Sequence[str | None], _begins: Numbers) -> dict[str, pl.DataFrame]:
        """See `Paper.before`."""
        return self._read(old.block)

    def table(self, _old: Old, files: Sequence[str | None], _begins: Numbers) -> tuple[Old, Numbers]:
        """See `Paper.table`: lines have none."""
        return Old([], np.zeros(0, bool)), np.zeros(len(files), np.int64)

    def read(self, new: New, _rows: New | None, _counts: Numbers) -> dict[str, pl.DataFrame]:
        """See `Paper.read`."""
        return self._read(new.block)

    def _read(self, lines: list[list[bytes]]) -> dict[str, pl.DataFrame]:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "lines.csv"
            path.write_bytes(self.main.heading + self._data(lines))
            batches = list(records.decode_csv("", path, self.main.page, self.main.segment))
        found = [pl.DataFrame(batch.segments[self.main.segment]) for batch in batches]
        if found:
            return {self.main.segment: pl.concat(found)}
        columns = {"#file": pl.String, "#record": pl.Int64, "#offset": pl.Int64}
        return {
            self.main.segment: pl.DataFrame(schema={**columns, **dict.fromkeys(self.main.fields, pl.String)})
        }

    def data(self, new: New, _rows: New | None, _counts: Numbers) -> bytes:
        """See `Paper.data`."""
        return self._data(new.block)

    def _data(self, lines: list[list[bytes]]) -> bytes:
        return b"".join(b",".join(map(_quoted, cells)) + self.main.end for cells in lines)


def _line(data: mmap.mmap, begin: int) -> bytes:
    """The line that begins at a byte, with the line ends within its quotes, without its own."""
    end = begin
    while True:
        end = data.find(b"\n", end) + 1 or len(data)
        line = data[begin:end]
        if line.count(b'"') % 2 == 0 or end == len(data):
            return line.rstrip(b"\r\n")


def _cells(line: bytes) -> list[bytes]:
    text = line.rstrip(b"\r\n").decode("latin-1")
    return [cell.encode("latin-1") for cell in next(csv.reader([text]), [])]


def _quoted(cell: bytes) -> bytes:
    if any(mark in cell for mark in _MARKS):
        return b'"' + cell.replace(b'"', b'""') + b'"'
    return cell
