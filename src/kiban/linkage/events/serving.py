"""The platform at work: publishing, taking receipts, and sending again what somebody misses."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import nats
from nats.js import JetStreamContext

from kiban.linkage.broker import sweep
from kiban.linkage.events import places
from kiban.linkage.events.publisher import Publisher
from kiban.linkage.events.receipts import Desk
from kiban.linkage.events.replaying import Replayer

_OFTEN = 5.0  # seconds between two looks at what was acknowledged


@dataclass
class Platform:
    """A publisher with its desk for receipts, connected.

    Attributes:
        publisher: of changes.
        desk: for receipts.
        replayer: over the publisher.
        js: of the platform's user, to let go of what was acknowledged.
    """

    publisher: Publisher
    desk: Desk
    replayer: Replayer
    js: JetStreamContext

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop.

        Raises:
            Problem: `publisher-twice` where another one is at work already; those of `Publisher.step`.
        """
        with places.alone(self.publisher.books):
            tasks = [
                asyncio.create_task(work)
                for work in (self.publisher.run(stop), self._receive(stop), self._sweep(stop))
            ]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def once(self) -> int:
        """Publish all that is due and may be sent, and take the receipts there are; in how many steps of flows.

        Raises:
            Problem: those of `run`.
        """
        with places.alone(self.publisher.books):
            done = 0
            while moved := await self.publisher.step():
                done += moved
            await self.receive(0.1)
            await sweep(self.js, self.publisher.live())
        return done

    async def receive(self, patience: float) -> int:
        """Take receipts and send what they miss; how many receipts came."""
        receipts = await self.desk.step(patience)
        await self.replayer.answer(receipts)
        await self.replayer.renew()
        return len(receipts)

    async def _receive(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.receive(0.5)

    async def _sweep(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(nats.errors.Error, nats.js.errors.Error, TimeoutError):  # away: it is done again
                await sweep(self.js, self.publisher.live())
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _OFTEN)
