"""A consumer at work: both lanes into its replica, protection first, and receipts back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from nats.aio.client import Client
from nats.aio.msg import Msg

from kiban.kernel import Problem
from kiban.linkage.beat import Beat
from kiban.linkage.broker import names
from kiban.linkage.consumer import Replica
from kiban.linkage.contracts.model import Contract
from kiban.linkage.events import wire
from kiban.linkage.events.pulling import Puller
from kiban.linkage.events.sending import Parcel, Sender
from kiban.linkage.message import Message, decode

_BATCH = 500  # in one transaction: the other lane waits no longer than for these
_OFTEN = 0.25  # seconds between two receipts
_SHOWN = 200  # units that wait, named in a receipt

Before = Callable[[Contract, Sequence[Message]], None]
"""Writes down what is about to be applied; what it raises keeps it from being applied."""


@dataclass
class Consumer:
    """Takes one flow into a replica.

    Attributes:
        client: connected as the consumer's user.
        replica: where it goes.
        now: the moment, in UTC.
        evidence: is written before anything is applied.
    """

    client: Client
    replica: Replica
    now: Callable[[], datetime]
    evidence: Before | None = None
    _received: int = 0
    _repeated: int = 0
    _quarantined: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _moved: bool = True
    _any_waiting: bool = True
    _urgent: Sender = field(init=False)

    def __post_init__(self) -> None:
        self._urgent = Sender(self.client)

    async def run(self, stop: asyncio.Event) -> None:
        """Take from all lanes until told to stop; then answer what is not answered yet.

        Raises:
            Problem: those of the evidence and of the replica. What was not acknowledged comes again.
        """
        lanes = [asyncio.create_task(self._lane(lane, stop)) for lane in names.LANES]
        answering = asyncio.create_task(self._answer_on(stop))
        try:
            await asyncio.gather(*lanes, answering)
        finally:
            for task in (*lanes, answering):
                task.cancel()
            await asyncio.gather(*lanes, answering, return_exceptions=True)

    async def catch_up(self, patience: float = 1.0) -> int:
        """Take everything there is and answer it; how many messages came.

        Args:
            patience: seconds without anything new after which there is no more.
        """
        count = 0
        pullers = {lane: self._puller(lane) for lane in names.LANES}
        while any(came := await asyncio.gather(*(self._step(*lane, patience) for lane in pullers.items()))):
            count += sum(came)
        for puller in pullers.values():
            await puller.close()
        await self.answer(Sender(self.client))
        return count

    def _puller(self, lane: str) -> Puller:
        most = min(_BATCH, self.replica.contract.receiver.pending)
        return Puller(self.client, lane, names.durable(self.replica.contract.flow), most)

    async def _lane(self, lane: str, stop: asyncio.Event) -> None:
        puller = self._puller(lane)
        while not stop.is_set():
            await self._step(lane, puller, 0.5)
        await puller.close()

    async def _step(self, lane: str, puller: Puller, patience: float) -> int:
        messages = await puller.take(patience)
        if messages and lane == names.PROTECT:
            await self._protect(messages)
        elif messages:
            self._take(messages)
        for each in messages:
            await each.ack()  # after the disk has it: who dies before this gets it again
        if messages:
            self._news.set()
        return len(messages)

    async def _protect(self, messages: Sequence[Msg]) -> None:
        """Take notices, and answer each before the broker forgets it: an answer cannot be lost. Take heartbeats."""
        held: dict[str, tuple[str, int]] = {}
        for each in messages:
            try:
                told = wire.decode_protect(each.data)
            except Problem as problem:
                self._keep(each, problem)
                continue
            if isinstance(told, Beat):
                self.replica.hear(told.event, datetime.fromisoformat(told.at), self.now())
            else:
                self.replica.protect(told.unit, told.state, told.event, self.now())
                held[told.unit] = self.replica.protection_held(told.unit)
        if held:
            await self._acknowledge(held)

    async def _acknowledge(self, held: Mapping[str, tuple[str, int]]) -> None:
        told = tuple((unit, *state) for unit, state in held.items())
        flow = self.replica.contract.flow
        receipt = wire.Receipt(flow, self.replica.name, self.now().isoformat(), protection=told)
        await self._send(self._urgent, receipt, None)

    def _take(self, messages: Sequence[Msg]) -> None:
        good: list[Message] = []
        for each in messages:
            try:
                message = decode(each.data)
                if message.flow != self.replica.contract.flow:
                    raise Problem("message-elsewhere", "a message of another flow", message.id)
                good.append(message)
            except Problem as problem:
                self._keep(each, problem)
        if self.evidence is not None and good:
            self.evidence(self.replica.contract, good)
        taken = self.replica.take(good, self.now())
        self._received += len(messages)
        self._repeated += len(taken.repeated)
        self._quarantined += len(taken.quarantined)
        self._moved |= bool(taken.held or taken.quarantined or self._any_waiting)
        self._any_waiting = self._any_waiting or bool(taken.held or taken.quarantined)

    def _keep(self, msg: Msg, problem: Problem) -> None:
        """What nobody can read is kept, and told of: it belongs to no unit, so it holds up none."""
        self.replica.keep(msg.data, problem.code, self.now())
        self._quarantined += 1
        self._moved = True

    async def _answer_on(self, stop: asyncio.Event) -> None:
        sender = Sender(self.client)
        while not stop.is_set():
            await self.answer(sender)
            started = time.monotonic()
            try:
                await asyncio.wait_for(self._news.wait(), 1.0)
            except TimeoutError:
                continue
            self._news.clear()
            await asyncio.sleep(max(0.0, _OFTEN - (time.monotonic() - started)))
        await self.answer(sender)

    async def answer(self, sender: Sender) -> int:
        """Send the receipts that are due; how many were."""
        count = 0
        while (receipt := self._receipt()) is not None:
            line = receipt.taken.last if receipt.taken else None
            name = f"{receipt.replica}:{line}" if line is not None else None
            await self._send(sender, receipt, name)
            if line is not None:
                self.replica.note("answered", line)
            count += 1
        return count

    async def _send(self, sender: Sender, receipt: wire.Receipt, name: str | None) -> None:
        subject = names.subject(names.RECEIPT, receipt.flow)
        while await sender.send([Parcel(subject, name, wire.encode_receipt(receipt))]):
            await asyncio.sleep(1)  # the platform is behind: it is sent again

    def _receipt(self) -> wire.Receipt | None:
        replica = self.replica
        answered, begun = replica.noted("answered") or 0, replica.noted("answering") or 0
        # A receipt that was sent and perhaps not stored is sent again with the same lines.
        taken = replica.tally(answered, until=begun if begun > answered else None)
        if taken is None and not self._moved:
            return None
        if taken is not None and taken.last != begun:
            replica.note("answering", taken.last)
        waiting = replica.units_waiting() if self._moved else None
        units = len(waiting) if waiting is not None else 0
        self._any_waiting = bool(waiting) if waiting is not None else self._any_waiting
        receipt = wire.Receipt(
            replica.contract.flow, replica.name, self.now().isoformat(), self._received, self._repeated,
            self._quarantined, taken, units, tuple(waiting[:_SHOWN]) if waiting is not None else None,
        )  # fmt: skip
        self._received = self._repeated = self._quarantined = 0
        self._moved = False
        return receipt
