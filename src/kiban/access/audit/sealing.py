"""Sealing what was written since the last time, and signing days."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from kiban.access.audit.keeper import Keeper
from kiban.access.audit.ledger import ROOT, SOURCES, Ledger
from kiban.access.audit.seals import BLOCK, NO_BLOCK, SIDE, Block, Source, chained
from kiban.access.audit.verifying import hold_together
from kiban.kernel import Problem, moments, stamp
from kiban.sets import Root, refuse_unless_it_follows
from kiban.store import BookPage

_BLOCK_MOST = 50_000


@dataclass(frozen=True)
class Sealed:
    """What a call sealed.

    Attributes:
        seals: how many lines and look-ups.
        block: the last block there is.
        waiting: sources of which nothing was sealed, because somebody who was writing did not end in time.
    """

    seals: int
    block: Block
    waiting: tuple[Source, ...]


def seal_trail(ledger: Ledger, keeper: Keeper, now: datetime, patience: float = 10) -> Sealed:
    """Seal all lines and look-ups that are complete, in blocks of at most 50,000 that are signed. May be called at any time.

    Args:
        ledger: what to seal.
        keeper: who seals.
        now: in UTC.
        patience: seconds to wait for those who were writing.

    Raises:
        Problem: `audit-rewound` where the database holds less than was sealed before; `audit-head`; `database-unreachable`.
    """
    upto = {source: ledger.settled(source, patience) for source in SOURCES}
    waiting = tuple(source for source in SOURCES if upto[source] is None)
    count = 0
    while True:
        with ledger.books.transaction() as page:
            page.rows("SELECT one FROM audit_turn FOR UPDATE")
            last = ledger.last_block(page)
            _refuse_if_rewound(page, keeper)
            block = _one_block(
                ledger, page, last, {name: number for name, number in upto.items() if number}, keeper, now
            )
        if block.block == last.block:
            return Sealed(count, block, waiting)
        keeper.remember(block)
        count += block.last - last.last


def _one_block(
    ledger: Ledger, page: BookPage, last: Block, upto: dict[Source, int], keeper: Keeper, now: datetime
) -> Block:
    """Seal what follows a block, up to the largest size; the same block where nothing does."""
    reached: dict[Source, int] = {"line": last.line, "lookup": last.lookup}
    taken = 0

    def rows() -> Iterator[tuple[Source, int, bytes]]:
        nonlocal taken
        for source, until in upto.items():
            found = ledger.rows(source, reached[source], until)
            for number, digest in itertools.islice(found, _BLOCK_MOST - taken):
                taken, reached[source] = taken + 1, number
                yield source, number, digest
            if taken < _BLOCK_MOST:
                reached[source] = max(until, reached[source])

    end, chain = last.last, last.chain

    def columns() -> Iterator[list[object]]:
        nonlocal end, chain
        for each in chained(last, rows()):
            end, chain = each.place, each.chain.hex()
            yield [each.place, each.source, each.number, each.digest, each.chain]

    page.copy_in("audit_seal", ["place", "source", "number", "digest", "chain"], columns())
    if end == last.last:
        return last
    previous = last.digest if last.block else ""
    made = Block(
        last.block + 1,
        end,
        reached["line"],
        reached["lookup"],
        chain,
        previous,
        stamp(now),
    ).sign(keeper.signer)
    page.copy_in("audit_block", BLOCK, [[getattr(made, name) for name in BLOCK]])
    return made


def _refuse_if_rewound(page: BookPage, keeper: Keeper) -> None:
    number, digest = keeper.remembered()
    found = page.rows(f"SELECT {', '.join(BLOCK)} FROM audit_block WHERE block = %s", [number])
    if number and (not found or Block(**found[0]).digest != digest):
        raise Problem(
            "audit-rewound",
            f"block {number}, which was sealed before, is not in the database or is another one",
            str(keeper.head),
            "keep everything as it is and find out; only after a backup was brought back, move the file aside",
        )


def sign_day(ledger: Ledger, keeper: Keeper, day: date, now: datetime, patience: float = 10) -> Root:
    """Seal what is not sealed yet, and sign all of it for a day that has ended. Give the root to somebody else.

    Args:
        ledger: what to sign.
        keeper: who signs.
        day: in Japan, later than that of the last root; everything written on it stands under the root, and perhaps more.
        now: in UTC.
        patience: see `seal_trail`.

    Raises:
        Problem: `audit-day-open` for a day that has not ended, `audit-day-writing` where somebody who was writing does not
            end, `evidence-root-late` where the day or a later one has its root; the first fault of what would be signed.
    """
    _, end = moments(day)
    if stamp(now) < end:
        raise Problem("audit-day-open", f"{day} has not ended in Japan", fix="sign it tomorrow")
    sealed = seal_trail(ledger, keeper, now, patience)
    if sealed.waiting:
        raise Problem(
            "audit-day-writing", "somebody who began to write has not ended", fix="sign it a little later"
        )
    before = ledger.roots()
    last = before[-1] if before else None
    hold_together(ledger, ledger.block_at(last.last) if last else NO_BLOCK, keeper.trusted)
    previous, start = (last.digest, last.last) if last else ("", 0)
    block = sealed.block
    made = Root(SIDE, day.isoformat(), start + 1, block.last, block.chain, previous, stamp(now))
    signed = made.sign(keeper.signer)
    refuse_unless_it_follows(signed, last)
    with ledger.books.transaction() as page:
        page.copy_in("audit_root", ROOT, [[getattr(signed, name) for name in ROOT]])
    keeper.keep(signed)
    return signed
