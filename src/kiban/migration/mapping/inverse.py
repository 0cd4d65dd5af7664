"""The rules of a map the other way: from a value of the standard to what the legacy field held.

A rule and its inverse give the standard's value again wherever the inverse has one; the inverse after the rule gives the legacy value
again, written as the legacy system writes it, except: a code that shares its code of the standard with another (no way back at all); the
days on which an era ended and the next began, which come back in the newer one; kana that were full-width already, which come back
half-width; numbers and days without the leading zeros of their width; and zeros in a text, which say "nothing" and come back empty.
Whoever writes a record therefore reads it again, and tells every item that is not what it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from kiban.kernel import Problem
from kiban.migration.mapping import days, kana
from kiban.migration.mapping.rules import RULES, Source
from kiban.standard import suggest

NOTHING_BACK: Final = ("定数", "参照")
"""Rules that read no field, or one that another item gives back: their value must only agree."""
_TIME: Final = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
_DAY: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


@dataclass(frozen=True)
class Inverse:
    """The way back of one rule.

    Attributes:
        value: the legacy field's value as text, numbers in digits; null where nothing is to be written.
        fault: why there is no way back, null where there is one: `code-several`, `code-unknown`, `number-form`, `date-form`,
            `date-era`, `year-era`, `time-form`, `list-form`.
        nothing: what a field of numbers holds where there is no value; None where no number says that.
    """

    value: pl.Expr
    fault: pl.Expr
    nothing: str | None = None


def inverse_rule(rule: str, source: Source, item: str, width: int | None = None) -> Inverse | None:
    """The way back of a rule over the column of an item, as `store.arrow_schema` types it.

    Args:
        rule: a name of `RULES`.
        source: what the rule reads.
        item: the column; of a register also `valid_from` and `valid_to`, whose nulls are open ends.
        width: of a number in a text field, to be filled with leading zeros; None where they are left out.

    Returns:
        None for `NOTHING_BACK`.

    Raises:
        Problem: `map-rule-unknown`.
    """
    if rule in NOTHING_BACK:
        return None
    if rule not in RULES:
        raise Problem(
            "map-rule-unknown", f"there is no rule {rule}", fix=suggest(rule, RULES, "use a known rule")
        )
    return _INVERSES[rule](pl.col(item), source, width)


_NONE: Final = pl.lit(None, pl.String)


def _checked(text: pl.Expr, good: pl.Expr, value: pl.Expr, code: str, nothing: str | None = None) -> Inverse:
    fault = pl.when(text.is_not_null() & ~good).then(pl.lit(code)).otherwise(_NONE)
    return Inverse(pl.when(good).then(value), fault, nothing)


def _copy(held: pl.Expr, _source: Source, _width: int | None) -> Inverse:
    return Inverse(held.cast(pl.String), _NONE)


def _codes(held: pl.Expr, source: Source, _width: int | None) -> Inverse:
    words = source.codes or {}
    several = [new for new, count in Counter(words.values()).items() if count > 1]
    back = {new: old for old, new in words.items() if new not in several}
    text = held.cast(pl.String)
    code = pl.when(text.is_in(several)).then(pl.lit("code-several")).otherwise(pl.lit("code-unknown"))
    fault = pl.when(text.is_not_null() & ~text.is_in(list(back))).then(code).otherwise(_NONE)
    return Inverse(text.replace_strict(back, default=None, return_dtype=pl.String), fault)


def _number_kept(held: pl.Expr, _source: Source, width: int | None) -> Inverse:
    text = held.cast(pl.String)
    bare = text.str.strip_chars_start("0")
    value = bare.str.zfill(width) if width else bare
    return _checked(text, text.str.contains("^[0-9]*[1-9][0-9]*$"), value, "number-form", "0")


def _number(held: pl.Expr, _source: Source, _width: int | None) -> Inverse:
    return Inverse(held.cast(pl.String), _NONE)


def _western(held: pl.Expr, _source: Source, _width: int | None) -> Inverse:
    text = held.cast(pl.String)
    return _checked(
        text, text.str.contains(_DAY), text.str.replace_all("-", "", literal=True), "date-form", "0"
    )


def _in_era(held: pl.Expr, _source: Source, _width: int | None) -> Inverse:
    text = held.cast(pl.String)
    year = text.str.slice(0, 4).cast(pl.Int64, strict=False)
    value: pl.Expr = _NONE
    for era, first, begun, ended in days.ERAS:  # a day that two eras share is of the newer one
        number = (year - (first - 1)).cast(pl.String).str.zfill(2)
        within = (
            text.str.contains(_DAY)
            & text.is_between(pl.lit(begun), pl.lit(ended))
            & (number.str.len_bytes() == 2)
        )
        written = pl.concat_str(pl.lit(era), number, text.str.slice(5, 2), text.str.slice(8, 2))
        value = pl.when(within).then(written).otherwise(value)
    return _checked(text, value.is_not_null(), value, "date-era", "0")


def _fiscal(held: pl.Expr, source: Source, _width: int | None) -> Inverse:
    years = {year: code for code, year in days.fiscal_years(source.argument).items()}
    text = held.cast(pl.String)
    value = text.replace_strict(years, default=None, return_dtype=pl.String)
    return _checked(text, value.is_not_null(), value, "year-era", "0")


def _time(held: pl.Expr, _source: Source, _width: int | None) -> Inverse:
    text = held.cast(pl.String)
    return _checked(text, text.str.contains(_TIME), text.str.replace_all(":", "", literal=True), "time-form")


def _list(held: pl.Expr, source: Source, _width: int | None) -> Inverse:
    mark = source.argument
    parts = pl.element()
    broken = held.list.eval(parts.str.contains(mark, literal=True) | (parts == "")).list.any()
    good = ~broken & (held.list.len() > 0)
    return _checked(held, good.fill_null(False), held.list.join(mark), "list-form")


def _half_width(held: pl.Expr, _source: Source, _width: int | None) -> Inverse:
    narrow = {full: half for half, full in (*kana.PLAIN.items(), *kana.MARKED.items())}
    return Inverse(held.str.replace_many(list(narrow), list(narrow.values())), _NONE)


def _end_of_period(open_end: str) -> Callable[[pl.Expr, Source, int | None], Inverse]:
    def made(held: pl.Expr, _source: Source, _width: int | None) -> Inverse:
        text = held.cast(pl.String).str.replace_all("-", "", literal=True)
        return Inverse(text.fill_null(open_end), _NONE)

    return made


_INVERSES: Final[Mapping[str, Callable[[pl.Expr, Source, int | None], Inverse]]] = {
    "写す": _copy,
    "コード表": _codes,
    "番号": _number_kept,
    "数値": _number,
    "和暦日付": _in_era,
    "西暦日付": _western,
    "和暦年度": _fiscal,
    "カナ全角": _half_width,
    "時刻": _time,
    "区切り": _list,
    "有効期間開始": _end_of_period("00000000"),
    "有効期間終了": _end_of_period("99999999"),
}
