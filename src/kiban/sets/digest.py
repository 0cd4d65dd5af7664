"""The canonical digest of a row: one specification, computed alike by Python, DuckDB and PostgreSQL.

1. A value is written as text: text as it is, never normalised; whole numbers in decimal digits; decimals with all digits of
   their scale and no negative zero; days as YYYY-MM-DD; truth as true or false. Days outside of the years 1 to 9999, which
   Python does not have, are written apart: infinity, -infinity, 0001-12-31 (BC), 10000-01-01. Bytes are written in hex, small
   letters. A list of texts is written as the frames of its elements, one after the other; a list without elements as nothing.
2. A value is framed as `<bytes in UTF-8>:<text>`, an absent one as `-1:`, so that no two rows share one writing.
3. The frames of the columns follow each other in the order given. SHA-256 of that, in hex, is the row's digest.
4. A row's bucket is the first 12 bits of the digest of its key. A bucket's digest is its number of rows and the two sums of
   the first and of the second 60 bits of its rows' digests: a row that stands twice counts twice.

`tests/sets/golden.csv` and `golden_lists.csv` hold rows with their digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from kiban.kernel import Problem

Kind = Literal["text", "integer", "decimal", "date", "boolean", "list", "bytes"]
Value = str | int | Decimal | date | bool | bytes | Sequence[str | None] | None

BUCKETS = 4096
"""How many buckets there are; three hex digits."""


@dataclass(frozen=True)
class Column:
    """A column that is part of a digest.

    Attributes:
        name: official romaji; quoted where SQL is written.
        kind: of its values; a `list` is one of texts.
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
    return b"%d:%b" % (len(data), data)


def _text(value: Value, column: Column) -> str | None:
    if column.kind == "text":
        return value if isinstance(value, str) else None
    if column.kind == "boolean":
        return ("true" if value else "false") if isinstance(value, bool) else None
    if column.kind == "list":
        return _elements(value, column) if isinstance(value, list | tuple) else None
    if column.kind == "bytes":
        return value.hex() if isinstance(value, bytes) else None
    if column.kind == "integer":
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
    if column.kind == "date":
        return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else None
    return _decimal(value, column.scale) if isinstance(value, Decimal) else None


def _elements(value: Sequence[object], column: Column) -> str | None:
    """The frames of a list's elements; None where one of them is no text."""
    if not all(element is None or isinstance(element, str) for element in value):
        return None
    element_of = Column(column.name)
    return b"".join(_framed(element, element_of) for element in value).decode()  # type: ignore[arg-type]


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
    frames = (duckdb_frame(column, of) for column in columns)
    return f"sha256(concat({', '.join(frames)}))"  # a chain of || would copy the row once for each column


def duckdb_frame(column: Column, of: str = "") -> str:
    """DuckDB SQL of the frame of a value."""
    name = f"{of}{quoted(column.name)}"
    text = {
        "decimal": f"CAST(CAST({name} AS DECIMAL(38,{column.scale})) AS VARCHAR)",
        "list": f"array_to_string(list_transform({name}, lambda _e: {_duckdb_frame('_e')}), '')",
        "bytes": f"lower(hex({name}))",
    }.get(column.kind, f"CAST({name} AS VARCHAR)")
    return _duckdb_frame(text)


def _duckdb_frame(text: str) -> str:
    return f"coalesce(strlen({text}) || ':' || {text}, '-1:')"


def postgres_digest(columns: Sequence[Column], of: str = "") -> str:
    """PostgreSQL SQL of the row's digest in hex, whatever the session's settings are.

    Args:
        columns: in order; each has a column of its name, of its kind.
        of: name of the table and a dot, where it has to be said.
    """
    return f"encode({postgres_hash(columns, of)}, 'hex')"


def postgres_hash(columns: Sequence[Column], of: str = "", usual: Mapping[str, int] | None = None) -> str:
    """PostgreSQL SQL of the row's digest in its 32 bytes; see `postgres_digest`.

    Args:
        columns: in order; each has a column of its name, of its kind.
        of: name of the table and a dot, where it has to be said.
        usual: how many bytes the texts of some columns mostly have. The digest is the same whatever they have, and comes sooner
            where it is so.
    """
    frames = []
    for column in columns:
        name = f"{of}{quoted(column.name)}"
        text = {
            "date": postgres_day(name),
            "decimal": f"({name})::numeric(38,{column.scale})::text",
            "boolean": f"CASE {name} WHEN true THEN 'true' WHEN false THEN 'false' END",
            "list": _postgres_list(name),
            "bytes": f"encode({name}, 'hex')",
        }.get(column.kind, f"({name})::text")
        frame, length = _postgres_frame(text), (usual or {}).get(column.name)
        if column.kind == "date":
            frame = f"CASE WHEN {name} BETWEEN {_COMMON_DAYS} THEN '10:' || {_day(name)} ELSE {frame} END"
        elif column.kind == "text" and length:
            frame = f"CASE octet_length({text}) WHEN {length} THEN '{length}:' || {text} ELSE {frame} END"
        frames.append(frame)
    return f"sha256(convert_to({' || '.join(frames)}, 'UTF8'))"


def _postgres_frame(text: str) -> str:
    return f"coalesce(octet_length({text}) || ':' || {text}, '-1:')"


def _postgres_list(name: str) -> str:
    """The frames of an array's elements. An array of more dimensions, which no list is, is written as none can be."""
    frames = f"string_agg({_postgres_frame('_e.v')}, '' ORDER BY _e.n)"
    elements = f"SELECT coalesce({frames}, '') FROM unnest({name}) WITH ORDINALITY _e(v, n)"
    return (
        f"CASE WHEN array_ndims({name}) > 1 THEN {name}::text WHEN {name} IS NOT NULL THEN ({elements}) END"
    )


def postgres_day(expression: str) -> str:
    """PostgreSQL SQL of a day as a digest writes it; to_char alone loses infinity and the era."""
    return (
        f"CASE WHEN {expression} = 'infinity' THEN 'infinity' WHEN {expression} = '-infinity' THEN '-infinity' "
        f"WHEN {expression} < '0001-01-01' THEN to_char({expression}, 'YYYY-MM-DD (BC)') ELSE {_day(expression)} END"
    )


_COMMON_DAYS = "'0001-01-01' AND '9999-12-31'"


def _day(expression: str) -> str:
    return (
        f"to_char(({expression})::timestamp, 'YYYY-MM-DD')"  # of a day itself it would look up the time zone
    )


def duckdb_bucket(digest: str) -> str:
    """DuckDB SQL of a bucket from the digest of a key."""
    return f"CAST('0x' || substr({digest}, 1, 3) AS INTEGER)"


def postgres_bucket(hashed: str) -> str:
    """PostgreSQL SQL of a bucket from the 32 bytes of the digest of a key."""
    return f"(substr({hashed}, 1, 2)::integer >> 4)"


def postgres_pieces(hashed: str) -> tuple[str, str]:
    """PostgreSQL SQL of the two numbers of `pieces` from the 32 bytes of a digest."""
    mask = 2**60 - 1
    return f"substr({hashed}, 1, 8)::bigint >> 4 & {mask}", f"substr({hashed}, 8, 8)::bigint & {mask}"


def quoted(name: str) -> str:
    """A name as SQL takes it.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'
