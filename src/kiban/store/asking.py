"""What every part of a session stands on: who asks, which registers and items are open, and the log of what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from kiban.kernel import Actor, Problem
from kiban.store import columns
from kiban.store.errors import as_problems
from kiban.store.schema import Table

Row = dict[str, Any]
"""One row: the items by their official romaji in their written form (dates YYYY-MM-DD), `valid` as a Period
(registers), `known_from` and `known_to` as datetimes, `event`."""


class _WrittenDate(Loader):
    """Dates as the standard writes them, so that what goes in comes out."""

    def load(self, data: Buffer) -> str:
        """YYYY-MM-DD; -infinity is the standard's 0000-01-01."""
        written = bytes(data).decode()
        return columns.ALWAYS if written == "-infinity" else written


class Asking:
    """A transaction of one actor, as all parts of a session see it."""

    def __init__(
        self, connection: psycopg.Connection[Any], actor: Actor, tables: Mapping[str, Table]
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._looked_up: list[tuple[str, Mapping[str, object], Sequence[str]]] = []
        self.actor = actor

    def work_on(self, tables: Mapping[str, Table]) -> None:
        """Take these for the registers in force; the store says so once, when the session begins."""
        self._tables = tables

    def visible(self, table: Table) -> tuple[str, ...]:
        """The items of a register that are not hidden from the actor."""
        if not self.actor.hidden:
            return table.items
        return tuple(name for name in table.items if f"{table.register}.{name}" not in self.actor.hidden)

    def log_again(self) -> None:
        """Write the look-ups of a session whose transaction was undone; its answers may have been seen."""
        for register, asked, found in self._looked_up:
            self._record_lookup(register, asked, found)

    @property
    def looked_up(self) -> bool:
        """Whether anything was asked."""
        return bool(self._looked_up)

    def _table(self, register: str, items: Mapping[str, Any]) -> Table:
        table = self._tables.get(register)
        if table is None:
            raise Problem(
                "register-unknown",
                f"there is no register {register}",
                fix=f"one of {', '.join(self._tables)}",
            )
        unknown = [name for name in items if name not in table.items]
        if unknown:
            raise Problem(
                "item-unknown", f"{register} has no item {', '.join(unknown)}", fix="use the official romaji"
            )
        return table

    def _open(self, register: str, items: Sequence[str]) -> Table:
        """The table, where none of the items is hidden from the actor."""
        table = self._table(register, dict.fromkeys(items))
        self._refuse_hidden(table, items)
        return table

    def _refuse_hidden(self, table: Table, items: Iterable[str]) -> None:
        shown = self.visible(table)
        if hidden := [name for name in dict.fromkeys(items) if name in table.items and name not in shown]:
            what = f"{', '.join(hidden)} of {table.register} is kept from the actor"
            raise Problem("item-hidden", what, fix="ask without it, or whoever has a duty that needs it")

    def _write_log(self, register: str, asked: Mapping[str, object], found: Sequence[str]) -> None:
        self._looked_up.append((register, asked, found))
        self._record_lookup(register, asked, found)

    def _record_lookup(self, register: str, asked: Mapping[str, object], found: Sequence[str]) -> None:
        with as_problems():
            self._connection.execute(
                "SELECT kiban.record_lookup(%s, %s, %s)", (register, Jsonb(asked), list(found))
            )

    def _cursor(self) -> psycopg.Cursor[DictRow]:
        """For rows by the names of their columns, dates in their written form."""
        cursor = self._connection.cursor(row_factory=dict_row)
        cursor.adapters.register_loader("date", _WrittenDate)
        return cursor
