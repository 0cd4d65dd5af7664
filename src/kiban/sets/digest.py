"""The canonical digest of a row: one specification, computed alike by Python, DuckDB and PostgreSQL.

1. A value is written as text: text as it is, never normalised; whole numbers in decimal digits; decimals with all digits of
   their scale and no negative zero; days as YYYY-MM-DD; truth as true or false. Days outside of the years 1 to 9999, which
   Python does not have, are written apart: infinity, -infinity, 0001-12-31 (BC), 10000-01-01.
2. A value is framed as `<bytes in UTF-8>:<text>`, an absent one as `-1:`, so that no two rows share one writing.
3. The frames of the columns follow each other in the order given. SHA-256 of that, in hex, is the row's digest.
4. A row's bucket is the first 12 bits of the digest of its key. A bucket's digest is its number of rows and the two sums of
   the first and of the second 60 bits of its rows' digests: a row that stands twice counts twice.

`tests/sets/golden.csv` holds rows with their digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from kiban.kernel import Problem

Kind = Literal["text", "integer", "decimal", "date", "boolean"]
Value = str | int | Decimal | date | bool | None

BUCKETS = 4096
"""How many buckets there are; three hex digits."""


@dataclass(frozen=True)
class Column:
    """A column that is part of a digest.

    Attributes:
        name: official romaji; quoted where SQL is written.
        kind: of its values.
        scale: digits behind the point of a decimal.
    """

    name: str
    kind: Kind = "text"
    scale: int = 0


def row_digest(values: Sequence[Value], columns: Sequence[Column]) -> str:
    """The digest of one row, in hex.

    Args:
        values: one for each column, of its kind.
        columns: in order.

    Raises:
        Problem: `digest-value` for a value that is not of its column's kind.

    >>> row_digest(["氏名", 12, None], [Column("a"), Column("b", "integer"), Column("c")])[:16]
    '691ca65d49e91cb2'
    """
    framed = b"".join(_framed(value, column) for value, column in zip(values, columns, strict=True))
    return hashlib.sha256(framed).hexdigest()


def bucket(key: Sequence[Value], columns: Sequence[Column]) -> int:
    """The bucket of a row with this key, 0 to 4095."""
    return int(row_digest(key, columns)[:3], 16)


def pieces(digest: str) -> tuple[int, int]:
    """The two numbers of a row's digest that the digest of a bucket adds up, 60 bits each."""
    return int(digest[:15], 16), int(digest[15:30], 16)


def _framed(value: Value, column: Column) -> bytes:
    if value is None:
        return b"-1:"
    text = _text(value, column)
    if text is None:
        scale = f" of {column.scale} places" if column.kind == "decimal" else ""
        raise Problem(
            "digest-value",
            f"a value of type {type(value).__name__} that is no {column.kind}{scale}",
            column.name,
            "read the column with its own type and scale",
        )
    data = _encoded(text, column)
    return str(len(data)).encode() + b":" + data


def _text(value: Value, column: Column) -> str | None:
    if column.kind == "text":
        return value if isinstance(value, str) else None
    if column.kind == "boolean":
        return ("true" if value else "false") if isinstance(value, bool) else None
    if column.kind == "integer":
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
    if column.kind == "date":
        return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else None
    return _decimal(value, column.scale) if isinstance(value, Decimal) else None


def _decimal(value: Decimal, scale: int) -> str | None:
    """All digits of the scale; None for a value that has more of them, which must not be rounded away."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):  # not a number, or infinite
        return None
    whole = int("".join(map(str, digits))) * 10 ** max(0, exponent + scale)
    if exponent + scale < 0:
        whole, lost = divmod(whole, 10 ** -(exponent + scale))
        if lost:
            return None
    written = str(whole).rjust(scale + 1, "0")
    minus = "-" if sign and whole else ""
    return f"{minus}{written[:-scale]}.{written[-scale:]}" if scale else minus + written


def _encoded(text: str, column: Column) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Problem(
            "digest-value", "a text with half a surrogate pair", column.name, "decode the text again"
        ) from error


def duckdb_digest(columns: Sequence[Column], of: str = "") -> str:
    """DuckDB SQL of the row's digest in hex.

    Args:
        columns: in order; each has a column of its name, of its kind.
        of: name of the table and a dot, where it has to be said.
    """
    frames = []
    for column in columns:
        text = f"CAST({_duckdb_value(column, of)} AS VARCHAR)"
        frames.append(f"coalesce(strlen({text}) || ':' || {text}, '-1:')")
    return f"sha256({' || '.join(frames)})"


def _duckdb_value(column: Column, of: str) -> str:
    name = f"{of}{quoted(column.name)}"
    return f"CAST({name} AS DECIMAL(38,{column.scale}))" if column.kind == "decimal" else name


def postgres_digest(columns: Sequence[Column], of: str = "") -> str:
    """PostgreSQL SQL of the row's digest in hex, whatever the session's settings are.

    Args:
        columns: in order; each has a column of its name, of its kind.
        of: name of the table and a dot, where it has to be said.
    """
    frames = []
    for column in columns:
        name = f"{of}{quoted(column.name)}"
        text = {
            "date": postgres_day(name),
            "decimal": f"({name})::numeric(38,{column.scale})::text",
            "boolean": f"CASE {name} WHEN true THEN 'true' WHEN false THEN 'false' END",
        }.get(column.kind, f"({name})::text")
        frames.append(f"coalesce(octet_length({text}) || ':' || {text}, '-1:')")
    return f"encode(sha256(convert_to({' || '.join(frames)}, 'UTF8')), 'hex')"


def postgres_day(expression: str) -> str:
    """PostgreSQL SQL of a day as a digest writes it; to_char alone loses infinity and the era."""
    return (
        f"CASE WHEN {expression} = 'infinity' THEN 'infinity' WHEN {expression} = '-infinity' THEN '-infinity' "
        f"WHEN {expression} < '0001-01-01' THEN to_char({expression}, 'YYYY-MM-DD (BC)') "
        f"ELSE to_char({expression}, 'YYYY-MM-DD') END"
    )


def duckdb_bucket(digest: str) -> str:
    """DuckDB SQL of a bucket from the digest of a key."""
    return f"CAST('0x' || substr({digest}, 1, 3) AS INTEGER)"


def postgres_bucket(digest: str) -> str:
    """PostgreSQL SQL of a bucket from the digest of a key."""
    return f"('x' || substr({digest}, 1, 3))::bit(12)::integer"


def quoted(name: str) -> str:
    """A name as SQL takes it.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'
