"""One actor at work: every read takes its two dates, is limited to the actor's wards by the database, and is logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.json import Jsonb

from kiban.kernel import Actor, AsOf, Period, Problem
from kiban.store import claim, columns, search
from kiban.store.errors import as_problems
from kiban.store.schema import SearchTable, Table, quoted

Row = dict[str, Any]
"""One row: the items by their official romaji in their written form (dates YYYY-MM-DD), `valid` as a Period
(registers), `known_from` and `known_to` as datetimes, `event`."""


class _WrittenDate(Loader):
    """Dates as the standard writes them, so that what goes in comes out."""

    def load(self, data: Buffer) -> str:
        """YYYY-MM-DD; -infinity is the standard's 0000-01-01."""
        written = bytes(data).decode()
        return columns.ALWAYS if written == "-infinity" else written


@dataclass(frozen=True)
class Change:
    """What an event changes in one register.

    Attributes:
        register: schema.table, such as `resident.jumin`.
        row: the items by their romaji, in their written form; None says that nothing is true of the subject in the period.
        valid: for how long it is true; None for a log.
        subject: the identifying items; needed only where `row` is None.
    """

    register: str
    row: Mapping[str, Any] | None
    valid: Period | None = None
    subject: Mapping[str, Any] = field(default_factory=dict)


