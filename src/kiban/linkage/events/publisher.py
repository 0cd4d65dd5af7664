"""From the outbox to the broker: every event to every flow that carries it, once, in order, and not faster than is taken."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from kiban import store
from kiban.linkage.beat import Beat, encode_beat
from kiban.linkage.broker import names
from kiban.linkage.consumer import content_of
from kiban.linkage.contracts.model import Contract
from kiban.linkage.events import places, reading, wire
from kiban.linkage.events.places import Step
from kiban.linkage.events.sending import Parcel, Sender
from kiban.linkage.message import Message, encode
from kiban.linkage.protection import Notice
from kiban.store import Books, Store, Told

_EVENTS = 200  # read at once: with twenty flows some thousand messages, whatever waits
_BEAT = 30.0  # seconds at most between two heartbeats of a flow
_LATER = 1.0  # seconds until a flow whose receiver is full is tried again
_JAPAN = timedelta(hours=9)

Evidence = Callable[[Sequence[tuple[Contract, Message]]], None]
"""Writes down what is about to be delivered; what it raises keeps it from being delivered."""


class Guard(Protocol):
    """Who knows who is protected."""

    def notices(self, until: int, now: datetime) -> Sequence[Notice]:
        """What has to be published before any message of the events until one; all of it is taken in by then."""
        ...

    def published(self, notices: Sequence[Notice], now: datetime) -> None:
        """Note that these are with the broker."""
        ...

    def states(self, contract: Contract, pairs: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
        """The state of units after events, with its version."""
        ...


@dataclass
class Publisher:
    """Publishes what the flows in force carry. One runs for a platform.

    Attributes:
        opened: the registers.
        books: of the linkage.
        sender: to the broker, as the user of the platform.
        contracts: those that may carry traffic on a day.
        now: the moment, in UTC.
        guard: who is protected; None where nobody can tell, so that everybody counts as protected.
        evidence: is written before anything is delivered.
    """

    opened: Store
    books: Books
    sender: Sender
    contracts: Callable[[date], Iterable[Contract]]
    now: Callable[[], datetime]
    guard: Guard | None = None
    evidence: Evidence | None = None
    _later: dict[str, float] = field(default_factory=dict)
    _budget: dict[str, tuple[float, float]] = field(default_factory=dict)
    _beats: dict[str, float] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event, idle: float = 0.2) -> None:
        """Publish until told to stop.

        Args:
            stop: set by whoever ends it.
            idle: seconds between two looks at the outbox where nothing is to be done.
        """
        while not stop.is_set():
            if not await self.step():
                try:
                    await asyncio.wait_for(stop.wait(), idle)
                except TimeoutError:
                    continue

    async def step(self) -> int:
        """Take every flow a batch of events further; how many flows went further, 0 where there is nothing to do.

        Raises:
            Problem: those of the store, of the guard and of the evidence; nothing is lost by it.
        """
        last, _ = await asyncio.to_thread(store.last_event, self.opened)
        await self._warn(last)
        flows = {each.flow: each for each in self.live()}
        with self.books.transaction() as page:
            found = places.places(page, flows, last)
        waiting = time.monotonic()
        going = [
            each for each in found
            if each.place < last and each.needs_set is None and not each.paused and self._later.get(each.flow, 0) < waiting
        ]  # fmt: skip
        done = 0
        ahead = last
        for place in sorted({each.place for each in going}, reverse=True):
            group = [each for each in going if each.place == place]
            done += await self._group([flows[each.flow] for each in group], place, ahead)
            ahead = place
        return done

    def live(self) -> list[Contract]:
        """The flows that go out as events now."""
        today = (self.now() + _JAPAN).date()
        return [each for each in self.contracts(today) if "event" in each.ways and each.provider.business]

    async def _warn(self, last: int) -> None:
        """Send what changed of anybody's protection, before the messages of the same events."""
        if self.guard is None:
            return
        notices = await asyncio.to_thread(self.guard.notices, last, self.now())
        behind: set[str] = set()
        if notices:
            parcels = [
                Parcel(names.subject(names.PROTECT, each.flow), each.id, wire.encode_notice(each))
                for each in notices
            ]
            refused = await self.sender.send(parcels)
            kept = [each for place, each in enumerate(notices) if place not in refused]
            behind = {notices[place].flow for place in refused}
            await asyncio.to_thread(self.guard.published, kept, self.now())
        await self._beat(last, behind)

    async def _beat(self, last: int, behind: Collection[str]) -> None:
        """Tell each flow, now and then, that it was told everything up to an event; not those that could not be."""
        now = time.monotonic()
        due = [
            each for each in self.live()
            if each.protection.carried and each.flow not in behind and self._beats.get(each.flow, now) <= now
        ]  # fmt: skip
        parcels = []
        for each in due:
            said = encode_beat(Beat(each.flow, last, self.now().isoformat()))
            lasts = math.ceil(each.patience.total_seconds())
            parcels.append(Parcel(names.subject(names.PROTECT, each.flow), None, said, lasts))
            self._beats[each.flow] = now + min(_BEAT, each.patience.total_seconds() / 4)
        if parcels:
            await self.sender.send(parcels)

    async def _group(self, contracts: Sequence[Contract], place: int, ahead: int) -> int:
        """Take flows that are equally far a batch further, not past the next group."""
        told = await asyncio.to_thread(store.told_after, self.opened, place, _EVENTS)
        told = [each for each in told if each.event <= ahead]
        if not told:
            return 0
        batch = await asyncio.to_thread(self.batch, contracts, told)
        cut = [self._fitting(contract, batch[contract.flow]) for contract in contracts]
        sent = [message for part in cut for message in part.messages]
        if self.evidence is not None and sent:
            of = {contract.flow: contract for contract in contracts}
            await asyncio.to_thread(self.evidence, [(of[each.flow], each) for each in sent])
        sent.sort(key=lambda each: each.event)  # equal ones keep their order
        parcels = [Parcel(names.subject(names.CHANGE, m.flow), m.id, encode(m)) for m in sent]
        refused = await self.sender.send(parcels)
        full: dict[str, int] = {}
        for each in sorted(refused):
            full.setdefault(sent[each].flow, sent[each].event)
        steps = [part.step(place, full.get(part.flow)) for part in cut]
        for flow in full:
            self._later[flow] = time.monotonic() + _LATER
        with self.books.transaction() as page:
            places.advance(page, steps)
        return sum(step.place > place for step in steps)

    def batch(self, contracts: Sequence[Contract], told: Sequence[Told]) -> dict[str, Part]:
        """What events are for flows, by flow: the same whenever it is asked."""
        found = reading.read(self.opened, contracts, told)
        previous = self._previous(contracts, found)
        states: dict[str, dict[tuple[str, int], tuple[str, int]]] = {}
        for contract in contracts:
            share = reading.share_of(contract)
            if share not in states:  # the same for all flows over the same groups and units
                pairs = [(each.unit, each.told.event) for each in found.changes[contract.flow]]
                asked = self.guard.states if self.guard else reading.unknown_states
                states[share] = dict(zip(pairs, asked(contract, pairs), strict=True))
        return {
            each.flow: self._part(each, told, found, previous[each.flow], states[reading.share_of(each)])
            for each in contracts
        }

    def _previous(
        self, contracts: Sequence[Contract], found: reading.Reading
    ) -> dict[str, dict[tuple[str, int], int]]:
        """For each flow the event before each of its changes."""
        shares: dict[str, list[Contract]] = defaultdict(list)
        for contract in contracts:
            shares[reading.share_of(contract)].append(contract)
        previous = {}
        with self.books.transaction() as page:
            for share, flows in shares.items():
                changes = found.changes[flows[0].flow]
                carried = [(each.unit, each.told.event, each.told.note.get("origin")) for each in changes]
                common = places.carry(page, share, carried)
                pairs = [(unit, event) for unit, event, _ in carried]
                for contract in flows:
                    own = places.carry_for(page, share, pairs, contract.consumer.id) if pairs else {}
                    previous[contract.flow] = common | own
        return previous

    def _part(
        self,
        contract: Contract,
        told: Sequence[Told],
        found: reading.Reading,
        previous: Mapping[tuple[str, int], int],
        states: Mapping[tuple[str, int], tuple[str, int]],
    ) -> Part:
        registers = {feed.register for feed in contract.feeds}
        whole = next((each.event for each in told if registers & set(each.whole)), None)
        changes = [each for each in found.changes[contract.flow] if whole is None or each.told.event < whole]
        returning = [each for each in changes if each.told.note.get("origin") == contract.consumer.id]
        going = [each for each in changes if each.told.note.get("origin") != contract.consumer.id]
        messages = []
        for each in going:
            pair = (each.unit, each.told.event)
            messages.append(reading.message(contract, each, previous[pair], states[pair], found))
        events = [each.event for each in told if whole is None or each.event <= whole]
        return Part(contract.flow, events, messages, whole, [each.told.event for each in returning])

    def _fitting(self, contract: Contract, part: Part) -> Part:
        """What of a part its receiver takes in this moment."""
        most = contract.receiver.per_second
        if most is None:
            return part
        at, left = self._budget.get(contract.flow, (time.monotonic(), float(most)))
        now = time.monotonic()
        left = min(float(most), left + (now - at) * most)
        fitting = part.until(int(left))
        self._budget[contract.flow] = (now, left - len(fitting.messages))
        if fitting is not part:
            self._later[contract.flow] = now + min(_LATER, 100 / most)
        return fitting


