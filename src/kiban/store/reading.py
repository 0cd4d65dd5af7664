"""Reads of a session: the rows of a register as of two dates, all periods of a subject, a page of what a search finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from kiban.kernel import AsOf, Period, Problem
from kiban.standard import sql_type
from kiban.store import search
from kiban.store.asking import Asking, Row
from kiban.store.errors import as_problems
from kiban.store.gates import open_among
from kiban.store.query import Page, Query
from kiban.store.schema import Table
from kiban.store.search_table import SearchTable
from kiban.store.text import quoted

Asked = str | list[str] | tuple[str, ...]
"""The value that an item must have, or the values of which it must have one."""


class Reading(Asking):
    """The part of a session that reads registers."""

    def read(self, register: str, as_of: AsOf, **items: Asked) -> list[Row]:
        """The rows of a register that have these values, as of two dates.

        Args:
            register: schema.table.
            as_of: the day in the town and the moment of knowledge; the day is not used for a log.
            items: romaji = value, or several values of which one must hold; all items must hold, and at least one of them
                identifies or has an index.

        Returns:
            Rows in the order of the subject, without the items that are hidden from the actor; empty where there is none
            within what the actor may see.

        Raises:
            Problem: `register-unknown`, `item-unknown`, `item-hidden` where a hidden item is asked by,
                `read-unbounded` where no item is given or one has no value,
                `known-future` for a moment that has not passed.
        """
        table = self._bounded(register, items)
        rows = self._rows(table, items, as_of)
        asked = {"items": items, "as_of": as_of.valid.isoformat(), "known": _moment(as_of.known)}
        self._log(register, asked, table, rows)
        return rows

    def history(self, register: str, known: datetime | None = None, **items: Asked) -> list[Row]:
        """All periods of a subject in the order of time, as known at a moment (None: now).

        Raises:
            Problem: those of `read`.
        """
        table = self._bounded(register, items)
        rows = self._rows(table, items, AsOf(date.min, known), every_period=True)
        asked = {"items": items, "history": True, "known": _moment(known)}
        self._log(register, asked, table, rows)
        return rows

    def search(self, register: str, query: Query, after: str | None = None) -> Page:
        """A page of the subjects that a query finds, those of the actor's own ward first.

        Protected persons whose rows are closed to the actor come last, of whatever ward, with nothing but their numbers:
        that there is such a person must be known at the counter. No search that asks for an address finds them.

        Args:
            register: schema.table of a register that has a search section.
            query: what is asked; see `Query`.
            after: the `next` of the page before; None for the first.

        Raises:
            Problem: `search-missing` where the register has none, `item-hidden` where it asks by an item that is hidden
                from the actor, `query-number` for an item that is none of its numbers, and those of `Query`.
        """
        table = self._table(register, {})
        if table.group.search is None:
            raise Problem(
                "search-missing", f"{register} has no search section", fix="add one to its business.yaml"
            )
        self._refuse_hidden(table, search.looked_at(table.group, query))
        numbers = (table.group.search.subject, *table.group.search.numbers)
        if query.number and query.number[0] not in numbers:
            fix = f"one of {', '.join(numbers)}"
            raise Problem("query-number", f"{register} is not searched by {query.number[0]}", fix=fix)
        with as_problems():
            page = search.run(self._connection, SearchTable(table), query, self.actor, after)
            shown = [hit.subject for hit in page.hits if not hit.protected]
            found = self._current(table, shown, query.as_of)
        page = page.with_rows(found)
        asked = {
            "search": query.asked(),
            "wards": query.wards,
            "as_of": query.as_of.isoformat(),
            "after": after,
        }
        self._write_log(register, asked, [hit.subject for hit in page.hits])
        return page

    def settle(self, known: datetime) -> None:
        """Wait until all events that may carry a time up to this moment are there, so that its answer is final.

        `read` and `history` do so by themselves; a query of one's own over `known_from` and `known_to` needs it first.

        Raises:
            Problem: `known-future` for a moment that has not passed.
        """
        with as_problems():
            self._connection.execute("SELECT kiban.settle(%s)", (known,))

    def _bounded(self, register: str, items: Mapping[str, Any]) -> Table:
        table = self._table(register, items)
        if not items or any(not _held(value) for value in items.values()):
            raise Problem(
                "read-unbounded",
                f"a read of {register} names no item, or an item without a value",
                fix="give a number, or use search",
            )
        self._refuse_hidden(table, items)
        odd = [
            name
            for name, value in items.items()
            if _several(value) and not all(isinstance(one, str) for one in value)
        ]
        if odd:
            raise Problem(
                "value-unreadable",
                f"a read of {register} names something else than texts for {', '.join(odd)}",
                fix="give texts",
            )
        return table

    def _rows(
        self, table: Table, items: Mapping[str, Asked], as_of: AsOf, *, every_period: bool = False
    ) -> list[Row]:
        if as_of.known is not None:
            self.settle(as_of.known)
        conditions = [
            _equals(table, name, value, guarded=not self.actor.protected) for name, value in items.items()
        ]
        values: list[object] = [list(value) if _several(value) else value for value in items.values()]
        period, period_values = _as_of(table, None if every_period else as_of.valid, as_of.known)
        return self._select(table, [*conditions, *period], [*values, *period_values])

    def _current(self, table: Table, keys: Sequence[str], day: date) -> dict[str, Row]:
        """What search shows of each subject: its row as of a day; where it has none that day, the one before, else its first."""
        section = table.group.search
        assert section is not None
        started = f"{table.name}.valid_from <= %s"
        order = f"{started} DESC, CASE WHEN {started} THEN {table.name}.valid_from END DESC, {table.name}.valid_from"
        rows = self._select(
            table,
            [f"{quoted(section.subject)} = ANY (%s)", "closed_by IS NULL"],
            [list(keys), day, day],
            items=search.shown(table.group, self.visible(table)),
            one_of=(section.subject, order if table.has_periods else "event"),
        )
        return {row[section.subject]: row for row in rows}

    def _select(
        self,
        table: Table,
        conditions: Sequence[str],
        values: Sequence[object],
        items: Sequence[str] | None = None,
        one_of: tuple[str, str] | None = None,
    ) -> list[Row]:
        """Rows with their items (None: all that the actor may see); with `one_of` only the first of each subject in an order."""
        chosen = [quoted(name) for name in (self.visible(table) if items is None else items)]
        chosen += ["known_from", "nullif(known_to, 'infinity') AS known_to", "event"]
        order = [quoted(name) for name in table.subject]
        if table.has_periods:
            chosen += [
                "nullif(valid_from, '-infinity') AS valid_from",
                "nullif(valid_to, 'infinity') AS valid_to",
            ]
            order.append(f"{table.name}.valid_from")
        where, by = " AND ".join(conditions), ", ".join(order)
        first = ""
        if one_of is not None:
            first, by = f"DISTINCT ON ({quoted(one_of[0])}) ", f"{quoted(one_of[0])}, {one_of[1]}"
        statement = f"SELECT {first}{', '.join(chosen)} FROM {table.name} WHERE {where} ORDER BY {by}"
        with as_problems(), self._cursor() as cursor:
            cursor.execute(statement.encode(), values, prepare=True)
            rows = cursor.fetchall()
        if table.has_periods:
            for row in rows:
                ends = (row.pop("valid_from"), row.pop("valid_to"))
                row["valid"] = Period(*(date.fromisoformat(end) if end else None for end in ends))
        return rows

    def _log(self, register: str, asked: Mapping[str, object], table: Table, rows: Sequence[Row]) -> None:
        self._write_log(register, asked, sorted({str(row[table.subject[0]]) for row in rows}))


def _several(value: Asked | None) -> bool:
    return isinstance(value, list | tuple)


def _held(value: Asked | None) -> bool:
    """Whether there is a value, or are some and no gap among them."""
    return value is not None and (not _several(value) or (len(value) > 0 and None not in value))


def _equals(table: Table, name: str, value: Asked, *, guarded: bool) -> str:
    """That a column has a value; guarded, rows of protected persons and households are not even looked at."""
    if not _several(value):
        among = open_among(table, name, "ARRAY[%s]") if guarded else None
        return f"{quoted(name)} = {f'({among})[1]' if among else '%s'}"
    given = f"%s::{dict(table.retired).get(name) or sql_type(table.group.item(name))}[]"
    among = open_among(table, name, given) if guarded else None
    return f"{quoted(name)} = ANY ({among or given})"


def _moment(known: datetime | None) -> str | None:
    return known.isoformat() if known else None


def _as_of(table: Table, day: date | None, known: datetime | None) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    if table.has_periods and day is not None:
        conditions.append(f"{table.name}.valid_from <= %s AND %s < {table.name}.valid_to")
        values += [day, day]
    if known is None:
        conditions.append("closed_by IS NULL")
    else:
        conditions.append(f"known_from <= %s AND %s < {table.name}.known_to")
        values += [known, known]
    return conditions, values
