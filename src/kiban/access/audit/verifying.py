"""Whether everything is there as it was written: every edit, loss, insertion and exchange is named."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kiban.access.audit.blocks import FIX, Passing
from kiban.access.audit.keeper import Keeper
from kiban.access.audit.ledger import FIRST, SOURCES, Ledger
from kiban.access.audit.seals import NO_BLOCK, SIDE, Block, Seal, Source, link
from kiban.kernel import Problem
from kiban.sets import Root, root_fault, root_faults

TOLD = 100
_NAMES = {"line": "line", "lookup": "look-up"}


@dataclass(frozen=True)
class Verdict:
    """What a verification found.

    Attributes:
        sealed: lines and look-ups that were held against their seals, by source.
        waiting: those that are not sealed yet, by source; nothing can be said of them.
        blocks: how many blocks.
        root: day of the last root; empty where there is none.
        problems: what is wrong, at most 100; empty where all holds. Codes: `audit-changed`, `audit-lost`,
            `audit-inserted`, `audit-order`, `audit-seal`, `audit-block`, `audit-head`, `evidence-root`.
    """

    sealed: Mapping[Source, int] = field(hash=False)
    waiting: Mapping[Source, int] = field(hash=False)
    blocks: int
    root: str
    problems: tuple[Problem, ...]


def verify(ledger: Ledger, keeper: Keeper, given: Sequence[Root] = (), *, recent: bool = False) -> Verdict:
    """Compute everything again, in bounded memory, and hold it against signatures, the home and what was given away.

    Args:
        ledger: what to verify.
        keeper: whose signatures count, and what his files say of the last block and of all roots.
        given: roots that were given to others, from their files.
        recent: whether only what is sealed behind the last root is computed; the roots themselves always are.

    Raises:
        Problem: `audit-head` and `audit-root-file` where a file of the keeper cannot be read; `database-unreachable`.
    """
    roots, trusted = ledger.roots(), keeper.trusted
    away = list({each.digest: each for each in (*keeper.kept(), *given)}.values())
    start = ledger.block_at(roots[-1].last) if recent and roots else NO_BLOCK
    passing = Passing(ledger.blocks(start.block), start, trusted, keeper.remembered())
    known = {each.digest for each in roots}
    missing = [each for each in away if each.digest not in known or not each.signed_by(trusted)]
    walk = _Walk(ledger, start, passing, [*roots, *missing])
    found = _first(walk.faults())
    found += root_faults(SIDE, roots, trusted, walk.place)
    found += [
        root_fault("a root that was kept or given away is not in the database", each.day) for each in missing
    ]
    last = passing.last
    waiting = {name: ledger.waiting(name, getattr(last, name)) for name in SOURCES}
    return Verdict(walk.held, waiting, last.block, roots[-1].day if roots else "", tuple(found[:TOLD]))


def hold_together(ledger: Ledger, start: Block, trusted: Collection[str]) -> None:
    """Refuse to go on where something behind a block is not as it was sealed.

    Raises:
        Problem: the first fault.
    """
    passing = Passing(ledger.blocks(start.block), start, trusted, (0, ""))
    for problem in _Walk(ledger, start, passing, ()).faults():
        raise problem


def _first(problems: Iterator[Problem]) -> list[Problem]:
    """The first problems; all are walked through."""
    found: list[Problem] = []
    for problem in problems:
        if len(found) < TOLD:
            found.append(problem)
    return found


class _Walk:
    """Walks along the seals behind a block, with the rows of both sources beside them."""

    def __init__(self, ledger: Ledger, start: Block, passing: Passing, roots: Sequence[Root]) -> None:
        self.held: dict[Source, int] = dict.fromkeys(SOURCES, 0)
        self.place, self._ledger, self._start, self._passing = start.last, ledger, start, passing
        self._computed = self._written = bytes.fromhex(start.chain)  # they differ behind a fault
        self._signed: dict[int, list[Root]] = {}
        for root in roots:
            self._signed.setdefault(root.last, []).append(root)
        self._exchanged: list[tuple[Source, int, bytes, bytes]] = []

    def faults(self) -> Iterator[Problem]:
        """Everything that is wrong."""
        first = {"line": self._start.line, "lookup": self._start.lookup} if self._start.block else {}
        rows = {name: _Rows(self._ledger.rows(name, first.get(name, FIRST), 2**63 - 1)) for name in SOURCES}
        for seal in self._ledger.seals(self._start.last):
            believed = yield from self._of_seal(seal)
            yield from self._of_row(seal, rows[seal.source], believed)
            yield from self._passing.faults(seal.place, seal.chain)
            for root in self._signed.get(seal.place, ()):
                if root.chain != seal.chain.hex():
                    yield root_fault("what was written until then is not what this root signed", root.day)
        yield from self._passing.rest(self.place)
        for name in SOURCES:
            for number in rows[name].before(getattr(self._passing.last, name) + 1):
                yield _row(name, number, "inserted", "it was not there when its time was sealed")
        yield from self._changed()

    def _of_seal(self, seal: Seal) -> Generator[Problem, None, bool]:
        """Tells what is wrong with a seal; whether what it says of its row can be believed."""
        said = (seal.place, seal.source, seal.number, seal.digest)
        computed = link(self._computed, *said)
        fits = seal.chain in (computed, link(self._written, *said))
        gap = seal.place != self.place + 1
        if gap:
            yield _seal(seal.place, "seals before it are lost")
        elif not fits:
            yield _seal(seal.place, "a seal, or its place, is not what was written")
        self.place, self._computed, self._written = seal.place, seal.chain if fits else computed, seal.chain
        return fits or gap

    def _of_row(self, seal: Seal, rows: _Rows, believed: bool) -> Iterator[Problem]:
        if not believed and rows.number != seal.number:
            return  # the seal may say anything; its row is told as one that has none
        for number in rows.before(seal.number):
            yield _row(seal.source, number, "inserted", "it was not there when its time was sealed")
        if rows.number != seal.number:
            yield _row(seal.source, seal.number, "lost", "it was sealed and is not there any more")
            return
        digest = rows.take()
        self.held[seal.source] += 1
        if digest != seal.digest and len(self._exchanged) < TOLD:
            self._exchanged.append((seal.source, seal.number, digest, seal.digest))

    def _changed(self) -> Iterator[Problem]:
        """What does not say what was sealed; where it says what another one did, the two were exchanged."""
        places = {(source, sealed): number for source, number, _, sealed in self._exchanged}
        for source, number, digest, _ in self._exchanged:
            other = places.get((source, digest))
            if other is None:
                yield _row(source, number, "changed", "it does not say what was sealed")
            else:
                yield _row(source, number, "order", f"it says what {_NAMES[source]} {other} said")


class _Rows:
    """Rows of one source, with the one that comes next in sight."""

    def __init__(self, rows: Iterator[tuple[int, bytes]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    @property
    def number(self) -> int | None:
        """Of the row that comes next; None behind the last."""
        return self._next[0] if self._next else None

    def take(self) -> bytes:
        """The digest of the row that comes next, and on to the one behind it."""
        assert self._next is not None
        digest = self._next[1]
        self._next = next(self._rows, None)
        return digest

    def before(self, number: int) -> Iterator[int]:
        """Each row below a number, passed over."""
        while self.number is not None and self.number < number:
            yield self.number
            self.take()


def _row(source: Source, number: int, code: str, what: str) -> Problem:
    return Problem(f"audit-{code}", what, f"{_NAMES[source]} {number}", FIX)


def _seal(place: int, what: str) -> Problem:
    return Problem("audit-seal", what, f"seal {place}", FIX)
