"""One actor at work: every read takes its two dates, is limited to the actor's wards by the database, and is logged.

The log of a read is written before its answer is returned, in the session's transaction; where that is undone, it is
written again in one of its own. Only when the connection breaks first is it lost: then the `with` block of the session
ends with an exception, and what was read must not be used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from kiban.kernel import Actor, AsOf, Period, Problem
from kiban.standard import sql_type
from kiban.store import after, claim, columns, search, selecting, selecting_sql
from kiban.store.change import Change, prepared
from kiban.store.errors import as_problems
from kiban.store.guarding import Guarding
from kiban.store.query import Page, Query
from kiban.store.schema import SearchTable, Table, quoted

Row = dict[str, Any]
"""One row: the items by their official romaji in their written form (dates YYYY-MM-DD), `valid` as a Period
(registers), `known_from` and `known_to` as datetimes, `event`."""

Asked = str | list[str] | tuple[str, ...]
"""The value that an item must have, or the values of which it must have one."""


class _WrittenDate(Loader):
    """Dates as the standard writes them, so that what goes in comes out."""

    def load(self, data: Buffer) -> str:
        """YYYY-MM-DD; -infinity is the standard's 0000-01-01."""
        written = bytes(data).decode()
        return columns.ALWAYS if written == "-infinity" else written


