"""What receivers answer, taken into the books of the platform."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from kiban.kernel import Problem
from kiban.linkage.broker import names
from kiban.linkage.events import places, wire
from kiban.linkage.events.pulling import Puller
from kiban.store import BookPage, Books

Missing = Callable[[str, Sequence[tuple[str, int]]], object]


@dataclass
class Desk:
    """Takes receipts from the broker into the books.

    Attributes:
        books: of the linkage.
        puller: of the durable of the platform on RECEIPT.
        acknowledged: is told of protection that a flow's consumer holds: flow, then unit, state and version of each.
    """

    books: Books
    puller: Puller
    acknowledged: Callable[[str, Sequence[tuple[str, str, int]]], object] | None = None
    unreadable: int = field(default=0)

    async def run(self, stop: asyncio.Event) -> None:
        """Take receipts until told to stop."""
        while not stop.is_set():
            await self.step(1.0)

    async def step(self, patience: float) -> list[wire.Receipt]:
        """Take what there is, waiting a while for a first one; acknowledged only when it is in the books.

        Args:
            patience: seconds.
        """
        messages = await self.puller.take(patience)
        found = []
        for each in messages:
            try:
                receipt = wire.decode_receipt(each.data)
                if each.subject == names.subject(names.RECEIPT, receipt.flow):
                    found.append(
                        receipt
                    )  # nobody answers for a flow of somebody else: the subject says who it was
                else:
                    self.unreadable += 1
            except Problem:
                self.unreadable += 1
        if found:
            await asyncio.to_thread(self.book, found)
        for each in messages:
            await each.ack()
        return found

    def book(self, receipts: Iterable[wire.Receipt]) -> None:
        """Take receipts into the books; one that comes again changes nothing."""
        told = list(receipts)
        with self.books.transaction() as page:
            places.hold(page, [receipt.flow for receipt in told])
            for receipt in told:
                _book(page, receipt)
        if self.acknowledged is not None:
            for receipt in told:
                if receipt.protection:
                    self.acknowledged(receipt.flow, receipt.protection)


def _book(page: BookPage, receipt: wire.Receipt) -> None:
    taken = receipt.taken
    if taken is not None and page.run(_ANSWERED, (receipt.flow, taken.replica, taken.last, taken.last)):
        values = (
            taken.counted, taken.content, taken.applied, taken.late, taken.event, receipt.at, receipt.flow,
        )  # fmt: skip
        page.run(_COUNTED, values)
    page.run("UPDATE event_flow SET quarantined = %s, held = %s WHERE flow = %s", _waits(page, receipt))
    if receipt.protection:
        page.many(_PROTECTED, [(receipt.flow, *each, receipt.at) for each in receipt.protection])


def _waits(page: BookPage, receipt: wire.Receipt) -> tuple[int, int, str]:
    """Note what waits; how many units are quarantined and how many are held, by flow."""
    if receipt.waiting is not None:
        page.run("DELETE FROM event_waiting WHERE flow = %s", (receipt.flow,))
        page.many(
            "INSERT INTO event_waiting (flow, unit, message, event, missing, reason, since, behind) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (receipt.flow, w.unit, w.message, w.event, w.missing, w.reason, w.since, w.behind)
                for w in receipt.waiting
            ],
        )
    (row,) = page.rows(
        "SELECT count(*) FILTER (WHERE reason IS NOT NULL) AS bad, count(*) FILTER (WHERE reason IS NULL) AS held "
        "FROM event_waiting WHERE flow = %s",
        (receipt.flow,),
    )
    return row["bad"], max(row["held"], receipt.units_waiting - row["bad"]), receipt.flow


_ANSWERED = """
    INSERT INTO event_answered AS a (flow, replica, line) VALUES (%s, %s, %s)
    ON CONFLICT (flow, replica) DO UPDATE SET line = excluded.line WHERE a.line < %s
"""
_COUNTED = """
    UPDATE event_flow SET counted = counted + %s,
        counted_content = mod(counted_content + %s, 340282366920938463463374607431768211456),
        applied = applied + %s, late = late + %s, applied_event = greatest(applied_event, %s), answered_at = %s
    WHERE flow = %s
"""
_PROTECTED = """
    INSERT INTO event_protection AS p (flow, unit, state, event, acknowledged_at) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (flow, unit) DO UPDATE SET renewed = p.renewed AND p.event = excluded.event,
        state = excluded.state, event = excluded.event,
        acknowledged_at = excluded.acknowledged_at WHERE p.event <= excluded.event
"""
