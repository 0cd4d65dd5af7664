"""Messages once more: those that got lost, a stretch of the past, or everything of a unit to mend it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kiban import store
from kiban.kernel import Problem
from kiban.linkage.broker import names
from kiban.linkage.contracts.model import Contract
from kiban.linkage.events import reading
from kiban.linkage.events.publisher import Publisher
from kiban.linkage.events.sending import Parcel
from kiban.linkage.events.thinning import thinned
from kiban.linkage.events.wire import Receipt
from kiban.linkage.message import Message, encode
from kiban.store import Told

_EVENTS = 200
_PATIENCE = 5.0  # seconds before what a receiver misses is sent to it again


@dataclass
class Replayer:
    """Sends again what was sent, beside the live lane or in it. It moves no place and changes no counter."""

    publisher: Publisher
    _sent: dict[tuple[str, str, int], float] = field(default_factory=dict)

    async def answer(self, receipts: Sequence[Receipt]) -> int:
        """Send what receivers miss, each as it was: the effect it has not had yet is still due. How many were sent."""
        flows = {each.flow: each for each in self.publisher.live()}
        count = 0
        for receipt in receipts:
            contract = flows.get(receipt.flow)
            for each in receipt.waiting or () if contract else ():
                named = (receipt.flow, each.unit, each.missing or 0)
                if each.missing and self._sent.get(named, 0) < time.monotonic() - _PATIENCE:
                    self._sent[named] = time.monotonic()
                    assert contract is not None
                    count += await self._again(contract, each.unit, each.missing)
        self._sent = {n: at for n, at in self._sent.items() if at > time.monotonic() - 60}
        return count

    async def _again(self, contract: Contract, unit: str, event: int) -> int:
        """Send a message again as it was; where that is forgotten, the unit whole, which is right over any gap."""
        if event > await asyncio.to_thread(self._thinned):
            return await self.resend(contract, unit, event)
        await self.mend(contract, [unit])
        return 1

    def _thinned(self) -> int:
        with self.publisher.books.transaction() as page:
            return thinned(page)

    async def renew(self) -> int:
        """Send the rows of whoever became protected, or clear, anew to flows that withhold items; how many units.

        A notice tells a consumer that somebody is protected; the address it was given before leaves its copy by this. It is done
        once the consumer holds the notice and the flow is at its event; who is clear is so after the event, so it is done behind it.
        """
        count = 0
        for contract in self.publisher.live():
            if any(contract.protection.withheld.values()):
                owed = await asyncio.to_thread(self._owed, contract.flow)
                if owed:
                    await self.mend(contract, [unit for unit, _ in owed])
                    await asyncio.to_thread(self._renewed, contract.flow, owed)
                    count += len(owed)
        return count

    def _owed(self, flow: str) -> list[tuple[str, int]]:
        with self.publisher.books.transaction() as page:
            return [(row["unit"], row["event"]) for row in page.rows(_OWED, (flow, _EVENTS))]

    def _renewed(self, flow: str, units: Sequence[tuple[str, int]]) -> None:
        with self.publisher.books.transaction() as page:
            page.many(_RENEWED, [(flow, unit, event) for unit, event in units])

    async def resend(self, contract: Contract, unit: str, event: int) -> int:
        """Send the message of one unit and event again in the live lane; how many there are: 1, or 0."""
        told = await asyncio.to_thread(store.told_after, self.publisher.opened, event - 1, 1)
        found = await self._messages(contract, [each for each in told if each.event == event])
        await self._send(names.CHANGE, contract, [each for each in found if each.unit == unit])
        return sum(each.unit == unit for each in found)

    async def replay(self, contract: Contract, after: int, until: int) -> int:
        """Send the messages of a stretch of events again, marked `replay`, beside the live lane.

        Args:
            contract: of the flow.
            after: number of the event behind which it begins.
            until: number of the last event.

        Returns:
            How many messages.

        Raises:
            Problem: `contract-not-live`; `replay-thinned` where it begins in what is no longer known.
        """
        forgotten = await asyncio.to_thread(self._thinned)
        if after < forgotten:
            what = f"which messages the events up to {forgotten} made is no longer known"
            fix = f"replay from {forgotten} on, or send the units whole: kiban link reconcile, repair"
            raise Problem("replay-thinned", what, contract.flow, fix)
        count = 0
        while after < until:
            told = await asyncio.to_thread(store.told_after, self.publisher.opened, after, _EVENTS)
            told = [each for each in told if each.event <= until]
            if not told:
                break
            found = await self._messages(contract, told)
            await self._send(names.REPLAY, contract, [replace(each, replay=True) for each in found])
            after, count = told[-1].event, count + len(found)
        return count

    async def mend(self, contract: Contract, units: Sequence[str]) -> int:
        """Send everything of some units as known now, marked `replay`: it is right over any gap, quarantine or drift.

        Returns:
            The event after which it is as known.

        Raises:
            Problem: `flow-unknown`, `contract-not-live`.
        """
        event = await asyncio.to_thread(self._place, contract.flow)
        found = await asyncio.to_thread(
            reading.read_whole, self.publisher.opened, contract, event, list(units)
        )
        told = await asyncio.to_thread(store.told_after, self.publisher.opened, event - 1, 1)
        if not told:
            raise Problem("flow-unknown", "there is no event to tell of", contract.flow)
        states = self._states(contract, event, units)
        whole = [
            replace(
                reading.message(contract, reading.Change(told[0], unit, contract.feeds), 0, state, found),
                event=event, replay=True, origin=None,
            )
            for unit, state in zip(units, states, strict=True)
        ]  # fmt: skip
        await self._send(names.REPLAY, contract, whole)
        return event

    def _place(self, flow: str) -> int:
        with self.publisher.books.transaction() as page:
            found = page.rows("SELECT place FROM event_flow WHERE flow = %s", (flow,))
        if not found:
            raise Problem(
                "flow-unknown", "nothing was ever sent on this flow", flow, "see `kiban link status`"
            )
        return int(found[0]["place"])

    def _states(self, contract: Contract, event: int, units: Sequence[str]) -> Sequence[tuple[str, int]]:
        guard = self.publisher.guard
        states = guard.states if guard else reading.unknown_states
        return states(contract, [(unit, event) for unit in units])

    async def _messages(self, contract: Contract, told: Sequence[Told]) -> list[Message]:
        batch = await asyncio.to_thread(self.publisher.batch, [contract], told)
        return batch[contract.flow].messages

    async def _send(self, lane: str, contract: Contract, messages: Sequence[Message]) -> None:
        """Send with a name of its own each time: the broker would know the first one again and drop it."""
        if contract not in self.publisher.live():
            what = "the flow has no signed contract in force: it carries nothing"
            raise Problem("contract-not-live", what, contract.flow, "see kiban link contracts list")
        if self.publisher.evidence is not None and messages:
            await asyncio.to_thread(self.publisher.evidence, [(contract, each) for each in messages])
        again = secrets.token_hex(8)
        left = [Parcel(names.subject(lane, m.flow), f"{m.id}/{again}", encode(m)) for m in messages]
        while left:
            refused = await self.publisher.sender.send(left)
            left = [left[place] for place in sorted(refused)]
            if left:
                await asyncio.sleep(1)  # its receiver is behind


_OWED = """
    SELECT p.unit, p.event FROM event_protection p JOIN event_flow f USING (flow)
    WHERE flow = %s AND NOT p.renewed AND p.event + (p.state = 'clear')::int <= f.place ORDER BY p.event, p.unit LIMIT %s
"""
_RENEWED = "UPDATE event_protection SET renewed = true WHERE flow = %s AND unit = %s AND event = %s"