class Session(Guarding):
    """A transaction of one actor. Made by `Store.session`; not shared between threads."""

    def __init__(
        self, connection: psycopg.Connection[Any], actor: Actor, tables: Mapping[str, Table]
    ) -> None:
        super().__init__(connection, actor)
        self._tables = tables
        self._ran_sql = False

    def work_on(self, tables: Mapping[str, Table]) -> None:
        """Take these for the registers in force; the store says so once, when the session begins."""
        self._tables = tables

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

    def after_events(
        self, register: str, asked: Sequence[tuple[int, Mapping[str, str]]], items: Sequence[str]
    ) -> list[list[Row]]:
        """The rows that have some values in all their periods, each as they were known after an event.

        Args:
            register: schema.table.
            asked: for each answer the number of an event, and items with the values that rows have to have, in their
                written form: those of a subject, or others that have an index; the same items for all.
            items: romaji of what is wanted; nothing else is read.

        Returns:
            For each asked, its rows in the order of time: the items, and in a register `valid_from` and `valid_to`
            (YYYY-MM-DD, None where open). Empty where nothing was known, or outside what the actor may see.

        Raises:
            Problem: `register-unknown`, `item-unknown`, `item-hidden`.
        """
        if not asked:
            return []
        by = list(asked[0][1])
        table = self._open(register, [*items, *by])
        keys = [[values[name] for _, values in asked] for name in by]
        self._write_log(register, {"after_events": len(asked), "items": list(items)}, sorted(set(keys[0])))
        with as_problems(), self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.adapters.register_loader("date", _WrittenDate)
            statement = after.known_after(table, items, by)
            cursor.execute(statement.encode(), [[event for event, _ in asked], *keys], prepare=True)
            found: list[list[Row]] = [[] for _ in asked]
            for row in cursor:
                found[row.pop("place") - 1].append(row)
        return found

    def since(
        self,
        register: str,
        event: int,
        items: Sequence[str],
        where: tuple[str, Sequence[str]] | None = None,
        but: Mapping[str, Sequence[str]] | None = None,
    ) -> list[Row]:
        """Rows that were known after an event or became known later: what has to be looked at to tell what changed since.

        Args:
            register: schema.table.
            event: number of the event.
            items: romaji of what is wanted; nothing else is read.
            where: an item and the values of which it has one, where not all rows are wanted.
            but: items and the values with which a row is left out; an empty text stands for none.

        Returns:
            The items, in a register `valid_from` and `valid_to` (YYYY-MM-DD, None where open), `event` that wrote the row,
            and `closed_by`, the event after which it was no longer known (None while it is).

        Raises:
            Problem: `register-unknown`, `item-unknown`, `item-hidden`.
        """
        but = but or {}
        table = self._open(register, [*items, *but, *((where[0],) if where else ())])
        self._write_log(
            register, {"since": event, "items": list(items)}, sorted(set(where[1])) if where else []
        )
        values: list[object] = [event, *(list(values) for values in but.values())]
        if where:
            values.insert(0, list(where[1]))
        with as_problems(), self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.adapters.register_loader("date", _WrittenDate)
            query = after.known_since(table, items, where[0] if where else None, but)
            return cursor.execute(query.encode(), values, prepare=True).fetchall()

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

    def record(
        self,
        kind: str,
        subject: str,
        changes: Sequence[Change],
        *,
        valid: date | None = None,
        note: Mapping[str, str] | None = None,
    ) -> int:
        """Record one event and apply its changes, all or nothing.

        Args:
            kind: the kind of event (異動事由) as the business names it.
            subject: whom it is about, usually the 宛名番号.
            changes: at least one, all in registers of one business.
            valid: the day of the event in the town.
            note: anything to keep with the event.

        Returns:
            The number of the event, which is also its place in the chain.

        The event holds the one chain of the city until the session ends: end it at once. The server ends a session
        that holds it for more than 20 seconds, and no session waits for it longer than a minute (`event-busy`).

        Raises:
            Problem: `event-empty`, `event-large`, `event-unreadable`, `event-busy`, `business-mismatch`,
                `register-unknown`, `item-unknown`, `subject-missing`, `subject-mismatch`, `ward-outside`,
                `item-hidden`, `business-outside`, `period-missing`, `value-unreadable`, and what the database refuses (`value-refused`,
                `value-missing`, `period-overlap`, …). `key-duplicate` and `reference-missing` tell whether a number
                exists in the city, whatever its ward (docs/decisions/0009-what-row-security-does-not-hide.md).
        """
        made = [self._prepared(change) for change in changes]
        business = changes[0].register.split(".")[0] if changes else ""
        if any(not isinstance(value, str) for value in (note or {}).values()):
            raise Problem("event-unreadable", "a note holds something else than text", fix="give text")
        with as_problems():
            row = self._connection.execute(
                "SELECT kiban.record_event(%s, %s, %s, %s::date, %s, %s)",
                (business, kind, subject, valid, Jsonb(made), Jsonb(dict(note or {}))),
            ).fetchone()
        assert row is not None
        return int(row[0])

    def sql(self, query: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one query in the application role: it sees what the actor may see, nothing else. Its text is logged.

        Args:
            query: a single SELECT, WITH, VALUES or TABLE. Values belong into the parameters, which are not logged.
            parameters: one for each %s.

        Raises:
            Problem: `query-refused` for any other statement, `item-hidden` for an actor from whom any item is hidden,
                `permission-denied`, `database-refused`.
        """
        self._refuse_free_queries()
        if not _QUERY.match(query):
            raise Problem(
                "query-refused",
                "only a query can be run here",
                fix="begin with SELECT, WITH, VALUES or TABLE",
            )
        self._log_sql(query)
        with as_problems(), self._connection.cursor(row_factory=dict_row) as cursor:
            # Prepared, so that the server takes one statement and refuses a second one behind a semicolon.
            cursor.execute(query.encode(), parameters, prepare=True)
            return cursor.fetchall() if cursor.description else []

    def copy_out(self, statement: str) -> Iterator[bytes]:
        """The bytes of a COPY ... TO STDOUT, limited like every read of the actor. Its text is logged.

        Raises:
            Problem: `item-hidden` for an actor from whom any item is hidden; see `copy_items`.
        """
        self._refuse_free_queries()
        yield from self._copied(statement)

    def copy_items(self, register: str, items: Sequence[str], statement: str) -> Iterator[bytes]:
        """The same for a statement of Kiban's own, which looks at these items of a register and at no others.

        Raises:
            Problem: `register-unknown`, `item-hidden`.
        """
        self._refuse_hidden(self._table(register, {}), items)
        yield from self._copied(statement)

    def _copied(self, statement: str) -> Iterator[bytes]:
        self._log_sql(statement)
        with as_problems(), self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for chunk in copy:
                yield bytes(chunk)

    def log_export(self, register: str, asked: Mapping[str, object]) -> None:
        """Log that rows of a register are about to leave in bulk."""
        self._write_log(register, asked, [])

    def select(
        self, selection: selecting.Selection, bounds: selecting.Bounds, asked: Mapping[str, object]
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a selection that the actor may see, in batches of bounded size; the look-up is logged before the first.

        Args:
            selection: what is wanted.
            bounds: what it may take of the server.
            asked: stands in the log of look-ups of each register.

        Yields:
            Batches with a column c0, c1 … for each of the selection; none where there is no row.

        Raises:
            Problem: those of `selecting_sql.compose`, `item-hidden`, `known-future`, `time-exceeded` where its time is over or
                `interrupt` was called.
        """
        composed = selecting_sql.compose(selection, self._tables)
        for register, items in composed.looked_at.items():
            self._open(register, items)
        if selection.known is not None:
            self.settle(selection.known)
        for register in selection.registers:
            self._write_log(register, asked, [])
        for setting in (
            f"statement_timeout = {int(bounds.seconds) * 1000:d}",
            f"work_mem = '{int(bounds.megabytes):d}MB'",
            "max_parallel_workers_per_gather = 0",
        ):
            self._connection.execute(f"SET LOCAL {setting}".encode())
        with as_problems(), self._connection.cursor() as cursor:
            with cursor.copy(composed.statement.encode(), composed.values) as copy:
                yield from columns.from_csv(map(bytes, copy), composed.schema, composed.dates)
            self._connection.execute("SET LOCAL statement_timeout = 0")

    def interrupt(self) -> None:
        """End the statement that runs; may be called from another thread."""
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=5)

    def add_up(self) -> None:
        """Have the queries of this transaction add up in memory: to sort wide rows first would write all of them to the disk."""
        self._connection.execute("SET LOCAL enable_sort = off")
        self._connection.execute("SET LOCAL work_mem = '64MB'")

    def settle(self, known: datetime) -> None:
        """Wait until all events that may carry a time up to this moment are there, so that its answer is final.

        `read` and `history` do so by themselves; a query of one's own over `known_from` and `known_to` needs it first.

        Raises:
            Problem: `known-future` for a moment that has not passed.
        """
        with as_problems():
            self._connection.execute("SELECT kiban.settle(%s)", (known,))

    def _prepared(self, change: Change) -> dict[str, Any]:
        table = self._table(change.register, {**(change.row or {}), **change.subject})
        if change.row is not None and len(self.visible(table)) < len(table.items):
            what = f"who does not see all items of {change.register} cannot write a whole row of it"
            raise Problem("item-hidden", what, fix="ask whoever has a duty that needs them")
        return prepared(change, table)

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

    def visible(self, table: Table) -> tuple[str, ...]:
        """The items of a register that are not hidden from the actor."""
        return tuple(name for name in table.items if f"{table.register}.{name}" not in self.actor.hidden)

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

    def _refuse_free_queries(self) -> None:
        if self.actor.hidden:
            what = "a query of one's own could show items that are kept from the actor"
            raise Problem("item-hidden", what, fix="use read, history, search or an export")

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
        conditions = [_equals(table, name, value) for name, value in items.items()]
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
        with as_problems(), self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.adapters.register_loader("date", _WrittenDate)
            cursor.execute(statement.encode(), values, prepare=True)
            rows = cursor.fetchall()
        if table.has_periods:
            for row in rows:
                ends = (row.pop("valid_from"), row.pop("valid_to"))
                row["valid"] = Period(*(date.fromisoformat(end) if end else None for end in ends))
        return rows

    def _log(self, register: str, asked: Mapping[str, object], table: Table, rows: Sequence[Row]) -> None:
        self._write_log(register, asked, sorted({str(row[table.subject[0]]) for row in rows}))

    def _log_sql(self, statement: str) -> None:
        self._ran_sql = True
        self._write_log("sql", {"statement": statement}, [])

    def _write_log(self, register: str, asked: Mapping[str, object], found: Sequence[str]) -> None:
        self._looked_up.append((register, asked, found))
        self._record_lookup(register, asked, found)

    def _record_lookup(self, register: str, asked: Mapping[str, object], found: Sequence[str]) -> None:
        with as_problems():
            self._connection.execute(
                "SELECT kiban.record_lookup(%s, %s, %s)", (register, Jsonb(asked), list(found))
            )

    def log_again(self) -> None:
        """Write the look-ups of a session whose transaction was undone; its answers may have been seen."""
        for register, asked, found in self._looked_up:
            self._record_lookup(register, asked, found)

    @property
    def looked_up(self) -> bool:
        """Whether anything was asked."""
        return bool(self._looked_up)

    @property
    def ran_sql(self) -> bool:
        """Whether statements ran that are not Kiban's own, and so may have left something on the connection."""
        return self._ran_sql


