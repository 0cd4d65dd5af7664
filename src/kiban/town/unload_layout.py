"""Where each field of the legacy sample lies: the field list of the project folder, as the writer reads it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path

PROJECT = Path(__file__).with_name("legacy") / "project"
FIELDS = PROJECT / "fields.csv"
CODES = "codes"
"""Folder of a project with a table for each legacy code list."""
CODE_HEADS = ("旧コード", "標準コード", "名称")


@dataclass(frozen=True)
class Book:
    """A file of fixed-length records: what its copybook is called and what it is made from.

    Attributes:
        name: of the copybook; the files are called so too, with the number of the ward group where there are several.
        business: folder of the town.
        group: ID of the group whose rows become its records.
        system: ID of the old system, as in the plan.
        grouped: whether there is a file for each ward group.
        choice: item that tells which part redefines the end of a record; empty where none does.
        choices: record part by value of that item; where it has another value, or none, the end stays blank.
    """

    name: str
    business: str
    group: str
    system: str
    grouped: bool
    choice: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)


MAINFRAME, TAX, LISTS = "jef", "keis", "cp932"
"""IDs of the old systems: residents, the tax ledger, and the lists that come as CSV."""
BOOKS = (
    Book("JUKI", "resident", "jumin", MAINFRAME, True, "juminshubetsu", {"1": "NIHONJIN", "2": "GAIKOKUJIN"}),
    Book("SETAI", "resident", "setai", MAINFRAME, False),
    Book(
        "ZEI", "individual_resident_tax", "kazei", TAX, True, "choshuhoho",
        {"1": "FUTSU", "2": "TOKU", "3": "NENKIN"},
    ),
)  # fmt: skip
"""Every file of fixed-length records, in the order in which they are written."""


@dataclass(frozen=True)
class Field:
    """One field of a legacy record.

    Attributes:
        name: COBOL data name, or the heading of a CSV column.
        offset: bytes from the start of its record part; 0 in a CSV.
        size: bytes; 0 in a CSV.
        digits: of a number; 0 for text.
        signed: whether the picture has a sign.
        encoding: x, n, mixed, kana, zoned, packed, wareki, nendo, ymd, ymd9, hms, code:LIST, and of a CSV text,
            number, list, zoned10.
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


def book(name: str) -> Book:
    """The book of this name."""
    return next(one for one in BOOKS if one.name == name)


def books_of(town: Path) -> tuple[Book, ...]:
    """The books whose group the town has: a town without a tax ledger has an old system without one."""
    return tuple(one for one in BOOKS if (town / one.business / one.group).is_dir())


def system_of(copybook: str, part: str) -> str:
    """The old system that a record part belongs to."""
    if part == "CSV":
        return LISTS
    return next((one.system for one in BOOKS if one.name == copybook), MAINFRAME)


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
