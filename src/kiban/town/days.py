"""Days as numbers since 1970-01-01, and how the register writes them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kiban.town.arrays import Bools, Ints

NEVER = 1_000_000
"""A day after all others: the end of what has not ended."""
FIRST_WRITTEN = date(1880, 1, 1)
LAST_WRITTEN = date(2120, 1, 1)
_START = FIRST_WRITTEN.toordinal() - date(1970, 1, 1).toordinal()
_COUNT = (LAST_WRITTEN - FIRST_WRITTEN).days
WRITTEN = pc.cast(
    pa.array(np.arange(_START, _START + _COUNT, dtype=np.int32), pa.int32()).cast(pa.date32()), pa.string()
)
"""Every day of the range as YYYY-MM-DD."""


def number(day: date) -> int:
    """The number of a day."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def written(days: Ints, mask: Bools | None = None) -> pa.Array:
    """Days as YYYY-MM-DD; null where masked."""
    index = pa.array(np.clip(days - _START, 0, _COUNT - 1), pa.int32(), mask=mask)
    return WRITTEN.take(index)


def dates(days: Ints) -> pa.Array:
    """Days as date32; null for `NEVER`."""
    return pa.array(days.astype(np.int32), pa.int32(), mask=days >= NEVER).cast(pa.date32())


def anniversary(day: date, years_before: Ints) -> Ints:
    """The same day some years earlier; 29 February becomes the 28th in common years."""
    years = day.year - years_before
    month = (years - 1970) * 12 + day.month - 1
    first = month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    after = (month + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    found: Ints = np.minimum(first + day.day - 1, after - 1)
    return found


def births(day: date, age: Ints, rng: np.random.Generator) -> Ints:
    """A random birthday for each age in completed years on a day."""
    last, before = anniversary(day, age), anniversary(day, age + 1)
    return rng.integers(before + 1, last + 1).astype(np.int64)


def years_of(days: Ints) -> Ints:
    """Western years."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def ages_on(day: Ints | int, birth: Ints) -> Ints:
    """Completed years by days of 365.2425, good to a day: for rules of thumb, not for rules of law."""
    return np.floor((day - birth) / 365.2425).astype(np.int64)


def between(low: Ints, high: Ints, rng: np.random.Generator) -> Ints:
    """Random days from `low` to `high`, both included; `low` where the range is empty."""
    found: Ints = low + np.floor(rng.random(len(low)) * np.maximum(high - low + 1, 1)).astype(np.int64)
    return found
