"""What is sealed and its seals, read in order and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields

from kiban import store
from kiban.access.audit.line import COLUMNS
from kiban.access.audit.seals import BLOCK, NO_BLOCK, Block, Seal, Source, line_digest, lookup_digest
from kiban.access.audit.trail import Audit, entry
from kiban.sets import Root
from kiban.store import BookPage

AT_ONCE = store.LOOKUPS_MOST
SOURCES: tuple[Source, ...] = ("line", "lookup")
FIRST = -(2**63)
"""Below every number: nothing is smuggled in before the first row either."""
ROOT = tuple(field.name for field in fields(Root))
_LINES = f"SELECT number, {', '.join(COLUMNS)} FROM audit_line WHERE number > %s AND number <= %s ORDER BY number LIMIT {AT_ONCE}"
_SEALS = f"SELECT place, source, number, digest, chain FROM audit_seal WHERE place > %s ORDER BY place LIMIT {AT_ONCE}"


class Ledger:
    """Lines, look-ups, and what seals them, of an audit trail. Safe to share between threads."""

    def __init__(self, audit: Audit) -> None:
        self.books, self.opened = audit.books, audit.registers

    def settled(self, source: Source, patience: float) -> int | None:
        """The number up to which rows of a source are complete; None where a writer did not end in time."""
        if source == "lookup":
            return store.last_settled_lookup(self.opened, patience)
        with self.books.transaction() as page:
            return store.settled(page, "audit_line", "number", patience)

    def rows(self, source: Source, after: int, until: int) -> Iterator[tuple[int, bytes]]:
        """Numbers and digests of the rows of a source that follow a number, in their order."""
        read: Callable[[int, int], list[tuple[int, bytes]]] = (
            self._lines if source == "line" else self._lookups
        )
        while found := read(after, until):
            yield from found
            after = found[-1][0]

    def seals(self, after: int = 0) -> Iterator[Seal]:
        """The seals behind a place, in their order."""
        while True:
            with self.books.transaction() as page:
                found = page.rows(_SEALS, [after])
            for row in found:
                yield Seal(**row)
            if len(found) < AT_ONCE:
                return
            after = found[-1]["place"]

    def blocks(self, after: int = FIRST) -> Iterator[Block]:
        """The blocks behind a number, in their order."""
        while True:
            with self.books.transaction() as page:
                query = f"SELECT {', '.join(BLOCK)} FROM audit_block WHERE block > %s ORDER BY block LIMIT {AT_ONCE}"
                found = [Block(**row) for row in page.rows(query, [after])]
            yield from found
            if not found:
                return
            after = found[-1].block

    def roots(self) -> list[Root]:
        """The roots of all days, in their order."""
        with self.books.transaction() as page:
            return [
                Root(**row) for row in page.rows(f"SELECT {', '.join(ROOT)} FROM audit_root ORDER BY day")
            ]

    def last_block(self, page: BookPage) -> Block:
        """The last block, within a transaction; `NO_BLOCK` where there is none."""
        query = f"SELECT {', '.join(BLOCK)} FROM audit_block ORDER BY block DESC LIMIT 1"
        found = page.rows(query)
        return Block(**found[0]) if found else NO_BLOCK

    def last(self) -> Block:
        """The last block; `NO_BLOCK` where there is none."""
        with self.books.transaction() as page:
            return self.last_block(page)

    def block_at(self, place: int) -> Block:
        """The block that ends at a place; `NO_BLOCK` where none does."""
        with self.books.transaction() as page:
            found = page.rows(f"SELECT {', '.join(BLOCK)} FROM audit_block WHERE last = %s", [place])
        return Block(**found[0]) if found else NO_BLOCK

    def waiting(self, source: Source, after: int) -> int:
        """How many rows of a source are behind a number."""
        if source == "lookup":
            return store.count_lookups(self.opened, after)
        with self.books.transaction() as page:
            [row] = page.rows("SELECT count(*) AS lines FROM audit_line WHERE number > %s", [after])
        return int(row["lines"])

    def _lines(self, after: int, until: int) -> list[tuple[int, bytes]]:
        with self.books.transaction() as page:
            return [(row["number"], line_digest(entry(row))) for row in page.rows(_LINES, [after, until])]

    def _lookups(self, after: int, until: int) -> list[tuple[int, bytes]]:
        found: Sequence[store.Lookup] = store.lookups_after(self.opened, after, until)
        return [(each.number, lookup_digest(each)) for each in found]
