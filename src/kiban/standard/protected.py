"""Which persons are protected (支援措置 and 抑止), as an edition says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Ground:
    """Rows that protect whom they name. A row counts unless it says that it does not: what is not understood protects.

    Attributes:
        group: ID of the group.
        person: romaji of the item that names a person (宛名番号); None where the rows name none.
        household: romaji of the item that names a household (世帯番号), all of whose members are protected; likewise.
        through: romaji of an 外部キー item of the group; `unless` then speaks of the row it points to. Where that row is
            not there, the row counts.
        target: ID of the group that `through` points to.
        unless: romaji -> values; a row that has one of them does not count. An empty value stands for none.
        ends_by_date: whether the last row of a subject stops counting with its period. Otherwise only another row, or
            another value, ends it.
    """

    group: str
    person: str | None
    household: str | None
    unless: Mapping[str, tuple[str, ...]] = field(hash=False)
    through: str | None = None
    target: str | None = None
    ends_by_date: bool = False


@dataclass(frozen=True)
class Protected:
    """What an edition says of protected persons: whoever has one ground is protected.

    Attributes:
        grounds: at least one.
        group: ID of the group whose rows say who lives in which household.
        person: its item that names the person.
        household: its item that names the household.
    """

    grounds: tuple[Ground, ...]
    group: str
    person: str
    household: str

    @property
    def groups(self) -> frozenset[str]:
        """Every group of which a change can protect somebody, or end it."""
        named = {ground.group for ground in self.grounds} | {self.group}
        return frozenset(named | {ground.target for ground in self.grounds if ground.target})
