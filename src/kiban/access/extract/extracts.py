"""What a person, or a command, does with extracts: look first, ask, take the files, let them go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kiban.access.books import Access
from kiban.access.extract import shut
from kiban.access.extract.desk import Desk, Job
from kiban.access.extract.planning import Column, Plan, plan
from kiban.access.extract.query import Asked
from kiban.access.extract.reading import query_in
from kiban.access.extract.shelf import Shelf
from kiban.access.extract.worker import MANIFEST
from kiban.access.extract.written import plain
from kiban.access.policy import Grant
from kiban.kernel import ALL_WARDS, Problem
from kiban.store import Bounds, Store, Term

PREVIEW_ROWS = 50
_QUICK = Bounds(seconds=10)


@dataclass(frozen=True)
class Preview:
    """The first rows of a result.

    Attributes:
        columns: of the result.
        rows: values as texts; None where there is none.
        more: whether there are further rows.
        subjects: the numbers of those whom the rows are about; for the audit trail.
    """

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[str | None]]
    more: bool
    subjects: tuple[str, ...]


class Extracts:
    """Extracts of a city. Safe to share between threads.

    Attributes:
        desk: the queue.
        shelf: queries that people keep.
        folder: where files lie.
    """

    def __init__(self, access: Access, store: Store, folder: Path, now: Callable[[], datetime]) -> None:
        self.desk, self.shelf, self.folder = Desk(access.books), Shelf(access.books), folder
        self._store, self._now = store, now

    def plan(self, asked: Asked, grant: Grant) -> Plan:
        """Check a query as whoever asks may have it today.

        Raises:
            Problem: `not-allowed`, `business-unknown`.
            Problems: those of `checking.check`.
        """
        grant.need("extract", asked.query.business)
        edition = self._store.edition(asked.query.business)
        return plan(asked.query, edition, grant, grant.acting.on, self._now())

    def preview(self, asked: Asked, grant: Grant) -> Preview:
        """The first rows, in no order: to sort a whole city would take too long for a look.

        Raises:
            Problem: `time-exceeded` where totals take longer than a few seconds.
            Problems: those of `plan`.
        """
        planned = self.plan(asked, grant)
        chosen = replace(planned.selection, order=(), limit=PREVIEW_ROWS + 1)
        subject = None
        if asked.query.totals is None:
            who = planned.edition.group(asked.query.main).subject[0].romaji
            if f"{chosen.main}.{who}" not in planned.actor.hidden:
                subject = len(chosen.columns)
                chosen = replace(chosen, columns=(*chosen.columns, Term(chosen.main, who)))
        with (
            self._store.session(planned.actor) as session,
            shut.without_lifts(session, planned.actor, self._now()),
        ):
            found = [
                list(row.values())
                for batch in session.select(chosen, _QUICK, {**planned.asked, "preview": PREVIEW_ROWS})
                for row in batch.to_pylist()
            ]
        most = min(PREVIEW_ROWS, asked.query.limit or PREVIEW_ROWS)
        shown = [[_text(each) for each in row[: len(planned.columns)]] for row in found[:most]]
        whom = {str(row[subject]) for row in found} if subject is not None else set()
        return Preview(planned.columns, shown, len(found) > most, tuple(sorted(whom)))

    def ask(self, asked: Asked, grant: Grant, reason: str) -> str:
        """Put an extract into the queue; its handle.

        Raises:
            Problem: those of `Desk.ask`.
            Problems: those of `plan`.
        """
        self.plan(asked, grant)
        return self.desk.ask(grant.acting, plain(asked), asked.title, reason, self._now())

    def file(self, job: Job, name: str, grant: Grant) -> Path:
        """A file of an extract, as long as whoever asked for it may still have what is in it.

        Raises:
            Problem: `extract-unknown` where it has no such file, `not-allowed` where the person, her assignment or what it
                allows is another one now, `extract-stale` where somebody is protected since it was made.
            Problems: those of `plan`: an item may not leave any more.
        """
        manifest: Mapping[str, Any] = job.manifest or {}
        names = {MANIFEST, *(each["name"] for each in manifest.get("files", ()))}
        if job.state != "done" or name not in names:
            raise Problem("extract-unknown", "the extract has no such file", fix="see the list")
        acting = grant.acting
        if (acting.staff.number, acting.assignment.id) != (job.staff, job.assignment):
            raise Problem("not-allowed", "the extract was asked under another duty", fix="choose that duty")
        actor = self.plan(query_in(job.body), grant).actor
        wards, held = frozenset(manifest["wards"]), actor.wards
        if (held != ALL_WARDS and not wards <= held) or (manifest["protected"] and not actor.protected):
            raise Problem("not-allowed", "the duty allows less than when it was made", fix="ask for it anew")
        shut.refuse_stale(self._store, self.folder / job.folder, actor)
        return self.folder / job.folder / name


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return "、".join(map(str, value))
    return None if value is None else str(value)
