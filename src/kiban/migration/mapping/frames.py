"""A map by Polars over decoded files, in pieces of bounded memory: what the transform does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from kiban.migration.mapping.decoded import check, files
from kiban.migration.mapping.model import Line, MapLines
from kiban.store import arrow_schema

ROWS: Final = 65_536
"""Rows of a piece: two blocks of the decoder."""

_ORIGIN: Final = ("#file", "#record", "#index")
_FATE, _WARD, _YEAR, _BAD = "#fate", "#ward", "#year", "#bad"
_NAMED: Final = ("segment", "file", "record", "index", "item", "field", "rule", "code")

REFUSED: Final = pa.schema(
    [(name, pa.int64() if name in ("record", "index") else pa.string()) for name in _NAMED]
)
"""A row for every value that its rule refuses: where it stands, which item it was for, and why it cannot be taken."""

COUNTS: Final = pa.schema(
    [("register", pa.string()), ("file", pa.string()), ("ward", pa.string()), ("year", pa.string())]
    + [(name, pa.int64()) for name in ("source", "mapped", "merged", "rejected", "refused")]
)
"""Rows by file of the plan, ward of the standard and fiscal year, "" where there is none; source is the sum of the others."""


@dataclass(frozen=True)
class Piece:
    """What some records of a file became.

    Attributes:
        file: of the plan.
        number: of the piece within the file, from 0.
        rows: of the group, exactly in `store.arrow_schema`, in the order of the file; rows that are left out, or hold a value that is
            refused, are not among them.
        refused: see `REFUSED`.
        counts: see `COUNTS`.
    """

    file: str
    number: int
    rows: pa.Table
    refused: pa.Table
    counts: pa.Table


def pieces(made: MapLines, decoded: Path, excluded: Path | None, only: str | None) -> Iterator[Piece]:
    """See `Map.pieces`."""
    check(made, decoded)
    known = [(line, answers(line, decoded)) for line in made.lines if line.lookup is not None]
    for path in files(decoded, made.target.source):
        if only is not None and path.stem != only:
            continue
        left_out = _left_out(made, path.stem, excluded)
        for number, start in enumerate(range(0, pq.read_metadata(path).num_rows, ROWS)):
            frame = _joined(_read(made, path, start), left_out, list(_ORIGIN[1:]))
            frame = _with_parents(made, decoded, path.stem, frame)
            for line, found in known:
                keyed = frame.with_columns(pl.col(line.field).cast(pl.String).alias("#key"))
                frame = _joined(keyed, found, ["#key"])
            yield _piece(made, path.stem, number, frame)


def _joined(frame: pl.DataFrame, other: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    return frame.join(other, on=on, how="left", maintain_order="left")


def _read(made: MapLines, path: Path, start: int) -> pl.DataFrame:
    frame = pl.scan_parquet(path).slice(start, ROWS)
    index = (
        pl.col("#index") if "#index" in pq.read_schema(path).names else pl.lit(0, pl.Int64).alias("#index")
    )
    frame = frame.select(*_ORIGIN[:2], index, *made.reads[made.target.source])
    if made.target.where is not None:
        name, values = made.target.where
        frame = frame.filter(pl.col(name).cast(pl.String).is_in(values))
    return frame.collect()


def _left_out(made: MapLines, file: str, excluded: Path | None) -> pl.DataFrame:
    """The records of a file that the stage cleanse leaves out, with their fate."""
    if excluded is None:
        return pl.DataFrame(schema={"#record": pl.Int64, "#index": pl.Int64, _FATE: pl.String})
    mine = (pl.col("segment") == made.target.source) & (pl.col("file") == file)
    rows = pl.scan_parquet(excluded).filter(mine).select("record", "index", "fate").collect()
    return rows.rename({"record": "#record", "index": "#index", "fate": _FATE})


def _with_parents(made: MapLines, decoded: Path, file: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the fields of the records that its table rows belong to."""
    for segment in dict.fromkeys(line.parent for line in made.lines if line.parent):
        path = decoded / segment / f"{file}.parquet"
        fields = {line.inside: line.field for line in made.lines if line.parent == segment}
        span = pl.col("#record").is_between(frame["#record"].min(), frame["#record"].max())
        parents = pl.scan_parquet(path).filter(span).select("#record", *fields).rename(fields)
        frame = _joined(frame, parents.collect(), ["#record"])
    return frame


