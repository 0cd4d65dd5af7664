"""The tables of differences in DuckDB, on which everything else of a delta is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from kiban.migration.delta.differences import Differing, Register

_MEMORY = "1536MB"


@contextmanager
def desk(folder: Path, differing: Sequence[Differing]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with a table `found_N` for the N-th register: `s1`, `s2`, … and `f`, `u` (the key as text) and `what`.

    Args:
        folder: for what does not fit into memory.
        differing: in order.
    """
    with duckdb.connect(
        config={"memory_limit": _MEMORY, "temp_directory": str(folder), "threads": 2}
    ) as connection:
        for number, one in enumerate(differing):
            chosen = ", ".join(f"key[{at}] AS {name}" for at, name in enumerate(key(one.register), 1))
            connection.register("given", one.found)
            connection.execute(f"CREATE TABLE found_{number} AS SELECT {chosen}, what FROM given")
            connection.unregister("given")
        yield connection


def subject(register: Register) -> list[str]:
    """The columns of the subject in a table of differences."""
    return [f"s{at}" for at, _ in enumerate(register.subject, 1)]


def key(register: Register) -> list[str]:
    """All columns of the key in a table of differences."""
    return [*subject(register), *(("f", "u") if register.has_periods else ())]


def as_text(register: Register) -> str:
    """A relation of the converted rows with their key as text, named as in a table of differences."""
    columns = zip(register.key, key(register), strict=True)
    texts = ", ".join(f'CAST("{item}" AS VARCHAR) AS {name}' for item, name in columns)
    return f"(SELECT {texts}, * FROM {register.rows})"


def same(left: str, right: str, names: Sequence[str]) -> str:
    """The condition that two rows have the same values, absent ones included."""
    return " AND ".join(f"{left}.{name} IS NOT DISTINCT FROM {right}.{name}" for name in names)
