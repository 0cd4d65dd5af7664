"""All that the registers hold of one person on a day, as known at a moment, for who looks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kiban.kernel import AsOf, Period
from kiban.store import Session, Store
from kiban.web.counter.finding import Found, present
from kiban.web.counter.labels import labels
from kiban.web.counter.registers import Place, Roll, places
from kiban.web.counter.sheets import HIDDEN, Leaf, Reader, period_text

ROWS = 3
"""Rows of a register on the page of a person; the others have a page of their own."""


@dataclass(frozen=True)
class Person:
    """One person.

    Attributes:
        head: as lists show her.
        household: who lives with her on the day, herself among them; empty where the register says nothing of it.
        leaves: what each register holds.
        events: that wrote what is shown or was true before or after, the newest first.
        off_day: whether the registers hold nothing of her on the day, and the row nearest to it is shown.
        since: the period of the row shown, in words.
    """

    head: Found
    household: tuple[Found, ...]
    leaves: tuple[Leaf, ...]
    events: tuple[int, ...]
    off_day: bool
    since: str

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everybody of whom something is shown."""
        return tuple(dict.fromkeys([self.head.number, *(one.number for one in self.household)]))


def read_person(
    store: Store,
    session: Session,
    roll: Roll,
    number: str,
    on: date,
    known: datetime | None = None,
    only: Collection[str] | None = None,
    most: int | None = ROWS,
) -> Person | None:
    """The person with this number; None where no row of hers is open to who looks.

    Args:
        store: the registers.
        session: of who looks.
        roll: where she is found.
        number: the 宛名番号.
        on: the day in the town.
        known: the moment of knowledge; None for now.
        only: registers whose rows are wanted; None for all.
        most: rows of each register; None for all.

    Raises:
        Problem: `known-future`, and what the database refuses.
    """
    rows = session.history(roll.register, known, **{roll.section.subject: number})
    if not rows:
        return None
    row, at = of_the_day(rows, on), AsOf(on, known)
    events = {int(each["event"]) for each in rows}
    leaves = []
    for place in places(store, session.actor, roll):
        if only is not None and place.register not in only:
            continue
        if place.register == roll.register:
            leaves.append(_leaf(store, session, place, [row], on))
            continue
        held = _held(session, place, row, number, at)
        leaves.append(_shut(place) if held is None else _leaf(store, session, place, held, on, most))
        events |= set() if place.of_household else {int(each["event"]) for each in held or ()}
    members = _household(session, roll, row, at)
    shown = present(store, session, roll, [row, *members], on)
    household = tuple(shown[str(each[roll.section.subject])] for each in members)
    newest, period = tuple(sorted(events, reverse=True)), _period(row)
    return Person(shown[number], household, tuple(leaves), newest, on not in period, period_text(period))


def read_rows(store: Store, session: Session, place: Place, roll: Roll, number: str, at: AsOf) -> Leaf | None:
    """Every row that a register holds of a person on a day; None where no row of hers is open to who looks.

    Raises:
        Problem: `known-future`, and what the database refuses.
    """
    rows = session.history(roll.register, at.known, **{roll.section.subject: number})
    if not rows:
        return None
    held = _held(session, place, of_the_day(rows, at.valid), number, at)
    return _shut(place) if held is None else _leaf(store, session, place, held, at.valid, None)


def of_the_day(rows: Sequence[Mapping[str, Any]], on: date) -> Mapping[str, Any]:
    """The row of a day; where there is none, the last one that began before, else the first."""
    for row in rows:
        if on in _period(row):
            return row
    begun = [row for row in rows if (start := _period(row).start) is None or start <= on]
    return begun[-1] if begun else rows[0]


def _period(row: Mapping[str, Any]) -> Period:
    period = row.get("valid")
    return period if isinstance(period, Period) else Period(None)


def _held(
    session: Session, place: Place, row: Mapping[str, Any], number: str, at: AsOf
) -> Sequence[Mapping[str, Any]] | None:
    """The rows of a register on the day; None where who looks may not see whose they are."""
    if f"{place.register}.{place.item}" in session.actor.hidden:
        return None
    value = row.get(place.item) if place.of_household else number
    if not value:
        return []
    rows = session.read(place.register, at, **{place.item: str(value)})
    if place.group.kind == "log":  # what was written last first
        rows = sorted(rows, key=lambda one: int(one["event"]))[::-1]
    return rows


def _shut(place: Place) -> Leaf:
    return Leaf(place.register, place.group.name, place.edition.title, closed=HIDDEN.text)


def _leaf(
    store: Store,
    session: Session,
    place: Place,
    rows: Sequence[Mapping[str, Any]],
    on: date,
    most: int | None = ROWS,
) -> Leaf:
    shown = rows if most is None else rows[:most]
    names = labels(store, session, place.edition, place.group, shown, on)
    reader = Reader(place.edition, session.actor.hidden, on, names)
    sheets = tuple(reader.sheet(place.group, row) for row in shown)
    return Leaf(place.register, place.group.name, place.edition.title, sheets, len(rows) - len(shown))


def _household(session: Session, roll: Roll, row: Mapping[str, Any], at: AsOf) -> list[Mapping[str, Any]]:
    """The rows of those who live in the household of a row on the day; the register says who that is."""
    name = roll.household
    if name is None or not row.get(name) or f"{roll.register}.{name}" in session.actor.hidden:
        return []
    rows: list[Mapping[str, Any]] = [*session.read(roll.register, at, **{name: str(row[name])})]
    living = [one for one in rows if roll.head.state is None or one.get(roll.head.state) in roll.head.living]
    order = roll.head.order
    return sorted(living, key=lambda one: (one.get(order) is None, one.get(order) or 0)) if order else living
