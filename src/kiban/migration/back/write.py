"""Rows of the registers written as legacy records, read again by the ordinary decoder and rules, and held against what they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from kiban.migration.back.again import Answers, Segments, applies, held
from kiban.migration.back.desk import LINES
from kiban.migration.back.forms import writers
from kiban.migration.back.paper import Mask, New, Numbers, Old, Paper
from kiban.migration.back.piece import Piece, Rows
from kiban.migration.back.texts import Texts, spread, texts
from kiban.migration.mapping import NOT_HELD, NOTHING_BACK, Line

Masks = dict[str, Mask]


@dataclass(frozen=True)
class Tools:
    """What writing takes.

    Attributes:
        paper: the records.
        answers: of each map, by register.
        widths: of numbers in fields of text, by field.
        said: fields by which an unload says what it is, with what stands there from now on; empty to leave them as they were.
        kept: whether a field whose items say what they said when they came keeps its bytes; to prove the way back, none does.
    """

    paper: Paper
    answers: Mapping[str, Answers]
    widths: Mapping[str, int]
    said: Mapping[str, str]
    kept: bool


@dataclass(frozen=True)
class Made:
    """Records as they go back.

    Attributes:
        texts: the legacy values they were made of.
        old, new: what stood there and what goes back.
        old_rows, new_rows: the same of the rows of their tables; None where they have none.
        counts: how many rows each table has now.
        left: fields that nothing writes: they stay as they were, and are empty in new records.
    """

    texts: Texts
    old: Old
    new: New
    old_rows: Old | None
    new_rows: New | None
    counts: Numbers
    left: tuple[str, ...]


def write(piece: Piece, tools: Tools) -> Made:
    """Write records."""
    paper, record = tools.paper, piece.form.record
    old = paper.main.old(piece.files, piece.begins)
    conditional = any(rows.made.target.where is not None for rows in piece.all)
    before = paper.before(old, piece.files, piece.begins) if tools.kept or conditional else {}
    made, absent = _texts(piece, tools)
    keep = _keep(piece, before, tools, old.there) if before else {}
    old_rows, new_rows, counts = _tables(piece, tools, before, old)
    if record is not None and record.table is not None:
        counted = pl.Series(counts).cast(pl.String)
        made = Texts({**made.values, record.table.count: counted}, made.faults, made.nothing)
    made = _conditions(piece, tools, before, old, made, (keep, absent))
    new = paper.main.new(made, old, keep, absent)
    left = tuple(name for name in paper.main.fields if name not in made.values)
    return Made(made, old, new, old_rows, new_rows, counts, left)


@dataclass(frozen=True)
class Again:
    """What is read from records that were written.

    Attributes:
        segments: by the ordinary decoder.
        lost: what did not come back by the ordinary rules; see `desk.LINES`.
        keyless: for the rows of each map, in the order of `Piece.all`, those whose key did not come back: they would be taken for another.
    """

    segments: Segments
    lost: pa.Table
    keyless: tuple[Mask, ...]


def read_again(piece: Piece, made: Made, tools: Tools) -> Again:
    """Read records that were written as a new migration would."""
    segments = tools.paper.read(made.new, made.new_rows, made.counts)
    parts: list[pa.Table] = []
    keyless: list[Mask] = []
    for rows in piece.all:
        known = held(
            rows.made, segments, rows.places(), rows.rows, tools.answers[rows.made.register]
        ).differing()
        parts.append(_lost(rows, known, made.new if rows.index is None else made.new_rows))
        keys = [known[item.romaji].to_numpy() for item in rows.made.group.key if item.romaji in known]
        keyless.append(np.logical_or.reduce([np.zeros(len(rows.at), bool), *keys]))
    parts += [_too_much(piece, rows, segments) for rows in piece.sides]
    return Again(segments, pa.concat_tables(parts), tuple(keyless))


def left_out(piece: Piece, keyless: tuple[Mask, ...]) -> pa.Table:
    """A line for every row that does not go back because its key or that of its record cannot be written."""
    parts = [LINES.empty_table()]
    for rows, mask in zip(piece.all, keyless, strict=True):
        parts.append(_lines(rows, np.flatnonzero(mask | keyless[0][rows.at]), "", pl.lit("record-key")))
    return pa.concat_tables(parts)


def not_given_back(piece: Piece, made: Made, tools: Tools) -> pa.Table:
    """What records that came back byte for byte lose all the same: items that no field gives back (`desk.LINES`)."""
    parts = [LINES.empty_table()]
    for rows in piece.all:
        fields = {} if rows.index is not None else made.texts.values
        lines = [line for line in rows.made.lines if line.how == NOT_HELD or line.rule in NOTHING_BACK]
        lines = [line for line in lines if not line.field or line.field in fields]
        given = [
            fields[name].gather(rows.at).alias(name)
            for name in {line.field: 0 for line in lines if line.field}
        ]
        segments = {rows.made.target.source: rows.places().with_columns(given)}
        answers = tools.answers[rows.made.register]
        known = held(rows.made, segments, rows.places(), rows.rows, answers, lines) if lines else None
        for item, told in known.differing().items() if known else ():
            parts.append(
                _lines(rows, np.flatnonzero(told.to_numpy()), item, _codes(rows.made.line(item), None))
            )
    return pa.concat_tables(parts)


def _texts(piece: Piece, tools: Tools) -> tuple[Texts, Masks]:
    """The legacy values of the records, and by field where a side has no row."""
    found = texts(writers(piece.main.made), piece.main.rows, tools.widths)
    values, faults, nothing = dict(found.values), dict(found.faults), dict(found.nothing)
    absent: Masks = {}
    for side in piece.sides:
        lines = writers(side.made, values)
        more = spread(texts(lines, side.rows, tools.widths), side.at, piece.size)
        values |= more.values
        faults |= more.faults
        nothing |= more.nothing
        absent |= dict.fromkeys(lines, ~side.present(piece.size))
    for name, value in {**tools.paper.told, **tools.said}.items():
        if name in tools.paper.main.fields and name not in values:
            values[name] = pl.repeat(value, piece.size, dtype=pl.String, eager=True)
    return Texts(values, faults, nothing), absent


def _conditions(
    piece: Piece, tools: Tools, before: Segments, old: Old, made: Texts, masks: tuple[Masks, Masks]
) -> Texts:
    """Fill the fields that tell whether a record has a row of a map; of several values with which it has, the old one stays."""
    keep, absent = masks
    values, nothing = dict(made.values), dict(made.nothing)
    for rows in (piece.main, *piece.sides):
        where = rows.made.target.where
        if where is None or where[0] in values:
            continue
        name, codes = where
        present = rows.present(piece.size)
        if tools.kept or len(codes) > 1:
            was = applies(rows.made, _aligned(before[piece.form.segment], piece.main)).to_numpy()
            keep[name] = old.there & (was == present)
        code = pl.lit(codes[0] if len(codes) == 1 else None, pl.String)
        values[name] = pl.select(pl.when(pl.Series(present)).then(code))[:, 0]
        nothing[name], absent[name] = "0", ~present
    return Texts(values, made.faults, nothing)


def _keep(piece: Piece, before: Segments, tools: Tools, there: Mask) -> Masks:
    """By field, where its bytes stay.

    That is where all items that read it say what they said when they came, and where it belongs to a row that was not there and is
    not there now, so that its bytes mean nothing to the standard.
    """
    keep: Masks = {}
    for rows in (piece.main, *piece.sides) if before else ():
        had = applies(rows.made, _aligned(before[piece.form.segment], piece.main)).to_numpy() & there
        never = there & ~had & ~rows.present(piece.size)
        same = _same(rows, before, tools) if tools.kept else {}
        for name in same or writers(rows.made):
            mask = never.copy()
            if name in same:
                mask[rows.at] = same[name] & had[rows.at]
            keep[name] = keep[name] & mask if name in keep else mask
    return keep


def _same(rows: Rows, before: Segments, tools: Tools) -> Masks:
    """By field of the map's own segment, where every item that reads it has the value that is read from it."""
    made = rows.made
    known = held(made, before, rows.places(before=True), rows.rows, tools.answers[made.register])
    other = known.differing()
    found: Masks = {}
    for line in made.lines:
        if line.field and not line.parent:
            same = ~other[line.item].to_numpy() if line.item in other else np.ones(len(rows.rows), bool)
            found[line.inside] = found[line.inside] & same if line.inside in found else same
    return found


