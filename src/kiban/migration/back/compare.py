"""Written records held against the landed files, byte for byte: which came back, and of the others in which fields and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa

from kiban.migration.back.again import Segments, held
from kiban.migration.back.paper import Mask, New, Numbers
from kiban.migration.back.piece import Piece, Rows
from kiban.migration.back.write import Made, Tools, not_given_back, read_again, write

BYTES, WRITING, VALUE, ROWS = "other-bytes", "other-writing", "other-value", "other-rows"
"""The field says the same in other bytes (a one-way code, another sign); its text is another and means the same to the standard; it
means something else; the table has other rows."""
_EXAMPLES = 3


@dataclass
class Compared:
    """How written records agree with the landed files.

    Attributes:
        records: that a landed file has.
        new: records that none has.
        same: of `records`, those that came back byte for byte.
        other: fields whose bytes are others now, by field and reason.
        examples: file and number of the first records of each.
        lost: items that did not come back, by register, item and code.
        left: fields that nothing writes, whose bytes are those of the landed file.
    """

    records: int = 0
    new: int = 0
    same: int = 0
    other: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=dict)
    lost: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    left: tuple[str, ...] = ()

    def add(self, more: Compared) -> None:
        """Take in what was found elsewhere."""
        self.records += more.records
        self.new += more.new
        self.same += more.same
        self.other.update(more.other)
        self.lost.update(more.lost)
        self.left = more.left
        for key, found in more.examples.items():
            self.examples[key] = sorted([*self.examples.get(key, []), *found])[:_EXAMPLES]

    def lose(self, lines: pa.Table) -> None:
        """Count lines of `desk.LINES`."""
        counted = lines.group_by(["register", "item", "code"]).aggregate([([], "count_all")]).to_pylist()
        self.lost.update({(one["register"], one["item"], one["code"]): one["count_all"] for one in counted})

    def note(self, piece: Piece, name: str, reason: str, at: Numbers) -> None:
        """Count a field of some records of a piece."""
        self.other[name, reason] += len(at)
        found = [(str(piece.files[one]), int(piece.numbers[one])) for one in at[:_EXAMPLES].tolist()]
        self.examples[name, reason] = sorted([*self.examples.get((name, reason), []), *found])[:_EXAMPLES]


def compare(piece: Piece, tools: Tools) -> Compared:
    """Write the records of a piece and hold them against what stood there; only those that are not the same are read again."""
    found = Compared()
    made = write(piece, tools)
    found.left, there = made.left, made.old.there
    same = there & ~_moved(piece, made, tools)
    for rows, _, _, mask in _differing(piece, made, tools):
        same[rows.at[mask]] = False
    found.records, found.new, found.same = int(there.sum()), int((~there).sum()), int(same.sum())
    whole = np.flatnonzero(same)
    found.lose(
        not_given_back(piece, made, tools) if len(whole) == piece.size else _but(piece.of(whole), tools)
    )
    rest = np.flatnonzero(~same)
    if len(rest):
        _explain(found, piece.of(rest), tools)
    return found


def _but(piece: Piece, tools: Tools) -> pa.Table:
    return not_given_back(piece, write(piece, tools), tools)


def _explain(found: Compared, piece: Piece, tools: Tools) -> None:
    """Say of records that did not come back byte for byte in which fields and why."""
    made = write(piece, tools)
    again = read_again(piece, made, tools)
    found.lose(again.lost)
    moved = np.flatnonzero(_moved(piece, made, tools) & made.old.there)
    if len(moved):
        found.note(piece, piece.form.segment, ROWS, moved)
    before = tools.paper.before(made.old, piece.files, piece.begins)
    for rows, new, name, mask in _differing(piece, made, tools):
        for reason, where in _reasons(piece, rows, name, mask, (before, again.segments), new, tools):
            found.note(piece, name, reason, rows.at[where])


def _moved(piece: Piece, made: Made, tools: Tools) -> Mask:
    """Records whose tables have other rows than before, or the same in another order."""
    moved = np.zeros(piece.size, bool)
    if piece.table is not None and piece.table.index is not None:
        _, counts = tools.paper.table(made.old, piece.files, piece.begins)
        moved = counts != made.counts
        now, was = piece.table.index
        moved[piece.table.at[now != was]] = True
    return moved


def _differing(piece: Piece, made: Made, tools: Tools) -> Iterator[tuple[Rows, New, str, Mask]]:
    """Every field with other bytes: of which rows, in which of them."""
    for name, mask in tools.paper.main.differing(made.old, made.new).items():
        yield piece.main, made.new, name, mask
    part, rows = tools.paper.rows, piece.table
    if part is not None and rows is not None and made.old_rows is not None and made.new_rows is not None:
        for name, mask in part.differing(made.old_rows, made.new_rows).items():
            yield rows, made.new_rows, name, mask


def _reasons(
    piece: Piece, rows: Rows, name: str, mask: Mask, read: tuple[Segments, Segments], new: New, tools: Tools
) -> Iterator[tuple[str, Mask]]:
    """Why the bytes of a field are others; reasons without a row are left out."""
    left = mask.copy()
    codes = new.faults.get(name, pl.Series([None] * len(mask), dtype=pl.String))
    for code in sorted(codes.drop_nulls().unique().to_list()):
        yield code, left & (codes == code).fill_null(False).to_numpy()
    left &= codes.is_null().to_numpy()
    texts = [_text(rows, segments, name, before=at == 0) for at, segments in enumerate(read)]
    equal = texts[0].eq_missing(texts[1]).to_numpy()
    means = _means(piece, rows, name, read[0], tools)
    for reason, where in ((BYTES, equal), (WRITING, ~equal & means), (VALUE, ~equal & ~means)):
        if (left & where).any():
            yield reason, left & where


def _text(rows: Rows, segments: Segments, name: str, *, before: bool) -> pl.Series:
    places = rows.places(before=before)
    own = segments[rows.made.target.source].select(*places.columns, pl.col(name).cast(pl.String))
    return places.join(own, on=places.columns, how="left", maintain_order="left")[name]


def _means(piece: Piece, rows: Rows, name: str, before: Segments, tools: Tools) -> Mask:
    """Where all items that read a field have the value that the landed file gives them."""
    means = np.ones(len(rows.at), bool)
    for one in (piece.main, *piece.sides) if rows is piece.main else (rows,):
        lines = [line for line in one.made.lines if line.inside == name and line.field and not line.parent]
        if not lines:
            continue
        known = held(
            one.made, before, one.places(before=True), one.rows, tools.answers[one.made.register], lines
        )
        for told in known.differing().values():
            means[one.at if rows is piece.main else np.arange(len(means))] &= ~told.to_numpy()
    return means