def _several(value: Asked | None) -> bool:
    return isinstance(value, list | tuple)


def _held(value: Asked | None) -> bool:
    """Whether there is a value, or are some and no gap among them."""
    return value is not None and (not _several(value) or (len(value) > 0 and None not in value))


def _equals(table: Table, name: str, value: Asked) -> str:
    if not _several(value):
        return f"{quoted(name)} = %s"
    return f"{quoted(name)} = ANY (%s::{dict(table.retired).get(name) or sql_type(table.group.item(name))}[])"


_QUERY = re.compile(r"[\s(]*(select|with|values|table)\b", re.IGNORECASE)


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


@contextmanager
def begin(
    connection: psycopg.Connection[Any],
    actor: Actor,
    key: bytes,
    tables: Callable[[psycopg.Connection[Any], int], Mapping[str, Table]],
) -> Iterator[Session]:
    """A transaction in which the database knows the actor; committed at the end, undone by any exception.

    Args:
        connection: of the application role.
        actor: who works.
        key: with which actors are signed.
        tables: the registers in force since an event, that of the last change of edition.
    """
    session = Session(connection, actor, {})
    try:
        with as_problems(), connection.transaction():
            session.work_on(tables(connection, _sign_in(connection, actor, key)))
            yield session
    except BaseException:
        if session.looked_up and not connection.closed:
            # What stops this, too, stops the caller anyway: the first exception goes on.
            with suppress(Problem, psycopg.Error), connection.transaction():
                _sign_in(connection, actor, key)
                session.log_again()
        raise
    finally:
        if session.ran_sql and not connection.closed:
            _forget(connection)