def answers(line: Line, decoded: Path) -> pl.DataFrame:
    """What the rule 参照 of a line can look up, by `#key`: one answer for each, and how many different ones there are.

    Args:
        line: with a look-up.
        decoded: the output of the stage decode.
    """
    lookup = line.lookup
    assert lookup is not None
    paths = files(decoded, lookup.segment)
    if not paths:
        return pl.DataFrame(schema={"#key": pl.String, line.found: pl.String, line.ways: pl.Int64})
    text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in lookup.fields])
    rows = pl.scan_parquet(paths).select(
        pl.col(lookup.key).cast(pl.String).alias("#key"), text.alias("#text")
    )
    held = pl.when(pl.col("#text") != "").then(pl.col("#text")).min()
    ways = pl.col("#text").n_unique().cast(pl.Int64)
    return (
        rows.drop_nulls("#key").group_by("#key").agg(held.alias(line.found), ways.alias(line.ways)).collect()
    )


def _piece(made: MapLines, file: str, number: int, frame: pl.DataFrame) -> Piece:
    schema = arrow_schema(made.group)
    values = [typed_value(line, schema.field(line.item).type).alias(line.item) for line in made.lines]
    told = frame.lazy().select(_FATE, *values, _text(made, _WARD), _text(made, _YEAR)).collect()
    here = told[_FATE].is_null()
    refused = pl.concat([_refused(made, line, frame, told, here) for line in made.lines])
    told = told.with_columns(pl.int_range(pl.len()).is_in(refused["#row"].implode()).alias(_BAD))
    rows = told.filter(here & ~told[_BAD]).select(schema.names)
    listed = refused.drop("#row").to_arrow().cast(REFUSED)
    return Piece(file, number, rows.to_arrow().cast(schema), listed, _counts(made, file, told))


def typed_value(line: Line, kind: pa.DataType) -> pl.Expr:
    """What a line's rule makes, in the type of the store."""
    value = line.compiled.value
    if pa.types.is_list(kind):
        return value.cast(pl.List(pl.String))
    if pa.types.is_decimal(kind):
        return value.cast(pl.Decimal(kind.precision, kind.scale))
    if pa.types.is_date(kind):
        return value.str.to_date("%Y-%m-%d")
    return value.cast({pa.int64(): pl.Int64, pa.binary(): pl.Binary}.get(kind, pl.String))


def _text(made: MapLines, name: str) -> pl.Expr:
    """The ward or the fiscal year a row belongs to, as the map says it; "" where the group has none or nothing is held."""
    years = [item for item in made.group.key if item.type == "YEAR"]
    item = made.group.ward if name == _WARD else next(iter(years), None)
    value = made.line(item.romaji).compiled.value if item is not None else pl.lit(None, pl.String)
    return value.fill_null("").alias(name)


def _refused(
    made: MapLines, line: Line, frame: pl.DataFrame, told: pl.DataFrame, here: pl.Series
) -> pl.DataFrame:
    """The values of a line that its rule refuses; only rows without a value are looked at, and only where there is doubt."""
    needed = [name for name in (line.field, line.found, line.ways) if name in frame.columns]
    rows = frame.lazy().select(*_ORIGIN, *needed, pl.int_range(pl.len()).alias("#row"))
    in_doubt = rows.filter(told[line.item].is_null() & here).filter(line.compiled.doubt)
    return in_doubt.select(
        pl.lit(made.target.source).alias("segment"),
        *(pl.col(name).alias(name[1:]) for name in _ORIGIN),
        pl.lit(line.item).alias("item"),
        pl.lit(line.field).alias("field"),
        pl.lit(line.rule).alias("rule"),
        line.compiled.fault.alias("code"),
        "#row",
    ).drop_nulls("code").collect()  # fmt: skip


def _counts(made: MapLines, file: str, told: pl.DataFrame) -> pa.Table:
    here = pl.col(_FATE).is_null()
    kinds = {
        "mapped": here & ~pl.col(_BAD),
        "merged": pl.col(_FATE).eq_missing("merged"),
        "rejected": pl.col(_FATE).eq_missing("rejected"),
        "refused": pl.col(_BAD),
    }
    sums = [condition.sum().cast(pl.Int64).alias(name) for name, condition in kinds.items()]
    counted = told.group_by(_WARD, _YEAR).agg(pl.len().cast(pl.Int64).alias("source"), *sums)
    named = counted.sort(_WARD, _YEAR).select(
        pl.lit(made.register).alias("register"),
        pl.lit(file).alias("file"),
        pl.col(_WARD).alias("ward"),
        pl.col(_YEAR).alias("year"),
        *COUNTS.names[4:],
    )
    return named.to_arrow().cast(COUNTS)
