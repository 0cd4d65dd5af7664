"""Who is protected as the register says it after each of some events, computed from the rows that the edition names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kiban.linkage.protection.unit import HOUSEHOLD, PERSON, Unit
from kiban.standard import Edition, Ground, Protected
from kiban.store import Row, Session


@dataclass(frozen=True)
class Standing:
    """What the register says of a unit after an event.

    Attributes:
        protected: whether a row counts.
        newest: number of the newest event that wrote a row that counts; 0 where none does.
        fresh: whether the event itself wrote a ground: it is protected anew, even if it was before.
    """

    protected: bool
    newest: int = 0
    fresh: bool = False


@dataclass(frozen=True)
class Facts:
    """Rows of some units as they were known after an event and later. Made by `gather`.

    Attributes:
        edition: of the register; it says who is protected.
        naming: the rows that name a unit, by the place of their ground.
        pointed: the rows that a ground with `through` points to, by the place of the ground and their number.
        homes: rows that say who lives where, by person and by household.
    """

    edition: Edition
    naming: dict[tuple[int, Unit], list[Row]] = field(default_factory=dict)
    pointed: dict[tuple[int, str], list[Row]] = field(default_factory=dict)
    homes: dict[Unit, list[Row]] = field(default_factory=dict)

    @property
    def protected(self) -> Protected:
        """What the edition says of protected persons."""
        assert self.edition.protection is not None
        return self.edition.protection

    def standing(self, unit: Unit, event: int, day: date) -> Standing:
        """What the register says of a unit after an event, on a day in the town."""
        found = Standing(False)
        for place, ground in enumerate(self.protected.grounds):
            for each in self._concerned(unit, event, day):
                rows = self.naming.get((place, each), ())
                for row in self._standing_rows(rows, ground.group, ground, event, day):
                    found = _joined(found, self._of_row(place, ground, each, row, event, day))
        return found

    def companions(self, unit: Unit, known: tuple[int, date] | None = None) -> set[Unit]:
        """The households of a person, or the people of a household: after an event on a day, or of any time since."""
        other, item = HOUSEHOLD, self.protected.household
        if unit.kind == HOUSEHOLD:
            other, item = PERSON, self.protected.person
        rows: Iterable[Row] = self.homes.get(unit, ())
        if known and unit.kind == PERSON:
            rows = self._standing_rows(rows, self.protected.group, None, *known)
        found = {Unit(other, row[item]) for row in rows if row[item]}
        if known and unit.kind == HOUSEHOLD:  # what their rows say, not only those that name the household
            found = {person for person in found if unit in self.companions(person, known)}
        return found

    def _concerned(self, unit: Unit, event: int, day: date) -> set[Unit]:
        """Whose grounds protect a unit: of a person its households, too; of a household its people and theirs."""
        people = {unit} if unit.kind == PERSON else self.companions(unit, (event, day))
        homes = {home for one in people for home in self.companions(one, (event, day))}
        return {unit} | people | homes

    def _of_row(self, place: int, ground: Ground, unit: Unit, row: Row, event: int, day: date) -> Standing:
        told = [row]
        if ground.through and ground.target:
            rows = self.pointed.get((place, row[ground.through]), ())
            told = self._standing_rows(rows, ground.target, ground, event, day)
        counting = [each for each in told if _counts(ground, each)]
        if told and not counting:
            return Standing(False)
        newest = max(each["event"] for each in (row, *counting))
        if (
            newest == event and ground.group == self.protected.group
        ):  # written anew by every change of a person
            before = self._standing_rows(self.naming[place, unit], ground.group, ground, event - 1, day)
            return Standing(True, newest, not any(_counts(ground, each) for each in before))
        return Standing(True, newest, newest == event)

    def _standing_rows(
        self, rows: Iterable[Row], group: str, ground: Ground | None, event: int, day: date
    ) -> list[Row]:
        """Rows known after an event that are true on a day or later; the last of a subject may be over."""
        subject = [item.romaji for item in self.edition.group(group).subject]
        known = [
            row
            for row in rows
            if row["event"] <= event and (row["closed_by"] is None or row["closed_by"] > event)
        ]
        last: dict[tuple[Any, ...], str] = {}
        if not (ground and ground.ends_by_date):
            for row in known:
                key = tuple(row[name] for name in subject)
                last[key] = max(last.get(key, ""), _start(row))
        return [
            row
            for row in known
            if (row.get("valid_to") or _NEVER) > day.isoformat()
            or last.get(tuple(row[name] for name in subject)) == _start(row)
        ]


_NEVER = "9999-99-99"


def gather(session: Session, edition: Edition, units: Collection[Unit], after: int) -> Facts:
    """The rows that tell whether units are protected, as known after an event and later.

    Args:
        session: of an actor who sees the whole city; who does not see a row would take a person for clear.
        edition: that of the registers in force, with a section `protection`.
        units: persons and households.
        after: number of the event.

    Raises:
        Problem: those of `Session.since`.
    """
    facts = Facts(edition)
    told = set(units)
    for kind in (HOUSEHOLD, PERSON):  # the people of the households, then the homes of all people
        asked = {unit.number for unit in told if unit.kind == kind}
        _gather_homes(session, facts, kind, asked, after)
        told |= {other for number in asked for other in facts.companions(Unit(kind, number))}
    for place, ground in enumerate(facts.protected.grounds):
        for kind, item in ((PERSON, ground.person), (HOUSEHOLD, ground.household)):
            numbers = sorted(unit.number for unit in told if unit.kind == kind)
            if item and numbers:
                items = _needed(edition, ground)
                for row in session.since(_name(edition, ground.group), after, items, (item, numbers)):
                    facts.naming.setdefault((place, Unit(kind, row[item])), []).append(row)
        _gather_pointed(session, facts, place, ground, after)
    return facts


def affected(
    session: Session, edition: Edition, register: str, numbers: Collection[str], after: int
) -> dict[str, set[Unit]]:
    """Whose protection a change of subjects of a register can change.

    Args:
        session: see `gather`.
        edition: likewise.
        register: schema.table, one of a group in `Protected.groups`.
        numbers: values of the first item of the subject.
        after: number of the event before the first that changed them: who was named before is affected, too.

    Returns:
        For each number the units.
    """
    assert edition.protection is not None
    protected, group = edition.protection, edition.group(register.partition(".")[2])
    first = group.subject[0].romaji
    found: dict[str, set[Unit]] = {number: set() for number in numbers}
    whole: set[Unit] = set()
    asked = (first, sorted(numbers))
    if group.id == protected.group:
        items = dict.fromkeys((first, protected.person, protected.household))
        for row in session.since(register, after, list(items), asked):
            found[row[first]] |= _named(row, protected.person, protected.household)
    for ground in protected.grounds:
        if ground.group == group.id:
            by, where = first, asked
        elif ground.target == group.id and ground.through:
            by, where = ground.through, (ground.through, asked[1])
        else:
            continue
        items = dict.fromkeys((by, *_needed(edition, ground)))
        for row in session.since(_name(edition, ground.group), after, list(items), where):
            found[row[by]] |= _named(row, ground.person, ground.household)
            whole |= _named(row, None, ground.household)
    _with_companions(session, edition, found, whole, after)
    return found


def _with_companions(
    session: Session, edition: Edition, found: dict[str, set[Unit]], whole: set[Unit], after: int
) -> None:
    """Add the people of households that are protected as such, and the homes of all people."""
    homes = Facts(edition)
    _gather_homes(session, homes, HOUSEHOLD, {unit.number for unit in whole}, after)
    for units in found.values():
        units |= {person for unit in units & whole for person in homes.companions(unit)}
    people = {unit.number for units in found.values() for unit in units if unit.kind == PERSON}
    _gather_homes(session, homes, PERSON, people, after)
    for units in found.values():
        units |= {home for unit in units if unit.kind == PERSON for home in homes.companions(unit)}


def standing_now(session: Session, edition: Edition, event: int) -> set[Unit]:
    """Every person and household that a row known after an event may protect; `gather` tells which of them it does."""
    assert edition.protection is not None
    protected = edition.protection
    found: set[Unit] = set()
    for ground in protected.grounds:
        but = {} if ground.through else ground.unless
        for row in session.since(_name(edition, ground.group), event, _needed(edition, ground), but=but):
            found |= _named(row, ground.person, ground.household)
    homes = Facts(edition)
    for kind in (HOUSEHOLD, PERSON):
        asked = {unit.number for unit in found if unit.kind == kind}
        _gather_homes(session, homes, kind, asked, event)
        found |= {other for number in asked for other in homes.companions(Unit(kind, number))}
    return found


def _needed(edition: Edition, ground: Ground) -> list[str]:
    names = [item.romaji for item in edition.group(ground.group).subject]
    names += [name for name in (ground.person, ground.household, ground.through) if name]
    return list(dict.fromkeys([*names, *(() if ground.through else ground.unless)]))


def _named(row: Row, person: str | None, household: str | None) -> set[Unit]:
    named = ((PERSON, person), (HOUSEHOLD, household))
    return {Unit(kind, row[item]) for kind, item in named if item and row[item]}


def _gather_homes(session: Session, facts: Facts, kind: str, numbers: Collection[str], after: int) -> None:
    if not numbers:
        return
    protected, edition = facts.protected, facts.edition
    item = protected.person if kind == PERSON else protected.household
    subject = (each.romaji for each in edition.group(protected.group).subject)
    items = list(dict.fromkeys((*subject, protected.person, protected.household)))
    for row in session.since(_name(edition, protected.group), after, items, (item, sorted(numbers))):
        facts.homes.setdefault(Unit(kind, row[item]), []).append(row)


def _gather_pointed(session: Session, facts: Facts, place: int, ground: Ground, after: int) -> None:
    if not ground.through or not ground.target:
        return
    rows = (row for (at, _), rows in facts.naming.items() if at == place for row in rows)
    numbers = sorted({row[ground.through] for row in rows if row[ground.through]})
    subject = [item.romaji for item in facts.edition.group(ground.target).subject]
    if numbers:
        items, where = list(dict.fromkeys([*subject, *ground.unless])), (subject[0], numbers)
        for row in session.since(_name(facts.edition, ground.target), after, items, where):
            facts.pointed.setdefault((place, row[subject[0]]), []).append(row)


def _name(edition: Edition, group: str) -> str:
    return f"{edition.id}.{group}"


def _start(row: Row) -> str:
    return row.get("valid_from") or ""


def _counts(ground: Ground, row: Mapping[str, Any]) -> bool:
    """Whether a row protects: unless it says that it does not."""
    return not any(
        ("" if row[name] is None else str(row[name])) in values for name, values in ground.unless.items()
    )


def _joined(one: Standing, other: Standing) -> Standing:
    return Standing(one.protected or other.protected, max(one.newest, other.newest), one.fresh or other.fresh)
