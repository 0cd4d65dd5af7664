"""The books of the room: systems, secrets, tokens, in a schema of their own."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from types import TracebackType

from kiban import store
from kiban.access.audit import GROWS, Audit
from kiban.access.guard import Guard
from kiban.access.people import People
from kiban.access.sealing import Seal
from kiban.access.systems import Systems
from kiban.access.tokens import Tokens


@dataclass(frozen=True)
class Access:
    """What the room keeps, opened. Use as a context manager.

    Attributes:
        systems: who is registered.
        tokens: what is out.
        guard: what keeps sign-ins honest.
        people: offices, staff and their assignments.
        audit: what everybody did.
        books: where all of it stands.
    """

    systems: Systems
    tokens: Tokens
    guard: Guard
    people: People
    audit: Audit
    books: store.Books

    def __enter__(self) -> Access:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.books.close()


def open_access(opened: store.Store, seal: Seal) -> Access:
    """The books of the room in the database of the registers, made where they are not there yet.

    Raises:
        Problem: those of `store.open_books`.
    """
    room = resources.files("kiban.access")
    folders = sorted((each for each in room.iterdir() if each.is_dir()), key=lambda each: each.name)
    files = [folder / "tables.sql" for folder in (room, *folders)]
    parts = [file.read_text(encoding="utf-8") for file in files if file.is_file()]
    books = store.open_books(opened, "access", "\n".join(parts), GROWS)
    return Access(
        Systems(books, seal), Tokens(books), Guard(books), People(books), Audit(books, opened), books
    )
