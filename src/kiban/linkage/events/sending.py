"""Many messages to the broker at once, each acknowledged: what is not, is sent again under the same id."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

_PATIENCE = 3.0  # seconds without any answer before what is open is sent again
_FULL = {10077, 10122}  # maximum messages, or bytes, of the stream or of one subject


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes to a subject.

    Attributes:
        subject: where.
        id: under which the broker knows it again; None where it is to come in any case.
        data: its bytes.
    """

    subject: str
    id: str | None
    data: bytes


class Sender:
    """Sends parcels by one connection. A broker that is away is waited for: nothing is lost, and nothing doubled."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._prefix = client.new_inbox()
        self._open: dict[str, int] = {}
        self._refused: set[int] = set()
        self._answered = asyncio.Event()
        self._round = 0
        self._ready = False
        self._turn = asyncio.Lock()

    async def send(self, parcels: Sequence[Parcel], give_up: int | None = None) -> set[int]:
        """Send parcels and wait until each is stored or refused.

        Args:
            parcels: in their order.
            give_up: after how many rounds without any answer to raise; None for never.

        Returns:
            The places of those that the broker refused, as their stream or subject is full.

        Raises:
            TimeoutError: after `give_up` rounds.
        """
        async with self._turn:
            await self._listen()
            self._refused = set()
            left = list(range(len(parcels)))
            rounds = 0
            while left:
                stored = len(left)
                left = await self._round_of(parcels, left)
                rounds = 0 if len(left) < stored else rounds + 1
                if left and give_up is not None and rounds >= give_up:
                    raise TimeoutError
            return self._refused

    async def _listen(self) -> None:
        if not self._ready:
            await self._client.subscribe(f"{self._prefix}.*", cb=self._take)
            self._ready = True

    async def _round_of(self, parcels: Sequence[Parcel], places: list[int]) -> list[int]:
        """Send some parcels; those without an answer in time."""
        self._round += 1
        self._open = {f"{self._prefix}.{self._round}-{place}": place for place in places}
        for token, place in list(self._open.items()):
            parcel = parcels[place]
            headers = {"Nats-Msg-Id": parcel.id} if parcel.id else None
            try:
                await self._client.publish(parcel.subject, parcel.data, reply=token, headers=headers)
            except Exception:  # noqa: BLE001 - the connection is away: what was not sent has no answer
                await asyncio.sleep(0.1)
                break
        while self._open:
            self._answered.clear()
            try:
                await asyncio.wait_for(self._answered.wait(), _PATIENCE)
            except TimeoutError:
                break
        left = sorted(self._open.values())
        self._open = {}
        return left

    async def _take(self, msg: Msg) -> None:
        place = self._open.get(msg.subject)
        if place is None:
            return
        if msg.data:
            answer = orjson.loads(msg.data)
            error = answer.get("error")
            if error is None:
                del self._open[msg.subject]
            elif error.get("err_code") in _FULL:
                del self._open[msg.subject]
                self._refused.add(place)
        # Any other error, or nobody who answers: there is no leader just now. It is sent again after a while.
        if len(self._open) % 64 == 0:
            self._answered.set()
