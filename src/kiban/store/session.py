"""One actor at work: every read takes its two dates, is limited to the actor's wards by the database, and is logged.

The log of a read is written before its answer is returned, in the session's transaction; where that is undone, it is
written again in one of its own. Only when the connection breaks first is it lost: then the `with` block of the session
ends with an exception, and what was read must not be used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from kiban.kernel import Actor, Problem
from kiban.store import claim
from kiban.store.change import Change, prepared
from kiban.store.errors import as_problems
from kiban.store.following import Following
from kiban.store.guarding import Guarding
from kiban.store.querying import Querying
from kiban.store.schema import Table


class Session(Querying, Following, Guarding):
    """A transaction of one actor. Made by `Store.session`; not shared between threads."""

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

    def _prepared(self, change: Change) -> dict[str, Any]:
        table = self._table(change.register, {**(change.row or {}), **change.subject})
        if change.row is not None and len(self.visible(table)) < len(table.items):
            what = f"who does not see all items of {change.register} cannot write a whole row of it"
            raise Problem("item-hidden", what, fix="ask whoever has a duty that needs them")
        return prepared(change, table)


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
        if session.stood_back:
            connection.close()
        elif session.ran_sql and not connection.closed:
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
