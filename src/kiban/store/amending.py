"""Many events at once: each closes and adds rows of its own, under every rule that an event recorded alone keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa

from kiban.kernel import ALL_WARDS, Actor, Problem, Problems
from kiban.store import amending_sql, chain, checks, columns, publish, search_keys
from kiban.store.amending_sql import NUMBER, Staged
from kiban.store.errors import as_problems
from kiban.store.text import quoted

if TYPE_CHECKING:
    from kiban.store.database import Store

_LONGEST = 200


@dataclass(frozen=True)
class Amendment:
    """What several events change in one register.

    Attributes:
        register: schema.table.
        added: the new rows in the columns of `arrow_schema`, and `#event` (int64): which event adds each, from 0.
        closed: the rows that are no longer known to be true: the items of their subject, their whole period (`valid_from`,
            `valid_to`) and `#event`. Without rows where nothing is closed, as always in a log.
    """

    register: str
    added: pa.Table
    closed: pa.Table


class Amending:
    """A piece of work that records many events. Made by `amending`; not shared between threads."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        store: Store,
        staged: Mapping[str, Staged],
        actor: Actor,
        last: int,
    ) -> None:
        self._connection = connection
        self._store = store
        self._staged = staged
        self._actor = actor
        self._last = last

    def record(
        self,
        kind: str,
        subjects: Sequence[str],
        amendments: Sequence[Amendment],
        *,
        valid: date | None = None,
    ) -> int:
        """Record one event for each subject in one transaction: all of them or none.

        The chain is held until all are written, so give what takes a second, not more. A row may name rows that an earlier
        event adds, or its own; not those of a later one.

        Args:
            kind: the kind of the events.
            subjects: whom each event is about, in the order of the events; each of them changes something.
            amendments: at most one for each register, all of one business.
            valid: the day of the events in the town.

        Returns:
            The number of the last event.

        Raises:
            Problem: `event-empty`, `event-unreadable`, `business-mismatch`, `register-unknown`, `append-only` where a row of a log
                is to be closed, `event-between` where anybody else changed one of the registers meanwhile, `row-missing` where
                a row to be closed is not known now, `period-overlap`, `event-busy`, what `columns.conform` and the database refuse.
            Problems: everything in the rows that breaks the standard, or `reference-missing`. Nothing has changed then.
        """
        business = _business(kind, subjects, amendments)
        rows = [(self._staging(one.register), self._conformed(one)) for one in amendments]
        connection = self._connection
        with as_problems(), connection.transaction():
            connection.execute(
                "LOCK TABLE kiban.edition IN ACCESS SHARE MODE"
            )  # no other comes into force meanwhile
            for staged, (added, closed) in rows:
                self._stage(staged, added, closed)
            connection.execute("SELECT kiban.be_brief()")
            first, at = chain.open_events(connection, len(subjects))
            self._refuse_others(first)
            for staged, (added, closed) in rows:
                self._apply(staged, added.num_rows, closed.num_rows, {"first": first, "at": at})
            self._refuse_missing([staged for staged, _ in rows], first)
            touched = amending_sql.touched([staged for staged, _ in rows])
            connection.execute(f"SELECT kiban.protect(({touched}), %s, %s)".encode(), (first, at))
            who = chain.signed(self._actor)
            told = {
                "business": business,
                "kind": kind,
                "valid": valid,
                "who": who,
                "subjects": list(subjects),
            }
            statement = amending_sql.write([staged for staged, _ in rows])
            row = connection.execute(statement.encode(), told).fetchone()
        assert row is not None
        self._last = int(row[0])
        return self._last

    def _staging(self, register: str) -> Staged:
        if register not in self._staged:
            fix = f"one of {', '.join(self._staged)}"
            raise Problem("register-unknown", f"{register} is not among what is amended", fix=fix)
        return self._staged[register]

    def _conformed(self, one: Amendment) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """New rows, checked like those of a bulk load, and rows to close; both with their numbers first."""
        staged = self._staging(one.register)
        table = staged.table
        if one.closed.num_rows and not table.has_periods:
            fix = "record a further row that corrects it"
            raise Problem("append-only", "a row of a log is never closed", one.register, fix)
        rows = columns.conform(_whole(one.added.drop_columns([NUMBER])), table, one.register)
        codes = self._store.edition(table.schema).codes
        if found := checks.faults(rows, table, codes, one.register):
            raise Problems(found)
        numbers = _whole(one.added.select([NUMBER]).cast(pa.schema([(NUMBER, pa.int64())])))
        added = pa.record_batch([*numbers.columns, *rows.columns], names=[NUMBER, *rows.schema.names])
        types = columns.arrow_schema(table.group)
        wanted = pa.schema([(NUMBER, pa.int64()), *(types.field(name) for name in staged.told)])
        return added, _whole(one.closed.select(wanted.names).cast(wanted))

    def _stage(self, staged: Staged, added: pa.RecordBatch, closed: pa.RecordBatch) -> None:
        dates = staged.table.dates
        _copy(self._connection, staged.added, added, dates)
        _copy(self._connection, staged.closed, closed, dates)
        if staged.table.group.search:
            entries = search_keys.entries(staged.table.group, added)
            _copy(self._connection, staged.found, entries, ())

    def _refuse_others(self, first: int) -> None:
        rows = self._connection.execute(
            "SELECT r, count(*) FROM kiban.event e, unnest(%s::text[]) r "
            "WHERE e.event > %s AND e.event < %s AND e.content ? r GROUP BY r ORDER BY r",
            (list(self._staged), self._last, first),
        ).fetchall()
        if rows:
            what = f"{sum(count for _, count in rows)} other events changed what is being amended"
            fix = "nothing more is amended; compare again, and see who works on these registers"
            raise Problem("event-between", what, ", ".join(name for name, _ in rows), fix)

    def _apply(self, staged: Staged, added: int, closed: int, at: Mapping[str, object]) -> None:
        connection, table = self._connection, staged.table
        if closed:
            row = connection.execute(staged.close().encode(), at).fetchone()
            gone = int(row[0]) if row else 0
            if gone != closed:
                what = f"{closed - gone} of {closed} rows that are to be closed are not known now"
                raise Problem("row-missing", what, table.register, "compare again, then amend")
        if not added:
            return
        if table.has_periods:  # one question for all rows instead of one for each
            connection.execute(f"ALTER TABLE {table.name} DISABLE TRIGGER no_overlap".encode())
        for statement in staged.add():
            connection.execute(statement.encode(), at)
        if table.has_periods:
            publish.refuse_overlaps(connection, table, table.name, staged.among)
            connection.execute(f"ALTER TABLE {table.name} ENABLE TRIGGER no_overlap".encode())

    def _refuse_missing(self, staged: Sequence[Staged], first: int) -> None:
        problems = []
        for one in staged:
            for item, register, statement in one.missing():
                row = self._connection.execute(statement.encode(), {"first": first}).fetchone()
                if row and row[0]:
                    what = f"{row[0]} rows name a row of {register} that does not exist"
                    fix = "add that row by an earlier event, or by the same"
                    problems.append(Problem("reference-missing", what, f"{one.table.register} ({item})", fix))
        if problems:
            raise Problems(problems)


