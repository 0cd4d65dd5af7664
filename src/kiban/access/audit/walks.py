"""Whether a walk left all its lines: for tests of pages, and for an auditor who follows one session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kiban.access.audit.trail import PAGE_MOST, Audit, Wanted


def missing(audit: Audit, wanted: Wanted, expected: Sequence[str]) -> list[str]:
    """Which of the expected kinds left no line, each as often as it is missing.

    Args:
        audit: the trail.
        wanted: whose lines, usually those of a session; at most its last 1,000.
        expected: kinds, one for each step of the walk; a kind with an outcome as `read:refused`.

    >>> missing(trail, Wanted(session=mark), ["signin", "search", "read", "read:refused"])  # doctest: +SKIP
    []
    """
    left: Counter[str] = Counter()
    for each in audit.lines(wanted, limit=PAGE_MOST).entries:
        left[f"{each.line.kind}:{each.line.outcome}"] += 1
    needed = Counter(kind if ":" in kind else f"{kind}:done" for kind in expected)
    return sorted((needed - left).elements())
