"""Messages of a durable, pulled in batches; the next ones are asked for while these are worked on."""

from __future__ import annotations

import asyncio
import time

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

_EXPIRES = 5.0  # seconds that the broker keeps a question open; with a lost connection it is lost for so long


class Puller:
    """Pulls from one durable of one stream. Not shared between tasks."""

    def __init__(self, client: Client, stream: str, durable: str, most: int) -> None:
        """A puller.

        Args:
            client: connected.
            stream: name of the stream.
            durable: name of the durable.
            most: messages to hold at once.
        """
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = client.new_inbox()
        self._most = most
        self._come: list[Msg] = []
        self._arrived = asyncio.Event()
        self._asked = 0
        self._asked_at = 0.0
        self._ready = False

    async def take(self, patience: float) -> list[Msg]:
        """What has come, at most as many as may be held, waiting a while for a first one; empty where none came.

        Args:
            patience: seconds.
        """
        if not self._ready:
            self._subscription = await self._client.subscribe(self._inbox, cb=self._receive)
            self._ready = True
        deadline = time.monotonic() + patience
        while not self._come:
            await self._ask()
            self._arrived.clear()
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            try:
                await asyncio.wait_for(self._arrived.wait(), min(left, 1.0))
            except TimeoutError:
                continue
        taken, self._come = self._come, []
        await self._ask()
        return taken

    async def close(self) -> None:
        """Ask no more, and give back what came and was not taken: it goes to the next who asks."""
        if self._ready:
            await self._subscription.unsubscribe()
            self._ready, self._asked = False, 0
        while self._come:
            await self._come.pop().nak()

    async def _ask(self) -> None:
        """Ask for as many as may be held, where not enough are asked for; a question may be lost with its connection."""
        lost = time.monotonic() - self._asked_at > _EXPIRES + 1
        if self._asked > self._most // 2 and not lost:
            return
        wanted = self._most - (0 if lost else self._asked)
        question = {"batch": wanted, "expires": int(_EXPIRES * 1e9)}
        try:
            await self._client.publish(self._subject, orjson.dumps(question), reply=self._inbox)
        except Exception:  # noqa: BLE001 - the connection is away: it is asked again
            await asyncio.sleep(0.1)
            return
        self._asked, self._asked_at = (wanted if lost else self._asked + wanted), time.monotonic()

    async def _receive(self, msg: Msg) -> None:
        status = msg.headers.get("Status") if msg.headers and not msg.data else None
        if status is None:
            self._asked -= 1
            self._come.append(msg)
            self._arrived.set()
        elif status != "100":  # the question has ended: what was not sent for it is to be asked for again
            pending = msg.headers.get("Nats-Pending-Messages") if msg.headers else None
            self._asked = max(0, self._asked - int(pending or self._asked))
            self._arrived.set()
