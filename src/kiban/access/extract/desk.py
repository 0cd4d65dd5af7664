"""The queue of extracts: who asked what, how far it is, where its files lie."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from kiban.access.people import Acting
from kiban.kernel import Problem
from kiban.store import Books

STATES = {
    "waiting": "待機中",
    "running": "実行中",
    "done": "完了",
    "failed": "失敗",
    "cancelled": "中止",
    "gone": "削除済み",
}
"""States of a job with their Japanese names."""
OPEN_MOST = 5
"""Most jobs that wait or run for one person."""
SILENT = timedelta(seconds=60)
"""A worker that was not heard of for so long is gone, and its job is begun anew."""
ATTEMPTS = 3
KEPT = timedelta(days=7)
"""How long files are kept."""
_MINE = "UPDATE extract_job SET {} WHERE job = %s AND attempt = %s AND state = 'running'"


@dataclass(frozen=True)
class Job:
    """An extract that somebody asked for.

    Attributes:
        job: random handle.
        number: in the order of asking.
        staff: staff number of whoever asked; `assignment`, `office`, `duty`, `purpose` as she worked then.
        reason: why, in her words.
        title: what she calls it.
        business: ID of the edition.
        body: the query as `plain` makes it.
        day: on which its words are understood.
        state: one of `STATES`.
        cancel: whether it is to end.
        attempt: how often it was begun.
        step: what is being done, in Japanese.
        rows: how many rows were read so far.
        problems: why it failed: code, what and fix of each.
        manifest: what came out; None before.
        kept_until: when its files go.
    """

    job: str
    number: int
    staff: str
    assignment: int
    office: str
    duty: str
    purpose: str
    reason: str
    title: str
    business: str
    body: Mapping[str, Any] = field(repr=False)
    day: date
    asked_at: datetime
    state: str
    cancel: bool
    attempt: int
    beat_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    step: str
    rows: int
    problems: Sequence[Mapping[str, str]]
    manifest: Mapping[str, Any] | None
    kept_until: datetime | None

    @property
    def folder(self) -> str:
        """The name of the folder with its files: each attempt has its own."""
        return f"{self.job}-{self.attempt}"

    @property
    def open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")


class Desk:
    """The queue. Safe to share between threads and processes."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def ask(self, acting: Acting, body: Mapping[str, Any], title: str, reason: str, now: datetime) -> str:
        """Put a job into the queue; its handle.

        Raises:
            Problem: `extracts-many` where too many of this person wait already, `extract-reason` without a reason.
        """
        if not reason.strip():
            raise Problem("extract-reason", "an extract needs a reason", fix="say what it is for")
        handle, staff = f"x{secrets.token_hex(12)}", acting.staff.number
        given = acting.assignment
        who = (handle, staff, given.id, acting.office.id, given.duty, acting.purpose)
        with self._books.transaction() as page:
            page.rows("SELECT FROM extract_turn FOR UPDATE")
            waiting = page.rows(
                "SELECT count(*) AS n FROM extract_job WHERE staff = %s AND state IN ('waiting', 'running')",
                (staff,),
            )
            if waiting[0]["n"] >= OPEN_MOST:
                what = f"{OPEN_MOST} extracts of this person wait already"
                raise Problem("extracts-many", what, fix="wait for one to end, or cancel one")
            page.run(
                """INSERT INTO extract_job (job, staff, assignment, office, duty, purpose, reason, title, business, body, day, asked_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s)""",
                (*who, reason, title, body.get("business", ""), orjson.dumps(body).decode(), acting.on, now),
            )
        return handle

    def jobs(self, staff: str, before: int | None = None, most: int = 50) -> list[Job]:
        """The jobs of a person, the latest first.

        Args:
            staff: whose.
            before: the number of the last job of the page before.
            most: how many.
        """
        query = "SELECT * FROM extract_job WHERE staff = %s AND number < %s ORDER BY number DESC LIMIT %s"
        with self._books.transaction() as page:
            return [Job(**row) for row in page.rows(query, (staff, before or 2**62, most))]

    def job(self, job: str, staff: str | None) -> Job:
        """One job.

        Args:
            job: its handle.
            staff: who asks; None for an auditor, who sees what was asked by anybody.

        Raises:
            Problem: `extract-unknown` where this person has none such.
        """
        with self._books.transaction() as page:
            found = page.rows(
                "SELECT * FROM extract_job WHERE job = %s AND (%s::text IS NULL OR staff = %s)",
                (job, staff, staff),
            )
        if not found:
            raise Problem("extract-unknown", "there is no such extract of this person", fix="see the list")
        return Job(**found[0])

    def cancel(self, job: str, staff: str, now: datetime) -> None:
        """End a job of one's own that waits or runs; one that has ended stays as it is."""
        with self._books.transaction() as page:
            page.run(
                """UPDATE extract_job SET cancel = true, ended_at = CASE state WHEN 'waiting' THEN %s::timestamptz END,
                state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END
                WHERE job = %s AND staff = %s AND state IN ('waiting', 'running')""",
                (now, job, staff),
            )

    def take(self, now: datetime, most: int) -> Job | None:
        """Take the next job to run it: one that waits, or whose worker is gone. None where none may be begun now.

        Args:
            now: the moment.
            most: how many may run at once, in all processes.
        """
        dead = now - SILENT
        with self._books.transaction() as page:
            page.rows("SELECT FROM extract_turn FOR UPDATE")
            page.run(
                """UPDATE extract_job SET state = CASE WHEN cancel THEN 'cancelled' ELSE 'failed' END, ended_at = %s, problems = %s::jsonb
                WHERE state = 'running' AND beat_at < %s AND (cancel OR attempt >= %s)""",
                (now, orjson.dumps([_GIVEN_UP]).decode(), dead, ATTEMPTS),
            )
            found = page.rows(
                """UPDATE extract_job SET state = 'running', attempt = attempt + 1, beat_at = %s, rows = 0, step = '開始',
                    started_at = coalesce(started_at, %s)
                WHERE job = (SELECT job FROM extract_job WHERE state = 'waiting' OR (state = 'running' AND beat_at < %s)
                             ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
                  AND (SELECT count(*) FROM extract_job WHERE state = 'running' AND beat_at >= %s) < %s
                RETURNING *""",
                (now, now, dead, dead, most),
            )
        return Job(**found[0]) if found else None

    def beat(self, job: Job, now: datetime, step: str, rows: int) -> bool:
        """Tell that a job goes on; False where it is not this worker's any more, or is to end."""
        statement = _MINE.format("beat_at = %s, step = %s, rows = %s") + " AND NOT cancel"
        return self._mine(statement, (now, step, rows, job.job, job.attempt))

    def done(self, job: Job, now: datetime, manifest: Mapping[str, Any], rows: int) -> bool:
        """A job came out; False where it is not this worker's any more, or was cancelled: then its files must go."""
        made = "state = 'done', ended_at = %s, manifest = %s::jsonb, rows = %s, step = '', kept_until = %s"
        values = (now, orjson.dumps(manifest).decode(), rows, now + KEPT, job.job, job.attempt)
        return self._mine(_MINE.format(made) + " AND NOT cancel", values)

    def failed(self, job: Job, now: datetime, problems: Iterable[Problem]) -> bool:
        """A job came to nothing, because of what is told or because it was cancelled."""
        told = [{"code": each.code, "what": each.what, "fix": each.fix or ""} for each in problems]
        made = "state = CASE WHEN cancel THEN 'cancelled' ELSE 'failed' END, ended_at = %s, problems = %s::jsonb, step = ''"
        return self._mine(_MINE.format(made), (now, orjson.dumps(told).decode(), job.job, job.attempt))

    def remove(self, job: str, staff: str) -> bool:
        """Let the files of a job of one's own go; who asked what is kept."""
        return self._mine(
            "UPDATE extract_job SET state = 'gone' WHERE job = %s AND staff = %s AND state = 'done'",
            (job, staff),
        )

    def expire(self, now: datetime) -> list[Job]:
        """Let the files go whose days are over; their jobs."""
        with self._books.transaction() as page:
            found = page.rows(
                "UPDATE extract_job SET state = 'gone' WHERE state = 'done' AND kept_until <= %s RETURNING *",
                (now,),
            )
        return [Job(**row) for row in found]

    def folders(self) -> frozenset[str]:
        """The folders that belong to jobs which run, or whose files are kept."""
        with self._books.transaction() as page:
            found = page.rows("SELECT job, attempt FROM extract_job WHERE state IN ('running', 'done')")
        return frozenset(f"{row['job']}-{row['attempt']}" for row in found)

    def _mine(self, statement: str, values: tuple[object, ...]) -> bool:
        with self._books.transaction() as page:
            return page.run(statement, values) == 1


_GIVEN_UP = {
    "code": "extract-given-up",
    "what": f"the extract was begun {ATTEMPTS} times, and its worker was gone each time",
    "fix": "see the log of the worker",
}
