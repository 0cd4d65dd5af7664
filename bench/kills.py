"""kill -9 of publisher, broker and consumer at random moments, on three nodes, the leader among them: nothing lost or doubled."""

from __future__ import annotations

import os
import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from bench import city, measure
from bench.killed import Stage
from kiban.store import Store

_RUNS = int(os.environ.get("RUNS", "1000"))
_TARGETS = ("publisher", "consumer", "leader", "node")


@dataclass(frozen=True)
class Outcome:
    """What a run of kills left.

    Attributes:
        kills: how often each was killed.
        events: how many changes were made meanwhile.
        lost: changes without an effect, or whose row is not there.
        doubled: messages with more than one effect.
        half: rows that are not those of the newest change of their person.
    """

    kills: dict[str, int]
    events: int
    lost: int
    doubled: int
    half: int


def run(residents: int) -> None:
    """RUNS kills (default 1,000), then everything is held against the registers."""
    given = city.given(residents)
    folder = given.home / "kills"
    shutil.rmtree(folder, ignore_errors=True)
    with city.loaded(residents) as opened:
        found = kills(opened, folder, given.home, _RUNS, random.Random(1))
    for name, count in found.kills.items():
        measure.result(f"kill -9 of {name}", count, "times")
    measure.result("changes made meanwhile", found.events, "changes")
    for what in ("lost", "doubled", "half"):
        measure.result(f"{what}", getattr(found, what), "messages", at_most=0)


def kills(opened: Store, folder: Path, home: Path, count: int, chance: random.Random) -> Outcome:
    """Kill at random while changes are made; then let all come to rest and look.

    Args:
        opened: the registers, with some people in them.
        folder: empty; for nodes and replica.
        home: of the registers.
        count: how many kills.
        chance: decides what and when.
    """
    times = dict.fromkeys(_TARGETS, 0)
    with Stage(opened, folder, home) as stage:
        for _ in range(count):
            stage.change(chance.randint(1, 5))
            time.sleep(chance.uniform(0.0, 0.2))
            target = chance.choice(_TARGETS)
            times[target] += 1
            stage.kill(target, chance)
            stage.change(chance.randint(0, 3))
            stage.restart()
        stage.come_to_rest()
        lost, doubled, half = stage.differences()
        return Outcome(times, len(stage.changes), lost, doubled, half)
