"""From events of the city to messages of flows: each register is read once for all flows that carry it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import orjson

from kiban.kernel import ALL_WARDS, Actor
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.message import CLEAR, UNKNOWN, Message
from kiban.store import Session, Store, Told

READER = Actor("linkage.events", None, ALL_WARDS, "データ連携", protected=True)
"""Who reads for all flows at once."""

States = Callable[[Contract, Sequence[tuple[str, int]]], Sequence[tuple[str, int]]]
"""The protection of units as it was after events: for each unit and event the state and its version."""

Lookup = tuple[str, str]
"""A register and the item by which its rows are looked up."""


def unknown_states(_: Contract, pairs: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
    """What holds where nobody can tell who is protected: unknown, which counts as protected."""
    return [(UNKNOWN, 0)] * len(pairs)


def share_of(contract: Contract) -> str:
    """Under which flows share what events carried: the same for those with the same groups and units."""
    named = sorted(f"{feed.register} {feed.unit.romaji}" for feed in contract.feeds)
    return hashlib.sha256("\n".join(named).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Change:
    """What one event changed of one unit, as one flow sees it.

    Attributes:
        told: the event.
        unit: whose rows.
        feeds: the groups that it touched.
    """

    told: Told
    unit: str
    feeds: tuple[Feed, ...]


@dataclass
class Reading:
    """The rows that some events of some flows need. Made by `read`."""

    changes: dict[str, list[Change]] = field(default_factory=dict)
    rows: dict[Lookup, dict[tuple[int, str], list[dict[str, Any]]]] = field(default_factory=dict)
    _written: dict[object, orjson.Fragment] = field(default_factory=dict)

    def part(self, feed: Feed, event: int, unit: str, hidden: frozenset[str]) -> orjson.Fragment:
        """The rows of a unit in a feed after an event, written once for all flows that carry the same."""
        lookup = (feed.register, feed.unit.romaji)
        named = (lookup, feed.columns, event, unit, hidden)
        if named not in self._written:
            rows = self.rows[lookup].get((event, unit), ())
            told = sorted((_row(feed, row, hidden) for row in rows), key=lambda row: _key(feed, row))
            self._written[named] = orjson.Fragment(orjson.dumps(told, option=orjson.OPT_SORT_KEYS))
        return self._written[named]


def read(opened: Store, contracts: Sequence[Contract], told: Sequence[Told]) -> Reading:
    """The rows that events changed, as known after each, for some flows."""
    found = Reading()
    items: dict[Lookup, dict[str, None]] = defaultdict(dict)
    for contract in contracts:
        for feed in contract.feeds:
            items[feed.register, feed.unit.romaji] |= dict.fromkeys(item.romaji for item in feed.items)
    with opened.session(READER) as session:
        units = _units(session, items, told)
        for lookup, names in items.items():
            asked = sorted(
                {(event, unit) for (event, of), each in units.items() if of == lookup for unit in each}
            )
            answers = session.after_events(
                lookup[0], [(event, {lookup[1]: unit}) for event, unit in asked], list(names)
            )
            found.rows[lookup] = dict(zip(asked, answers, strict=True))
    for contract in contracts:
        found.changes[contract.flow] = [change for each in told for change in _changes(contract, each, units)]
    return found


def read_whole(opened: Store, contract: Contract, event: int, units: Sequence[str]) -> Reading:
    """Everything that was known of some units after an event."""
    found = Reading()
    with opened.session(READER) as session:
        for feed in contract.feeds:
            lookup = (feed.register, feed.unit.romaji)
            asked = [(event, unit) for unit in units]
            names = [item.romaji for item in feed.items]
            answers = session.after_events(lookup[0], [(event, {lookup[1]: unit}) for unit in units], names)
            merged = found.rows.setdefault(lookup, {})
            merged |= dict(zip(asked, answers, strict=True))
    return found


def message(
    contract: Contract, change: Change, previous: int, state: tuple[str, int], reading: Reading
) -> Message:
    """The message of a change. Its parts are already written: it is made to be encoded."""
    told = change.told
    hidden = contract.protection.withheld if state[0] != CLEAR else {}
    parts = {
        feed.name: reading.part(feed, told.event, change.unit, hidden.get(feed.name, frozenset()))
        for feed in change.feeds
    }
    return Message(
        contract.flow,
        contract.digest,
        change.unit,
        told.event,
        previous,
        told.recorded_at.isoformat(),
        told.kind,
        told.valid.isoformat() if told.valid else None,
        told.note.get("origin"),
        *state,
        cast(Mapping[str, Any], parts),
    )


def _units(
    session: Session, items: Iterable[Lookup], told: Sequence[Told]
) -> dict[tuple[int, Lookup], list[str]]:
    """Whose rows each event touched in each register, in their order."""
    found: dict[tuple[int, Lookup], list[str]] = defaultdict(list)
    open_: dict[Lookup, list[tuple[int, Mapping[str, str]]]] = defaultdict(list)
    by_register: dict[str, list[Lookup]] = defaultdict(list)
    for lookup in items:
        by_register[lookup[0]].append(lookup)
    for each in told:
        for touch in each.touched:
            for lookup in by_register.get(touch.register, ()):
                if lookup[1] in touch.subject:
                    found[each.event, lookup].append(touch.subject[lookup[1]])
                else:
                    open_[lookup].append((each.event, touch.subject))
    for lookup, asked in open_.items():
        # The subject does not say whose it is: the rows do, those after the event and those before it.
        both = [(event - before, subject) for event, subject in asked for before in (0, 1)]
        answers = session.after_events(lookup[0], both, [lookup[1]])
        for place, rows in enumerate(answers):
            named = (asked[place // 2][0], lookup)
            found[named] += [row[lookup[1]] for row in rows if row[lookup[1]] is not None]
    return {named: list(dict.fromkeys(units)) for named, units in found.items()}


def _changes(
    contract: Contract, told: Told, units: Mapping[tuple[int, Lookup], Sequence[str]]
) -> Iterable[Change]:
    touched: dict[str, list[Feed]] = {}
    for feed in contract.feeds:
        for unit in units.get((told.event, (feed.register, feed.unit.romaji)), ()):
            touched.setdefault(unit, []).append(feed)
    return [Change(told, unit, tuple(feeds)) for unit, feeds in touched.items()]


def _row(feed: Feed, row: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    return {name: None if name in hidden else _written(row[name]) for name in feed.columns}


def _written(value: Any) -> Any:
    """A value as a message has it."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.hex() if isinstance(value, bytes) else value


def _key(feed: Feed, row: Mapping[str, Any]) -> tuple[tuple[bool, str], ...]:
    return tuple((row[name] is not None, str(row[name])) for name in feed.key)
