"""Where each field of the legacy sample lies: the field list of the project folder, as the writer reads it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

PROJECT = Path(__file__).with_name("legacy") / "project"
FIELDS = PROJECT / "fields.csv"
CODES = "codes"
"""Folder of a project with a table for each legacy code list."""
CODE_HEADS = ("旧コード", "標準コード", "名称")


@dataclass(frozen=True)
class Field:
    """One field of a legacy record.

    Attributes:
        name: COBOL data name, or the heading of a CSV column.
        offset: bytes from the start of its record part; 0 in a CSV.
        size: bytes; 0 in a CSV.
        digits: of a number; 0 for text.
        signed: whether the picture has a sign.
        encoding: x, n, mixed, kana, zoned, packed, wareki, ymd, ymd9, hms, code:LIST, and of a CSV text, number,
            list, zoned10.
        group: ID of the town's group; empty where the record itself says the value.
        item: romaji name of the item; empty likewise.
    """

    name: str
    offset: int
    size: int
    digits: int
    signed: bool
    encoding: str
    group: str
    item: str


@dataclass(frozen=True)
class Layout:
    """The fields of one record part, in order.

    Attributes:
        fields: its fields.
        size: bytes together.
    """

    fields: tuple[Field, ...]
    size: int

    def field(self, name: str) -> Field:
        """The field of that name."""
        return next(field for field in self.fields if field.name == name)


@cache
def layouts() -> dict[tuple[str, str], Layout]:
    """Every record part by copybook and part, such as ("JUKI", "DATA"), or ("KYUJI.csv", "CSV")."""
    with FIELDS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {}
    for key, part in groupby(rows, key=lambda row: (row["copybook"], row["record"])):
        fields: list[Field] = []
        offset = 0
        for row in part:
            size = int(row["bytes"] or 0)
            fields.append(_field(row, offset, size))
            offset += size
        found[key] = Layout(tuple(fields), offset)
    return found


def _field(row: dict[str, str], offset: int, size: int) -> Field:
    picture = row["picture"]
    digits = int(picture[picture.index("(") + 1 : picture.index(")")]) if "9(" in picture else 0
    return Field(
        name=row["field"],
        offset=offset,
        size=size,
        digits=digits,
        signed=picture.startswith("S"),
        encoding=row["encoding"],
        group=row["group"],
        item=row["item"],
    )


@cache
def code_lists() -> dict[str, dict[str, str]]:
    """Legacy code of each value of the standard, by list: the code tables of the project, read the other way."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((PROJECT / CODES).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            old, new, _ = CODE_HEADS
            found[path.stem] = {row[new]: row[old] for row in csv.DictReader(file)}
    return found
