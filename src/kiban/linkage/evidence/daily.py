"""Signing a day of a ledger."""

from __future__ import annotations

from datetime import date, datetime

from kiban.kernel import Problem, moments, stamp
from kiban.linkage.evidence.ledger import Ledger
from kiban.linkage.evidence.line import genesis, walk
from kiban.sets import Root, Signer


def root(ledger: Ledger, day: date, signer: Signer, now: datetime) -> Root:
    """Sign a day that has ended, and keep its root in the ledger. Give it to somebody else, too: that is what it is for.

    Args:
        ledger: of this side.
        day: in Japan, later than that of the last root. Days without a root of their own stand under the next one.
        signer: of the city, or of the system.
        now: in UTC.

    Raises:
        Problem: `evidence-day-open` for a day that has not ended, `evidence-root-late` where the day or a later one has
            its root already; the first of those of `verify` where the lines under it do not hold together.
    """
    _, end = moments(day)
    if stamp(now) < end:
        raise Problem("evidence-day-open", f"{day} has not ended in Japan", fix="sign it tomorrow")
    before = ledger.roots()
    previous = before[-1].digest if before else ""
    start, chain = (before[-1].last, before[-1].chain) if before else (0, genesis(ledger.side))
    last, closing = ledger.last_before(end)
    if last > start:
        for problem, _ in walk(ledger.entries(start, last), start, chain):
            if problem:
                raise problem
    else:
        last, closing = start, chain
    made = Root(ledger.side, day.isoformat(), start + 1, last, closing, previous, stamp(now))
    signed = made.sign(signer)
    ledger.add_root(signed)
    return signed