def _tables(piece: Piece, tools: Tools, before: Segments, old: Old) -> tuple[Old | None, New | None, Numbers]:
    """The rows of the tables of all records: what stood there, what goes back, and how many each record has."""
    part, rows, record = tools.paper.rows, piece.table, piece.form.record
    if part is None or record is None or record.table is None:
        return None, None, np.zeros(piece.size, np.int64)
    if rows is None or rows.index is None:  # no register has them, so they stay as they were
        stood, counts = tools.paper.table(old, piece.files, piece.begins)
        return stood, New(stood.block), counts
    was = rows.index[1]
    files = [
        piece.files[at] if index else None for at, index in zip(rows.at.tolist(), was.tolist(), strict=True)
    ]
    begins = piece.begins[rows.at] + record.table.offset + (was - 1) * record.table.length
    stood = part.old(files, begins)
    keep: Masks = {}
    if tools.kept:
        keep = {name: same & stood.there for name, same in _same(rows, before, tools).items()}
    made = texts(writers(rows.made), rows.rows, tools.widths)
    return stood, part.new(made, stood, keep, {}), np.bincount(rows.at, minlength=piece.size).astype(np.int64)


def _aligned(frame: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    return rows.places().join(frame, on="#record", how="left", maintain_order="left")


def _lost(rows: Rows, known: Mapping[str, pl.Series], new: New | None) -> pa.Table:
    """What a map's items lost on their way."""
    parts = [LINES.empty_table()]
    for item, told in known.items():
        at = np.flatnonzero(told.to_numpy())
        line = rows.made.line(item)
        faults = new.faults.get(line.inside) if new and not line.parent else None
        places = at if rows.index is not None else rows.at[at]
        codes = _codes(line, faults.gather(places) if faults is not None else None)
        parts.append(_lines(rows, at, item, codes))
    return pa.concat_tables(parts)


def _codes(line: Line, faults: pl.Series | None) -> pl.Expr:
    """Why an item did not come back."""
    if line.how == NOT_HELD:
        return pl.lit("not-held")
    if line.rule in NOTHING_BACK:
        return pl.lit("derived-other")
    return pl.lit(faults).fill_null("differs") if faults is not None else pl.lit("differs")


def _too_much(piece: Piece, rows: Rows, again: Segments) -> pa.Table:
    """Records that say they have a row of a side, which has none."""
    said = applies(rows.made, _aligned(again[piece.form.segment], piece.main)).to_numpy()
    at = np.flatnonzero(said & ~rows.present(piece.size))
    return _lines(piece.main, at, "", pl.lit("condition-other")) if len(at) else LINES.empty_table()


def whose(rows: Rows) -> pa.Table:
    """Whose rows they are: `register`, `subject`, each once."""
    lines = _lines(rows, np.arange(len(rows.at)), "", pl.lit(""))
    return lines.select(["register", "subject"]).group_by(["register", "subject"]).aggregate([])


def _lines(rows: Rows, at: Numbers, item: str, code: pl.Expr) -> pa.Table:
    group = rows.made.group
    subject = pl.concat_str([pl.col(one.romaji).cast(pl.String) for one in group.subject], separator="/")
    history = pl.col(group.history.romaji).cast(pl.String) if group.history else pl.lit("")
    columns = (pl.lit(rows.made.register), subject, history, pl.lit(item), code)
    found = rows.rows[at].select(each.alias(name) for each, name in zip(columns, LINES.names, strict=True))
    return found.to_arrow().cast(LINES)
