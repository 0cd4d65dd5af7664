"""The books of the room: systems, secrets, tokens, in a schema of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from types import TracebackType

from kiban import store
from kiban.access.audit import GROWS, Audit
from kiban.access.guard import Guard
from kiban.access.people import People
from kiban.access.policy import REFERENCE, Policies, load_policies
from kiban.access.sealing import Seal
from kiban.access.systems import Systems
from kiban.access.tokens import Tokens
from kiban.standard import Library


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
        folders: of the policy set.
        library: all editions at hand: every name in the policy set is looked up in each.
    """

    systems: Systems
    tokens: Tokens
    guard: Guard
    people: People
    audit: Audit
    books: store.Books
    folders: tuple[Path, ...]
    library: Library

    @cached_property
    def policies(self) -> Policies:
        """Who may do what, read at the first look.

        Raises:
            Problems: everything that is wrong with the policy set; see `load_policies`.
        """
        return load_policies(self.folders, self.library)

    def __enter__(self) -> Access:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.books.close()


def open_access(opened: store.Store, seal: Seal, folders: Iterable[Path] = (REFERENCE,)) -> Access:
    """The books of the room in the database of the registers, made where they are not there yet.

    Args:
        opened: the registers.
        seal: of the secrets of systems.
        folders: of the policy set; see `load_policies`.

    Raises:
        Problem: those of `store.open_books`.
    """
    room = resources.files("kiban.access")
    rooms = sorted((each for each in room.iterdir() if each.is_dir()), key=lambda each: each.name)
    files = [folder / "tables.sql" for folder in (room, *rooms)]
    parts = [file.read_text(encoding="utf-8") for file in files if file.is_file()]
    books = store.open_books(opened, "access", "\n".join(parts), GROWS)
    audit = Audit(books, opened)
    people = People(books, audit)
    systems = Systems(books, seal)
    return Access(systems, Tokens(books), Guard(books), people, audit, books, tuple(folders), opened.library)
