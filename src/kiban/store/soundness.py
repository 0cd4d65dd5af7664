"""Proof that the store is sound: the chain of events, every row against its event, keys, fences, references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from kiban.kernel import Problem
from kiban.standard import definition
from kiban.store import fences, guard_soundness, naming, protecting, references
from kiban.store.errors import as_problems
from kiban.store.jobs import Progress, quiet
from kiban.store.schema import Table
from kiban.store.search_table import SearchTable
from kiban.store.text import literal, quoted

if TYPE_CHECKING:
    from kiban.store.database import Store

_SHOWN = 20
_RESTORE = "restore from a backup and compare"


@dataclass(frozen=True)
class Report:
    """What `verify` saw.

    Attributes:
        events: how many events the chain has.
        rows: rows looked at, by register.
        problems: everything that is not sound; empty where all is well.
        notes: what an operator should know and what harms nothing, such as a job to be taken up again.
        head: the number of the last event and its digest. Whoever keeps it elsewhere can prove later that the chain up
            to there is the same: inside the database, the owner could rewrite all of it.
    """

    events: int
    rows: dict[str, int]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    head: str = "0:"


def verify(store: Store, progress: Progress = quiet, *, head: str | None = None) -> Report:
    """Check the whole store, changing nothing, in one snapshot; everybody goes on working meanwhile.

    Args:
        store: an open store.
        progress: told about every register.
        head: the `head` of an earlier report, kept elsewhere: the chain must still go through it.

    Raises:
        Problem: `store-not-installed`, `database-unreachable`.
    """
    store.tables()
    with store.owner() as connection, as_problems(), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("LOCK TABLE kiban.edition IN ACCESS SHARE MODE")  # no swap before this is done
        return examine(store, connection, progress, head)


def examine(
    store: Store, connection: psycopg.Connection[Any], progress: Progress = quiet, head: str | None = None
) -> Report:
    """What `verify` does, in the transaction of a connection of the owner."""
    store.refresh(connection)
    tables = store.tables()
    by = naming.protecting(store.edition(schema) for schema in store.applied())
    problems = [*_chain(connection, head), *_editions(connection, store)]
    problems += fences.frame(connection, protecting.functions(by, tables))
    if not any(problem.code == "frame-altered" for problem in problems):  # it asks functions of the frame
        problems += guard_soundness.examine(connection, by, tables)
    rows: dict[str, int] = {}
    for number, table in enumerate(tables.values(), 1):
        found, rows[table.register] = _register(connection, table)
        problems += found
        progress("verify", number, len(tables))
    for table in tables.values():
        if rows[table.register]:
            problems += references.missing_references(connection, table, table.name, {})
    notes = [*_notes(connection), *fences.notes(connection)]
    last = connection.execute(
        "SELECT (SELECT count(*) FROM kiban.event), (SELECT event || ':' || encode(digest, 'hex') FROM kiban.head)"
    ).fetchone()
    events, now = last or (0, None)
    return Report(int(events), rows, tuple(problems), tuple(notes), str(now))


def _chain(connection: psycopg.Connection[Any], head: str | None) -> Iterator[Problem]:
    """Every event against its digest and its predecessor, in one walk along the chain."""
    broken = connection.execute(
        """SELECT event, genuine FROM (
            SELECT event, e.digest = kiban.event_digest(e) AS genuine,
                e.previous = coalesce(lag(digest) OVER w, '') AND e.event = coalesce(lag(event) OVER w, 0) + 1
                AND e.recorded_at > coalesce(lag(recorded_at) OVER w, '-infinity') AS follows
            FROM kiban.event e WINDOW w AS (ORDER BY event)
        ) s WHERE NOT (genuine AND follows) ORDER BY 1 LIMIT %s""",
        (_SHOWN,),
    ).fetchall()
    for event, genuine in broken:
        what = "does not follow its predecessor" if genuine else "was altered"
        yield Problem("chain-broken", f"event {event} {what}", "kiban.event", _RESTORE)
    row = connection.execute(
        """SELECT (h.event, h.digest, h.recorded_at) IS NOT DISTINCT FROM (e.event, e.digest, e.recorded_at)
                  OR (h.event = 0 AND e.event IS NULL)
        FROM (SELECT count(*) AS n FROM kiban.head) one
        LEFT JOIN kiban.head h ON one.n = 1 AND h.opened IS NULL
        LEFT JOIN (SELECT * FROM kiban.event ORDER BY event DESC LIMIT 1) e ON true"""
    ).fetchone()
    if not row or not row[0]:
        what = "the head of the chain is not its last event"
        yield Problem(
            "chain-head", what, "kiban.head", "events are missing at the end: restore from a backup"
        )
    if head is not None:
        event, _, digest = head.partition(":")
        held = connection.execute(
            "SELECT encode(digest, 'hex') FROM kiban.event WHERE event::text = %s", (event,)
        ).fetchone()
        if event != "0" and (held is None or held[0] != digest):
            what = f"event {event} is not the one that was the last at an earlier check"
            yield Problem("chain-rewritten", what, "kiban.event", _RESTORE)
    strange = connection.execute(
        "SELECT count(*) FROM kiban.outbox o LEFT JOIN kiban.event e USING (event) "
        "WHERE (o.business, o.kind, o.subject) IS DISTINCT FROM (e.business, e.kind, e.subject)"
    ).fetchone()
    if strange and strange[0]:
        what = f"{strange[0]} messages are not of their events"
        yield Problem("outbox-altered", what, "kiban.outbox", "make them anew from the events")


def _editions(connection: psycopg.Connection[Any], store: Store) -> Iterator[Problem]:
    for schema, known in connection.execute(
        "SELECT schema_name, definition ->> 'sha256' FROM kiban.edition"
    ).fetchall():
        edition = store.edition(schema)
        if definition(edition) != known:
            what = f"the files of {edition.edition} changed since it came into force"
            fix = "give the changed files an edition ID of their own and apply it"
            yield Problem("edition-changed", what, schema, fix)


def _register(connection: psycopg.Connection[Any], table: Table) -> tuple[list[Problem], int]:
    state = connection.execute(
        "SELECT seal_event, seal_rows, seal_digest FROM kiban.register WHERE register = %s", (table.register,)
    ).fetchone()
    if state is None or connection.execute("SELECT to_regclass(%s)", (table.name,)).fetchone() == (None,):
        what = "the register is not there"
        return [Problem("register-missing", what, table.register, "run `kiban db apply`")], 0
    found = list(_seal(connection, table, *state))
    found += _rows(connection, table, *state)
    found += _closings(connection, table, int(state[0]))
    found += _periods(connection, table)
    found += fences.register(connection, table)
    if table.group.search:
        found += _search(connection, table)
    total = connection.execute(f"SELECT count(*) FROM {table.name}".encode()).fetchone()
    return found, int(total[0]) if total else 0


def _seal(
    connection: psycopg.Connection[Any], table: Table, event: int, rows: int, digest: object
) -> Iterator[Problem]:
    """The seal against the event that wrote it."""
    sealed = connection.execute(
        "SELECT content -> %s, payload -> 'sealed' FROM kiban.event WHERE event = %s", (table.register, event)
    ).fetchone()
    if _promise(sealed, table.register) != (rows, str(digest)):
        yield Problem("seal-altered", "the seal is not the one its event wrote", table.register, _RESTORE)


def _promise(sealed: Sequence[Any] | None, register: str) -> tuple[int, str] | None:
    if sealed is None:
        return None
    content, payload = sealed
    kept = payload.get(register) if isinstance(payload, dict) else content
    return (int(kept["rows"]), str(kept["digest"])) if kept else None


def _rows(
    connection: psycopg.Connection[Any], table: Table, seal: int, rows: int, digest: object
) -> Iterator[Problem]:
    """The rows against what the events say they wrote; those up to the seal's event as one (0)."""
    wrong = connection.execute(
        f"""WITH held AS (
            SELECT CASE WHEN event > %(seal)s THEN event ELSE 0 END AS event, count(*) AS n, sum({table.row_hash}) AS h
            FROM {table.name} GROUP BY 1
        ), wrote AS (
            SELECT event, (content -> %(name)s ->> 'rows')::bigint AS n,
                   (content -> %(name)s ->> 'digest')::numeric AS h
            FROM kiban.event WHERE event > %(seal)s AND (content -> %(name)s ->> 'rows')::bigint > 0
            UNION ALL SELECT 0, %(rows)s, %(digest)s WHERE %(rows)s > 0
        ) SELECT coalesce(held.event, wrote.event) FROM held FULL JOIN wrote USING (event)
        WHERE (held.n, held.h) IS DISTINCT FROM (wrote.n, wrote.h) ORDER BY 1 LIMIT {_SHOWN}""".encode(),
        {"seal": seal, "name": table.register, "rows": rows, "digest": digest},
    ).fetchall()
    for (event,) in wrong:
        whose = (
            f"of event {event} are not those it wrote"
            if event
            else f"up to event {seal} are not those sealed"
        )
        yield Problem("rows-altered", f"the rows {whose}", table.register, _RESTORE)


