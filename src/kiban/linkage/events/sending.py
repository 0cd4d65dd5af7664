"""Many messages to the broker at once, each acknowledged: what is not, is sent again under the same id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

_PATIENCE = 3.0  # seconds without any answer before what is open is sent again
_BATCH = 500  # parcels of one subject that are stored as one
_FULL = {10077, 10122}  # maximum messages, or bytes, of the stream or of one subject


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes to a subject.

    Attributes:
        subject: where.
        id: under which the broker knows it again; None where it is to come in any case.
        data: its bytes.
        lasts: seconds after which the broker forgets it, taken or not; None where it keeps it.
    """

    subject: str
    id: str | None
    data: bytes
    lasts: int | None = None


class Sender:
    """Sends parcels by one connection. A broker that is away is waited for: nothing is lost, and nothing doubled."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._prefix = client.new_inbox()
        self._open: dict[str, list[int]] = {}
        self._alone: set[int] = set()
        self._single: set[int] = set()
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
            self._refused, self._single = set(), set()
            left = list(range(len(parcels)))
            rounds = 0
            while left:
                stored = len(left)
                left = await self._round_of(parcels, left)
                rounds = 0 if len(left) < stored or self._single else rounds + 1
                if left and give_up is not None and rounds >= give_up:
                    raise TimeoutError
            return self._refused

    async def _listen(self) -> None:
        if not self._ready:
            await self._client.subscribe(f"{self._prefix}.*", cb=self._take)
            self._ready = True

    async def _round_of(self, parcels: Sequence[Parcel], places: list[int]) -> list[int]:
        """Send some parcels; those without an answer in time, or that have to go alone."""
        self._round += 1
        self._open, self._alone = {}, set()
        groups = list(self._groups(parcels, places))
        for number, group in enumerate(groups):
            token = f"{self._prefix}.{self._round}-{number}"
            self._open[token] = group
            try:
                await self._publish(token, [parcels[place] for place in group])
            except Exception:  # noqa: BLE001 - the connection is away: what was not sent has no answer
                for late, left in enumerate(groups[number + 1 :], number + 1):
                    self._open[f"{self._prefix}.{self._round}-{late}"] = left
                await asyncio.sleep(0.1)
                break
        while self._open:
            self._answered.clear()
            try:
                await asyncio.wait_for(self._answered.wait(), _PATIENCE)
            except TimeoutError:
                break
        left_over = sorted({place for group in self._open.values() for place in group} | self._alone)
        self._open, self._single = {}, set(self._alone)
        return left_over

    def _groups(self, parcels: Sequence[Parcel], places: list[int]) -> Iterator[list[int]]:
        """Places that go as one: parcels of one subject, but for those that a batch was refused with."""
        by_subject: dict[str, list[int]] = {}
        for place in places:
            if place in self._single or parcels[place].id is None:
                yield [place]
            else:
                by_subject.setdefault(parcels[place].subject, []).append(place)
        for group in by_subject.values():
            yield from (group[start : start + _BATCH] for start in range(0, len(group), _BATCH))

    async def _publish(self, token: str, group: Sequence[Parcel]) -> None:
        """Publish parcels as one: all of them are stored, by one write to the disk, or none."""
        batch = token.rpartition(".")[0][-22:] + token.rpartition(".")[2]
        for number, parcel in enumerate(group, 1):
            headers = {"Nats-Msg-Id": parcel.id} if parcel.id else {}
            headers |= {"Nats-TTL": f"{parcel.lasts}s"} if parcel.lasts else {}
            if len(group) > 1:
                headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            last = number == len(group)
            if last and len(group) > 1:
                headers["Nats-Batch-Commit"] = "1"
            reply = token if last else ""
            await self._client.publish(parcel.subject, parcel.data, reply=reply, headers=headers or None)

    async def _take(self, msg: Msg) -> None:
        group = self._open.get(msg.subject)
        if group is None:
            return
        if msg.data:
            error = orjson.loads(msg.data).get("error")
            if error is None:
                del self._open[msg.subject]
            elif len(group) > 1:  # one of them is there already, or too many: each alone says which
                del self._open[msg.subject]
                self._alone |= set(group)
            elif error.get("err_code") in _FULL:
                del self._open[msg.subject]
                self._refused.add(group[0])
        # Any other error, or nobody who answers: there is no leader just now. It is sent again after a while.
        if len(self._open) % 16 == 0:
            self._answered.set()