def _sign_in(connection: psycopg.Connection[Any], actor: Actor, key: bytes) -> int:
    """Tell the database who works; the event of the last change of edition.

    To look at the editions is to hold a share of them: no other edition comes into force before the session ends.
    """
    row = connection.execute(
        "SELECT (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint", prepare=True
    ).fetchone()
    assert row is not None
    signed = claim.sign(actor, key, backend=connection.info.backend_pid, started_at=int(row[0]))
    row = connection.execute(
        "SELECT set_config('kiban.actor', %s, true), (SELECT coalesce(max(event), 0) FROM kiban.edition), "
        "current_setting('kiban.in_force', true)",
        (signed,),
        prepare=True,
    ).fetchone()
    assert row is not None
    if row[2] != str(row[1]):  # statements prepared before may give other columns now
        connection.execute("DEALLOCATE ALL")
        connection.execute("SELECT set_config('kiban.in_force', %s, false)", (str(row[1]),))
    return int(row[1])


def _forget(connection: psycopg.Connection[Any]) -> None:
    """Leave nothing for the next actor on this connection: no setting, cursor, statement or lock.

    Needed only where foreign SQL ran; Kiban's own leaves nothing, and its prepared statements save 2 ms a session.
    """
    try:
        connection.execute("DISCARD ALL")
    except psycopg.Error:
        connection.close()
