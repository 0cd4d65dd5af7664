"""A register written anew beside the old one: copied as of a base event, then caught up with what happened since."""

from __future__ import annotations

from typing import Any

import psycopg

from kiban.standard import Edition
from kiban.store import publish
from kiban.store.jobs import Progress
from kiban.store.schema import Table
from kiban.store.steps import Step
from kiban.store.text import quoted

_CHUNK_ROWS = 50_000
_END = "end"


def rebuild(
    connection: psycopg.Connection[Any],
    job: str,
    base: int,
    change: tuple[Table, Table, Step],
    edition: Edition,
    progress: Progress,
) -> None:
    """Build the shadow of a register with every row as it stood at the base event, and its keys.

    Args:
        connection: the owner's.
        job: the job under which finished ranges are marked; a cut job goes on behind the last one.
        base: the event as of which rows are copied, the same at every attempt.
        change: the register as it stands, as it will be, and the step of the plan.
        edition: the edition to come.
        progress: told about every range and key.
    """
    old, new, _ = change
    connection.execute(new.create(edition, carried=True).encode())
    connection.execute(
        f"ALTER TABLE {new.shadow} ADD COLUMN IF NOT EXISTS known_from timestamptz NOT NULL, "
        "ADD COLUMN IF NOT EXISTS event bigint NOT NULL".encode()
    )
    # By this index the swap finds what to catch up without looking at every row. Nobody can write for one scan.
    connection.execute(old.late_index(base).encode())
    _fill(connection, job, base, change, progress)
    for number, _ in enumerate(publish.build_keys(connection, new), 1):
        progress(f"keys {old.register}", number, len(new.indexes()) + 2)


def _fill(
    connection: psycopg.Connection[Any],
    job: str,
    base: int,
    change: tuple[Table, Table, Step],
    progress: Progress,
) -> None:
    """Copy range after range of subjects, each committed together with its mark.

    Rows never change but by being closed, so a range copied later is the same range.
    """
    old, new, step = change
    row = connection.execute(f"SELECT count(*) FROM {old.name} WHERE event <= {base}".encode()).fetchone()
    total = int(row[0]) if row else 0
    number, after, copied = _done(connection, job, old)
    first = quoted(old.subject[0])
    while after != _END:
        beyond = f"WHERE {first} > %s" if after is not None else ""
        known = [after] if after is not None else []
        end = connection.execute(
            f"SELECT {first}::text FROM {old.name} {beyond} ORDER BY {first} OFFSET {_CHUNK_ROWS} LIMIT 1".encode(),
            known,
        ).fetchone()
        upto = f"{first} <= %s" if end else "true"
        mark = f"{number:09}:{end[0]}" if end else _END
        with connection.transaction():
            copied += connection.execute(
                f"{_insert(new, step, base)} FROM {old.name} {beyond or 'WHERE true'} AND {upto} AND event <= {base}".encode(),
                [*known, *(end or ())],
            ).rowcount
            connection.execute(
                "INSERT INTO kiban.job_part VALUES (%s, %s, %s)", (job, f"{old.register}:{mark}", copied)
            )
        progress(f"copy {old.register}", copied, total)
        number, after = number + 1, (end[0] if end else _END)


def _done(connection: psycopg.Connection[Any], job: str, old: Table) -> tuple[int, str | None, int]:
    """The number of the next range, the subject behind which it begins (None: the first), and the rows copied so far."""
    stem = f"{old.register}:"
    row = connection.execute(
        """SELECT part, rows FROM kiban.job_part WHERE job = %s AND starts_with(part, %s) ORDER BY part COLLATE "C" DESC LIMIT 1""",
        (job, stem),
    ).fetchone()
    if row is None:
        return 0, None, 0
    mark = str(row[0]).removeprefix(stem)
    if mark == _END:
        return 0, _END, int(row[1])
    number, _, subject = mark.partition(":")
    return int(number) + 1, subject, int(row[1])


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


def catch_up(
    connection: psycopg.Connection[Any], base: int, change: tuple[Table, Table, Step]
) -> dict[str, int | str]:
    """Bring over what happened since the base event, while the chain is held and nothing more can happen.

    Returns:
        How many rows came, and the sum of their hashes.

    Raises:
        Problem: `period-overlap` where the key is another one and joins what was apart.
    """
    old, new, step = change
    if new.has_periods:
        keys = [name for name, then in step.carried.items() if then in old.subject]
        chosen = ", ".join(f"{step.source[name]} AS {quoted(name)}" for name in keys)
        same = " AND ".join(f"s.{quoted(name)} = o.{quoted(name)}" for name in keys)
        connection.execute(
            f"UPDATE {new.shadow} s SET closed_by = o.closed_by, known_to = o.known_to "
            f"FROM (SELECT {chosen}, valid_from, event, closed_by, known_to FROM {old.name} "
            f"WHERE closed_by > {base} AND event <= {base}) o "
            f"WHERE {same} AND s.valid_from = o.valid_from AND s.event = o.event AND s.closed_by IS NULL".encode()
        )
    row = connection.execute(
        f"WITH late AS ({_insert(new, step, None)} FROM {old.name} WHERE event > {base} RETURNING {new.row_hash} AS h) "
        "SELECT count(*), coalesce(sum(h), 0) FROM late".encode()
    ).fetchone()
    assert row is not None
    if new.has_periods and tuple(step.carried.get(name) for name in new.subject) != old.subject:
        publish.refuse_overlaps(connection, new, new.shadow)  # who is one subject now was not before
    return {"rows": int(row[0]), "digest": str(row[1])}
