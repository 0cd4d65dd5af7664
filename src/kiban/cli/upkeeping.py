"""What `kiban serve` does beside answering: seals, signs each night, sees anew who is protected, follows the files of the policy set."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from kiban.access import Access, Policies, audit, load_policies, upkeep
from kiban.kernel import JAPAN, Problem, Problems
from kiban.store import Store

POLICY_SECONDS = 3
"""How often the files of the policy set are looked at; they have to look alike twice."""
NIGHT_SECONDS = 60
ACTOR = "kiban"
log = logging.getLogger("kiban.web")


@dataclass(frozen=True)
class Keeping:
    """What this is done with.

    Attributes:
        city: the registers.
        access: the trail, and the folders of the policy set.
        policies: those that answer, in this process.
        folders: of the policy set.
        home: folder with the key of the trail, its roots and the notes of what was done.
        now: the time in UTC.
    """

    city: Store
    access: Access
    policies: Policies
    folders: tuple[Path, ...]
    home: Path
    now: Callable[[], datetime]


def keep_up(keeping: Keeping) -> None:
    """Begin all of it, in threads that end with the process."""
    looking = Looking(keeping)
    _thread("policies", POLICY_SECONDS, looking.look)
    _thread("nightly", NIGHT_SECONDS, lambda: nightly(keeping))


def _thread(name: str, seconds: float, act: Callable[[], None]) -> None:
    def run() -> None:
        while True:
            time.sleep(seconds)
            try:
                act()
            except (Problem, Problems, OSError, ValueError) as error:
                log.error("%s: %s", name, error)

    threading.Thread(target=run, name=name, daemon=True).start()


def nightly(keeping: Keeping) -> None:
    """Do what is due, where no other process is at it; each leaves a line and a note, whether it is done or hindered."""
    if not any(_due(keeping).values()):
        return
    with upkeep.turn(keeping.home) as mine:
        for task, day in _due(keeping).items() if mine else ():
            if day is not None:
                _run(keeping, task, day)


def _due(keeping: Keeping) -> dict[str, date | None]:
    last = upkeep.runs(keeping.home)
    return {task: upkeep.due(last.get(task), keeping.now()) for task in upkeep.NIGHTLY}


def _run(keeping: Keeping, task: str, day: date) -> None:
    try:
        _TASKS[task](keeping, day)
        problem = None
    except (Problem, Problems) as error:
        problem = error.problems[0] if isinstance(error, Problems) else error
        log.error("the nightly task %s failed: %s (%s)", task, problem.what, problem.code)
    code, what = (problem.code, problem.what) if problem else ("", "")
    outcome, moment = "failed" if problem else "done", keeping.now()
    detail = {"task": task, "day": day.isoformat(), **({"why": code} if code else {})}
    upkeep.note(keeping.home, upkeep.Run(task, day.isoformat(), moment.isoformat(), code, what))
    keeping.access.audit.write(audit.Line("event", outcome, ACTOR, moment, detail=detail))


def _sign(keeping: Keeping, day: date) -> None:
    """The root of the day before, unless it was signed by somebody already."""
    ledger, keeper = audit.Ledger(keeping.access.audit), audit.keeper(keeping.home)
    yesterday = day - timedelta(days=1)
    roots = ledger.roots()
    if not audit.seal_trail(ledger, keeper, keeping.now()).block.block:
        return  # nothing was ever written
    if not roots or roots[-1].day < yesterday.isoformat():
        audit.sign_day(ledger, keeper, yesterday, keeping.now())


def _protect(keeping: Keeping, _day: date) -> None:
    with keeping.city.owner() as connection, connection.transaction():
        keeping.city.fit(connection, anew=True)


_TASKS: dict[str, Callable[[Keeping, date], None]] = {"root": _sign, "protect": _protect}


class Looking:
    """Looks at the files of the policy set, and takes them where they changed and are sound; a broken set changes nothing."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._taken = self._seen = upkeep.look(keeping.folders)

    def look(self) -> None:
        """Look once; a change is taken when it looks the same the next time, so that nobody is in the middle of writing.

        Raises:
            Problem: `audit-unwritten`: then nothing is taken, and it is tried again.
        """
        seen, before = upkeep.look(self._keeping.folders), self._seen
        self._seen = seen
        if seen != self._taken and seen == before:
            self._take()
            self._taken = seen

    def _take(self) -> None:
        keeping, old = self._keeping, self._keeping.policies.digest
        try:
            fresh = load_policies(keeping.folders, keeping.city.library)
        except Problems as refused:
            for each in refused.problems:
                log.error("the policy set is broken, the one before stays: %s", each)
            self._tell(old, refused.problems[0].code, f"{len(refused.problems)}")
            return
        last = upkeep.runs(keeping.home).get(upkeep.POLICIES)
        if fresh.digest != old or (last and last.problem):
            self._tell(fresh.digest, "", fresh.digest[:16])
        if fresh.digest != old:
            keeping.policies.take(fresh)
            log.info("the policy set %s is in force", fresh.digest[:16])

    def _tell(self, digest: str, problem: str, what: str) -> None:
        """Leave its line and note it, once for all processes that look at the same files."""
        keeping, moment = self._keeping, self._keeping.now()
        with upkeep.turn(keeping.home, wait=True):
            last = upkeep.runs(keeping.home).get(upkeep.POLICIES)
            if last is not None and (last.what, last.problem) == (what, problem):
                return
            detail = {"what": "policies", "set": digest[:16], **({"why": problem} if problem else {})}
            outcome = "failed" if problem else "done"
            keeping.access.audit.write(audit.Line("setting", outcome, ACTOR, moment, detail=detail))
            day = moment.astimezone(JAPAN).date().isoformat()
            upkeep.note(keeping.home, upkeep.Run(upkeep.POLICIES, day, moment.isoformat(), problem, what))
