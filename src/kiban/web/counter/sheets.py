"""Sheets: a row of a register as an official reads it, derived from the edition alone; a new item needs no code."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kiban.kernel import Period
from kiban.standard import Edition, Group, Item
from kiban.web.counter.values import Shown, day_text, shown

HIDDEN = Shown("権限がないため表示しません")
"""What stands in the place of an item that is kept from who looks; it does not tell whether there is a value."""

_ROW = frozenset({"valid", "known_from", "known_to", "event"})
Labels = Mapping[str, Mapping[str, str]]
"""Romaji of an item -> code -> what a row of the city's own tables calls it."""


@dataclass(frozen=True)
class Line:
    """One item on a sheet.

    Attributes:
        title: its official title.
        romaji: its one name.
        value: as it is shown.
        hidden: whether it is kept from who looks.
        names: whether it holds names, whose characters can be looked at.
    """

    title: str
    romaji: str
    value: Shown
    hidden: bool = False
    names: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to read."""
        return not self.hidden and not self.value.text


@dataclass(frozen=True)
class Part:
    """Items of one class (クラス分類), in the official order.

    Attributes:
        title: of the class; empty for items without one.
        lines: the items.
    """

    title: str
    lines: tuple[Line, ...]

    @property
    def empty(self) -> bool:
        """Whether no item has anything to read."""
        return all(line.empty for line in self.lines)


@dataclass(frozen=True)
class Sheet:
    """One row.

    Attributes:
        parts: its items by class.
        valid: the period in which it is true, in words; empty for a log.
        current: whether it is true on the day looked at.
        subject: what tells the row from the others of the person, in words.
    """

    parts: tuple[Part, ...]
    valid: str = ""
    current: bool = True
    subject: str = ""


@dataclass(frozen=True)
class Leaf:
    """All rows that a register holds of a person.

    Attributes:
        register: schema.table.
        title: official title of the group.
        business: title of the business.
        sheets: the rows, the one that matters first.
        more: how many further rows there are.
        closed: why nothing is shown; empty where it is.
    """

    register: str
    title: str
    business: str
    sheets: tuple[Sheet, ...] = ()
    more: int = 0
    closed: str = ""

    @property
    def anchor(self) -> str:
        """Where it stands on the page."""
        return self.register.replace(".", "-")


@dataclass(frozen=True)
class Reader:
    """For whom, of which day and by which edition sheets are made.

    Attributes:
        edition: in force.
        hidden: items that are kept back, as edition.group.romaji.
        on: the day looked at.
        labels: what codes of the city's own tables stand for.
    """

    edition: Edition
    hidden: Collection[str]
    on: date
    labels: Labels = field(default_factory=dict)

    def sheet(self, group: Group, row: Mapping[str, Any]) -> Sheet:
        """The sheet of one row; every item of the group stands on it once, under its official title."""
        named = name_items(group)
        parts = [
            Part(title, tuple(self._line(group, item, row, named) for item in items))
            for title, items in classes(group)
        ]
        parts += self._former(group, row)
        period = row.get("valid")
        current = not isinstance(period, Period) or self.on in period
        return Sheet(tuple(parts), period_text(period), current, self._subject(group, row))

    def value(self, group: Group, romaji: str, row: Mapping[str, Any]) -> Shown:
        """One item of a row as it is shown, hidden or not."""
        return self._line(group, group.item(romaji), row).value

    def hides(self, group: Group, romaji: str) -> bool:
        """Whether an item is kept from who looks."""
        return f"{self.edition.id}.{group.id}.{romaji}" in self.hidden

    def _line(
        self, group: Group, item: Item, row: Mapping[str, Any], named: Collection[str] = frozenset()
    ) -> Line:
        if self.hides(group, item.romaji):
            return Line(item.name, item.romaji, HIDDEN, hidden=True)
        made = shown(item, row, self.edition, self.on, self.labels.get(item.romaji))
        return Line(item.name, item.romaji, made, names=item.romaji in named)

    def _former(self, group: Group, row: Mapping[str, Any]) -> list[Part]:
        """What earlier editions left in the row. Whether it was to be hidden nobody can say: who may not see all, sees none."""
        if any(name.startswith(f"{self.edition.id}.") for name in self.hidden):
            return []
        left = [name for name in row if name not in group and name not in _ROW and row[name] is not None]
        lines = tuple(Line(name, name, Shown(str(row[name]))) for name in left)
        return [Part("前の版の項目", lines)] if lines else []

    def _subject(self, group: Group, row: Mapping[str, Any]) -> str:
        """The further items of the key, which tell rows of one person apart."""
        told = [self._line(group, item, row) for item in group.key[1:]]
        return "　".join(f"{line.title} {line.value.text}" for line in told if line.value.text)


def classes(group: Group) -> list[tuple[str, list[Item]]]:
    """The items of a group by their クラス分類, in the order in which each class comes first; official order inside."""
    found: dict[tuple[str, str, str], list[Item]] = {}
    for item in group.items:
        found.setdefault(item.classes, []).append(item)
    several = len({kind[1] for kind in found}) > 1
    return [
        (kind[2] or (kind[1] if several or not kind[0] else ""), members) for kind, members in found.items()
    ]


def name_items(group: Group) -> frozenset[str]:
    """The items that hold names by which persons are found."""
    return frozenset(name for name, _ in group.search.names) if group.search else frozenset()


def period_text(period: Period | None) -> str:
    """A period in words; empty where there is none."""
    if not isinstance(period, Period):
        return ""
    start = day_text(period.start) or "当初"
    return f"{start}から" if period.end is None else f"{start}から{day_text(period.end)}の前日まで"
