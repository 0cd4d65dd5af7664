"""Whom protection is about, and in which state it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from kiban.linkage.contracts.model import Contract
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
        kind: `PERSON` or `HOUSEHOLD`.
        unit: its number.
        state: `protected` or `clear`.
        event: its version.
        decided_at: when it became known, in UTC.
    """

    flow: str
    kind: str
    unit: str
    state: str
    event: int
    decided_at: datetime

    @property
    def id(self) -> str:
        """What it is told apart by and acknowledged under, without telling whose it is: 32 hex digits."""
        named = f"protect\x1f{self.flow}\x1f{self.kind}\x1f{self.unit}\x1f{self.event}\x1f{self.state}"
        return hashlib.sha256(named.encode()).hexdigest()[:32]


def kind_of(contract: Contract, protected: Protected) -> str:
    """What the unit of a flow is: a household where its unit item has the name of the household item, else a person."""
    return HOUSEHOLD if contract.feeds[0].unit.romaji == protected.household else PERSON