@dataclass(frozen=True)
class Part:
    """What of a batch of events goes to one flow.

    Attributes:
        flow: `Contract.flow`.
        events: their numbers, as far as they may be dealt with.
        messages: what is sent, in the order of events.
        whole: the event that asks for a full set; None where none does.
        returning: for each message that came from the flow's consumer its event.
    """

    flow: str
    events: list[int]
    messages: list[Message]
    whole: int | None
    returning: list[int]

    def until(self, most: int) -> Part:
        """The part as far as it has not more messages, cut between events; at least one event where any message fits."""
        if len(self.messages) <= most:
            return self
        first = self.messages[most].event if most else self.messages[0].event
        if most and first == self.messages[0].event:  # one event with more messages than a second may have
            first = next((event for event in self.events if event > first), first + 1)
        return self.before(first)

    def before(self, event: int) -> Part:
        """The part without an event and all behind it."""
        return replace(
            self,
            events=[each for each in self.events if each < event],
            messages=[each for each in self.messages if each.event < event],
            whole=self.whole if self.whole is not None and self.whole < event else None,
            returning=[each for each in self.returning if each < event],
        )

    def step(self, before: int, full: int | None) -> Step:
        """What the flow has done, where the broker refused all from an event on."""
        part = self if full is None else self.before(full)
        content = sum(int.from_bytes(content_of(each)) for each in part.messages) % 2**128
        place = part.events[-1] if part.events else before
        return Step(self.flow, place, part.whole, len(part.messages), content, len(part.returning))
