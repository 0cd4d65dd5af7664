"""kill -9 of publisher, consumer and broker, the leader of three nodes among them, at random moments."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from bench.kills import kills
from tests.store.conftest import KEY, move_in, person

from kiban.store import Store


def test_nothing_is_lost_or_doubled_by_kill_9(
    city: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "actor.key").write_bytes(KEY)
    (home / "actor.key").chmod(0o600)
    monkeypatch.chdir(Path(__file__).parents[3])
    for number in range(1, 6):
        move_in(city, person(str(number)))
    found = kills(city, tmp_path / "kills", home, 8, random.Random(3))
    assert sum(found.kills.values()) == 8 and found.events >= 8
    assert (found.lost, found.doubled, found.half) == (0, 0, 0)