class Session:
    """A transaction of one actor. Made by `Store.session`; not shared between threads."""

    def __init__(
        self, connection: psycopg.Connection[Any], actor: Actor, tables: Mapping[str, Table]
    ) -> None:
        self._connection = connection
        self._tables = tables
        self.actor = actor

    def read(self, register: str, as_of: AsOf, **items: str) -> list[Row]:
        """The rows of a register that have these values, as of two dates.

        Args:
            register: schema.table.
            as_of: the day in the town and the moment of knowledge; the day is not used for a log.
            items: romaji = value, all of which must hold; at least one of them identifies or has an index.

        Returns:
            Rows in the order of the subject; empty where there is none within the actor's wards.

        Raises:
            Problem: `register-unknown`, `item-unknown`, `read-unbounded` where no item is given.
        """
        table = self._table(register, items)
        if not items:
            raise Problem(
                "read-unbounded", f"a read of {register} names no item", fix="give a number, or use search"
            )
        rows = self._rows(table, items, as_of)
        self._log(register, {"items": items, "as_of": as_of.valid.isoformat()}, table, rows)
        return rows

    def history(self, register: str, known: datetime | None = None, **items: str) -> list[Row]:
        """All periods of a subject in the order of time, as known at a moment (None: now)."""
        table = self._table(register, items)
        rows = self._rows(table, items, AsOf(date.min, known), every_period=True)
        self._log(register, {"items": items, "history": True}, table, rows)
        return rows

    def search(self, register: str, query: search.Query, after: str | None = None) -> search.Page:
        """A page of the subjects that a query finds, those of the actor's own ward first.

        Args:
            register: schema.table of a register that has a search section.
            query: what is asked; see `Query`.
            after: the `next` of the page before; None for the first.

        Raises:
            Problem: `search-missing` where the register has none, and those of `Query`.
        """
        table = self._table(register, {})
        if table.group.search is None:
            raise Problem(
                "search-missing", f"{register} has no search section", fix="add one to its business.yaml"
            )
        with as_problems():
            page = search.run(self._connection, SearchTable(table), query, self.actor, after)
            subject = table.group.search.subject
            found = self._current(table, subject, [hit.subject for hit in page.hits], query.as_of)
        page = page.with_rows(found)
        asked = {"search": query.asked(), "wards": query.wards}
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

        Raises:
            Problem: `event-empty`, `register-unknown`, `item-unknown`, `ward-outside`, `period-missing`,
                and what the database refuses (`value-refused`, `value-missing`, `period-overlap`, …).
        """
        prepared = [self._prepared(change) for change in changes]
        business = changes[0].register.split(".")[0] if changes else ""
        with as_problems():
            row = self._connection.execute(
                "SELECT kiban.record_event(%s, %s, %s, %s::date, %s, %s)",
                (business, kind, subject, valid, Jsonb(prepared), Jsonb(dict(note or {}))),
            ).fetchone()
        assert row is not None
        return int(row[0])

    def sql(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run a statement in the application role: it sees and may do what the actor may, nothing else. Not logged here."""
        with as_problems(), self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def copy_out(self, statement: str) -> Iterator[bytes]:
        """The bytes of a COPY ... TO STDOUT, limited like every read of the actor."""
        with as_problems(), self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for chunk in copy:
                yield bytes(chunk)

    def log_export(self, register: str, asked: Mapping[str, object]) -> None:
        """Log that rows of a register are about to leave in bulk."""
        self._write_log(register, asked, [])

    def _prepared(self, change: Change) -> dict[str, Any]:
        table = self._table(change.register, {**(change.row or {}), **change.subject})
        if table.has_periods and change.valid is None:
            raise Problem(
                "period-missing",
                f"a change of {change.register} has no period",
                fix="say from when it is true",
            )
        source = change.row if change.row is not None else change.subject
        missing = [name for name in table.subject if source.get(name) is None]
        if missing:
            raise Problem(
                "subject-missing", f"{change.register} needs {', '.join(missing)}", fix="say whose row it is"
            )
        valid = change.valid or Period(None)
        prepared: dict[str, Any] = {
            "register": change.register,
            "subject": {name: source[name] for name in table.subject},
            "row": None if change.row is None else _kept(change.row, table),
            "valid_from": valid.start.isoformat() if valid.start else None,
            "valid_to": valid.end.isoformat() if valid.end else None,
        }
        if change.row is not None and table.group.search is not None:
            prepared["search"] = search.entries(table.group, change.row)
        return prepared

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

    def _rows(
        self, table: Table, items: Mapping[str, str], as_of: AsOf, *, every_period: bool = False
    ) -> list[Row]:
        conditions = [f"{quoted(name)} = %s" for name in items]
        values: list[object] = list(items.values())
        period, period_values = _as_of(table, None if every_period else as_of.valid, as_of.known)
        return self._select(table, [*conditions, *period], [*values, *period_values])

    def _current(self, table: Table, subject: str, keys: Sequence[str], day: date) -> dict[str, Row]:
        """The row of each subject as of a day; where it has none that day, its last."""
        period, values = _as_of(table, None, None)
        rows = self._select(table, [f"{quoted(subject)} = ANY (%s)", *period], [list(keys), *values])
        chosen: dict[str, Row] = {}
        for row in rows:
            if row[subject] not in chosen or row["valid"].start is None or row["valid"].start <= day:
                chosen[row[subject]] = row
        return chosen

    def _select(self, table: Table, conditions: Sequence[str], values: Sequence[object]) -> list[Row]:
        chosen = [quoted(name) for name in table.items] + [
            "known_from",
            "nullif(known_to, 'infinity') AS known_to",
            "event",
        ]
        order = [quoted(name) for name in table.subject]
        if table.has_periods:
            chosen += [
                "nullif(valid_from, '-infinity') AS valid_from",
                "nullif(valid_to, 'infinity') AS valid_to",
            ]
            order.append(f"{table.name}.valid_from")
        statement = f"SELECT {', '.join(chosen)} FROM {table.name} WHERE {' AND '.join(conditions)} ORDER BY {', '.join(order)}"
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

    def _write_log(self, register: str, asked: Mapping[str, object], found: Sequence[str]) -> None:
        with as_problems():
            self._connection.execute(
                "SELECT kiban.record_lookup(%s, %s, %s)", (register, Jsonb(asked), list(found))
            )


def _kept(row: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """The row as the database keeps it."""
    always = {name for name in table.dates if row.get(name) == columns.ALWAYS}
    return {name: "-infinity" if name in always else value for name, value in row.items()}


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
    connection: psycopg.Connection[Any], actor: Actor, key: bytes, tables: Mapping[str, Table]
) -> Iterator[Session]:
    """A transaction in which the database knows the actor; committed at the end, undone by any exception."""
    with as_problems(), connection.transaction():
        row = connection.execute(
            "SELECT (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint", prepare=True
        ).fetchone()
        assert row is not None
        signed = claim.sign(actor, key, backend=connection.info.backend_pid, started_at=int(row[0]))
        connection.execute("SELECT set_config('kiban.actor', %s, true)", (signed,), prepare=True)
        yield Session(connection, actor, tables)