def _closings(connection: psycopg.Connection[Any], table: Table, seal: int) -> Iterator[Problem]:
    """Closed rows against the events that closed them, and the times of knowledge against the events' times."""
    wrong = connection.execute(
        f"""SELECT count(*) FROM {table.name} r
        LEFT JOIN kiban.event e ON e.event = r.event LEFT JOIN kiban.event c ON c.event = r.closed_by
        WHERE e.recorded_at IS DISTINCT FROM r.known_from
           OR coalesce(c.recorded_at, 'infinity') IS DISTINCT FROM r.known_to
           OR (r.closed_by IS NOT NULL AND c.event IS NULL)""".encode()
    ).fetchone()
    if wrong and wrong[0]:
        what = f"{wrong[0]} rows are not known for the time their events say"
        yield Problem("known-altered", what, table.register, _RESTORE)
    # What was closed before the seal may have been written in an older shape: counted, but not hashed again.
    unequal = connection.execute(
        f"""WITH held AS (
            SELECT closed_by AS event, count(*) AS n, sum({table.row_hash}) AS h
            FROM {table.name} WHERE closed_by IS NOT NULL GROUP BY 1
        ), wrote AS (
            SELECT event, (content -> %(name)s ->> 'closed')::bigint AS n,
                   (content -> %(name)s ->> 'closed_digest')::numeric AS h
            FROM kiban.event WHERE (content -> %(name)s ->> 'closed')::bigint > 0
        ) SELECT coalesce(held.event, wrote.event) FROM held FULL JOIN wrote USING (event)
        WHERE held.n IS DISTINCT FROM wrote.n OR (wrote.event > %(seal)s AND held.h <> wrote.h)
        ORDER BY 1 LIMIT {_SHOWN}""".encode(),
        {"seal": seal, "name": table.register},
    ).fetchall()
    for (event,) in unequal:
        what = f"the rows closed by event {event} are not those it closed"
        yield Problem("closings-altered", what, table.register, _RESTORE)


