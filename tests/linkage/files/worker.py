"""Publishers and takers in processes of their own, that are killed at a chosen step or at any moment.

worker.py publish OWNER_DSN APP_DSN SHELF FOLDER   reads lines `STEP MOMENT KIND`; publishes in a child that dies there; prints its end
worker.py race OWNER_DSN APP_DSN SHELF FOLDER      publishes one full set at once; prints `made ID` or `there ID`
worker.py take SHELF REPLICA SCRATCH               reads lines of milliseconds; takes in a child that is killed then; prints its end
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.linkage.files.conftest import EXAMPLE, contract
from tests.sets.publisher import die_at, tell
from tests.store.conftest import KEY

from kiban import main, sets, store
from kiban.linkage import Replica
from kiban.linkage.files import CsvCodec, Desk, Intake, Protected, publish_delta, publish_full, take_newest
from kiban.settings import Settings

NOW = datetime(2026, 10, 1, 0, 30, tzinfo=UTC)


def desk(opened: store.Store, place: str, folder: str) -> Desk:
    return Desk(
        opened,
        sets.open_shelf(place),
        CsvCodec(EXAMPLE),
        Path(folder),
        lambda: NOW,
        lambda _contract, _event: Protected({}, "clear"),
    )


def publish(owner: str, app: str, place: str, folder: str) -> None:
    library = main.library(given=Settings(home=Path("unused")))
    for line in sys.stdin:
        step, moment, kind = line.split()
        child = os.fork()  # nothing here has threads yet
        if child == 0:
            with store.Store(store.Server(owner, app), library, KEY) as opened:
                work = desk(opened, place, folder)
                flow = contract(library)
                if moment == "making":
                    die_while_making(int(step))
                else:
                    die_at(int(step), moment)
                (publish_full if kind == "full" else publish_delta)(work, flow)
                os._exit(0)
        _, status = os.waitpid(child, 0)
        tell("killed" if os.WIFSIGNALED(status) else "done" if status == 0 else "failed")


def die_while_making(step: int) -> None:
    """Die before the step-th piece of a file is made."""
    calls = iter(range(1, 1_000_000))
    whole = CsvCodec.write

    def write(self: CsvCodec, feed: Any, batch: Any) -> bytes:
        if next(calls) == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(self, feed, batch)

    CsvCodec.write = write  # type: ignore[method-assign]


def race(owner: str, app: str, place: str, folder: str) -> None:
    library = main.library(given=Settings(home=Path("unused")))
    with store.Store(store.Server(owner, app), library, KEY) as opened:
        work, flow = desk(opened, place, folder), contract(library)
        tell("ready")
        sys.stdin.readline()
        done = publish_full(work, flow)
        tell(f"{'made' if done.made else 'there'} {done.manifest.set_id}")


def take(place: str, folder: str, scratch: str) -> None:
    library = main.library(given=Settings(home=Path("unused")))
    flow = contract(library)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            with Replica.open(Path(folder), flow) as replica:
                intake = Intake(CsvCodec(EXAMPLE), Path(scratch), lambda: NOW, unsigned=True)
                take_newest(replica, sets.open_shelf(place), intake)
            os._exit(0)
        time.sleep(int(line) / 1000)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        tell("killed" if os.WIFSIGNALED(status) else "done" if status == 0 else "failed")


if __name__ == "__main__":
    {"publish": publish, "race": race, "take": take}[sys.argv[1]](*sys.argv[2:])
