"""Proof that the store is sound: the chain of events, every row against its event, keys, guards, references."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from kiban.kernel import Problem
from kiban.store import planning, publish
from kiban.store.bulk import Progress, quiet
from kiban.store.errors import as_problems
from kiban.store.schema import SearchTable, Table, literal, quoted

if TYPE_CHECKING:
    from kiban.store.database import Store


@dataclass(frozen=True)
class Report:
    """What `verify` saw.

    Attributes:
        events: how many events the chain has.
        rows: rows looked at, by register.
        problems: everything that is not sound; empty where all is well.
        notes: what an operator should know and what harms nothing, such as a job to be taken up again.
    """

    events: int
    rows: dict[str, int]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def verify(store: Store, progress: Progress = quiet) -> Report:
    """Check the whole store, changing nothing, in one snapshot.

    Raises:
        Problem: `store-not-installed`, `database-unreachable`.
    """
    store.tables()
    problems: list[Problem] = []
    rows: dict[str, int] = {}
    with store.owner() as connection, as_problems(), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("LOCK TABLE kiban.edition IN ACCESS SHARE MODE")  # no swap before this is done
        store.refresh(connection)
        tables = store.tables()
        events, broken = _chain(connection)
        problems += broken
        problems += _editions(connection, store)
        for number, table in enumerate(tables.values(), 1):
            rows[table.register], found = _register(connection, table)
            problems += found
            progress("verify", number, len(tables))
        for table in tables.values():
            problems += publish.missing_references(connection, table, table.name, {})
        notes = _notes(connection)
    return Report(events, rows, tuple(problems), tuple(notes))


def _chain(connection: psycopg.Connection[Any]) -> tuple[int, list[Problem]]:
    found: list[Problem] = []
    broken = connection.execute(
        """SELECT e.event, e.digest = kiban.event_digest(e), e.previous = coalesce(b.digest, ''), e.event = coalesce(b.event, 0) + 1
        FROM (SELECT e, lag(e) OVER (ORDER BY (e).event) b FROM kiban.event e) s, LATERAL (SELECT (s.e).*) e, LATERAL (SELECT (s.b).*) b
        WHERE NOT (e.digest = kiban.event_digest(s.e) AND e.previous = coalesce(b.digest, '') AND e.event = coalesce(b.event, 0) + 1)
        ORDER BY 1 LIMIT 20"""
    ).fetchall()
    for event, genuine, linked, next_one in broken:
        what = (
            "was altered"
            if not genuine
            else "does not follow its predecessor"
            if not linked or not next_one
            else "is broken"
        )
        found.append(
            Problem(
                "chain-broken", f"event {event} {what}", "kiban.event", "restore from a backup and compare"
            )
        )
    row = connection.execute(
        "SELECT count(*), max(event), (SELECT event FROM kiban.head), "
        "(SELECT h.digest = coalesce((SELECT digest FROM kiban.event ORDER BY event DESC LIMIT 1), '') FROM kiban.head h) FROM kiban.event"
    ).fetchone()
    assert row is not None
    if (row[1] or 0) != row[2] or not row[3]:
        found.append(
            Problem(
                "chain-head",
                "the head of the chain is not its last event",
                "kiban.head",
                "events are missing at the end",
            )
        )
    return int(row[0]), found


def _editions(connection: psycopg.Connection[Any], store: Store) -> Iterable[Problem]:
    for schema, known in connection.execute(
        "SELECT schema_name, definition ->> 'sha256' FROM kiban.edition"
    ).fetchall():
        edition = store.edition(schema)
        if planning.definition(edition) != known:
            what = f"the files of {edition.edition} changed since it came into force"
            yield Problem(
                "edition-changed",
                what,
                schema,
                "give the changed files an edition ID of their own and apply it",
            )


def _register(connection: psycopg.Connection[Any], table: Table) -> tuple[int, list[Problem]]:
    found: list[Problem] = []
    state = connection.execute(
        "SELECT seal_event, seal_rows, seal_digest FROM kiban.register WHERE register = %s", (table.register,)
    ).fetchone()
    if state is None or connection.execute("SELECT to_regclass(%s)", (table.name,)).fetchone() == (None,):
        return 0, [
            Problem("register-missing", "the register is not there", table.register, "run `kiban db apply`")
        ]
    seal_event, seal_rows, seal_digest = state
    sealed = connection.execute(
        "SELECT content -> %s, payload -> 'sealed' FROM kiban.event WHERE event = %s",
        (table.register, seal_event),
    ).fetchone()
    promise = _promise(sealed, table.register)
    if promise != (seal_rows, str(seal_digest)):
        found.append(
            Problem(
                "seal-altered",
                "the seal is not the one its event wrote",
                table.register,
                "restore from a backup",
            )
        )
    total = 0
    by_event = connection.execute(
        f"SELECT CASE WHEN event > %s THEN event END AS e, count(*), sum({table.row_hash}) FROM {table.name} GROUP BY 1".encode(),
        (seal_event,),
    ).fetchall()
    held = {event: (int(count), str(digest)) for event, count, digest in by_event}
    total = sum(count for count, _ in held.values())
    if held.pop(None, (0, "0")) != (seal_rows, str(seal_digest)):
        what = f"the rows up to event {seal_event} are not those that were sealed"
        found.append(Problem("rows-altered", what, table.register, "restore from a backup and compare"))
    written = connection.execute(
        "SELECT event, (content -> %s ->> 'rows')::bigint, content -> %s ->> 'digest' FROM kiban.event "
        "WHERE event > %s AND content ? %s AND (content -> %s ->> 'rows')::bigint > 0",
        (table.register, table.register, seal_event, table.register, table.register),
    ).fetchall()
    expected = {event: (int(count), str(digest)) for event, count, digest in written}
    for event in sorted(set(held) ^ set(expected) | {e for e in held if held[e] != expected.get(e)})[:20]:
        what = f"the rows of event {event} are not those it wrote"
        found.append(Problem("rows-altered", what, table.register, "restore from a backup and compare"))
    found += _closings(connection, table)
    found += _fences(connection, table)
    return total, found


def _promise(sealed: Sequence[Any] | None, register: str) -> tuple[int, str] | None:
    if sealed is None:
        return None
    content, payload = sealed
    kept = payload.get(register) if isinstance(payload, dict) else content
    return (int(kept["rows"]), str(kept["digest"])) if kept else None


def _closings(connection: psycopg.Connection[Any], table: Table) -> list[Problem]:
    """Closed rows against the events that closed them, and the times of knowledge against the events' times."""
    found = []
    wrong = connection.execute(
        f"""SELECT count(*) FROM {table.name} r LEFT JOIN kiban.event e ON e.event = r.event LEFT JOIN kiban.event c ON c.event = r.closed_by
        WHERE e.recorded_at IS DISTINCT FROM r.known_from OR (r.closed_by IS NOT NULL AND c.recorded_at IS DISTINCT FROM r.known_to)
           OR (r.closed_by IS NULL AND r.known_to <> 'infinity')""".encode()
    ).fetchone()
    if wrong and wrong[0]:
        what = f"{wrong[0]} rows are not known for the time their events say"
        found.append(Problem("known-altered", what, table.register, "restore from a backup and compare"))
    unequal = connection.execute(
        f"""SELECT coalesce(e.event, c.closed_by) FROM
            (SELECT event, (content -> %s ->> 'closed')::bigint AS n FROM kiban.event WHERE (content -> %s ->> 'closed')::bigint > 0) e
            FULL JOIN (SELECT closed_by, count(*) AS n FROM {table.name} WHERE closed_by IS NOT NULL GROUP BY 1) c ON c.closed_by = e.event
        WHERE e.n IS DISTINCT FROM c.n ORDER BY 1 LIMIT 20""".encode(),
        (table.register, table.register),
    ).fetchall()
    for (event,) in unequal:
        what = f"the rows closed by event {event} are not those it closed"
        found.append(Problem("closings-altered", what, table.register, "restore from a backup and compare"))
    return found


