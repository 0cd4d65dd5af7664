"""One batch of messages on its way into a replica: decided in memory, written at once."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from kiban.kernel import Problem
from kiban.linkage.consumer import tables
from kiban.linkage.consumer.checking import Check
from kiban.linkage.contracts.model import Contract
from kiban.linkage.message import Message, Row, decode, encode

STRENGTH = {"clear": 0, "unknown": 1, "protected": 2}


@dataclass(frozen=True)
class Taken:
    """What became of a batch, by `Message.id`.

    Attributes:
        applied: those whose rows are in the tables now; also such that had been held before.
        repeated: those that were there already, with the same bytes.
        late: those that are no newer than what is there; noted, not applied.
        held: those that wait for one before them.
        quarantined: those with bad content, with the codes of what is wrong; only their unit waits.
    """

    applied: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    quarantined: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Unit:
    """What is known of a unit while a batch is taken: the version of its rows and of its protection; -1 where nothing was told."""

    event: int = 0
    protection: str = "unknown"
    protection_event: int = -1

    def protect(self, state: str, event: int) -> bool:
        """Take a state of the protection; False where it is older than the known one, or as old and not stronger."""
        newer = event > self.protection_event
        same = event == self.protection_event and STRENGTH[state] > STRENGTH[self.protection]
        if newer or same:
            self.protection, self.protection_event = state, event
        return newer or same


@dataclass(frozen=True, slots=True)
class _Waiting:
    content: bytes
    body: bytes
    reason: str | None
    previous: int


@dataclass
class Taking:
    """A batch inside an open transaction: `take` or `again` each message, then `write` once."""

    connection: sqlite3.Connection
    contract: Contract
    check: Check
    floor: int
    now: str
    thinned: int = 0
    units: dict[str, Unit] = field(default_factory=dict)
    _known: dict[tuple[str, int, bool], bytes] = field(default_factory=dict)
    _waiting: dict[str, dict[int, _Waiting]] = field(default_factory=dict)
    _rows: dict[str, dict[str, Sequence[Row]]] = field(default_factory=lambda: defaultdict(dict))
    _ledger: list[tuple[object, ...]] = field(default_factory=list)
    _left: list[tuple[str, int]] = field(default_factory=list)
    _come: dict[tuple[str, int], tuple[object, ...]] = field(default_factory=dict)
    _told: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def load(self, units: Iterable[str], asked: Iterable[tuple[str, int]] = ()) -> None:
        """Read what is known of units, and of messages named by unit and event."""
        names = orjson.dumps(sorted(set(units))).decode()
        self.units = {row[0]: Unit(*row[1:]) for row in self.connection.execute(_UNITS, (names,))}
        pairs = orjson.dumps(list(asked)).decode()
        for unit, event, replay, content in self.connection.execute(_LEDGER, (pairs,)):
            self._known[unit, event, bool(replay)] = content
        for unit, event, *rest in self.connection.execute(_WAITING, (names,)):
            self._waiting.setdefault(unit, {})[event] = _Waiting(*rest)

    def take(self, message: Message) -> None:
        """Decide about one message.

        Raises:
            Problem: `message-elsewhere` where it is of another flow.
        """
        if message.flow != self.contract.flow:
            raise Problem(
                "message-elsewhere", "a message of another flow", message.id, "see the subject it came by"
            )
        content = content_of(message)
        unit = self.units.setdefault(message.unit, Unit())
        unit.protect(message.protection, message.protection_event)
        here = max(unit.event, self.floor)
        if message.event < here or (message.event == here and not self._whole(message)):
            if content in self._seen(message) or self._forgotten(message):
                self._told["repeated"].append(message.id)
            else:
                self._late(message, content)
            return
        waiting = self._waiting.get(message.unit, {}).get(message.event)
        if waiting is not None and waiting.content == content and message.previous > here:
            self._told["repeated"].append(message.id)
            return
        self._decide(message, content, here)

    def again(self, unit: str) -> None:
        """Look again at the messages of a unit that were quarantined, and at those behind them."""
        self.units.setdefault(unit, Unit())
        for _, waiting in sorted(self._waiting.get(unit, {}).items()):
            message = decode(waiting.body)
            if waiting.reason is not None and message.event > max(self.units[unit].event, self.floor):
                self._decide(message, waiting.content, max(self.units[unit].event, self.floor))
        self._drain(unit)

    def drain(self) -> None:
        """Apply what may be applied of all that waits, after the floor has risen."""
        for unit in [each for each in self._waiting if not each.startswith("?")]:
            self.units.setdefault(unit, Unit())
            self._drain(unit)

    def _decide(self, message: Message, content: bytes, here: int) -> None:
        problems = self.check(self.contract, message)
        if problems:
            reason = " ".join(sorted({problem.code for problem in problems}))
            self._wait(message, content, reason)
            self._told["quarantined"].append((message.id, reason))
        elif message.previous > here:
            self._wait(message, content, None)
            self._told["held"].append(message.id)
        else:
            self._apply(message, content)
            self._drain(message.unit)

    def _whole(self, message: Message) -> bool:
        """Whether a message tells everything of its unit, to mend it: it may be applied where its version is there already."""
        return message.replay and message.parts.keys() == {feed.name for feed in self.contract.feeds}

    def _apply(self, message: Message, content: bytes) -> None:
        waited = self._waiting.get(message.unit, {}).get(message.event)
        if waited is not None and waited.content == content:  # another one of the same event is late now
            self._forget(message.unit, message.event)
        self.units[message.unit].event = message.event
        for name, rows in message.parts.items():
            self._rows[name][message.unit] = rows
        self._note(message, content, applied=True)
        self._told["applied"].append(message.id)

    def _drain(self, unit: str) -> None:
        """Take those that waited and can come now, in their order."""
        for event, waiting in sorted(self._waiting.get(unit, {}).items()):
            here = max(self.units[unit].event, self.floor)
            if event <= here:
                self._forget(unit, event)
                self._late(decode(waiting.body), waiting.content)
            elif waiting.reason is None and waiting.previous <= here:
                self._apply(decode(waiting.body), waiting.content)

    def _seen(self, message: Message) -> set[bytes | None]:
        """What was taken as this message before; a replay may also be known by the message that it repeats."""
        return {self._known.get((message.unit, message.event, replay)) for replay in {False, message.replay}}

    def _forgotten(self, message: Message) -> bool:
        """Whether it is so old that it is no longer in the ledger what came: it was there, and is not counted again."""
        named = (message.unit, message.event, message.replay)
        return message.event <= self.thinned and named not in self._known

    def _late(self, message: Message, content: bytes) -> None:
        self._told["late"].append(message.id)
        self._note(message, content, applied=False)

    def _note(self, message: Message, content: bytes, *, applied: bool) -> None:
        named = (message.unit, message.event, message.replay)
        if named not in self._known:
            feeds = " ".join(sorted(message.parts))
            self._ledger.append((*named, content, applied, feeds, message.id, self.now))
            self._known[named] = content

    def _wait(self, message: Message, content: bytes, reason: str | None) -> None:
        body = encode(message)
        named = (message.unit, message.event)
        waiting = _Waiting(content, body, reason, message.previous)
        self._waiting.setdefault(message.unit, {})[message.event] = waiting
        self._come[named] = (*named, message.previous, content, body, reason, self.now, message.id)

    def _forget(self, unit: str, event: int) -> None:
        if self._waiting.get(unit, {}).pop(event, None):
            self._come.pop((unit, event), None)
            self._left.append((unit, event))

    def write(self) -> Taken:
        """Write everything that was decided."""
        run = self.connection.executemany
        run(_SET_UNIT, [(n, u.event, u.protection, u.protection_event) for n, u in self.units.items()])
        for name, units in self._rows.items():
            self._write_rows(name, units)
        run(_SET_LEDGER, self._ledger)
        run("DELETE FROM waiting WHERE unit = ? AND event = ?", self._left)
        run("INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._come.values())
        return Taken(**{name: tuple[Any, ...](told) for name, told in self._told.items()})

    def _write_rows(self, name: str, units: Mapping[str, Sequence[Row]]) -> None:
        feed = self.contract.feed(name)
        table, unit = tables.quoted(name), tables.quoted(feed.unit.romaji)
        self.connection.executemany(f"DELETE FROM {table} WHERE {unit} = ?", [(each,) for each in units])
        columns, lists = feed.columns, tables.lists(feed)
        rows = ([row[c] for c in columns] for rows in units.values() for row in rows)
        if lists:
            rows = ([tables.kept(value) for value in row] for row in rows)
        self.connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)


def content_of(message: Message) -> bytes:
    """16 bytes that are the same exactly where two messages tell the same; whether it is a replay does not matter."""
    told = [
        message.flow, message.unit, message.event, message.previous, message.kind, message.valid, message.origin,
        message.protection, message.protection_event, message.parts,
    ]  # fmt: skip
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).digest()[:16]


_UNITS = """
    SELECT unit, event, protection, protection_event FROM unit WHERE unit IN (SELECT value FROM json_each(?))
"""
_LEDGER = """
    SELECT l.unit, l.event, l.replay, l.content FROM json_each(?) a
    CROSS JOIN ledger l ON l.unit = a.value ->> 0 AND l.event = a.value ->> 1
"""
_WAITING = """
    SELECT unit, event, content, body, reason, previous FROM waiting WHERE unit IN (SELECT value FROM json_each(?))
"""
_SET_UNIT = "INSERT OR REPLACE INTO unit (unit, event, protection, protection_event) VALUES (?, ?, ?, ?)"
_SET_LEDGER = """
    INSERT INTO ledger (unit, event, replay, content, applied, feeds, id, taken_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
