"""The gate before a list is used: whatever changed since it was made is taken out and named."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kiban.kernel import Problem
from kiban.linkage.message import CLEAR, PROTECTED, UNKNOWN
from kiban.linkage.protection.lane import Lane
from kiban.linkage.protection.unit import State, Unit


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list: a unit and what was known of its protection when the list was made."""

    unit: Unit
    state: State


@dataclass(frozen=True, slots=True)
class Removed:
    """A line that was taken out.

    Attributes:
        unit: whose.
        why: `protected` where it is protected and the list is not one of protected units, `changed` where its protection
            changed since the list was made, `unknown` where it cannot be told.
        listed: what the list said.
        now: what holds now.
    """

    unit: Unit
    why: str
    listed: State
    now: State


@dataclass(frozen=True)
class Gated:
    """What a list may be used for.

    Attributes:
        passed: the lines that may be used, in their order.
        removed: those that may not, likewise.
        problem: why nothing could be told; None where it could.
    """

    passed: tuple[Listed, ...]
    removed: tuple[Removed, ...]
    problem: Problem | None = None


def listed(lane: Lane, units: Iterable[Unit], now: datetime) -> list[Listed]:
    """Units with what is known of their protection now: what a list has to keep beside them until it is used.

    Raises:
        Problem: those of `Lane.notices`.
    """
    asked = list(units)
    states = lane.standing(asked, now)
    return [Listed(unit, states[unit]) for unit in asked]


def gate(
    lane: Lane, lines: Sequence[Listed], now: datetime, takes: Collection[str] = frozenset({CLEAR})
) -> Gated:
    """Check a list at the moment it is used: print, post, hand over or release only what passes.

    Args:
        lane: of the register.
        lines: the list as it was made.
        now: in UTC.
        takes: states that the list is for: `clear` for whatever shows an address; `protected` for a list of protections
            that are to end. A unit passes where it is in such a state, and has been since the list was made.

    Returns:
        Nothing passes where the check itself fails, whatever the reason.
    """
    try:
        states = lane.standing({line.unit for line in lines}, now)
    except Problem as problem:
        gone = tuple(Removed(line.unit, "unknown", line.state, State(UNKNOWN, 0)) for line in lines)
        return Gated((), gone, problem)
    passed, removed = [], []
    for line in lines:
        current = states.get(line.unit, State(UNKNOWN, 0))
        why = _against(line.state, current, takes)
        if why is None:
            passed.append(line)
        else:
            removed.append(Removed(line.unit, why, line.state, current))
    return Gated(tuple(passed), tuple(removed))


def _against(listed: State, current: State, takes: Collection[str]) -> str | None:
    if current.state == UNKNOWN:
        return "unknown"
    if current.state not in takes:
        return "protected" if current.state == PROTECTED else "changed"
    return None if current == listed else "changed"
