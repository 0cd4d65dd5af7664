"""The rules of a map, each as a Polars expression and as DuckDB SQL, so that two engines can check each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from kiban.kernel import Problem
from kiban.migration.mapping import days, kana
from kiban.migration.mapping.pair import Pair, named
from kiban.standard import CodeList, Item, suggest

Argument = Literal["", "codes", "text", "digits", "mark", "reference", "style"]

PERIOD: Final = ("valid_from", "valid_to")
"""The columns of a register that are not items."""

_TEXT: Final = ("X", "N", "YEAR")


@dataclass(frozen=True)
class Rule:
    """A rule that a map may name.

    Attributes:
        name: as officers write it.
        argument: what 引数 has to hold: the name of a code table, a text, a number of digits, a mark between values, where to
            look up, how fiscal years are counted, or "" for nothing.
        types: データ型 of the items it can fill; "period" for the ends of the validity.
        reads: whether it reads a field.
        free: whether it can give a text that the item has no room for, which has to be looked at value by value.
    """

    name: str
    argument: Argument = ""
    types: tuple[str, ...] = _TEXT
    reads: bool = True
    free: bool = False


_RULES: Final = (
    Rule("写す", free=True),
    Rule("コード表", "codes"),
    Rule("番号", "digits", ("X",)),
    Rule("数値", "", ("9", "S9", "9V")),
    Rule("和暦日付", "", ("DATE",)),
    Rule("西暦日付", "", ("DATE",)),
    Rule("和暦年度", "style", ("YEAR",)),
    Rule("カナ全角", "", ("N",), free=True),
    Rule("定数", "text", (*_TEXT, "9", "S9", "9V", "DATE", "TIME"), reads=False),
    Rule("時刻", "", ("TIME",)),
    Rule("区切り", "mark"),
    Rule("参照", "reference", free=True),
    Rule("有効期間開始", "", ("period",)),
    Rule("有効期間終了", "", ("period",)),
)
RULES: Final = {rule.name: rule for rule in _RULES}
"""Every rule by its name."""

_ANY_LENGTH: Final = 1 << 20
_TIME: Final = "^([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]$"


@dataclass(frozen=True)
class Source:
    """What a rule reads.

    Attributes:
        field: column of the frame that holds the decoded field; not read by 定数.
        argument: see `Rule.argument`.
        codes: of コード表: legacy code to code of the standard.
        found, ways: of 参照: columns of the frame that hold what was looked up, and how many different answers there are (null
            where there is none).
    """

    field: str = ""
    argument: str = ""
    codes: Mapping[str, str] | None = None
    found: str = ""
    ways: str = ""


@dataclass(frozen=True)
class Compiled:
    """A rule for one item, in both languages.

    Attributes:
        value: the standard's value as text (days as YYYY-MM-DD, times as HH:MM:SS, numbers in digits), or a list of texts for an
            item that repeats; null where nothing is held or the value is refused.
        fault: the code of what is refused, as it stands in the ledger; null where all is well.
        doubt: where there is no value, whether there may be a fault: far cheaper than `fault` over whole columns.
        value_sql, fault_sql, doubt_sql: the same for DuckDB.
    """

    value: pl.Expr
    fault: pl.Expr
    doubt: pl.Expr
    value_sql: str
    fault_sql: str
    doubt_sql: str


def compile_rule(
    rule: str, source: Source, item: Item | None = None, codes: CodeList | None = None
) -> Compiled:
    """A rule for an item over the columns of a frame.

    A field that is null or empty holds nothing. So does 0 in a number that keeps its zeros or in a day, and 99999999 in the end of
    a period of validity. Whatever a rule cannot take is refused with a code of its own, and so is what does not fit the item:
    `value-missing`, `code-unknown`, `value-long`, `value-width`, `value-many`.

    Args:
        rule: a name of `RULES`.
        source: what it reads.
        item: what it fills; None for an end of the validity.
        codes: the code list of the item, None where it is not coded.

    Raises:
        Problem: `map-rule-unknown`.
    """
    if rule not in RULES:
        fix = suggest(rule, RULES, f"use one of {'、'.join(RULES)}")
        raise Problem("map-rule-unknown", f"there is no rule {rule}", fix=fix)
    text = Pair.field(source.field) if source.field else Pair.nothing()
    value, faults = _COMPILERS[rule](text, source, item)
    if item is not None and RULES[rule].free:
        misfits = _misfits(value, item, codes)
        faults += misfits
        for unfit, _ in misfits:
            value = value.where(unfit.no())
    always = RULES[rule].types == ("period",)
    if item is not None and item.required and not item.allows_unknown_date:
        faults.append((value.missing(), "value-missing"))
        always = True
    fault = Pair.first_fault(*faults)
    doubt = Pair(pl.lit(True), "true") if always else text.missing().no()
    return Compiled(value.expr, fault.expr, doubt.expr, value.sql, fault.sql, doubt.sql)


def nothing() -> Compiled:
    """What an item becomes that the legacy system holds nothing of."""
    none = Pair.nothing()
    return Compiled(none.expr, none.expr, pl.lit(False), none.sql, none.sql, "false")


def _misfits(value: Pair, item: Item, codes: CodeList | None) -> list[tuple[Pair, str]]:
    """What keeps a text out of an item."""
    if codes is not None and not codes.free:
        return [(value.among(codes.values).no(), "code-unknown")]
    long = (
        [(value.longer(item.digits), "value-long")]
        if item.digits is not None and item.type in ("X", "N")
        else []
    )
    return long + ([(value.matches("[^ -~]"), "value-width")] if item.type == "X" else [])


def _copy(text: Pair, _source: Source, _item: Item | None) -> days.Made:
    return text, []


def _constant(_text: Pair, source: Source, _item: Item | None) -> days.Made:
    return Pair.constant(source.argument), []


def _codes(text: Pair, source: Source, _item: Item | None) -> days.Made:
    words = source.codes or {}
    return text.translated(words), [(text.among(list(words)).no(), "code-unknown")]


def _number_kept(text: Pair, source: Source, _item: Item | None) -> days.Made:
    digits = int(source.argument)
    wide, held = text.padded(digits), text.matches("^0+$").no()
    good = wide.matches(f"^[0-9]{{{digits}}}$")
    return wide.where(good.both(wide.among(["0" * digits]).no())), [(good.no().both(held), "number-form")]


def _number(text: Pair, _source: Source, item: Item | None) -> days.Made:
    digits, scale = (item.digits, item.scale) if item else (None, None)
    whole = f"0*[0-9]{{1,{digits or 18}}}"
    point = f"([.][0-9]{{1,{scale}}}0*)?" if item and item.type == "9V" and scale else ""
    good = text.matches(f"^{'-?' if item is None or item.type == 'S9' else ''}{whole}{point}$")
    return text.where(good), [(good.no(), "number-form")]


def _time(text: Pair, _source: Source, _item: Item | None) -> days.Made:
    wide = text.padded(6)
    good = wide.matches(_TIME)
    return wide.parts(":", 2, 2, 2).where(good), [(good.no(), "time-form")]


def _list(text: Pair, source: Source, item: Item | None) -> days.Made:
    mark, most = source.argument, (item.repeat if item else None) or 1
    parts = Pair(text.expr.str.split(mark), f"string_split({text.sql}, {Pair.constant(mark).sql})")
    many = Pair(parts.expr.list.len() > most, f"len({parts.sql}) > {most}")
    empty = Pair(parts.expr.list.contains(""), f"list_contains({parts.sql}, '')")
    digits = (item.digits if item else None) or _ANY_LENGTH
    longest = Pair(
        parts.expr.list.eval(pl.element().str.len_chars()).list.max() > digits,
        f"list_max(list_transform({parts.sql}, lambda part: length(part))) > {digits}",
    )
    good = many.no().both(empty.no()).both(longest.no())
    return parts.where(good), [(empty, "list-form"), (many, "value-many"), (longest, "value-long")]


def _reference(text: Pair, source: Source, _item: Item | None) -> days.Made:
    ways = Pair(pl.col(source.ways), named(source.ways))
    held = text.missing().no()
    none, several = held.both(ways.missing()), held.both(Pair(ways.expr > 1, f"{ways.sql} > 1"))
    found = Pair.field(source.found).where(held.both(several.no()))
    return found, [(none, "reference-missing"), (several, "reference-several")]


_COMPILERS: Final[Mapping[str, Callable[[Pair, Source, Item | None], days.Made]]] = {
    "写す": _copy,
    "コード表": _codes,
    "番号": _number_kept,
    "数値": _number,
    "和暦日付": lambda text, _, item: days.in_era(text, loose=_loose(item)),
    "西暦日付": lambda text, _, item: days.western(text, loose=_loose(item)),
    "和暦年度": lambda text, source, _item: days.fiscal(text, source.argument),
    "カナ全角": lambda text, _source, _item: kana.full_width(text),
    "定数": _constant,
    "時刻": _time,
    "区切り": _list,
    "参照": _reference,
    "有効期間開始": lambda text, _source, _item: days.begin(text),
    "有効期間終了": lambda text, _source, _item: days.end(text),
}


def _loose(item: Item | None) -> bool:
    return item is not None and item.allows_unknown_date
