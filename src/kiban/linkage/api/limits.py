"""The limits that a contract sets to reading: questions and bytes of answers a minute, kept for all processes in the books."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from kiban.linkage.contracts.model import Contract, Receiver
from kiban.store import BookPage, Books

_MINUTE = 60.0


@dataclass(frozen=True)
class Used:
    """How much of a minute's measure a flow has used up; it comes back evenly with time.

    Attributes:
        requests: questions.
        bytes: of answers.
        at: when that was so.
    """

    requests: float
    bytes: float
    at: datetime

    def later(self, limit: Receiver, now: datetime) -> Used:
        """What is used up at a moment; a clock that went back gives nothing back."""
        share = max(0.0, (now - self.at).total_seconds()) / _MINUTE
        requests = self.requests - share * (limit.requests or 0)
        return Used(max(0.0, requests), max(0.0, self.bytes - share * (limit.answer_bytes or 0)), now)

    def wait(self, limit: Receiver) -> int:
        """Seconds until another question may be asked; 0 where it may now.

        An answer is not cut: the last one may be larger than what was left, and its excess is waited for.
        """
        most = 0.0
        if limit.requests is not None:
            most = (self.requests + 1 - limit.requests) / limit.requests
        if limit.answer_bytes is not None and self.bytes >= limit.answer_bytes:
            most = max(most, (self.bytes - limit.answer_bytes + 1) / limit.answer_bytes)
        return math.ceil(most * _MINUTE) if most > 0 else 0


def enter(books: Books, contract: Contract, now: datetime) -> int:
    """Count a question of a flow; seconds after which it may be asked, 0 where it may now and was counted."""
    limit = contract.receiver
    if limit.requests is None and limit.answer_bytes is None:
        return 0
    with books.transaction() as page:
        used = _used(page, contract, now)
        wait = used.wait(limit)
        if not wait:
            _note(page, contract, Used(used.requests + 1, used.bytes, now))
        return wait


def spend(books: Books, contract: Contract, size: int, now: datetime) -> None:
    """Count the bytes of an answer."""
    if contract.receiver.answer_bytes is not None:
        with books.transaction() as page:
            used = _used(page, contract, now)
            _note(page, contract, Used(used.requests, used.bytes + size, now))


def _used(page: BookPage, contract: Contract, now: datetime) -> Used:
    page.run("INSERT INTO api_used VALUES (%s, 0, 0, %s) ON CONFLICT DO NOTHING", (contract.flow, now))
    (row,) = page.rows(
        "SELECT requests, bytes, at FROM api_used WHERE flow = %s FOR UPDATE", (contract.flow,)
    )
    return Used(**row).later(contract.receiver, now)


def _note(page: BookPage, contract: Contract, used: Used) -> None:
    values = (used.requests, used.bytes, used.at, contract.flow)
    page.run("UPDATE api_used SET requests = %s, bytes = %s, at = %s WHERE flow = %s", values)
