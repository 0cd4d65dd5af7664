"""A case: what is delivered, and what has to be true afterwards. Data, derived from a contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kiban.linkage.message import Row

NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
"""The moment of a trial, where it matters: noon in Japan."""


@dataclass(frozen=True)
class Step:
    """One delivery.

    Attributes:
        messages: as they are delivered, together and in this order.
        outcomes: what has to become of each; None where it does not matter.
        restart: whether the consumer is stopped without warning before the delivery.
    """

    messages: tuple[bytes, ...]
    outcomes: tuple[str | None, ...]
    restart: bool = False


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        id: stable, small letters and hyphens.
        title: what is tried, in Japanese.
        why: what goes wrong in a city whose consumer does not do so, in Japanese.
        steps: the deliveries, in their order.
        rows: feed -> the rows that have to be held in the end; feeds that are not named are not looked at.
        effects: the messages that have to have taken effect in the end, in any order across units; None where it does not matter.
        beats: heartbeats that come after the deliveries, each with the moment of the consumer's clock at which it comes.
        asked: the moment of that clock at which is asked for the protection.
        protection: unit -> the states of which one has to count then.
    """

    id: str
    title: str
    why: str
    steps: tuple[Step, ...]
    rows: Mapping[str, Sequence[Row]] = field(hash=False)
    effects: frozenset[str] | None = None
    beats: tuple[tuple[bytes, datetime], ...] = ()
    asked: datetime = NOON
    protection: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
