"""Finding persons: what a search shows of each, the own ward first, and never how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from kiban.kernel import Actor
from kiban.store import Query, Session, Store
from kiban.web.counter.asking import Asked, birth_span
from kiban.web.counter.labels import labels
from kiban.web.counter.registers import Roll
from kiban.web.counter.sheets import Reader
from kiban.web.counter.values import EMPTY, Shown

PAGE = 25
"""Persons on a page."""
EVER = 2**62
"""Behind every event: what is known now."""


@dataclass(frozen=True)
class Found:
    """One person as a search shows her.

    Attributes:
        number: the 宛名番号.
        names: every name with its kana, the first that there is first.
        ward: name of the ward.
        elsewhere: whether the ward is not the own one.
        address: as it is written.
        birth: date of birth.
        sex: sex.
        state: such as 住民 or 転出; empty where the register does not say.
        living: whether she lives here; None where the register does not say.
        relation: in the household; empty where none is asked.
        closed: whether she is protected and closed to who looks: nothing else is told of her then.
        protected: whether she is protected, or lives with somebody who is, and open to who looks.
    """

    number: str
    names: tuple[tuple[str, str], ...] = ()
    ward: str = ""
    elsewhere: bool = False
    address: str = ""
    birth: Shown = EMPTY
    sex: str = ""
    state: str = ""
    living: bool | None = None
    relation: str = ""
    closed: bool = False
    protected: bool = False


@dataclass(frozen=True)
class Results:
    """A page of persons.

    Attributes:
        found: in the order of the key, those of the own ward first.
        next: mark of the page behind; None where there is none.
    """

    found: tuple[Found, ...]
    next: str | None = None

    @property
    def only(self) -> Found | None:
        """The person, where there is one alone who may be opened."""
        one = self.found[0] if len(self.found) == 1 and self.next is None else None
        return one if one and not one.closed else None


def find(
    store: Store, session: Session, roll: Roll, asked: Asked, on: date, after: str | None = None
) -> Results:
    """A page of those who are looked for.

    Args:
        store: the registers.
        session: of who looks.
        roll: where to look.
        asked: for whom; see `Asked`.
        on: the day whose rows are shown.
        after: mark of the page before.

    Raises:
        Problem: `item-hidden` where a number is asked for that is kept from who looks; `page-unreadable`.
    """
    if asked.by_number:
        return _by_number(store, session, roll, asked, on)
    birth = birth_span(asked.birth) if asked.birth else None
    query = Query(
        as_of=on,
        name=asked.name or None,
        kana=asked.kana or None,
        address=asked.address or None,
        birth=birth,
        sex=asked.sex or None,
        wards=asked.wards,
        limit=PAGE,
    )
    page = session.search(roll.register, query, after)
    held = {hit.subject: dict(hit.row) for hit in page.hits if hit.row is not None}
    for number, more in _on_the_day(session, roll, list(held), _head_items(roll, session.actor), on).items():
        held[number] |= more
    closed = [hit.subject for hit in page.hits if hit.protected]
    shown = present(store, session, roll, list(held.values()), on)
    once = dict.fromkeys(hit.subject for hit in page.hits)  # a former name may find her a second time
    found = [shown.get(number) or Found(number, closed=number in closed) for number in once]
    return Results(tuple(found), page.next)


def _by_number(store: Store, session: Session, roll: Roll, asked: Asked, on: date) -> Results:
    wanted = [*_list_items(roll, session.actor), *_head_items(roll, session.actor)]
    rows = _on_the_day(session, roll, [asked.number], wanted, on, by=asked.number_item)
    shown = present(store, session, roll, list(rows.values()), on)
    found = [one for one in shown.values() if asked.wards == "all" or not one.elsewhere]
    if not rows:  # that there is such a person must be known, though nothing of her is shown
        hits = session.search(roll.register, Query(on, number=(asked.number_item, asked.number))).hits
        found += [Found(hit.subject, closed=True) for hit in hits if hit.protected]
    return Results(tuple(found[: PAGE * 8]))


def _on_the_day(
    session: Session, roll: Roll, numbers: Sequence[str], items: Sequence[str], on: date, by: str = ""
) -> dict[str, dict[str, Any]]:
    """For each person the row of the day; where there is none, the one before, else the first."""
    subject = roll.section.subject
    chosen = list(dict.fromkeys([subject, *items]))
    if not numbers or len(chosen) == 1:
        return {}
    asked = [(EVER, {by or subject: number}) for number in numbers]
    best: dict[str, dict[str, Any]] = {}
    for rows in session.after_events(roll.register, asked, chosen):
        for row in rows:
            before = best.get(row[subject])
            if before is None or str(row.get("valid_from") or "") <= on.isoformat():
                best[row[subject]] = row
    return best


def present(
    store: Store, session: Session, roll: Roll, rows: Sequence[Mapping[str, Any]], on: date
) -> dict[str, Found]:
    """Persons as lists show them, from their rows."""
    names = labels(store, session, roll.edition, roll.group, rows, on)
    reader = Reader(roll.edition, session.actor.hidden, on, names)
    marked = session.protection(str(row[roll.section.subject]) for row in rows) if rows else frozenset()
    found = (_present(reader, roll, session.actor, row) for row in rows)
    return {one.number: replace(one, protected=one.number in marked) for one in found}


def _present(reader: Reader, roll: Roll, actor: Actor, row: Mapping[str, Any]) -> Found:
    section, group, head = roll.section, roll.group, roll.head
    ward = group.ward.romaji if group.ward else None
    state = str(row.get(head.state) or "") if head.state else ""
    return Found(
        number=str(row[section.subject]),
        names=names_of(roll, row),
        ward=reader.value(group, ward, row).text if ward else "",
        elsewhere=bool(ward and actor.ward and row.get(ward) != actor.ward),
        address="".join(str(row.get(name) or "") for name in section.address),
        birth=reader.value(group, section.birth, row) if section.birth else EMPTY,
        sex=reader.value(group, section.sex, row).text if section.sex else "",
        state=reader.value(group, head.state, row).text if head.state and state else "",
        living=state in head.living if state else None,
        relation="の".join(
            text for name in head.relation if (text := reader.value(group, name, row).text) and row.get(name)
        ),
    )


def names_of(roll: Roll, row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Every name of a row with its kana, in the order of the search section; empty ones left out."""
    pairs = (
        (str(row.get(name) or ""), str(row.get(kana) or "") if kana else "")
        for name, kana in roll.section.names
    )
    return tuple(dict.fromkeys(pair for pair in pairs if pair[0]))


def _head_items(roll: Roll, actor: Actor) -> list[str]:
    return _open(roll, actor, [roll.head.state] if roll.head.state else [])


def _list_items(roll: Roll, actor: Actor) -> list[str]:
    section = roll.section
    names = [section.subject, *(name for pair in section.names for name in pair if name), *section.address]
    names += [section.sex] if section.sex else []
    names += [roll.group.ward.romaji] if roll.group.ward else []
    if section.birth:
        names += [section.birth, f"{section.birth}_fushofuragu", f"{section.birth}_fushohyoki"]
    return _open(roll, actor, names)


def _open(roll: Roll, actor: Actor, names: Sequence[str]) -> list[str]:
    return [
        name
        for name in dict.fromkeys(names)
        if name in roll.group and f"{roll.register}.{name}" not in actor.hidden
    ]
