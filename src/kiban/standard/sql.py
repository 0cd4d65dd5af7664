"""What an item is in SQL (PostgreSQL)."""

from __future__ import annotations

from kiban.standard.code_list import CodeList
from kiban.standard.model import Item

_SELECTORS = r"\uFE00-\uFE0F\U000E0100-\U000E01EF"
_REGEX_LIMIT = 255  # the largest repetition that PostgreSQL's regular expressions know


def sql_type(item: Item) -> str:
    """The column type of an item.

    Returns:
        X N YEAR TIME: text. 9 S9: bigint, or numeric(n,0) past 18 digits. 9V: numeric(n+m,m). BLOB: bytea.
        DATE: date, or text where unknown dates are permitted. Repeated items: text[].
    """
    if item.repeats:
        return "text[]"
    if item.type in ("9", "S9"):
        return "bigint" if (item.digits or 18) <= 18 else f"numeric({item.digits},0)"
    if item.type == "9V":
        return f"numeric({(item.digits or 0) + (item.scale or 0)},{item.scale or 0})"
    if item.type == "DATE":
        return "text" if item.allows_unknown_date else "date"
    return "bytea" if item.type == "BLOB" else "text"


def sql_check(item: Item, code_list: CodeList | None = None) -> str | None:
    """A boolean expression over the column that holds for every good value; NULL passes.

    Args:
        item: the item; its romaji is the column.
        code_list: its code list; a list that cities fill is not checked.

    Returns:
        The expression, cheap while loading in bulk, or None where the column type says it all. It uses
        `kiban.character_count(text)`, which counts characters without variation selectors.
    """
    column = f'"{item.romaji}"'
    allowed = code_list.values if code_list is not None and not code_list.free else None
    if item.repeats:
        return _check_array(item, column, allowed)
    if allowed:
        return f"{column} = ANY ({array_literal(allowed)})"
    if item.type in ("X", "N") and item.digits is not None:
        n = item.digits
        return f"(octet_length({column}) <= {n} OR kiban.character_count({column}) <= {n})"
    if item.type == "9" and item.digits is not None:
        return f"({column} >= 0 AND {column} < {10**item.digits})"
    if item.type == "S9" and item.digits is not None:
        return f"({column} > -{10**item.digits} AND {column} < {10**item.digits})"
    if item.type == "9V":
        return f"{column} >= 0"
    if item.type == "YEAR":
        return f"{column} ~ '^[0-9]{{4}}$'"
    if item.type == "TIME":
        return f"{column} ~ '^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$'"
    if item.type == "DATE" and item.allows_unknown_date:
        return f"{column} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$'"
    return None


def _check_array(item: Item, column: str, allowed: tuple[str, ...] | None) -> str:
    parts = [f"cardinality({column}) <= {item.repeat}", f"array_position({column}, NULL) IS NULL"]
    if allowed:
        parts.append(f"{column} <@ {array_literal(allowed)}")
    elif item.type in ("X", "N") and item.digits is not None and item.digits <= _REGEX_LIMIT:
        one = f"([^\\n{_SELECTORS}][{_SELECTORS}]*){{1,{item.digits}}}"
        parts.append(f"array_to_string({column}, E'\\n') ~ '^({one}(\\n{one})*)?$'")
    return f"({' AND '.join(parts)})"


def array_literal(values: tuple[str, ...]) -> str:
    """A PostgreSQL array literal of texts.

    >>> print(array_literal(("0", "a'b")))
    '{"0","a''b"}'
    """
    quoted = ",".join('"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values)
    return "'{" + quoted.replace("'", "''") + "}'"
