"""The root of a day of a ledger, as a value: one signature over all lines until its end, chained to the root before it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kiban.kernel import Problem
from kiban.sets.signing import Signed


@dataclass(frozen=True)
class Root(Signed):
    """What was signed at the end of a day. Lines that a slow clock dates back stand under the next root.

    Attributes:
        side: whose ledger: `platform` or ID of a system for evidence, `audit` for the audit trail.
        day: in Japan, YYYY-MM-DD.
        first: number of the first line under it; one more than `last` where there is none.
        last: number of the last.
        chain: the chain at `last`.
        previous: digest of the root before it; empty for the first.
        made_at: when it was signed, as `stamp` writes it.
        key: public key of who signed.
        signature: over all of the above.
    """

    document = "kiban-evidence-root"

    side: str
    day: str
    first: int
    last: int
    chain: str
    previous: str
    made_at: str
    key: str = ""
    signature: str = ""


def refuse_unless_it_follows(root: Root, last: Root | None) -> None:
    """Refuse a root that is not the next one of its ledger.

    Raises:
        Problem: `evidence-root-late`.
    """
    if last and (root.day <= last.day or root.previous != last.digest or root.first != last.last + 1):
        raise Problem(
            "evidence-root-late",
            f"the ledger is signed until {last.day} already",
            root.day,
            "name a later day",
        )


def root_faults(side: str, roots: Sequence[Root], trusted: Collection[str], last: int) -> list[Problem]:
    """What is wrong with the roots of a ledger, in their order.

    Args:
        side: whose ledger.
        roots: all of them.
        trusted: public keys whose signatures count.
        last: number of the last line there is.

    Returns:
        Problems with the code `evidence-root`.
    """
    found: list[Problem] = []
    previous, end = "", 0
    for each in roots:
        if not each.signed_by(trusted) or each.side != side:
            found.append(root_fault("a root has no signature of a key that counts, or was changed", each.day))
        if each.previous != previous or each.first != end + 1:
            found.append(root_fault("a root does not follow the one before", each.day))
        if each.last > last:
            found.append(root_fault("lines that were signed are not there", each.day))
        previous, end = each.digest, each.last
    return found


def root_fault(what: str, day: str = "") -> Problem:
    """A fault of the roots of a ledger."""
    return Problem("evidence-root", what, day or None, "compare with the roots that were given to others")
