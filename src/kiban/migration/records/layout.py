"""What a copybook says of the bytes of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from kiban.characters import Mode

Kind = Literal["text", "national", "zoned", "packed", "binary", "filler"]
Sign = Literal["none", "within", "leading", "trailing"]
"""Where the sign of a number is: nowhere, within its last byte, or in a byte of its own before or behind."""


@dataclass(frozen=True)
class Field:
    """One elementary field at its place.

    Attributes:
        name: as in the copybook; a field of a table carries its number, such as KI-GAKU(2).
        offset: first byte, from 0.
        length: in bytes.
        kind: how it is written. `filler` holds nothing; its bytes are looked at all the same.
        digits: of a number, all of them; 0 for others.
        scale: digits behind the implied decimal point.
        sign: see `Sign`.
        under: names of the redefining groups it stands in, outer first: it counts only where all of them apply.
    """

    name: str
    offset: int
    length: int
    kind: Kind
    digits: int = 0
    scale: int = 0
    sign: Sign = "none"
    under: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table at the end of a record whose number of rows another field tells (OCCURS DEPENDING ON).

    Attributes:
        name: of the group, and of the dataset its rows become.
        offset: where it begins.
        length: of one row.
        most, least: how many rows there may be.
        count: name of the field that tells how many there are.
        fields: of one row; offsets count from the row's first byte.
    """

    name: str
    offset: int
    length: int
    least: int
    most: int
    count: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Record:
    """One record description (level 01).

    Attributes:
        name: of the record, and of the dataset it becomes.
        length: in bytes, with the longest table at its end left out.
        fields: every byte belongs to at least one of them; those of redefining groups share bytes.
        table: at the end, or None.
    """

    name: str
    length: int
    fields: tuple[Field, ...]
    table: Table | None = None

    @property
    def longest(self) -> int:
        """Bytes of the longest record."""
        return self.length + (self.table.length * self.table.most if self.table else 0)

    def named(self, name: str) -> Field | None:
        """The field of this name, or None."""
        return next((one for one in self.fields if one.name == name), None)


@dataclass(frozen=True)
class Copybook:
    """All record descriptions of a file.

    Attributes:
        records: in the order of the copybook.
        choices: for each redefined place of a record, the names of the groups that share it, in order.
    """

    records: tuple[Record, ...]
    choices: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Reading:
    """What the copybook leaves open and somebody has to say: the plan of a migration does.

    Attributes:
        modes: text fields (PIC X) that are not single-byte only: mixed or double.
        when: for a record or a redefining group, the field and the values with which it applies, as written in single
            bytes. A record without an entry always applies, where it is the only one.
        unset: for a numeric field, what stands for "nothing": low-values, spaces. Anything not listed is a fault.
    """

    modes: Mapping[str, Mode] = field(default_factory=dict)
    when: Mapping[str, tuple[str, Sequence[str]]] = field(default_factory=dict)
    unset: Mapping[str, Sequence[Literal["low-values", "spaces"]]] = field(default_factory=dict)


def base_name(name: str) -> str:
    """The name in the copybook of a field that may be one of a table.

    >>> base_name("KI-GAKU(2)")
    'KI-GAKU'
    """
    return name.split("(", 1)[0]
