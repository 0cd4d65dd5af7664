"""Publisher and desk write into the same rows of the books at once, and never wait for each other in a ring."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kiban.linkage.consumer import Tally
from kiban.linkage.events import Desk, Receipt
from kiban.linkage.events.places import Step, advance, places
from kiban.store import Books

_ROUNDS = 60
_FLOWS = ("a.v1", "b.v1", "c.v1")


def test_steps_and_receipts_of_many_flows_meet_in_the_books(books: Books) -> None:
    with books.transaction() as page:
        places(page, _FLOWS, 0)
    nothing: Any = None
    desk = Desk(books, nothing)

    def publish() -> None:
        for place in range(1, _ROUNDS + 1):
            with books.transaction() as page:
                advance(page, [Step(flow, place, sent=1, content=place) for flow in reversed(_FLOWS)])

    def answer() -> None:
        for line in range(1, _ROUNDS + 1):
            tally = Tally("0" * 32, line, line, 1, 0, line, 1, line)
            desk.book([Receipt(flow, "0" * 32, "2026-10-01T00:00:00+00:00", taken=tally) for flow in _FLOWS])

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(publish), pool.submit(answer)]:
            done.result()
    with books.transaction() as page:
        rows = page.rows("SELECT sent, counted, sent_content, counted_content FROM event_flow ORDER BY flow")
    total = sum(range(1, _ROUNDS + 1))
    assert [tuple(row.values()) for row in rows] == [(_ROUNDS, _ROUNDS, total, total)] * 3
