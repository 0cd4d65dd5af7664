"""Kiban's own kit of a consumer, put to the same test; also the mock consumer."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from kiban import sets
from kiban.kernel import Problem, Problems
from kiban.linkage import files
from kiban.linkage.beat import decode_beat
from kiban.linkage.conformance import subject
from kiban.linkage.consumer import Replica
from kiban.linkage.contracts.messages import validate
from kiban.linkage.contracts.model import Contract
from kiban.linkage.message import Row, decode


class ReplicaSubject:
    """A replica as a consumer under test; begin it before anything else."""

    def __init__(self, folder: Path, contract: Contract, now: Callable[[], datetime]) -> None:
        """A consumer.

        Args:
            folder: is the test's own; what lies in its folder `replica` is removed at each beginning.
            contract: of the flow.
            now: the moment, in UTC.
        """
        self._folder = folder / "replica"
        self._contract = contract
        self._now = now
        self._opened: Replica | None = None

    @property
    def _replica(self) -> Replica:
        if self._opened is None:
            self._opened = Replica.open(self._folder, self._contract, validate)
        return self._opened

    def begin(self) -> None:
        """Forget everything."""
        self.restart()
        shutil.rmtree(self._folder, ignore_errors=True)

    def deliver(self, messages: Sequence[bytes]) -> Sequence[str]:
        """Take messages, one after the other, as each has to have its own answer."""
        return [self._take(each) for each in messages]

    def _take(self, data: bytes) -> str:
        try:
            message = decode(data)
            taken = self._replica.take([message], self._now())
        except Problem:
            return subject.REFUSED
        told = {subject.REPEATED: taken.repeated, subject.LATE: taken.late, subject.HELD: taken.held}
        told |= {
            subject.QUARANTINED: tuple(id_ for id_, _ in taken.quarantined),
            subject.APPLIED: taken.applied,
        }
        return next((word for word, ids in told.items() if message.id in ids), subject.REFUSED)

    def rows(self, feed: str) -> Sequence[Row]:
        """All rows of a feed, as messages carry them."""
        units = self._units(feed)
        return [row for unit in units for row in self._replica.rows(feed, unit)]

    def _units(self, feed: str) -> list[str]:
        name = self._contract.feed(feed).unit.romaji
        found = (batch.column(name).to_pylist() for batch in self._replica.batches(feed))
        return sorted({str(unit) for units in found for unit in units})

    def effects(self) -> Sequence[str]:
        """What took effect."""
        return [effect.message for effect in self._replica.effects()]

    def hear(self, beat: bytes, now: datetime) -> None:
        """Take a heartbeat."""
        told = decode_beat(beat)
        self._replica.hear(told.event, datetime.fromisoformat(told.at), now)

    def protection(self, unit: str, now: datetime) -> str:
        """What counts of the protection of a unit at a moment."""
        return self._replica.protection(unit, now)[0]

    def take(self, shelf: sets.Shelf, desk: files.Intake) -> None:
        """Take what lies on a shelf of sets; what is wrong with one stands in its receipts."""
        with suppress(Problem, Problems):
            files.take_newest(self._replica, shelf, desk)

    def restart(self) -> None:
        """Let go of the file; the next question opens it again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
