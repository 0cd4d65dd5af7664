"""The folder in which the files of one set are made, so that an interrupted publisher goes on with the same bytes."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import orjson

from kiban import sets
from kiban.kernel import AsOf
from kiban.linkage.files.making import MadeFile

_PLAN = "plan.json"
_PIECE = 4 * 2**20


@dataclass(frozen=True)
class Plan:
    """A set whose files are made and that is to be published.

    Attributes:
        shelf: the place where to.
        draft: of the set.
        files: of the feeds, then those that hold no rows, in the order of the parts.
    """

    shelf: str
    draft: sets.Draft
    files: tuple[MadeFile, ...]

    def sources(self, folder: Path) -> list[sets.Raw]:
        """The parts of the set."""
        return [
            sets.Raw(file.name, file.rows, lambda path=folder / file.name: _read(path))  # type: ignore[misc]
            for file in self.files
        ]


@contextmanager
def alone(folder: Path) -> Iterator[Path]:
    """The place for the files of a flow, made where it is not there; one publisher at a time works in it, others wait."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / "making"


def empty(making: Path) -> Path:
    """The place without anything in it."""
    clear(making)
    making.mkdir(mode=0o700)
    return making


def clear(making: Path) -> None:
    """Take away what was made: the plan first, so that no half of it counts."""
    (making / _PLAN).unlink(missing_ok=True)
    shutil.rmtree(making, ignore_errors=True)


def write_plan(making: Path, plan: Plan) -> None:
    """Note that all files are made. Whoever finds the plan publishes it; without one, the files are made anew."""
    draft = plan.draft
    body = {
        "shelf": plan.shelf,
        "set_id": draft.set_id,
        "flow": draft.flow,
        "kind": draft.kind,
        "epoch": draft.epoch,
        "sequence": draft.sequence,
        "previous": draft.previous,
        "valid": draft.as_of.valid,
        "known": draft.as_of.known,
        "producer": draft.producer,
        "files": [[file.name, file.feed, file.rows] for file in plan.files],
    }
    for file in plan.files:
        _settle(making / file.name)
    new = making / f"{_PLAN}.new"
    new.write_bytes(orjson.dumps(body))
    _settle(new)
    new.replace(making / _PLAN)
    _settle(making)


def read_plan(making: Path) -> Plan | None:
    """The plan of an interrupted publisher; None where there is none."""
    if not (making / _PLAN).is_file():
        return None
    body = orjson.loads((making / _PLAN).read_bytes())
    known = None if body["known"] is None else datetime.fromisoformat(body["known"])
    draft = sets.Draft(
        set_id=body["set_id"],
        flow=body["flow"],
        kind=body["kind"],
        epoch=body["epoch"],
        sequence=body["sequence"],
        previous=body["previous"],
        as_of=AsOf(date.fromisoformat(body["valid"]), known),
        producer=body["producer"],
    )
    return Plan(body["shelf"], draft, tuple(MadeFile(*file) for file in body["files"]))


def moved(plan: Plan, set_id: str, epoch: int, sequence: int, previous: int | None) -> Plan:
    """The same files for another position, with an id of its own."""
    at = replace(plan.draft, set_id=set_id, epoch=epoch, sequence=sequence, previous=previous)
    return replace(plan, draft=at)


def written(making: Path, name: str, chunks: Sequence[bytes] | Iterator[bytes]) -> MadeFile:
    """A file that holds no rows of a feed."""
    with (making / name).open("wb") as file:
        file.writelines(chunks)
    return MadeFile(name, "", 0)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _settle(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
