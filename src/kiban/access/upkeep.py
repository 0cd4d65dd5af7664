"""What the house does by itself: each night, and whenever the files of the policy set change; noted, so that one process does it."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from kiban import store
from kiban.kernel import JAPAN

NIGHTLY = ("root", "protect")
"""What is done each night: the root of yesterday is signed, and who is protected is seen anew."""
POLICIES = "policies"
"""The policy set is read anew."""
HOUR = 1
"""From which hour on in Japan."""
AGAIN = timedelta(minutes=30)
"""After which what failed is tried again."""
_FILE = "upkeep.json"


@dataclass(frozen=True)
class Run:
    """How one of these went the last time.

    Attributes:
        task: one of `NIGHTLY`, or `POLICIES`.
        day: in Japan, on which it was due, as YYYY-MM-DD.
        at: when, in UTC, ISO 8601.
        problem: code of what hindered it; empty where it was done.
        what: that in words, or what it was done with.
    """

    task: str
    day: str
    at: str
    problem: str = ""
    what: str = ""


def runs(folder: Path) -> dict[str, Run]:
    """The last run of each task; without those that never ran."""
    file = folder / _FILE
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {task: Run(**said) for task, said in kept.items()}


def note(folder: Path, run: Run) -> None:
    """Note how a run went; call it in one's `turn`."""
    kept = {task: asdict(each) for task, each in runs(folder).items()} | {run.task: asdict(run)}
    store.write_private(folder / _FILE, json.dumps(kept, ensure_ascii=False, indent=1))


@contextmanager
def turn(folder: Path, *, wait: bool = False) -> Iterator[bool]:
    """Whether it is the turn of this process; False where another is at it, unless that is waited for."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "upkeep.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def due(last: Run | None, now: datetime) -> date | None:
    """The day for which a nightly task is due at a moment; None where it is not.

    What failed is tried again after a while; nights that were missed are not made up for one by one.

    Args:
        last: its last run.
        now: with a time zone.
    """
    local = now.astimezone(JAPAN)
    day = local.date() if local.hour >= HOUR else local.date() - timedelta(days=1)
    if last is None or last.day < day.isoformat():
        return day
    failed = last.problem and now - datetime.fromisoformat(last.at) >= AGAIN
    return day if failed else None


def next_run(last: Run | None, now: datetime) -> datetime:
    """When a nightly task runs next."""
    if last is not None and last.problem:
        return max(now, datetime.fromisoformat(last.at) + AGAIN)
    if due(last, now):
        return now
    local = now.astimezone(JAPAN)
    at = local.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return at if at > local else at + timedelta(days=1)


def look(folders: Iterable[Path]) -> str:
    """How the files of some folders look: otherwise as soon as one is written, added or removed. Reads none of them."""
    seen = []
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            told = file.stat()
            seen.append(f"{file}:{told.st_mtime_ns}:{told.st_size}:{told.st_ino}")
    return "\n".join(seen)
