"""What a map says, as plain values: where every item of a group comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiban.migration.mapping.rules import Compiled
from kiban.migration.plan import Target
from kiban.standard import Edition, Group

MOVED, MADE, NOT_HELD = "移行", "派生", "保有なし"


@dataclass(frozen=True)
class Lookup:
    """What a rule 参照 looks up: some fields of the records of another segment that have a certain key.

    Attributes:
        segment: name of the decoded segment.
        key: its field that is compared with the field of the map, as text.
        fields: its fields that are wanted, written together without anything between.
    """

    segment: str
    key: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """Where one item comes from.

    Attributes:
        item: official romaji, or valid_from or valid_to.
        name: its Japanese name.
        how: 移行 (a field by a rule), 派生 (made from other fields or a constant) or 保有なし (the legacy system has nothing).
        field: the legacy field; of the record a table row belongs to with its segment, such as SH-REC.SH-SHIEN-NO; "" where none.
        rule, argument: see `RULES`; "" where there is none.
        note: why, in Japanese; "" where nothing needs to be said.
        place: file and line of the map, for messages.
        compiled: the rule in both languages.
        lookup: of the rule 参照; otherwise None.
        parent: the segment of the field, where it is not the map's own; otherwise "".
        codes: of the rule コード表: legacy code to code of the standard; otherwise None.
    """

    item: str
    name: str
    how: str
    field: str
    rule: str
    argument: str
    note: str
    place: str
    compiled: Compiled
    lookup: Lookup | None = None
    parent: str = ""
    codes: Mapping[str, str] | None = None

    @property
    def inside(self) -> str:
        """The name of the field within its segment."""
        return self.field.removeprefix(f"{self.parent}.") if self.parent else self.field

    @property
    def found(self) -> str:
        """The column of the frame that holds what was looked up."""
        return f"@{self.item}"

    @property
    def ways(self) -> str:
        """The column of the frame that holds how many different answers there are."""
        return f"@{self.item}#"


@dataclass(frozen=True)
class MapLines:
    """Where every item of a group comes from.

    Attributes:
        target: of the plan.
        edition, group: what is filled.
        lines: one for each item, in the order of the group, then valid_from and valid_to of a register.
    """

    target: Target
    edition: Edition
    group: Group
    lines: tuple[Line, ...]

    @property
    def register(self) -> str:
        """SCHEMA.GROUP, such as resident.jumin."""
        return f"{self.edition.id}.{self.group.id}"

    @property
    def reads(self) -> dict[str, tuple[str, ...]]:
        """The fields it reads of each segment, its own first."""
        wanted: dict[str, dict[str, None]] = {self.target.source: {}}
        if self.target.where is not None:
            wanted[self.target.source][self.target.where[0]] = None
        for line in self.lines:
            if line.field:
                wanted.setdefault(line.parent or self.target.source, {})[line.inside] = None
            if line.lookup is not None:
                more = dict.fromkeys((line.lookup.key, *line.lookup.fields))
                wanted.setdefault(line.lookup.segment, {}).update(more)
        return {segment: tuple(fields) for segment, fields in wanted.items()}

    def line(self, item: str) -> Line:
        """The line of an item; a map that was loaded has one for each."""
        return next(one for one in self.lines if one.item == item)
