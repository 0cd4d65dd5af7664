"""Rows of a register as values of the legacy system: text by field, or why a value has no way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa

from kiban.migration.mapping import Line, Source, inverse_rule
from kiban.migration.records import Field, decimals

NO_NUMBER, WIDE = "number-form", "digits-many"
_NUMBER = r"^-?[0-9]+([.][0-9]+)?$"


@dataclass(frozen=True)
class Texts:
    """Legacy values of some rows.

    Attributes:
        values: by field, as text; null where the legacy system has nothing.
        faults: by field, why a value has no way back; fields without any are left out.
        nothing: by field, what stands for nothing where it holds numbers; fields for which no number does are left out.
    """

    values: Mapping[str, pl.Series]
    faults: Mapping[str, pl.Series] = field(default_factory=dict)
    nothing: Mapping[str, str] = field(default_factory=dict)


def texts(lines: Mapping[str, Line], rows: pl.DataFrame, widths: Mapping[str, int]) -> Texts:
    """The way back of the rows of a register.

    Args:
        lines: by field, what gives it back; see `forms.writers`.
        rows: columns of the register as `store.arrow_schema` names and types them.
        widths: of numbers in fields of text.
    """
    ways = {}
    for name, line in lines.items():
        source = Source(line.field, line.argument, line.codes)
        ways[name] = inverse_rule(line.rule, source, line.item, widths.get(name))
    made = {name: way for name, way in ways.items() if way is not None}
    columns = [way.value.alias(f"v{at}") for at, way in enumerate(made.values())]
    columns += [way.fault.alias(f"f{at}") for at, way in enumerate(made.values())]
    found = rows.select(columns)
    faults = {name: found[f"f{at}"] for at, name in enumerate(made)}
    return Texts(
        {name: found[f"v{at}"] for at, name in enumerate(made)},
        {name: codes for name, codes in faults.items() if codes.null_count() < len(codes)},
        {name: way.nothing for name, way in made.items() if way.nothing is not None},
    )


def typed(one: Field, values: pl.Series, nothing: str | None) -> tuple[pa.Array, pl.Series | None]:
    """Legacy values as decoding would give them, and the code of what is no number of the field.

    Args:
        one: the field.
        values: its texts.
        nothing: the number that stands for nothing, if one does.
    """
    if one.kind in {"text", "national"}:
        return values.to_arrow().cast(pa.string()), None
    text = values.fill_null(nothing) if nothing is not None else values
    numbers = text.cast(pl.Int64, strict=False) if not one.scale else _whole(text, one.scale)
    valid = numbers.is_not_null().to_numpy()
    whole = numbers.fill_null(0).to_numpy()
    array = decimals(one, whole, valid) if one.scale else pa.array(whole, mask=~valid)
    wrong = text.is_not_null() & numbers.is_null()
    if not wrong.any():
        return array, None
    code = pl.when(pl.col("t").str.contains(_NUMBER)).then(pl.lit(WIDE)).otherwise(pl.lit(NO_NUMBER))
    return array, pl.DataFrame({"t": text, "w": wrong}).select(pl.when("w").then(code))[:, 0]


def _whole(text: pl.Series, scale: int) -> pl.Series:
    """Numbers without their decimal point; null for those that have more decimals than a field."""
    tail = pl.col("t").str.extract(r"[.]([0-9]+)$", 1).fill_null("").str.strip_chars_end("0")
    digits = pl.col("t").str.extract(r"^(-?[0-9]+)", 1) + tail.str.pad_end(scale, "0")
    fits = pl.col("t").str.contains(_NUMBER) & (tail.str.len_bytes() <= scale)
    return text.alias("t").to_frame().select(pl.when(fits).then(digits.cast(pl.Int64, strict=False)))[:, 0]


def spread(made: Texts, at: Sequence[int] | np.ndarray, rows: int) -> Texts:
    """The values of some rows at their places among more; null and without fault elsewhere."""
    place = np.full(rows, len(at), np.int64)
    place[np.asarray(at, np.int64)] = np.arange(len(at))
    picked = pl.Series(place)

    def moved(series: pl.Series) -> pl.Series:
        return series.extend_constant(None, 1).gather(picked)

    return Texts(
        {name: moved(values) for name, values in made.values.items()},
        {name: moved(codes) for name, codes in made.faults.items()},
        made.nothing,
    )
