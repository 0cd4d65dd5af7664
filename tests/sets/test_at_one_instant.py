"""Ten thousand publishers of one instant never collide; of those who want one place, one has it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kiban import sets
from kiban.kernel import Problem

from .object_store import ObjectStore
from .publisher import SCRIPT, said, tiny


@pytest.fixture
def crowded() -> Iterator[Path]:
    """A folder in memory, where there is some: nobody waits for a disk ten thousand times."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def run(mode: str, folder: Path, flows: tuple[str, ...], count: int) -> list[list[str]]:
    """What two processes of eight threads print."""
    commands = [[sys.executable, str(SCRIPT), mode, str(folder), flow, str(count)] for flow in flows]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    outputs = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(flows)
    return outputs


def test_ten_thousand_sets_of_one_instant_are_ten_thousand_sets(crowded: Path) -> None:
    one, other = run("many", crowded, ("one", "other"), 5_000)
    found = sets.contents(sets.open_shelf(crowded))
    assert len({*one, *other}) == 10_000
    assert {manifest.set_id for manifest in found.sets} == {*one, *other}
    assert (found.unfinished, found.lacking, found.problems) == ((), {}, ())
    for manifest in found.sets:  # nobody was given the bytes of another
        assert (crowded / f"parts/{manifest.set_id}/000001").read_text() == manifest.set_id


def test_of_ten_thousand_who_want_one_place_one_has_it(crowded: Path) -> None:
    won = run("race", crowded, ("same", "same"), 5_000)
    [manifest] = sets.contents(sets.open_shelf(crowded)).sets
    assert [*won[0], *won[1]] == [manifest.set_id]
    assert (crowded / f"parts/{manifest.set_id}/000001").read_text() == manifest.set_id
    assert [path.name for path in (crowded / "parts").iterdir()] == [manifest.set_id]


@pytest.mark.parametrize("kind", ["memory", "s3"])
def test_one_of_many_has_the_place_on_other_shelves_too(kind: str, request: pytest.FixtureRequest) -> None:
    if kind == "memory":
        shelf = sets.open_shelf("memory:")
    else:
        store: ObjectStore = request.getfixturevalue("object_store")
        shelf = store.shelf(uuid.uuid4().hex)

    def tried(epoch: int) -> str | None:
        draft = said("flow", epoch)
        try:
            return sets.publish(shelf, draft, [tiny(draft.set_id)]).set_id
        except Problem as problem:
            assert problem.code == "set-exists", problem
            return None

    with ThreadPoolExecutor(32) as workers:
        won = [one for one in workers.map(tried, [1 + n % 10 for n in range(320)]) if one]
    found = sets.contents(shelf)
    assert sorted(won) == sorted(manifest.set_id for manifest in found.sets)
    assert len(won) == 10
    assert (found.unfinished, found.lacking, found.problems) == ((), {}, ())
