"""A publisher killed at any step leaves no half set; the same call ends at the same set, on a folder and on S3."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kiban import sets

from .object_store import SECRET, ObjectStore
from .publisher import SCRIPT, draft_of, said, three_parts

STEPS = 30
"""More than a publisher of three parts takes."""


@dataclass
class Publisher:
    """A process that publishes in children which are killed."""

    shelf: sets.Shelf
    process: subprocess.Popen[str]

    def publish(self, draft: sets.Draft, step: int, moment: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(step, moment, draft.set_id, draft.epoch, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().strip()


@pytest.fixture(params=["folder", "s3"])
def killable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Publisher]:
    environment = dict(os.environ)
    if request.param == "folder":
        shelf = sets.open_shelf(tmp_path / "shelf", make=True)
    else:
        store: ObjectStore = request.getfixturevalue("object_store")
        shelf = store.shelf(uuid.uuid4().hex)
        environment |= {
            "AWS_ENDPOINT_URL": store.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "kiban",
        }
        environment |= {"AWS_SECRET_ACCESS_KEY": SECRET}
    command = [sys.executable, str(SCRIPT), "killed", shelf.place]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Publisher(shelf, process)


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_a_publisher_killed_at_any_step_leaves_no_half_set_and_goes_on(
    killable: Publisher, scratch: Path, moment: str
) -> None:
    shelf, parts = killable.shelf, three_parts(big=moment == "during")
    whole = sets.publish(
        sets.open_shelf("memory:"),
        draft_of(said("x", 1).set_id, 1),
        parts,
    )
    ended = []
    for step in range(1, STEPS):
        draft = draft_of(said("x", 1).set_id, step)
        ended.append(killable.publish(draft, step, moment))
        left = sets.contents(shelf, "killed")
        seen = [manifest for manifest in left.sets if manifest.set_id == draft.set_id]
        assert (left.lacking, left.problems) == ({}, ())
        assert [one.set_id for one in left.unfinished] == (
            [] if seen or not claimed(shelf, draft) else [draft.set_id]
        )
        manifest = sets.publish(shelf, draft, parts)
        assert seen in ([], [manifest])
        assert sets.verify(shelf, manifest, scratch=scratch, unsigned=True) == ()
        assert replace(manifest, set_id=whole.set_id, epoch=1) == whole
        if ended[-1] == "done":
            break
    assert ended.count("killed") >= (3 if moment == "during" else 10)
    assert sets.contents(shelf).unfinished == ()


def claimed(shelf: sets.Shelf, draft: sets.Draft) -> bool:
    return shelf.size(f"parts/{draft.set_id}/claim.json") is not None


def test_what_a_killed_publisher_left_is_found_and_taken_away(killable: Publisher) -> None:
    draft = draft_of(said("x", 1).set_id, 1)
    assert killable.publish(draft, 2, "during") == "killed"
    [left] = sets.contents(killable.shelf).unfinished
    assert left == draft
    sets.discard(killable.shelf, left)
    assert killable.shelf.sizes("") == {}
    if killable.shelf.folder is not None:
        assert [path for path in killable.shelf.folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("most", [50, 600, 3_000])
def test_a_full_disk_is_refused_by_name_and_the_set_is_finished_when_there_is_room(
    folder: sets.Shelf, scratch: Path, most: int
) -> None:
    draft = draft_of(said("x", 1).set_id, 1)
    command = [sys.executable, str(SCRIPT), "full", folder.place, draft.set_id, str(most)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["shelf-not-writable"]
    left = sets.contents(folder)
    assert (left.sets, left.problems) == ((), ())
    manifest = sets.publish(folder, draft, three_parts())
    assert sets.verify(folder, manifest, scratch=scratch, unsigned=True) == ()
    assert sets.contents(folder).unfinished == ()
