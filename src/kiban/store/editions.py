"""Bring an edition into force: build beside, catch up, swap. What is cut half-way goes on or is undone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

from kiban.kernel import Actor, Problem, Problems
from kiban.standard import Edition
from kiban.store import planning
from kiban.store import publish
from kiban.store.bulk import Progress, quiet
from kiban.store.errors import as_problems
from kiban.store.planning import Plan, Step
from kiban.store.schema import SearchTable, Table, quoted, view

if TYPE_CHECKING:
    from kiban.store.database import Store

_CHUNK_ROWS = 50_000
_END = "\U0010ffff"


def plan(store: Store, edition: Edition) -> Plan:
    """What bringing this edition into force would do, and what stands in its way. Changes no register."""
    store.install()
    in_force = store.applied().get(edition.id)
    old = store.library.edition(edition.id, in_force) if in_force else None
    with store.owner() as connection, as_problems():
        return planning.make(connection, old, edition, store.tables())


def apply(
    store: Store, edition: Edition, actor: Actor, *, reviewed: str | None = None, progress: Progress = quiet
) -> int:
    """Bring an edition into force.

    Args:
        store: an open store.
        edition: the edition to come.
        actor: who does it; stands in the event.
        reviewed: the digest of the plan that was reviewed; needed where rows that stand are written anew.
        progress: told about every step.

    Returns:
        The number of the event.

    Raises:
        Problem: `plan-unreviewed`, `edition-in-force`, `job-running`.
        Problems: the plan's obstacles.
    """
    made = plan(store, edition)
    if made.old is not None and made.old.edition == edition.edition:
        raise Problem(
            "edition-in-force", f"{edition.edition} of {edition.id} is in force already", fix="nothing to do"
        )
    if made.obstacles:
        raise Problems(made.obstacles)
    if made.needs_review and reviewed != made.digest:
        raise Problem(
            "plan-unreviewed",
            f"the plan {made.digest} touches rows that stand and was not reviewed",
            fix=f"read it with --plan, then give --reviewed {made.digest}",
        )
    old = store.tables()
    new = {step.register: _table(edition, step) for step in made.steps if step.action != "retire"}
    with store.owner() as connection, publish.job_lock(connection), as_problems():
        job, base = _job(connection, made)
        for step in made.steps:
            if step.action == "rebuild":
                _rebuild(
                    connection, job, old[step.register], new[step.register], step, edition, base, progress
                )
            elif step.action == "create":
                _create(connection, new[step.register], edition)
        event = _swap(connection, job, base, made, old, new, actor)
    store.refresh()
    progress("swap", 1, 1)
    return event


def _table(edition: Edition, step: Step) -> Table:
    return Table.of(edition, step.register.split(".")[1], step.retired)


def _job(connection: psycopg.Connection[Any], made: Plan) -> tuple[str, int]:
    """The job of this plan, and the event as of which it copies rows: the same at every attempt."""
    stem = f"apply-{made.schema}-{made.digest}"
    row = connection.execute(
        "SELECT count(*) FROM kiban.job WHERE job LIKE %s AND state = 'done'", (stem + "-%",)
    ).fetchone()
    job = f"{stem}-{row[0] if row else 0}"  # the same plan may be carried out again after a way back
    publish.start_job(connection, job, "apply", {"schema": made.schema, "edition": made.new.edition})
    base = connection.execute(
        "UPDATE kiban.job SET plan = jsonb_build_object('base', (SELECT event FROM kiban.head)) || plan "
        "WHERE job = %s RETURNING (plan ->> 'base')::bigint",
        (job,),
    ).fetchone()
    assert base is not None
    return job, int(base[0])


def _create(connection: psycopg.Connection[Any], table: Table, edition: Edition) -> None:
    connection.execute(table.create(edition).encode())
    for _ in publish.build_keys(connection, table):
        pass
    if table.group.search:
        for statement in (SearchTable(table).create(), *SearchTable(table).indexes()):
            connection.execute(statement.encode())


def _rebuild(
    connection: psycopg.Connection[Any],
    job: str,
    old: Table,
    new: Table,
    step: Step,
    edition: Edition,
    base: int,
    progress: Progress,
) -> None:
    connection.execute(new.create(edition).encode())
    connection.execute(
        f"ALTER TABLE {new.shadow} ADD COLUMN IF NOT EXISTS known_from timestamptz NOT NULL, "
        "ADD COLUMN IF NOT EXISTS event bigint NOT NULL".encode()
    )
    _fill(connection, job, old, new, step, base, progress)
    for number, _ in enumerate(publish.build_keys(connection, new), 1):
        progress(f"keys {old.register}", number, len(new.indexes()) + 2)


def _fill(
    connection: psycopg.Connection[Any],
    job: str,
    old: Table,
    new: Table,
    step: Step,
    base: int,
    progress: Progress,
) -> None:
    """Copy the rows as they stood at the base event, one range of subjects after the other.

    Each range is committed with its mark, so that a cut job goes on behind the last one. Rows never change but by
    being closed, so a range copied later is the same range.
    """
    row = connection.execute(f"SELECT count(*) FROM {old.name} WHERE event <= {base}".encode()).fetchone()
    total = int(row[0]) if row else 0
    done = connection.execute(
        "SELECT max(part), sum(rows) FROM kiban.job_part WHERE job = %s AND part LIKE %s",
        (job, f"{old.register}:%"),
    ).fetchone()
    after = str(done[0]).split(":", 1)[1] if done and done[0] is not None else ""
    copied = int(done[1]) if done and done[1] is not None else 0
    first = f"{quoted(old.subject[0])}"
    while after != _END:
        end = connection.execute(
            f"SELECT {first} FROM {old.name} WHERE {first} > %s ORDER BY {first} OFFSET {_CHUNK_ROWS} LIMIT 1".encode(),
            (after,),
        ).fetchone()
        mark = _END if end is None else str(end[0])
        with connection.transaction():
            cursor = connection.execute(
                f"{_insert(new, step, base)} FROM {old.name} WHERE {first} > %s AND {first} <= %s AND event <= {base}".encode(),
                (after, mark),
            )
            rows = max(cursor.rowcount, 0)
            connection.execute(
                "INSERT INTO kiban.job_part VALUES (%s, %s, %s)", (job, f"{old.register}:{mark}", rows)
            )
        copied += rows
        progress(f"copy {old.register}", copied, total)
        after = mark


def _insert(new: Table, step: Step, base: int | None) -> str:
    """INSERT ... SELECT of the rows as they stood at the base event; with None as they stand."""
    names = [*new.loaded, "known_from", "event", "closed_by", "known_to"]
    expressions = [step.source[name] for name in new.items]
    if new.has_periods:
        expressions += ["valid_from", "valid_to"]
    expressions += ["known_from", "event"]
    if base is None:
        expressions += ["closed_by", "known_to"]
    else:
        expressions += [f"CASE WHEN closed_by <= {base} THEN closed_by END"]
        expressions += [f"CASE WHEN closed_by <= {base} THEN known_to ELSE 'infinity' END"]
    return f"INSERT INTO {new.shadow} ({', '.join(map(quoted, names))}) SELECT {', '.join(expressions)}"


def _catch_up(connection: psycopg.Connection[Any], old: Table, new: Table, step: Step, base: int) -> None:
    """What happened since the base event, while the head of the chain is held and nothing more can happen."""
    if new.has_periods:
        former = dict(zip(new.subject, old.subject, strict=True))
        same = " AND ".join(f"s.{quoted(now)} = o.{quoted(then)}" for now, then in former.items())
        connection.execute(
            f"UPDATE {new.shadow} s SET closed_by = o.closed_by, known_to = o.known_to FROM {old.name} o "
            f"WHERE o.closed_by > {base} AND o.event <= {base} AND {same} AND s.valid_from = o.valid_from "
            "AND s.event = o.event AND s.closed_by IS NULL".encode()
        )
    connection.execute(f"{_insert(new, step, None)} FROM {old.name} WHERE event > {base}".encode())


def _swap(
    connection: psycopg.Connection[Any],
    job: str,
    base: int,
    made: Plan,
    old: Mapping[str, Table],
    new: Mapping[str, Table],
    actor: Actor,
) -> int:
    """One transaction: catch up, put the new tables into their places, write the event."""
    title = made.new.title
    contents: publish.Content = {}
    sealed: dict[str, dict[str, int | str]] = {}
    with connection.transaction():
        event, recorded_at = publish.open_event(connection)
        for schema in (made.schema, title):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}".encode())
            connection.execute(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO kiban_app".encode())
        for step in made.steps:
            table = new.get(step.register) or old[step.register]
            contents[step.register] = {"rows": 0, "digest": "0", "closed": 0}
            if step.action == "create":
                publish.replace(connection, table, title, event, recorded_at)
                sealed[step.register] = contents[step.register]
                publish.seal(connection, table, event, sealed[step.register])
            elif step.action == "rebuild":
                _catch_up(connection, old[step.register], table, step, base)
                sealed[step.register] = publish.content(connection, table, table.shadow)
                publish.drop(connection, old[step.register], made.old.title if made.old else title)
                for statement in (*table.place(), *table.dress(), *table.views(title)):
                    connection.execute(statement.encode())
                publish.seal(connection, table, event, sealed[step.register])
            elif step.action == "keep":
                for statement in (*table.dress(), *table.views(title)):
                    connection.execute(statement.encode())
        if made.old is not None:
            _former_edition(connection, made, old, new)
        connection.execute(
            "INSERT INTO kiban.edition VALUES (%s, %s, %s, %s, %s) ON CONFLICT (business) DO UPDATE "
            "SET edition = excluded.edition, definition = excluded.definition, event = excluded.event",
            (
                made.new.business,
                made.schema,
                made.new.edition,
                Jsonb({"sha256": definition(made.new)}),
                event,
            ),
        )
        payload = {
            "from": made.old.edition if made.old else None,
            "to": made.new.edition,
            "plan": made.digest,
            "sealed": sealed,
        }
        publish.close_event(connection, made.schema, "edition", made.new.edition, actor, payload, contents)
        connection.execute("UPDATE kiban.job SET state = 'done', event = %s WHERE job = %s", (event, job))
    return event


def _former_edition(
    connection: psycopg.Connection[Any], made: Plan, old: Mapping[str, Table], new: Mapping[str, Table]
) -> None:
    """Views in the shape of the edition that was in force, so that its readers go on while they change over."""
    assert made.old is not None
    schema = quoted(f"{made.schema}@{made.old.edition}")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
    connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO kiban_app".encode())
    renamed = dict(made.new.renames) if made.new.replaces == made.old.edition else {}
    for group in made.old.groups:
        register = f"{made.schema}.{group.id}"
        table = new.get(register) or old[register]
        columns = []
        for item in group.items:
            now = renamed.get(item.romaji, item.romaji)
            back = {b: a for a, b in made.new.recodes.get(item.code or "", {}).items()}
            expression = quoted(now)
            if back:
                cases = " ".join(f"WHEN '{b}' THEN '{a}'" for b, a in back.items())
                expression = f"CASE {quoted(now)} {cases} ELSE {quoted(now)} END"
            columns.append(f"{expression} AS {quoted(item.romaji)}")
        if table.has_periods:
            columns += [
                "nullif(valid_from, '-infinity') AS valid_from",
                "nullif(valid_to, 'infinity') AS valid_to",
            ]
        name = f"{schema}.{quoted(group.id)}"
        connection.execute(f"DROP VIEW IF EXISTS {name}".encode())
        connection.execute(view(name, columns, table.name, "closed_by IS NULL").encode())
        connection.execute(f"GRANT SELECT ON {name} TO kiban_app".encode())


def definition(edition: Edition) -> str:
    """A digest of all that tables derive from; it changes when somebody edits the files of an edition in force."""
    parts = [repr(group) for group in edition.groups] + [
        repr(edition.codes[key]) for key in sorted(edition.codes)
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
