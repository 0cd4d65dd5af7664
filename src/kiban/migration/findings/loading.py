"""What no check has to declare: values that could not be decoded, that a map refuses, or that the register would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from kiban import store
from kiban.migration.findings.segments import Segments
from kiban.migration.mapping import Map, named, quoted

DECODED, MAPPED, LOADED = "復号", "変換", "収録"
"""How the names of their rules begin: 復号:FIELD, 変換:SEGMENT.FIELD, 収録:SEGMENT.FIELD."""
MADE = (DECODED, MAPPED, LOADED)
_BATCH = 1 << 16


def undecoded(db: Segments, tables: Mapping[str, tuple[int, int]]) -> None:
    """Every line of the decode ledger as a finding of its record, or of the row of a table in which it lies.

    Where a record could not be read at all it is in no segment, and the finding names none.

    Args:
        db: the decoded output.
        tables: see `books.Books`.
    """
    fields = [(name, segment) for segment, names in db.fields.items() for name in names]
    known = ", ".join(f"({quoted(name)}, {quoted(segment)})" for name, segment in fields) or "(NULL, NULL)"
    starts = [
        f'SELECT DISTINCT {quoted(name)} AS segment, "#file" AS file, "#record" AS record, "#offset" + {offset} AS start, '
        f"{length} AS size FROM held.{named(name)}"
        for name, (offset, length) in tables.items()
        if name in db.fields
    ]
    starts = starts or ["SELECT '' AS segment, '' AS file, 0 AS record, 0 AS start, 1 AS size WHERE false"]
    db.query.execute(
        f"INSERT INTO found SELECT DISTINCT '{DECODED}:' || l.field, 'must', coalesce(k.segment, ''), l.file, l.record, "
        f'coalesce((l."offset" - s.start) // s.size + 1, 0), l.field, l.code '
        f"FROM ledger l LEFT JOIN (VALUES {known}) k(field, segment) ON k.field = l.field "
        f"LEFT JOIN ({' UNION ALL '.join(starts)}) s ON s.segment = k.segment AND s.file = l.file AND s.record = l.record"
    )


_READ = "NOT EXISTS (SELECT 1 FROM ledger l WHERE l.file = {} AND l.record = {} AND l.field = {})"
"""That a field is not in the decode ledger: what could not be decoded is told once."""


def unfit(db: Segments, made: Map, decoded: Path) -> None:
    """Every value that a rule of a map cannot take, and everything the register would refuse of what the rules make.

    Rules and the standard look at single values, or at the two ends of a period, so every different value is looked at once, and only
    those at fault are looked up in the rows. One finding for each field of a record, with the first reason there is.

    Args:
        db: the decoded output.
        made: the map.
        decoded: output of the stage decode.
    """
    ends = tuple(line for line in made.lines if line.item in ("valid_from", "valid_to"))
    for lines in [(line,) for line in made.lines if line.field] + [ends] * (len(ends) == 2):
        part = replace(made, lines=lines)
        bad = _bad(db, part, decoded)
        if bad.num_rows:
            db.query.register("bad", bad)
            _tell(db, part, decoded)
            db.query.unregister("bad")


def _bad(db: Segments, part: Map, decoded: Path) -> pa.Table:
    """The different values at fault: what was read, and kind and code of the fault."""
    line = part.lines[-1]
    read = list(dict.fromkeys(one.field for one in part.lines))
    told: list[pa.RecordBatch] = []
    for batch in db.query.sql(part.values_sql(decoded)).to_arrow_reader(_BATCH):
        refused = pa.nulls(batch.num_rows, pa.string())
        if len(part.lines) == 1:  # what the rules of the two ends refuse is told of each of them
            refused = batch.column(f"{line.item}!")
        codes = {
            int(row): (LOADED, one.code)
            for one in store.broken(batch, part.group, part.edition.codes)
            for row in reversed(one.rows.to_pylist())
        }
        codes |= {
            row: (MAPPED, refused[row].as_py())
            for row in pc.indices_nonzero(pc.is_valid(refused)).to_pylist()
        }
        if codes:
            rows = pa.array(sorted(codes), pa.int64())
            kinds = [pa.array([codes[row][at] for row in sorted(codes)], pa.string()) for at in (0, 1)]
            columns = [*(batch.column(name).take(rows) for name in read), *kinds]
            told.append(
                pa.RecordBatch.from_arrays(
                    columns, names=[*(f"r{at}" for at in range(len(read))), "kind", "code"]
                )
            )
    return pa.Table.from_batches(told) if told else pa.table({"code": pa.array([], pa.string())})


def _tell(db: Segments, part: Map, decoded: Path) -> None:
    """Find the rows that hold the values at fault."""
    line = part.lines[-1]
    segment = line.parent or part.target.source
    read = dict.fromkeys(one.field for one in part.lines)
    same = " AND ".join(f"b.r{at} IS NOT DISTINCT FROM r.{named(name)}" for at, name in enumerate(read))
    index = "0" if line.parent else 'r."#index"'
    field = quoted(line.inside)
    origin = 'r."#file"', 'r."#record"'
    told = f"f.segment = {quoted(segment)} AND f.file = {origin[0]} AND f.record = {origin[1]} AND f.index = {index} AND f.field = {field}"
    made = f"(f.rule LIKE '{MAPPED}:%' OR f.rule LIKE '{LOADED}:%')"
    db.query.execute(
        f"INSERT INTO found SELECT DISTINCT b.kind || ':' || {quoted(f'{segment}.{line.inside}')}, 'must', {quoted(segment)}, "
        f"{origin[0]}, {origin[1]}, {index}, {field}, b.code FROM ({part.rows_sql(decoded)}) r JOIN bad b ON {same} "
        f"WHERE {_READ.format(*origin, field)} AND NOT EXISTS (SELECT 1 FROM found f WHERE {told} AND {made})"
    )
