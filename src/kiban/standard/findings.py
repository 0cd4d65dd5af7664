"""What a reading of the standard's files found: faults that stop it, and notes that do not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from kiban.kernel import Problem

Severity = Literal["fault", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that a reader of the standard's files noticed.

    Attributes:
        severity: `fault` where the files cannot be used as they are, `note` where they can.
        problem: what, where and how to mend it.
    """

    severity: Severity
    problem: Problem


@dataclass
class Findings:
    """Collects what is found, so that one reading tells everything at once.

    Attributes:
        found: in the order of discovery.
        official: whether the edition is the authors' own list, whose slips nobody here can mend.
    """

    found: list[Finding] = field(default_factory=list)
    official: bool = False

    def fault(self, code: str, what: str, where: str | None = None, fix: str | None = None) -> None:
        """Note a fault: the edition cannot be loaded."""
        self.found.append(Finding("fault", Problem(code, what, where, fix)))

    def note(self, code: str, what: str, where: str | None = None, fix: str | None = None) -> None:
        """Note something worth knowing that stops nothing."""
        self.found.append(Finding("note", Problem(code, what, where, fix)))

    def slip(self, code: str, what: str, where: str | None = None, fix: str | None = None) -> None:
        """Note an omission of the list's authors: a fault in our own lists, a note in an official one."""
        (self.note if self.official else self.fault)(code, what, where, fix)

    @property
    def faults(self) -> tuple[Problem, ...]:
        """The problems of all faults."""
        return tuple(f.problem for f in self.found if f.severity == "fault")


def suggest(word: str, known: Iterable[str], otherwise: str) -> str:
    """Advice naming the closest of the known words, or the words themselves, or something else to do.

    >>> suggest("DATA", ["DATE", "TIME", "YEAR"], "leave it blank")
    'did you mean DATE? otherwise: leave it blank'
    >>> suggest("Q", [], "leave it blank")
    'leave it blank'
    """
    words = list(dict.fromkeys(known))
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}? otherwise: {otherwise}"
    if words and len(words) <= 12:
        return f"known are {', '.join(words)}; otherwise: {otherwise}"
    return otherwise
