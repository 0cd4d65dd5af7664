"""Blocks, as a walk over the seals passes their ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from kiban.access.audit.seals import Block
from kiban.kernel import Problem

FIX = "keep the database as it is; compare with its backups and with the roots that were given to others"


class Passing:
    """Holds blocks against each other, against the seals, and against the one that the home remembers.

    Args:
        blocks: those behind `start`, in their order.
        start: the block before the first of them.
        trusted: public keys whose signatures count.
        remembered: number and digest of a block that has to be among them; number 0 for none.
    """

    def __init__(
        self, blocks: Iterator[Block], start: Block, trusted: Collection[str], remembered: tuple[int, str]
    ) -> None:
        self._blocks, self._trusted, self._remembered = blocks, trusted, remembered
        self._next = next(blocks, None)
        self._met = remembered[0] <= start.block
        self.last = start

    def faults(self, place: int, chain: bytes) -> Iterator[Problem]:
        """What is wrong with the blocks that end at a place of the chain, or should have ended before it."""
        while self._next is not None and self._next.last <= place:
            block = self._next
            if block.last < place or block.chain != chain.hex():
                yield fault(block.block, "what was sealed is not what this block signed")
            yield from self._pass(block)

    def rest(self, place: int) -> Iterator[Problem]:
        """What is wrong behind the last seal, which has this place."""
        while self._next is not None:
            yield fault(self._next.block, "seals that this block signed are not there")
            yield from self._pass(self._next)
        if place > self.last.last:
            yield Problem(
                "audit-seal", "seals are there that no block signed", f"seal {self.last.last + 1}", FIX
            )
        if not self._met:
            what = "the block that the home remembers as its last is not in the database, or is another one"
            yield Problem("audit-head", what, f"block {self._remembered[0]}", FIX)

    def _pass(self, block: Block) -> Iterator[Problem]:
        before = self.last
        if not block.signed_by(self._trusted):
            yield fault(block.block, "the block has no signature of a key that counts, or was changed")
        if block.block != before.block + 1 or block.previous != (before.digest if before.block else ""):
            yield fault(block.block, "the block does not follow the one before")
        self._met |= (block.block, block.digest) == self._remembered
        self.last, self._next = block, next(self._blocks, None)


def fault(number: int, what: str) -> Problem:
    """A fault of a block."""
    return Problem("audit-block", what, f"block {number}", FIX)
