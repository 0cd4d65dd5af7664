"""An expression in both languages at once, Polars and DuckDB's SQL, so that two engines can check each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl


def quoted(text: str) -> str:
    """A text as an SQL literal.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def named(column: str) -> str:
    """The name of a column in SQL.

    >>> named('JK-"X(1)')
    '"JK-""X(1)"'
    """
    return '"' + column.replace('"', '""') + '"'


@dataclass(frozen=True)
class Pair:
    """One value of a row, said twice.

    Attributes:
        expr: for Polars.
        sql: the same for DuckDB.
    """

    expr: pl.Expr
    sql: str

    @staticmethod
    def field(name: str) -> Pair:
        """A decoded field, which may hold text, whole numbers or decimals, as text; null where it holds nothing or an empty text."""
        source = pl.col(name).cast(pl.String)
        return Pair(pl.when(source != "").then(source), f"nullif(cast({named(name)} as varchar), '')")

    @staticmethod
    def constant(text: str) -> Pair:
        """The same text in every row."""
        return Pair(pl.lit(text), quoted(text))

    @staticmethod
    def nothing() -> Pair:
        """Null in every row, as text."""
        return Pair(pl.lit(None, pl.String), "cast(null as varchar)")

    @staticmethod
    def first_fault(*faults: tuple[Pair, str]) -> Pair:
        """The code of the first condition that is true; null where none is, or where they are unknown."""
        expr: pl.Expr = pl.lit(None, pl.String)
        for condition, code in reversed(faults):
            expr = pl.when(condition.expr).then(pl.lit(code)).otherwise(expr)
        arms = "".join(f" when {condition.sql} then {quoted(code)}" for condition, code in faults)
        return Pair(expr, f"case{arms} end" if faults else "cast(null as varchar)")

    def matches(self, pattern: str) -> Pair:
        """Whether the text has a match of a pattern that Rust and RE2 read alike; unknown where there is no text."""
        return Pair(self.expr.str.contains(pattern), f"regexp_matches({self.sql}, {quoted(pattern)})")

    def among(self, texts: Sequence[str]) -> Pair:
        """Whether the text is one of these; unknown where there is none."""
        known = ", ".join(map(quoted, texts))
        return Pair(self.expr.is_in(list(texts)), f"{self.sql} in ({known})" if texts else "false")

    def missing(self) -> Pair:
        """Whether there is nothing; never unknown."""
        return Pair(self.expr.is_null(), f"({self.sql}) is null")

    def yes(self) -> Pair:
        """Whether a condition is true; never unknown."""
        return Pair(self.expr.fill_null(False), f"coalesce({self.sql}, false)")

    def no(self) -> Pair:
        """The opposite of a condition; unknown where that is."""
        return Pair(~self.expr, f"not ({self.sql})")

    def both(self, other: Pair) -> Pair:
        """Whether both conditions are true."""
        return Pair(self.expr & other.expr, f"({self.sql}) and ({other.sql})")

    def where(self, condition: Pair) -> Pair:
        """The value where a condition is true, otherwise nothing."""
        return Pair(pl.when(condition.expr).then(self.expr), f"case when {condition.sql} then {self.sql} end")

    def padded(self, width: int) -> Pair:
        """With leading zeros up to a width; longer texts stay as they are, so that a rule can refuse them."""
        filled = (
            f"case when length({self.sql}) < {width} then lpad({self.sql}, {width}, '0') else {self.sql} end"
        )
        return Pair(self.expr.str.zfill(width), filled)

    def cut(self, start: int, size: int) -> Pair:
        """Some characters, from 0."""
        return Pair(self.expr.str.slice(start, size), f"substr({self.sql}, {start + 1}, {size})")

    def parts(self, mark: str, *sizes: int) -> Pair:
        """The text cut into pieces of these sizes, with a mark between them."""
        starts = [sum(sizes[:at]) for at in range(len(sizes))]
        pieces = [self.cut(start, size) for start, size in zip(starts, sizes, strict=True)]
        return Pair(
            pl.concat_str([piece.expr for piece in pieces], separator=mark),
            f" || {quoted(mark)} || ".join(piece.sql for piece in pieces),
        )

    def then(self, other: Pair) -> Pair:
        """The text, and another behind it; nothing where either is missing."""
        return Pair(pl.concat_str([self.expr, other.expr]), f"{self.sql} || {other.sql}")

    def plus(self, other: Pair) -> Pair:
        """The sum of two texts of digits, as text; nothing where one is none."""
        expr = self.expr.cast(pl.Int64, strict=False) + other.expr.cast(pl.Int64, strict=False)
        return Pair(
            expr.cast(pl.String),
            f"cast(try_cast({self.sql} as bigint) + try_cast({other.sql} as bigint) as varchar)",
        )

    def between(self, first: Pair, last: Pair) -> Pair:
        """Whether the text stands between two others, both included; unknown where one is missing."""
        return Pair(
            self.expr.is_between(first.expr, last.expr),
            f"({self.sql}) between ({first.sql}) and ({last.sql})",
        )

    def translated(self, words: Mapping[str, str]) -> Pair:
        """What a table says of the whole text; nothing where it does not have it."""
        arms = " ".join(f"when {quoted(old)} then {quoted(new)}" for old, new in words.items())
        expr = self.expr.replace_strict(dict(words), default=None, return_dtype=pl.String)
        return Pair(expr, f"case {self.sql} {arms} end")

    def longer(self, most: int) -> Pair:
        """Whether the text has more characters, variation selectors (U+FE00-FE0F, U+E0100-E01EF) not counted."""
        selectors = "[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
        return Pair(
            self.expr.str.len_chars() - self.expr.str.count_matches(selectors) > most,
            f"length(regexp_replace({self.sql}, '{selectors}', '', 'g')) > {most}",
        )
