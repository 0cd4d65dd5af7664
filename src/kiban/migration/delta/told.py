"""What a delta does, in figures and line by line, for those who answer for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import pyarrow as pa

from kiban.migration.delta.desk import as_text, same, subject
from kiban.migration.delta.differences import Differing, Register
from kiban.migration.plan import Delta

CHANGES = pa.schema(
    [
        ("register", pa.string()),
        ("subject", pa.list_(pa.string())),
        ("valid_from", pa.string()),
        ("what", pa.string()),
        ("vanished", pa.bool_()),
    ]
)
"""A line for each row that is `new`, `changed` or `gone`, in order: a row is the same row as long as its subject and the day from which it
is true are the same. `vanished` where the subject has no row at all in the newer unload. `valid_from` is null where open, and in a log."""


@dataclass(frozen=True)
class Counts:
    """A register in figures.

    Attributes:
        register: schema.table.
        rows: converted.
        unchanged, new, changed, gone: rows; see `CHANGES`.
        subjects: of the rows that are not unchanged.
        known: subjects that the database knew before.
        vanished: subjects that the newer unload no longer has.
    """

    register: str
    rows: int
    unchanged: int
    new: int
    changed: int
    gone: int
    subjects: int
    known: int
    vanished: int

    def as_data(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def allowed(known: int, limits: Delta) -> int:
    """How many subjects of a register may vanish.

    >>> allowed(20_000, Delta()), allowed(999, Delta()), allowed(999, Delta(vanish_count=3))
    (20, 0, 3)
    """
    return max(int(known * limits.vanish_most), limits.vanish_count)


def count(connection: duckdb.DuckDBPyConnection, number: int, one: Differing) -> Counts:
    """The figures of a register; makes its table `changed_N` of the columns of the key, `what` and `vanished`."""
    register = one.register
    names = subject(register)
    listed = ", ".join(names)
    connection.execute(f"CREATE TABLE changed_{number} AS {_changed(number, register)}")
    [row] = connection.execute(
        f"SELECT count(*) FILTER (what = 'new'), count(*) FILTER (what = 'changed'), count(*) FILTER (what = 'gone'), "
        f"count(DISTINCT ({listed})), count(DISTINCT ({listed})) FILTER (vanished) FROM changed_{number}"
    ).fetchall()
    new, changed, gone, subjects, vanished = map(int, row)
    [row] = connection.execute(
        f"WITH left_ AS (SELECT {listed}, count(*) AS n FROM {as_text(register)} GROUP BY ALL), "
        f"fresh AS (SELECT {listed}, count(*) AS n FROM found_{number} GROUP BY ALL HAVING bool_and(what = 'missing')) "
        f"SELECT count(*), count(f.n) FROM left_ LEFT JOIN fresh f ON {same('left_', 'f', names)} AND f.n = left_.n"
    ).fetchall()
    known = int(row[0]) - int(row[1]) + vanished
    return Counts(
        register.name, one.rows, one.rows - new - changed, new, changed, gone, subjects, known, vanished
    )


def _changed(number: int, register: Register) -> str:
    names = subject(register)
    if not register.has_periods:
        return f"SELECT {', '.join(names)}, NULL::VARCHAR AS f, 'new' AS what, false AS vanished FROM found_{number}"
    row = [*names, "f"]
    kept = ", ".join(f"coalesce(m.{name}, e.{name}) AS {name}" for name in row)
    of = f"SELECT {', '.join(row)}, what FROM found_{number} WHERE what ="
    return (
        f"WITH lines AS (SELECT {kept}, CASE WHEN e.what IS NULL THEN 'new' WHEN m.what IS NULL THEN 'gone' ELSE 'changed' END AS what "
        f"FROM ({of} 'missing') m FULL JOIN ({of} 'extra') e ON {same('m', 'e', row)} "
        f"UNION ALL SELECT {', '.join(row)}, 'changed' FROM found_{number} WHERE what = 'differs') "
        f"SELECT *, what = 'gone' AND NOT EXISTS (SELECT 1 FROM {as_text(register)} l WHERE {same('l', 'lines', names)}) AS vanished "
        "FROM lines"
    )


def changes(connection: duckdb.DuckDBPyConnection, number: int, register: Register) -> pa.Table:
    """The lines of a register, after `count`; see `CHANGES`."""
    names = ", ".join(subject(register))
    found = connection.sql(
        f"SELECT '{register.name}' AS register, [{names}] AS subject, f AS valid_from, what, vanished FROM changed_{number} "
        f"ORDER BY {names}, f NULLS FIRST, what"
    )
    return found.to_arrow_table().cast(CHANGES)
