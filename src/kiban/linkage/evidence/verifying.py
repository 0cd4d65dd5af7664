"""Whether a ledger is what was written: every edit, deletion, insertion and exchange of lines is found."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from kiban.kernel import Problem
from kiban.linkage.evidence.ledger import Ledger
from kiban.linkage.evidence.line import broken, genesis, walk
from kiban.sets import root_fault, root_faults

_TOLD = 100


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Attributes:
        lines: how many lines were read.
        signed: number of the last line under a signed root; what follows may still be cut off unseen by who can write
            the file, except by comparison with the other side.
        problems: what is wrong, at most 100; empty where all holds.
    """

    lines: int
    signed: int
    problems: tuple[Problem, ...]


def verify(ledger: Ledger, trusted: Collection[str], kept: Collection[str] = ()) -> Verdict:
    """Compute the chain of a ledger again and hold it against its head and its roots.

    Args:
        ledger: of either side.
        trusted: public keys whose roots count; with none every root is a fault.
        kept: digests of roots that were given away; each has to be there.

    Returns:
        The problems have the codes `evidence-gap`, `evidence-changed`, `evidence-head`, `evidence-root`.
    """
    roots = ledger.roots()
    ends = {each.last: each for each in roots}
    problems: list[Problem] = []
    number, chain = 0, genesis(ledger.side)
    for problem, entry in walk(ledger.entries(), number, chain):
        number, chain = entry.number, entry.chain
        if problem and len(problems) < _TOLD:
            problems.append(problem)
        signed = ends.get(number)
        if signed and signed.chain != chain and len(problems) < _TOLD:
            problems.append(
                broken("evidence-changed", number, f"the lines are not those signed for {signed.day}")
            )
    if (number, chain) != ledger.head():
        problems.append(broken("evidence-head", number, "the last line is not the one that was written last"))
    problems += root_faults(ledger.side, roots, trusted, number)
    missing = set(kept) - {each.digest for each in roots}
    problems += [root_fault("a root that was given away is not in the ledger") for _ in missing]
    return Verdict(number, roots[-1].last if roots else 0, tuple(problems))
