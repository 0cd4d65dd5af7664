"""What is put to the test: a consumer of a flow, whoever built it, reached by whatever way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kiban.linkage.message import Row

APPLIED, REPEATED, LATE, HELD, QUARANTINED, REFUSED = (
    "applied",
    "repeated",
    "late",
    "held",
    "quarantined",
    "refused",
)
OUTCOMES = (APPLIED, REPEATED, LATE, HELD, QUARANTINED, REFUSED)
"""What may become of a message: its rows are there now; it was there already with the same bytes; it is older than what is
there; it waits for one before it; its content is bad and its unit waits; it is no message of this flow."""


class Subject(Protocol):
    """A consumer under test. All data that it is given is invented."""

    def begin(self) -> None:
        """Forget everything: the copy is empty."""
        ...

    def deliver(self, messages: Sequence[bytes]) -> Sequence[str]:
        """Take messages in this order; what became of each of them now, one of `OUTCOMES`."""
        ...

    def rows(self, feed: str) -> Sequence[Row]:
        """All rows that are held of a group, in any order, in the form of messages."""
        ...

    def effects(self) -> Sequence[str]:
        """The IDs of the messages that took effect, in the order in which they did; what is sent again has none."""
        ...

    def hear(self, beat: bytes, now: datetime) -> None:
        """Take a heartbeat of the lane of protection that comes at a moment of the consumer's clock."""
        ...

    def protection(self, unit: str, now: datetime) -> str:
        """What counts of the protection of a unit at a moment of the consumer's clock: `protected`, `clear` or `unknown`."""
        ...

    def restart(self) -> None:
        """Stop without warning and start again."""
        ...
