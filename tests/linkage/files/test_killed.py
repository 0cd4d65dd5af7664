"""Who publishes or takes and is killed at any moment leaves nothing by half; the same call goes on. Who is second finds the set."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.linkage.files.conftest import EXAMPLE, NOW, contract, move_in, rename

from kiban import sets
from kiban.linkage import Contract, Replica
from kiban.linkage.files import CsvCodec, Intake, about_of, publish_delta, publish_full, take_newest, take_set
from kiban.linkage.files.intake import held_rows
from kiban.store import Store

Desks = Callable[..., Any]
ROOT = Path(__file__).parents[3]


@contextmanager
def working(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A worker; see worker.py."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    command = [sys.executable, str(Path(__file__).with_name("worker.py")), *map(str, arguments)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    ) as process:
        yield process


def asked(process: subprocess.Popen[str], *words: object) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    print(*words, file=process.stdin, flush=True)
    return process.stdout.readline().strip()


def test_a_publisher_killed_at_any_step_leaves_no_half_set_and_goes_on(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, scratch: Path, tmp_path: Path
) -> None:
    for number in range(1, 30):
        event = move_in(city, number)
    steps = [(step, "making") for step in (1, 2)]
    steps += [(step, moment) for moment in ("before", "after") for step in range(1, 26, 4)]
    dsn = (city.server.owner_dsn, city.server.app_dsn)
    ended = []
    with working("publish", *dsn, folder.place, tmp_path / "making") as worker:
        for place, (step, moment) in enumerate(steps, 1):
            kind = "full" if place % 2 else "delta" if place > 2 else "full"
            ended.append(asked(worker, step, moment, kind))
            left = sets.contents(folder, flow.flow)
            assert (left.lacking, left.problems) == ({}, ())
            done = (publish_full if kind == "full" else publish_delta)(desk(folder), flow)
            assert done.about.event == event
            assert sets.verify(folder, done.manifest, scratch=scratch, unsigned=True) == ()
            assert sets.contents(folder, flow.flow).unfinished == ()
            assert about_of(folder, done.manifest, scratch) == done.about
            event = rename(city, place, f"改　{'一二三四五六七八九'[place % 9]}")
    assert ended.count("killed") >= 9 and "failed" not in ended
    positions = sets.positions(folder, flow.flow)
    assert len(positions) == len(steps)


def test_a_taker_killed_at_any_moment_holds_the_old_or_the_new_and_goes_on(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, scratch: Path, tmp_path: Path
) -> None:
    for number in range(1, 60):
        move_in(city, number)
    draw, place = random.Random(5), tmp_path / "replica"
    intake = Intake(CsvCodec(EXAMPLE), scratch, lambda: NOW, unsigned=True)
    publish_full(desk(folder), flow)
    with Replica.open(place, flow) as replica:
        held = take_newest(replica, folder, intake)[-1].digest
    ended = []
    with working("take", folder.place, place, scratch) as worker:
        for number in range(1, 13):
            rename(city, number, "改　花子")
            whole = number % 2 == 0
            done = (publish_full if whole else publish_delta)(desk(folder), flow)
            ended.append(asked(worker, draw.randrange(5, 120)))
            with Replica.open(place, flow) as replica:
                seen = held_rows(replica)[1]
                after = take_newest(replica, folder, intake)
                new = after[-1].digest if after else seen
                assert seen in (held, new)
                assert not whole or new == done.about.digest
                applied = [
                    one for one in sets.receipts(folder, done.manifest.set_id) if one.state == "applied"
                ]
                if (
                    not applied
                ):  # killed between the last row and the receipt: it is filed when the set comes again
                    assert take_set(replica, folder, done.manifest, intake).repeated
                held = new
    assert ended.count("killed") >= 3 and "failed" not in ended


def test_of_publishers_at_one_instant_one_makes_the_set_and_all_find_it(
    city: Store, flow: Contract, folder: sets.Shelf, scratch: Path, tmp_path: Path
) -> None:
    for number in range(1, 10):
        move_in(city, number)
    dsn = (city.server.owner_dsn, city.server.app_dsn)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(working("race", *dsn, folder.place, tmp_path / f"making{number % 3}"))
            for number in range(4)
        ]
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline().strip() == "ready"
        for worker in workers:
            assert worker.stdin is not None
            print(file=worker.stdin, flush=True)
        told = [worker.stdout.readline().split() for worker in workers if worker.stdout]
    assert sorted(word for word, _ in told) == ["made"] + ["there"] * 3
    [place] = sets.positions(folder, flow.flow)
    manifest = sets.find(folder, flow.flow, *place)
    assert {set_id for _, set_id in told} == {manifest.set_id}
    assert sets.verify(folder, manifest, scratch=scratch, unsigned=True) == ()
    assert sets.contents(folder).unfinished == ()


@pytest.mark.parametrize("flows", [40])
def test_many_flows_published_at_one_instant_have_names_of_their_own(
    flows: int, city: Store, library: Any, desk: Desks, folder: sets.Shelf
) -> None:
    """Every set names what it carries; none is another's, though all are of one instant."""
    move_in(city, 1)
    many = [contract(library, id=f"flow-{number}") for number in range(flows)]
    with ThreadPoolExecutor(4) as workers:
        done = list(workers.map(lambda one: publish_full(desk(folder), one), many))
    assert len({one.manifest.set_id for one in done}) == flows
    assert (
        [one.manifest.flow for one in done] == [one.about.flow for one in done] == [one.flow for one in many]
    )
    found = sets.contents(folder)
    assert len(found.sets) == flows and (found.lacking, found.problems, found.unfinished) == ({}, (), ())
