"""Columns of the standard as the bytes of a mainframe: text, zoned, packed and binary numbers, dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kiban.characters import CodePage, encode_block
from kiban.kernel import Problem
from kiban.town.unload_layout import Field, Layout

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]

OPEN_END = 99999999
ERA_STARTS = np.array([18680125, 19120730, 19261225, 19890108, 20190501])
ERA_YEARS = np.array([1868, 1912, 1926, 1989, 2019])
FISCAL_STARTS = np.array([1868, 1913, 1927, 1989, 2020])
"""First fiscal year that is counted in each era: that of its first day, so 2019 is 平成31年度."""
POSITIVE, NEGATIVE, UNSIGNED, ZONE = 0x0C, 0x0D, 0x0F, 0xF0
_TEXT = {"x": "single", "kana": "single", "n": "double", "mixed": "mixed"}

_FULL = (
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンー・\u3000"
)
_HALF = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｰ･ "
_VOICED = dict(zip("ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ", "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎｳ", strict=True))
_SEMI = dict(zip("パピプペポ", "ﾊﾋﾌﾍﾎ", strict=True))
_SMALL = dict(zip("ァィゥェォッャュョヮ", "ｱｲｳｴｵﾂﾔﾕﾖﾜ", strict=True))
HALF_WIDTH = str.maketrans(
    {
        **dict(zip(_FULL, _HALF, strict=True)),
        **{kana: base + "ﾞ" for kana, base in _VOICED.items()},
        **{kana: base + "ﾟ" for kana, base in _SEMI.items()},
        **_SMALL,
    }
)
"""Full-width kana as an old system keeps them: half-width, small kana enlarged."""


def write_fields(
    block: Bytes, layout: Layout, rows: pa.Table, page: CodePage, lists: Mapping[str, Mapping[str, str]]
) -> None:
    """Fills the fields of a block of records that come from the town; the others keep what they hold.

    Args:
        block: (rows, layout.size) bytes.
        layout: fields of the record part.
        rows: columns of the town's group, by romaji name.
        page: code page of the system.
        lists: legacy codes by list.

    Raises:
        Problem: `unload-code-missing`, `unload-number-wide`, `unload-text-unwritable`, `unload-date-early`.
    """
    for field in layout.fields:
        if field.item:
            place = block[:, field.offset : field.offset + field.size]
            place[:] = encoded(field, rows[field.item].combine_chunks(), page, lists)


def encoded(field: Field, column: pa.Array, page: CodePage, lists: Mapping[str, Mapping[str, str]]) -> Bytes:
    """A column as (rows, field.size) bytes.

    Raises:
        Problem: as `write_fields`.
    """
    kind, _, name = field.encoding.partition(":")
    if kind == "code":
        return _text(field, legacy_codes(column, lists[name], field.name), page, "single")
    if kind in _TEXT:
        column = half_width(column) if kind == "kana" else column
        return _text(field, column, page, _TEXT[kind])
    numbers = _numbers(field, column)
    if kind == "hms":
        binary: Bytes = numbers.astype(">u4").view(np.uint8).reshape(len(numbers), field.size)
        return binary
    if field.encoding in ("packed", "wareki"):
        return packed(numbers, field.size, field.signed)
    return zoned(numbers, field.size, field.signed)


def zoned(numbers: Numbers, size: int, signed: bool = False) -> Bytes:
    """Digits, one a byte; a sign stands in the zone of the last (C or D)."""
    made = (_digits(np.abs(numbers), size) + ZONE).astype(np.uint8)
    if signed:
        made[:, -1] &= np.where(numbers < 0, NEGATIVE << 4 | 0x0F, POSITIVE << 4 | 0x0F).astype(np.uint8)
    return made


def packed(numbers: Numbers, size: int, signed: bool) -> Bytes:
    """COMP-3: two digits a byte, the sign in the last half (C or D for signed, F for unsigned)."""
    digits = _digits(np.abs(numbers), 2 * size - 1)
    sign = np.where(numbers < 0, NEGATIVE, POSITIVE) if signed else np.full(len(numbers), UNSIGNED)
    halves = np.hstack([digits, sign[:, None]])
    made: Bytes = (halves[:, ::2] * 16 + halves[:, 1::2]).astype(np.uint8)
    return made


def wareki(numbers: Numbers) -> Numbers:
    """YYYYMMDD as era digit and YYMMDD; 0 stays 0.

    Raises:
        Problem: `unload-date-early` before Meiji.
    """
    there = numbers > 0
    if bool((numbers[there] < ERA_STARTS[0]).any()):
        raise Problem("unload-date-early", "a date lies before the first era", fix="look at the town's dates")
    era = np.searchsorted(ERA_STARTS, numbers, side="right")
    year = numbers // 10000 - ERA_YEARS[np.maximum(era, 1) - 1] + 1
    return np.where(there, era * 10**6 + year * 10**4 + numbers % 10000, 0)


def nendo(years: Numbers) -> Numbers:
    """Fiscal years as era digit and year of the era: 2026 is 508.

    >>> nendo(np.array([2019, 2020, 2026])).tolist()
    [431, 502, 508]
    """
    era = np.searchsorted(FISCAL_STARTS, years, side="right")
    found: Numbers = era * 100 + years - ERA_YEARS[np.maximum(era, 1) - 1] + 1
    return found


def half_width(column: pa.Array) -> pa.Array:
    """Kana as the old system keeps them."""
    words = column.dictionary_encode()
    narrow = [word.translate(HALF_WIDTH) for word in words.dictionary.to_pylist()]
    return pa.array(narrow, pa.string()).take(words.indices)


def legacy_codes(column: pa.Array, codes: Mapping[str, str], where: str) -> pa.Array:
    """Values of the standard as legacy codes; null stays null.

    Raises:
        Problem: `unload-code-missing`.
    """
    values = column.dictionary_encode()
    known = values.dictionary.to_pylist()
    missing = [value for value in known if value not in codes]
    if missing:
        raise Problem(
            "unload-code-missing",
            f"no legacy code for {', '.join(missing)}",
            where=where,
            fix="add it to the list's table in legacy/project/codes",
        )
    return pa.array([codes[value] for value in known], pa.string()).take(values.indices)


def day_numbers(column: pa.Array, empty: int = 0) -> Numbers:
    """Days, as written or as dates, as YYYYMMDD; `empty` where there is none."""
    if pa.types.is_date(column.type):
        column = pc.strftime(column, "%Y%m%d")
    digits = pc.replace_substring(column, "-", "")
    return _whole(digits, empty)


def _whole(column: pa.Array, empty: int = 0) -> Numbers:
    whole: Any = pc.cast(column, pa.int64()).fill_null(empty)
    found: Numbers = whole.to_numpy(zero_copy_only=False)
    return found


def _numbers(field: Field, column: pa.Array) -> Numbers:
    if field.encoding == "hms":
        found = _whole(pc.replace_substring(column, ":", ""))
    elif field.encoding == "wareki":
        found = wareki(day_numbers(column))
    elif field.encoding == "nendo":
        found = nendo(_whole(column))
    elif field.encoding in ("ymd", "ymd9"):
        found = day_numbers(column, OPEN_END if field.encoding == "ymd9" else 0)
    else:
        found = _whole(column)
    if len(found) and int(np.abs(found).max()) >= 10**field.digits:
        raise Problem(
            "unload-number-wide",
            f"a value does not fit into {field.digits} digits",
            where=field.name,
            fix="the legacy sample holds smaller towns only",
        )
    return found


def _digits(numbers: Numbers, count: int) -> Numbers:
    powers = 10 ** np.arange(count - 1, -1, -1, dtype=np.int64)
    found: Numbers = numbers[:, None] // powers % 10
    return found


def _text(field: Field, column: pa.Array, page: CodePage, mode: Any) -> Bytes:
    made = encode_block(page, column, field.size, mode)
    if len(made.faults):
        raise Problem(
            "unload-text-unwritable",
            f"{len(made.faults)} places cannot be written in {page.name}: {made.faults.code[0]}",
            where=f"{field.group}, {field.name}",
            fix="widen the field, or give the character a gaiji code",
        )
    return made.block
