"""The rules of a map, each as a Polars expression and as DuckDB SQL, so that two engines can check each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Final

import polars as pl

from kiban.kernel import FIRST_GREGORIAN_DAY, Problem, eras

_ERAS: Final = tuple(
    (
        str(number),
        era.first_year,
        max(era.first_day, FIRST_GREGORIAN_DAY).isoformat(),  # older days are lunar and are not converted
        (era.last_day or date.max).isoformat(),
    )
    for number, era in enumerate(eras(), 1)
)
_DAY: Final = r"^[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$"
_ERA_DAY: Final = r"^[1-5][0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$"
_TIME: Final = r"^([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]$"
_DIGITS: Final = r"^[0-9]+$"

_PLAIN: Final = dict(
    zip(
        "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｯｬｭｮｰ･ ",
        "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォッャュョー・\u3000",
        strict=True,
    )
)
_MARKED: Final = {
    **{
        base + "ﾞ": full
        for base, full in zip(
            "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎｳ", "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ", strict=True
        )
    },
    **{base + "ﾟ": full for base, full in zip("ﾊﾋﾌﾍﾎ", "パピプペポ", strict=True)},
}
RULES: Final = (
    "写す",
    "コード表",
    "番号15桁",
    "数値",
    "和暦日付",
    "西暦日付",
    "カナ全角",
    "定数",
    "時刻",
    "有効期間開始",
    "有効期間終了",
)
"""Every rule a map may name."""


@dataclass(frozen=True)
class Compiled:
    """A rule for one field, in both languages.

    Attributes:
        value: the standard's value as text (days as YYYY-MM-DD, times as HH:MM:SS); null where nothing is held or the rule refuses.
        refused: whether the rule cannot take what is held; never null.
        value_sql, refused_sql: the same for DuckDB.
        code: of the refusal in the ledger; "" for a rule that refuses nothing.
    """

    value: pl.Expr
    refused: pl.Expr
    value_sql: str
    refused_sql: str
    code: str


def compile_rule(
    rule: str, field: str, *, codes: Mapping[str, str] | None = None, constant: str | None = None
) -> Compiled:
    """A rule over a decoded field, which may hold text or whole numbers.

    A field that is null or empty holds nothing. So does 0 in a number of 15 digits or in a day, and 99999999
    in the end of a period of validity. A day outside its era, or with an impossible month, is refused; a day that
    only its month does not have is kept as written, as the register does.

    Args:
        rule: one of `RULES`.
        field: name of the decoded field; not read by 定数.
        codes: legacy code to code of the standard, for コード表.
        constant: the text of 定数.

    Raises:
        Problem: `map-rule-unknown`; `map-codes-missing`; `map-constant-missing`.
    """
    if rule == "定数":
        if constant is None:
            raise Problem("map-constant-missing", "rule 定数 has no text", where=field, fix="write the text")
        return Compiled(pl.lit(constant), pl.lit(False), quoted(constant), "false", "")
    source = pl.col(field).cast(pl.String)
    name = '"' + field.replace('"', '""') + '"'
    text, text_sql = pl.when(source != "").then(source), f"nullif(cast({name} as varchar), '')"
    if rule == "写す":
        return Compiled(text, pl.lit(False), text_sql, "false", "")
    if rule == "カナ全角":
        return _kana(text, text_sql)
    if rule == "コード表":
        if not codes:
            raise Problem(
                "map-codes-missing", "rule コード表 has no codes", where=field, fix="name a code list"
            )
        return _codes(text, text_sql, codes)
    if rule in ("番号15桁", "数値"):
        return _number(text, text_sql, padded=rule == "番号15桁")
    if rule == "時刻":
        wide, wide_sql = _padded(text, text_sql, 6)
        return _checked(
            text, text_sql, wide.str.contains(_TIME), f"regexp_matches({wide_sql}, '{_TIME}')",
            _joined(wide, ":", (0, 2), (2, 2), (4, 2)), _joined_sql(wide_sql, ":", (1, 2), (3, 2), (5, 2)), "time-form",
        )  # fmt: skip
    if rule == "和暦日付":
        return _era_day(*_held(text, text_sql, "^0+$"))
    if rule in ("西暦日付", "有効期間開始", "有効期間終了"):
        return _day(*_held(text, text_sql, "^99999999$" if rule == "有効期間終了" else "^0+$"))
    raise Problem(
        "map-rule-unknown", f"there is no rule {rule}", where=field,
        fix=f"{_nearest(rule)}use one of {', '.join(RULES)}",
    )  # fmt: skip


def _nearest(rule: str) -> str:
    near = get_close_matches(rule, RULES, 1)
    return f"did you mean {near[0]}? " if near else ""


def quoted(text: str) -> str:
    """A text as an SQL literal.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def _checked(
    text: pl.Expr, text_sql: str, good: pl.Expr, good_sql: str, value: pl.Expr, value_sql: str, code: str
) -> Compiled:
    return Compiled(
        pl.when(good).then(value),
        (text.is_not_null() & ~good).fill_null(False),
        f"case when {good_sql} then {value_sql} end",
        f"coalesce({text_sql} is not null and not ({good_sql}), false)",
        code,
    )


