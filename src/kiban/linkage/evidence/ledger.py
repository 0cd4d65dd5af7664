"""What the two kinds of ledgers have in common: that of the platform in its books, that of a consumer in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from kiban.linkage.evidence.line import Entry, Line
from kiban.sets import Root


class Ledger(Protocol):
    """Hash-chained lines of one side. Only appending is possible, and every append is durable when it returns."""

    side: str
    """`platform`, or the ID of the system."""

    def append(self, lines: Sequence[Line]) -> int:
        """Write lines behind all others, all or none; the number of the last line there is.

        Whoever delivers calls it first. Lines of one call keep their order.
        """
        ...

    def entries(self, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        """The entries of a span of numbers in their order, `until` among them, in bounded memory."""
        ...

    def between(self, start: str, end: str) -> Iterator[Entry]:
        """The entries from a written moment until before another, in the order of numbers and in bounded memory."""
        ...

    def last_before(self, end: str) -> tuple[int, str]:
        """Number and chain of the last entry written for before a moment; 0 and no chain where there is none."""
        ...

    def of(self, items: Sequence[str]) -> list[Entry]:
        """The entries of these messages, sets or requests."""
        ...

    def head(self) -> tuple[int, str]:
        """Number and chain of the last entry as the ledger keeps them apart from the entries."""
        ...

    def roots(self) -> list[Root]:
        """The signed roots in their order."""
        ...

    def add_root(self, root: Root) -> None:
        """Keep a root behind the others.

        Raises:
            Problem: `evidence-root-late` where it does not follow the last one.
        """
        ...
