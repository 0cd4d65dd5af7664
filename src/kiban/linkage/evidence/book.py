"""The ledger of the platform, in the books of the linkage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields

from kiban.linkage.evidence.line import COLUMNS, Entry, Line, genesis, seal
from kiban.sets import Root, refuse_unless_it_follows
from kiban.store import BookPage, Books

_CHOSEN = ", ".join(("number", *COLUMNS, "chain"))
_ROOT = tuple(field.name for field in fields(Root))
_AT_ONCE = 5_000


class BookLedger:
    """See `Ledger`. Safe to share between threads and processes: who appends waits for the one before."""

    side = "platform"

    def __init__(self, books: Books) -> None:
        self._books = books

    def append(self, lines: Sequence[Line], page: BookPage | None = None) -> int:
        """See `Ledger.append`; within a transaction of the caller where a page is given, durable when that ends.

        Until then no other line is written: end it at once.

        Raises:
            Problem: `database-unreachable`.
        """
        with self._page(page) as opened:
            opened.run(
                "INSERT INTO evidence_head (number, chain) VALUES (0, %s) ON CONFLICT DO NOTHING",
                [genesis(self.side)],
            )
            [head] = opened.rows("SELECT number, chain FROM evidence_head FOR UPDATE")
            made = list(seal(head["number"], head["chain"], lines))
            if not made:
                return int(head["number"])
            rows = (
                [each.number, *(getattr(each.line, name) for name in COLUMNS), each.chain] for each in made
            )
            opened.copy_in("evidence_line", ["number", *COLUMNS, "chain"], rows)
            opened.run("UPDATE evidence_head SET number = %s, chain = %s", [made[-1].number, made[-1].chain])
        return made[-1].number

    def entries(self, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        """See `Ledger.entries`."""
        condition = "number <= %s" if until is not None else "%s::bigint IS NULL"
        return self._through(condition, [until], after)

    def between(self, start: str, end: str) -> Iterator[Entry]:
        """See `Ledger.between`."""
        return self._through("at >= %s AND at < %s", [start, end], 0)

    def last_before(self, end: str) -> tuple[int, str]:
        """See `Ledger.last_before`."""
        with self._books.transaction() as page:
            query = "SELECT number, chain FROM evidence_line WHERE at < %s ORDER BY number DESC LIMIT 1"
            found = page.rows(query, [end])
        return (found[0]["number"], found[0]["chain"]) if found else (0, "")

    def of(self, items: Sequence[str]) -> list[Entry]:
        """See `Ledger.of`."""
        with self._books.transaction() as page:
            query = f"SELECT {_CHOSEN} FROM evidence_line WHERE item = ANY (%s) ORDER BY number"
            return [_entry(row) for row in page.rows(query, [list(items)])]

    def head(self) -> tuple[int, str]:
        """See `Ledger.head`."""
        with self._books.transaction() as page:
            found = page.rows("SELECT number, chain FROM evidence_head")
        return (found[0]["number"], found[0]["chain"]) if found else (0, genesis(self.side))

    def roots(self) -> list[Root]:
        """See `Ledger.roots`."""
        with self._books.transaction() as page:
            return [
                Root(**row) for row in page.rows(f"SELECT {', '.join(_ROOT)} FROM evidence_root ORDER BY day")
            ]

    def add_root(self, root: Root) -> None:
        """See `Ledger.add_root`."""
        with self._books.transaction() as page:
            page.run("LOCK TABLE evidence_root IN EXCLUSIVE MODE")
            last = page.rows(f"SELECT {', '.join(_ROOT)} FROM evidence_root ORDER BY day DESC LIMIT 1")
            refuse_unless_it_follows(root, Root(**last[0]) if last else None)
            page.copy_in("evidence_root", _ROOT, [[getattr(root, name) for name in _ROOT]])

    @contextmanager
    def _page(self, page: BookPage | None) -> Iterator[BookPage]:
        if page is not None:
            yield page
            return
        with self._books.transaction() as opened:
            yield opened

    def _through(self, condition: str, values: Sequence[object], after: int) -> Iterator[Entry]:
        query = f"SELECT {_CHOSEN} FROM evidence_line WHERE {condition} AND number > %s ORDER BY number LIMIT {_AT_ONCE}"
        while True:
            with self._books.transaction() as page:
                rows = page.rows(query, [*values, after])
            for row in rows:
                after = row["number"]
                yield _entry(row)
            if len(rows) < _AT_ONCE:
                return


def _entry(row: dict[str, object]) -> Entry:
    number, chain = row.pop("number"), row.pop("chain")
    return Entry(number, Line(**row), chain)  # type: ignore[arg-type]