def _held(text: pl.Expr, text_sql: str, nothing: str) -> tuple[pl.Expr, str]:
    return pl.when(~text.str.contains(nothing)).then(
        text
    ), f"case when not regexp_matches({text_sql}, '{nothing}') then {text_sql} end"


def _padded(text: pl.Expr, text_sql: str, width: int) -> tuple[pl.Expr, str]:
    """Leading zeros that a number lost; longer texts stay long, so that they are refused."""
    return text.str.zfill(width), (
        f"case when length({text_sql}) < {width} then lpad({text_sql}, {width}, '0') else {text_sql} end"
    )


def _joined(text: pl.Expr, mark: str, *parts: tuple[int, int]) -> pl.Expr:
    return pl.concat_str([text.str.slice(start, size) for start, size in parts], separator=mark)


def _joined_sql(text: str, mark: str, *parts: tuple[int, int]) -> str:
    return f" || '{mark}' || ".join(f"substr({text}, {start}, {size})" for start, size in parts)


def _codes(text: pl.Expr, text_sql: str, codes: Mapping[str, str]) -> Compiled:
    arms = " ".join(f"when {quoted(old)} then {quoted(new)}" for old, new in codes.items())
    known = ", ".join(quoted(old) for old in codes)
    return _checked(
        text, text_sql, text.is_in(list(codes)), f"{text_sql} in ({known})",
        text.replace_strict(dict(codes), default=None, return_dtype=pl.String), f"case {text_sql} {arms} end", "code-unknown",
    )  # fmt: skip


def _number(text: pl.Expr, text_sql: str, *, padded: bool) -> Compiled:
    if padded:
        held, held_sql = _held(text, text_sql, "^0+$")
        form = "^[0-9]{1,15}$"
        value, value_sql = held.str.zfill(15), f"lpad({held_sql}, 15, '0')"
    else:
        held, held_sql, form = text, text_sql, "^-?[0-9]{1,18}$"
        value = held.cast(pl.Int64, strict=False).cast(pl.String)
        value_sql = f"cast(try_cast({held_sql} as bigint) as varchar)"
    return _checked(
        held, held_sql, held.str.contains(form), f"regexp_matches({held_sql}, '{form}')", value, value_sql, "number-form"
    )  # fmt: skip


def _day(text: pl.Expr, text_sql: str) -> Compiled:
    wide, wide_sql = _padded(text, text_sql, 8)
    good = wide.str.contains(_DAY) & text.str.contains(_DIGITS)
    good_sql = f"regexp_matches({wide_sql}, '{_DAY}') and regexp_matches({text_sql}, '{_DIGITS}')"
    return _checked(
        text, text_sql, good, good_sql,
        _joined(wide, "-", (0, 4), (4, 2), (6, 2)), _joined_sql(wide_sql, "-", (1, 4), (5, 2), (7, 2)), "date-form",
    )  # fmt: skip


def _era_day(text: pl.Expr, text_sql: str) -> Compiled:
    """GYYMMDD as YYYY-MM-DD, within the days of the era."""
    value: pl.Expr = pl.lit(None, pl.String)
    arms = ""
    form = text.str.contains(_ERA_DAY)
    for era, first, begin, end in _ERAS:
        year = (text.str.slice(1, 2).cast(pl.Int64, strict=False) + first - 1).cast(pl.String)
        day = pl.concat_str([year, text.str.slice(3, 2), text.str.slice(5, 2)], separator="-")
        value = pl.when(form & text.str.starts_with(era) & day.is_between(pl.lit(begin), pl.lit(end))).then(day)\
            .otherwise(value)  # fmt: skip
        day_sql = (
            f"cast(try_cast(substr({text_sql}, 2, 2) as bigint) + {first - 1} as varchar) || '-' || "
            + (_joined_sql(text_sql, "-", (4, 2), (6, 2)))
        )
        arms += f" when substr({text_sql}, 1, 1) = '{era}' and {day_sql} between '{begin}' and '{end}' then {day_sql}"
    value_sql = f"case when regexp_matches({text_sql}, '{_ERA_DAY}') then case{arms} end end"
    good_sql = f"({value_sql}) is not null"
    return _checked(text, text_sql, value.is_not_null(), good_sql, value, value_sql, "date-era")


def _kana(text: pl.Expr, text_sql: str) -> Compiled:
    value, sql = text, text_sql
    for old, new in _MARKED.items():
        value, sql = value.str.replace_all(old, new, literal=True), f"replace({sql}, '{old}', '{new}')"
    value = value.str.replace_many(list(_PLAIN), list(_PLAIN.values()))
    sql = f"translate({sql}, {quoted(''.join(_PLAIN))}, {quoted(''.join(_PLAIN.values()))})"
    left = "[\uff61-\uff9f]"
    return _checked(
        text,
        text_sql,
        ~value.str.contains(left),
        f"not regexp_matches({sql}, '{left}')",
        value,
        sql,
        "kana-form",
    )
