"""SQL for a plain database: tables, keys, checks and comments, nothing of Kiban's own."""

from __future__ import annotations

from kiban.standard.exporting.fields import about, checked_codes, description, digits
from kiban.standard.model import Edition, Group, Item
from kiban.standard.references import target_item


def to_ddl(edition: Edition) -> str:
    """The edition as SQL that PostgreSQL runs; it keeps to standard SQL but for COMMENT ON and bytea.

    A column of type N is twice as wide as its 桁数, because each character may carry a variation selector.
    A foreign key is written where the referenced item is the whole key of its table; the others, which point
    to a subject with history, are named in comments.
    """
    lines = [f"-- {line}" for line in about(edition).splitlines()]
    lines += [f'CREATE SCHEMA "{edition.id}";', ""]
    for group in edition.groups:
        lines += [*_table(edition, group), ""]
    for group in edition.groups:
        lines += _foreign_keys(edition, group)
    return "\n".join(lines).rstrip() + "\n"


def _name(edition: Edition, group_id: str) -> str:
    return f'"{edition.id}"."{group_id}"'


def _table(edition: Edition, group: Group) -> list[str]:
    table = _name(edition, group.id)
    parts = [_column(edition, item) for item in group.items]
    parts.append(f"  PRIMARY KEY ({', '.join(_quoted(item) for item in group.key)})")
    lines = [f"CREATE TABLE {table} (", ",\n".join(parts), ");"]
    lines.append(f"COMMENT ON TABLE {table} IS {_text(group.name)};")
    for item in group.items:
        size = digits(item)
        said = f"{item.id} {item.name}（{item.type}{' ' + size if size else ''}、{item.condition}）"
        said += "\n" + description(item) if description(item) else ""
        lines.append(f"COMMENT ON COLUMN {table}.{_quoted(item)} IS {_text(said)};")
    return lines


def _column(edition: Edition, item: Item) -> str:
    parts = [f"  {_quoted(item)} {_type(item)}"]
    if item.required:
        parts.append("NOT NULL")
    check = _check(edition, item)
    if check:
        parts.append(f"CHECK ({check})")
    return " ".join(parts)


def _type(item: Item) -> str:
    n, m = item.digits, item.scale
    kind = {
        "X": f"varchar({n})",
        "N": f"varchar({2 * (n or 0)})",
        "9": f"numeric({n}, 0)",
        "S9": f"numeric({n}, 0)",
        "9V": f"numeric({(n or 0) + (m or 0)}, {m})",
        "BLOB": "bytea",
        "YEAR": "char(4)",
        "DATE": "varchar(10)" if item.allows_unknown_date else "date",
        "TIME": "varchar(8)",
    }[item.type]
    return f"{kind} ARRAY" if item.repeats else kind


def _check(edition: Edition, item: Item) -> str | None:
    column = _quoted(item)
    codes = checked_codes(edition, item)
    if item.repeats:
        return f"CARDINALITY({column}) <= {item.repeat}"
    if codes is not None:
        numbers = item.type in ("9", "S9")
        return f"{column} IN ({', '.join(v if numbers else _text(v) for v in codes.values)})"
    if item.type in ("9", "9V"):
        return f"{column} >= 0"
    if item.type == "DATE" and item.allows_unknown_date:
        return f"{column} LIKE '____-__-__'"
    return None


def _foreign_keys(edition: Edition, group: Group) -> list[str]:
    lines = []
    for romaji, target in group.references.items():
        pointed = target_item(edition.groups, target, romaji)
        if pointed is None:
            continue
        if edition.group(target).key == (pointed,):
            lines.append(
                f'ALTER TABLE {_name(edition, group.id)} ADD FOREIGN KEY ("{romaji}") '
                f"REFERENCES {_name(edition, target)} ({_quoted(pointed)});"
            )
        else:
            lines.append(f"-- {group.id}.{romaji} points to {target}.{pointed.romaji}, which has history")
    return lines


def _quoted(item: Item) -> str:
    return f'"{item.romaji}"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
