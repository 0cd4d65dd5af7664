"""Runs extracts, one after the other, beside the work at the counters."""

from __future__ import annotations

import logging
import os
import shutil
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from kiban.access.audit import Line
from kiban.access.books import Access
from kiban.access.extract import shut
from kiban.access.extract.cells import Told
from kiban.access.extract.days import today
from kiban.access.extract.desk import Desk, Job
from kiban.access.extract.planning import Plan, plan
from kiban.access.extract.pulse import Ended, Pulse
from kiban.access.extract.query import Asked
from kiban.access.extract.reading import query_in
from kiban.access.extract.shelf import Shelf
from kiban.access.extract.writing import described, headings, rows_of, spool, write
from kiban.access.extract.written import plain
from kiban.kernel import Problem, Problems
from kiban.store import Bounds, Store

HALF = ".half"
MANIFEST = "manifest.json"
_ROOM = 2**30  # bytes that stay free on the disk
_DRAFTS = timedelta(days=30)
log = logging.getLogger("kiban.extract")


@dataclass(frozen=True)
class Worker:
    """A worker. Several may work, in several processes.

    Attributes:
        access: people, policies, audit.
        store: the registers; of connections that the counters do not use.
        folder: where files lie, closed to everybody else; made where it is not there.
        now: the time in UTC.
        most: how many jobs may run at once, in all processes.
        bounds: what each may take of the database.
    """

    access: Access
    store: Store
    folder: Path
    now: Callable[[], datetime]
    most: int = 1
    bounds: Bounds = field(default_factory=lambda: Bounds(last=True))

    def next(self) -> bool:
        """Run the next job to its end, whatever that is; False where there is none."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        desk = Desk(self.access.books)
        job = desk.take(self.now(), self.most)
        if job is None:
            return False
        with Pulse(lambda step, rows: desk.beat(job, self.now(), step, rows)) as pulse:
            self._run(desk, job, pulse)
        return True

    def sweep(self) -> None:
        """Let go what is over: files whose days are over, what dead workers left, drafts that nobody touched for a month."""
        desk = Desk(self.access.books)
        for job in desk.expire(self.now()):
            self.access.audit.write(line(job, "done", self.now(), act="expire"))
        found = list(self.folder.iterdir()) if self.folder.is_dir() else []
        kept = desk.folders()
        for each in found:
            if each.name.removesuffix(HALF) not in kept:
                shutil.rmtree(each, ignore_errors=True)
        Shelf(self.access.books).sweep(self.now() - _DRAFTS)

    def _run(self, desk: Desk, job: Job, pulse: Pulse) -> None:
        half = self.folder / (job.folder + HALF)
        try:
            whole, manifest = self._make(job, half, pulse)
        except Ended:
            self._fail(desk, job, half, [])
        except (Problem, Problems) as error:
            told = error.problems if isinstance(error, Problems) else (error,)
            self._fail(desk, job, half, () if pulse.ended else told)
        except Exception as error:  # noqa: BLE001 - the worker lives on; its log gets where, never what: that may be a value
            places = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
            log.error("extract %s: a mistake of ours: %s\n%s", job.job, type(error).__name__, places)
            full = isinstance(error, OSError) and error.errno == 28
            self._fail(desk, job, half, [_no_room() if full else _MISTAKE])
        else:
            if desk.done(job, self.now(), manifest, manifest["rows"]):
                self.access.audit.write(line(job, "done", self.now(), act="made", rows=manifest["rows"]))
            else:
                self._fail(desk, job, whole, [])

    def _fail(self, desk: Desk, job: Job, folder: Path, problems: Sequence[Problem]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        if desk.failed(job, self.now(), problems):
            refused = any(each.code in ("not-allowed", "item-hidden") for each in problems)
            outcome = "refused" if refused else "failed" if problems else "done"
            act = "run" if problems else "cancel"
            codes = ", ".join(dict.fromkeys(each.code for each in problems))
            self.access.audit.write(line(job, outcome, self.now(), act=act, problems=codes))

    def _make(self, job: Job, half: Path, pulse: Pulse) -> tuple[Path, dict[str, Any]]:
        asked = query_in(job.body)
        planned = self._planned(job, asked)
        if shutil.disk_usage(self.folder).free < _ROOM:
            raise _no_room()
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        heads, told = headings(planned, asked.output), Told()
        began = self.now()
        shut.remember(self.store, half, planned.actor)
        with (
            self.store.session(planned.actor) as session,
            shut.without_lifts(session, planned.actor, began),
            pulse.watching(session.interrupt),
        ):
            batches = session.select(planned.selection, self.bounds, {**planned.asked, "job": job.job})
            parts = spool(batches, planned, heads, half, pulse.tick)
        rows = {part.stem: rows_of(part) for part in parts}
        files = write(parts, heads, asked.output, told, pulse.tick)
        manifest = _manifest(job, asked, planned, began, told)
        manifest["columns"] = [head.name for head in heads]
        manifest["rows"] = sum(rows.values())
        manifest["files"] = [described(file, rows.get(file.stem)) for file in files]
        (half / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
        return self._publish(half), manifest

    def _planned(self, job: Job, asked: Asked) -> Plan:
        """The plan as whoever asked may have it now: what was allowed when it was asked may be over."""
        now = self.now()
        acting = self.access.people.acting(job.staff, today(now), job.purpose, job.assignment)
        grant = self.access.policies.grant(acting)
        return plan(asked.query, self.store.edition(asked.query.business), grant, job.day, now)

    def _publish(self, half: Path) -> Path:
        """Give the folder its name; only whole ones have it."""
        for file in half.iterdir():
            file.chmod(0o600)
        whole = half.with_name(half.name.removesuffix(HALF))
        for each in (half, self.folder):
            _to_disk(each)
        half.rename(whole)
        _to_disk(self.folder)
        return whole


def line(job: Job, outcome: str, at: datetime, *, kind: str = "extract", **detail: str | int) -> Line:
    """A line of the audit trail about a job; the query itself stays with the job."""
    said = {name: value for name, value in {"job": job.job, **detail}.items() if value != ""}
    return Line(
        kind, outcome, job.staff, at, job.office, job.duty, job.purpose, business=job.business, detail=said
    )


def _manifest(job: Job, asked: Asked, planned: Plan, began: datetime, told: Told) -> dict[str, Any]:
    names = ("job", "title", "reason", "staff", "office", "duty", "purpose", "business")
    lacking = [
        {"character": each, "code_point": f"U+{ord(each):04X}", "times": times}
        for each, times in sorted(told.unmappable.items())
    ]
    return {
        **{name: getattr(job, name) for name in names},
        "edition": planned.edition.edition,
        "query": plain(asked),
        "output": asdict(asked.output),
        "asked_at": job.asked_at.isoformat(),
        "read_at": began.isoformat(),
        "day": job.day.isoformat(),
        "valid": planned.selection.valid and planned.selection.valid.isoformat(),
        "known": planned.selection.known and planned.selection.known.isoformat(),
        "wards": sorted(planned.actor.wards),
        "protected": planned.actor.protected,
        "guarded": told.guarded,
        "unmappable": lacking,
    }


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _no_room() -> Problem:
    return Problem(
        "disk-full", "the disk has no room for the files of an extract", fix="free space, or ask for less"
    )


_MISTAKE = Problem(
    "extract-mistake", "the worker made a mistake", fix="tell whoever runs it the number of the extract"
)