@contextmanager
def amending(store: Store, registers: Sequence[str], actor: Actor, last: int) -> Iterator[Amending]:
    """Begin to record many events on some registers.

    Args:
        store: an open store.
        registers: all that may be amended, and of which nobody else may change anything meanwhile.
        actor: who amends; serves the whole city.
        last: the last event that the caller has seen; see `head`.

    Raises:
        Problem: `register-unknown`, `ward-outside`, `database-unreachable`.
    """
    if actor.wards != ALL_WARDS:
        fix = "let an actor do it who serves the whole city"
        raise Problem("ward-outside", "many events at once concern every ward", fix=fix)
    staged = {name: Staged(store.table(name), place) for place, name in enumerate(registers)}
    with store.owner() as connection:
        with as_problems():
            for statement in (
                *amending_sql.BEGIN,
                *(each for one in staged.values() for each in one.create()),
            ):
                connection.execute(statement.encode())
        yield Amending(connection, store, staged, actor, last)


def _business(kind: str, subjects: Sequence[str], amendments: Sequence[Amendment]) -> str:
    """The one business of all amendments."""
    if not subjects or not amendments:
        raise Problem(
            "event-empty", "there is nothing to record", fix="give at least one subject and its change"
        )
    if any(not 0 < len(text) <= _LONGEST for text in (kind, *subjects)):
        fix = f"give a kind and subjects of 1 to {_LONGEST} characters"
        raise Problem("event-unreadable", "an event lacks its kind or its subject", fix=fix)
    businesses = {one.register.split(".")[0] for one in amendments}
    if len(businesses) > 1:
        fix = "record the events of each business by themselves"
        raise Problem("business-mismatch", f"{len(businesses)} businesses in one run of events", fix=fix)
    return businesses.pop()


def _whole(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _copy(
    connection: psycopg.Connection[Any], place: str, batch: pa.RecordBatch, dates: Collection[str]
) -> None:
    if not batch.num_rows:
        return
    names = ", ".join(map(quoted, batch.schema.names))
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {place} ({names}) FROM STDIN (FORMAT csv)".encode()) as copy,
    ):
        copy.write(columns.to_csv(batch, dates))