def _periods(connection: psycopg.Connection[Any], table: Table) -> Iterator[Problem]:
    if table.has_periods:
        row = connection.execute(table.overlaps(table.name).encode()).fetchone()
        if row and row[0]:
            what = f"{row[0]} periods overlap"
            yield Problem("period-overlap", what, table.register, "correct them by events")


def _search(connection: psycopg.Connection[Any], table: Table) -> Iterator[Problem]:
    """Every row known now is found in its ward, and no entry shows a name in a ward where its person never was."""
    section = table.group.search
    assert section is not None
    kept = f"SELECT subject, ward FROM kiban.protected_name WHERE register = {literal(table.register)}"
    entries = f"(SELECT subject, ward FROM {SearchTable(table).name} UNION ALL {kept})"
    ward = f"coalesce(r.{quoted(table.group.ward.romaji)}, '')" if table.group.ward else "''"
    same = f"s.subject = r.{quoted(section.subject)} AND coalesce(s.ward, '') = {ward}"
    for code, of, other, what in (
        (
            "search-incomplete",
            f"{table.name} r",
            f"{entries} s",
            "rows cannot be found by search in their ward",
        ),
        ("search-stray", f"{entries} s", f"{table.name} r", "search entries are of no row in that ward"),
    ):
        known = " AND r.closed_by IS NULL" if code == "search-incomplete" else ""
        row = connection.execute(
            f"SELECT count(*) FROM {of} WHERE NOT EXISTS (SELECT FROM {other} WHERE {same}){known}".encode()
        ).fetchone()
        if row and row[0]:
            yield Problem(code, f"{row[0]} {what}", table.register, "run `kiban db reindex`")


def _notes(connection: psycopg.Connection[Any]) -> Iterator[str]:
    for job, kind in connection.execute("SELECT job, kind FROM kiban.job WHERE state = 'running' ORDER BY 1"):
        yield (
            f"the job {job} ({kind}) was cut: the same command takes it up again, "
            "and nothing of it is visible until then"
        )
    waiting = connection.execute("SELECT count(*) FROM kiban.outbox").fetchone()
    if waiting and waiting[0]:
        yield f"{waiting[0]} events wait in the outbox for the linkage base"
