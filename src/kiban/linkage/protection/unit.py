"""Whom protection is about, and in which state it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.message import CLEAR, PROTECTED, UNKNOWN
from kiban.standard import Protected

PERSON, HOUSEHOLD = "person", "household"


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """A person or a household.

    Attributes:
        kind: `PERSON` or `HOUSEHOLD`.
        number: 宛名番号 or 世帯番号.
    """

    kind: str
    number: str


@dataclass(frozen=True, slots=True)
class State:
    """Whether a unit is protected.

    Attributes:
        state: `protected`, `clear`, or `unknown`, which counts as protected.
        event: its version: the event since which it holds; 0 where it never changed.
    """

    state: str
    event: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What goes to the consumer of a flow before anything else: the state of one unit.

    Attributes:
        flow: `Contract.flow`.
        unit: its number.
        kind: `PERSON` or `HOUSEHOLD`.
        state: `protected` or `clear`.
        event: its version.
        decided_at: when it became known, ISO 8601 in UTC.
        id: what it is told apart by, without telling whose it is: 32 hex digits.
    """

    flow: str
    unit: str
    kind: str
    state: str
    event: int
    decided_at: str
    id: str


def notice(flow: str, unit: Unit, state: State, now: datetime) -> Notice:
    """The notice of a state to a flow."""
    named = f"protect\x1f{flow}\x1f{unit.kind}\x1f{unit.number}\x1f{state.event}\x1f{state.state}"
    name = hashlib.sha256(named.encode()).hexdigest()[:32]
    return Notice(flow, unit.number, unit.kind, state.state, state.event, now.isoformat(), name)


def kinds_of(contract: Contract, protected: Protected) -> dict[str, tuple[Feed, ...]]:
    """The feeds of a flow by what their unit is: a household where the unit item has the name of the household item."""
    found: dict[str, tuple[Feed, ...]] = {}
    for feed in contract.feeds:
        kind = HOUSEHOLD if feed.unit.romaji == protected.household else PERSON
        found[kind] = (*found.get(kind, ()), feed)
    return found


def joined(states: Iterable[State]) -> State:
    """What holds of a number that a flow uses for a person and for a household: the stronger, and the newer version."""
    told = list(states)
    order = (UNKNOWN, PROTECTED, CLEAR)
    return State(min((each.state for each in told), key=order.index), max(each.event for each in told))
