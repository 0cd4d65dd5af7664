"""A replica: what a consumer holds of one flow, in one folder, by SQLite."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from kiban.kernel import Problem
from kiban.linkage.consumer import hearing, replacing, tables, thinning
from kiban.linkage.consumer.arrow import batches
from kiban.linkage.consumer.checking import Check, shape
from kiban.linkage.consumer.hearing import Heard
from kiban.linkage.consumer.place import Place
from kiban.linkage.consumer.taking import Taken, Taking, Unit
from kiban.linkage.consumer.told import Effect, Tally, Waiting, tallied
from kiban.linkage.contracts.model import Contract
from kiban.linkage.message import CLEAR, UNKNOWN, Message, Row

_FILE = "replica.sqlite"

UNREADABLE = "?"
"""How the place of a unit begins for what could not be read; no number begins so."""


class Replica:
    """What a consumer holds of one flow. Safe to share between threads and processes; one writes at a time."""

    def __init__(self, folder: Path, contract: Contract, check: Check) -> None:
        self.contract = contract
        self.file = folder / _FILE
        self._check = check
        self._place = Place(self.file)

    @classmethod
    def open(cls, folder: Path, contract: Contract, check: Check = shape) -> Replica:
        """The replica in a folder, made where there is none.

        Args:
            folder: need not exist; it belongs to the caller alone (mode 0700).
            contract: of the flow.
            check: what a message has to pass; one that does not is quarantined.

        Raises:
            Problem: `replica-elsewhere` where the folder holds another flow, `replica-columns` where the contract carries
                other items than the tables have.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = cls(folder, contract, check)
        try:
            made._prepare()
        except BaseException:
            made.close()
            raise
        return made

    def __enter__(self) -> Replica:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._place.close()

    @property
    def floor(self) -> int:
        """The event as known after which the last full set was; 0 where none was taken."""
        return int(self._place.state("floor") or 0)

    @property
    def epoch(self) -> int | None:
        """The epoch that the last full set opened; None where none was taken."""
        found = self._place.state("epoch")
        return None if found is None else int(found)

    @property
    def name(self) -> str:
        """What the replica calls itself since it was made: 32 hex digits."""
        return str(self._place.state("name"))

    def take(self, messages: Iterable[Message], now: datetime) -> Taken:
        """Take messages in any order, however often they come, in one transaction.

        Args:
            messages: of this flow.
            now: the moment, in UTC.

        Raises:
            Problem: `message-elsewhere`; then none of them is taken.
        """
        batch = list(messages)
        with self._place.writing() as connection:
            taking = self._taking(connection, now)
            taking.load((m.unit for m in batch), ((m.unit, m.event) for m in batch))
            for message in batch:
                taking.take(message)
            return taking.write()

    def release(self, unit: str, now: datetime) -> Taken:
        """Look again at the quarantined messages of a unit, under the present contract and check, and at those behind.

        Raises:
            Problem: `message-unreadable` for what nobody can read.
        """
        with self._place.writing() as connection:
            taking = self._taking(connection, now)
            taking.load([unit])
            taking.again(unit)
            return taking.write()

    def keep(self, data: bytes, reason: str, now: datetime) -> None:
        """Keep what cannot be read as a message of this flow: quarantined, of no unit, never applied."""
        name = hashlib.sha256(data).hexdigest()[:32]
        statement = "INSERT OR IGNORE INTO waiting VALUES (?, 0, 0, ?, ?, ?, ?, ?)"
        with self._place.writing() as connection:
            connection.execute(statement, (f"{UNREADABLE}{name}", b"", data, reason, now.isoformat(), name))

    def version(self, unit: str) -> int:
        """The event up to which a unit is held; 0 where nothing is known of it."""
        rows = self._place.rows("SELECT event FROM unit WHERE unit = ?", unit)
        return max(rows[0][0] if rows else 0, self.floor)

    def rows(self, feed: str, unit: str) -> list[Row]:
        """The rows of a unit in a feed in the order of their key, as a message carries them.

        Raises:
            KeyError: where the contract does not carry the feed.
        """
        found = self.contract.feed(feed)
        return [tables.row(found, values) for values in self._place.rows(tables.of_unit(found), unit)]

    def units_waiting(self) -> list[Waiting]:
        """Each unit that waits, with the first message that does."""
        return [Waiting(*row) for row in self._place.rows(tables.UNITS_WAITING)]

    def protect(self, unit: str, state: str, event: int, now: datetime) -> bool:
        """Take a state of the protection of a unit; an older one never weakens a newer.

        Args:
            unit: whose.
            state: `protected`, `clear` or `unknown`.
            event: its version.
            now: the moment, in UTC.

        Returns:
            Whether it is what holds now. False where a newer one, or a stronger of the same version, is known.
        """
        with self._place.writing() as connection:
            taking = self._taking(connection, now)
            taking.load([unit])
            known = taking.units.setdefault(unit, Unit())
            known.protect(state, event)
            taking.write()
            return (known.protection, known.protection_event) == (state, event)

    def protect_all(self, states: Mapping[str, tuple[str, int]], others: str, now: datetime) -> None:
        """Take states and versions by unit, as `protect` does, and what all further units that are held are: `clear` or `unknown`."""
        with self._place.writing() as connection:
            taking = self._taking(connection, now)
            taking.load(states)
            for unit, (state, event) in states.items():
                taking.units.setdefault(unit, Unit()).protect(state, event)
            taking.write()
            self._place.set(others=others)

    def hear(self, event: int, at: datetime, now: datetime) -> bool:
        """Note that all protection up to an event is told, as the platform said at a moment; False where later is known."""
        return hearing.hear(self._place, Heard(event, at, now))

    @property
    def heard(self) -> Heard | None:
        """What was last heard of the platform; None where nothing."""
        return hearing.heard(self._place)

    def protection(self, unit: str, now: datetime) -> tuple[str, int]:
        """The protection of a unit that counts at a moment, and its version; whatever is not `clear` is protected.

        Where the platform was not heard for longer than `Contract.patience`, nobody is clear.
        """
        return hearing.faded(self.protection_held(unit), self.heard, now, self.contract.patience)

    def protection_held(self, unit: str) -> tuple[str, int]:
        """The last told protection of a unit and its version, however old: `unknown` and -1 where nothing was told."""
        rows = self._place.rows("SELECT protection, protection_event FROM unit WHERE unit = ?", unit)
        if rows and rows[0][1] >= 0:
            return rows[0][0], rows[0][1]
        told = self._place.state("others") == CLEAR and any(
            self.rows(f.name, unit) for f in self.contract.feeds
        )
        return (CLEAR, 0) if told else (UNKNOWN, -1)

    @contextmanager
    def replacing(self, event: int, epoch: int) -> Iterator[replacing.Replacing]:
        """Take a full set: its rows show at the end of the block all at once, or never where the block raises.

        Messages may be taken meanwhile; those after the set's event stay in force.

        Args:
            event: the set is as known after it.
            epoch: that the set opens.

        Raises:
            Problem: `set-stale` where a newer set is held already, `set-underway` where another one is being taken.
        """
        if event < self.floor or (self.epoch is not None and epoch < self.epoch):
            raise Problem("set-stale", "a newer full set is held", self.contract.flow, "take the newest set")
        with replacing.alone(self.file.parent) as first:
            if not first:
                raise Problem(
                    "set-underway", "another full set is being taken", self.contract.flow, "wait for it"
                )
            connection = self._place.connection()
            replacing.begin(connection, self.contract)
            try:
                yield replacing.Replacing(connection, self.contract)
                replacing.index(connection, self.contract)
                self._swap(event, epoch)
            except BaseException:
                replacing.sweep(connection)
                raise

    def _swap(self, event: int, epoch: int) -> None:
        with self._place.writing() as connection:
            replacing.swap(connection, self.contract, event)
            self._place.set(floor=event, epoch=epoch)
            taking = self._taking(connection, None)
            taking.load(unit for (unit,) in connection.execute("SELECT DISTINCT unit FROM waiting"))
            taking.drain()
            taking.write()

    def batches(self, feed: str) -> Iterator[pa.RecordBatch]:
        """All rows of a feed, in bounded memory and at one instant, in no particular order.

        Yields:
            `Feed.columns` in the types of `store.arrow_schema`; at least one batch.
        """
        return batches(self._place, self.contract.feed(feed))

    def effects(self, after: int = 0, limit: int = 10_000) -> list[Effect]:
        """The messages that took effect, each exactly once, in the order in which they did; replays are none.

        Args:
            after: number of the last effect that was dealt with.
            limit: how many at most.
        """
        return [Effect(*row) for row in self._place.rows(_EFFECTS, after, limit)]

    def tally(self, after: int, until: int | None = None) -> Tally | None:
        """What the ledger says of the lines after one, at most until another; None where there is none."""
        return tallied(self.name, self._place.rows(_TALLY, after, until or 2**62))

    def thin(self, before: datetime, dealt_with: int) -> int:
        """Forget the ledger's lines of messages that came before a moment, see `thinning.thin`; how many."""
        return thinning.thin(self._place, before, dealt_with)

    def noted(self, name: str) -> Any:
        """What the owner of the replica noted under a name; None where nothing."""
        return self._place.state(f"note:{name}")

    def note(self, name: str, value: int | str) -> None:
        """Note something for oneself: how far one has come."""
        with self._place.writing():
            self._place.set(**{f"note:{name}": value})

    def _taking(self, connection: sqlite3.Connection, now: datetime | None) -> Taking:
        at, thinned = now.isoformat() if now else "", int(self._place.state("thinned") or 0)
        return Taking(connection, self.contract, self._check, self.floor, at, thinned)

    def _prepare(self) -> None:
        with self._place.writing() as connection:
            for statement in tables.BOOKS.split(";"):
                connection.execute(statement)
            if self._place.state("flow") is None:
                for feed in self.contract.feeds:
                    connection.execute(tables.made(feed))
                    connection.execute(tables.indexed(feed))
                self._place.set(flow=self.contract.flow, name=secrets.token_hex(16))
            tables.refuse_other(connection, self.contract, self._place.state("flow"), str(self.file.parent))
        with replacing.alone(self.file.parent) as first:
            if first:
                replacing.sweep(self._place.connection())


_TALLY = """
    SELECT seq, applied, replay, content, event FROM ledger WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT 10000
"""
_EFFECTS = """
    SELECT seq, id, unit, event FROM ledger WHERE applied AND NOT replay AND seq > ? ORDER BY seq LIMIT ?
"""