def _fences(connection: psycopg.Connection[Any], table: Table) -> list[Problem]:
    """What the database must enforce is switched on."""
    name = literal(table.name)
    checks = [
        (
            "guard-missing",
            f"SELECT count(*) = 2 FROM pg_trigger WHERE tgrelid = {name}::regclass AND tgname IN ('guard', 'no_truncate') AND tgenabled = 'O'",
        ),
        (
            "scope-missing",
            f"SELECT relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) FROM pg_class c WHERE c.oid = {name}::regclass",
        ),
        (
            "rights-too-wide",
            f"SELECT NOT (has_table_privilege('kiban_app', {name}, 'INSERT') OR has_table_privilege('kiban_app', {name}, 'UPDATE') "
            f"OR has_table_privilege('kiban_app', {name}, 'DELETE') OR has_table_privilege('kiban_app', {name}, 'TRUNCATE'))",
        ),
    ]
    if table.has_periods:
        checks.append(
            (
                "key-missing",
                f"SELECT count(*) = 1 FROM pg_trigger WHERE tgrelid = {name}::regclass AND tgname = 'no_overlap' AND tgenabled = 'O'",
            )
        )
    found = []
    for code, question in checks:
        row = connection.execute(question.encode()).fetchone()
        if not row or not row[0]:
            found.append(
                Problem(
                    code,
                    "a fence of the register is down",
                    table.register,
                    "run `kiban db apply` again or restore",
                )
            )
    if table.has_periods:
        row = connection.execute(table.overlaps(table.name).encode()).fetchone()
        if row and row[0]:
            found.append(
                Problem(
                    "period-overlap", f"{row[0]} periods overlap", table.register, "correct them by events"
                )
            )
    if table.group.search:
        search_table = SearchTable(table)
        row = connection.execute(
            f"SELECT count(*) FROM {table.name} r WHERE closed_by IS NULL AND NOT EXISTS "
            f"(SELECT FROM {search_table.name} s WHERE s.subject = r.{quoted(table.group.search.subject)})".encode()
        ).fetchone()
        if row and row[0]:
            found.append(
                Problem(
                    "search-incomplete",
                    f"{row[0]} rows cannot be found by search",
                    table.register,
                    "run `kiban db reindex`",
                )
            )
    return found


def _notes(connection: psycopg.Connection[Any]) -> list[str]:
    notes = [
        f"the job {job} ({kind}) was cut: the same command takes it up again, and nothing of it is visible until then"
        for job, kind in connection.execute(
            "SELECT job, kind FROM kiban.job WHERE state = 'running' ORDER BY 1"
        )
    ]
    waiting = connection.execute("SELECT count(*) FROM kiban.outbox").fetchone()
    if waiting and waiting[0]:
        notes.append(f"{waiting[0]} events wait in the outbox for the linkage base")
    return notes
