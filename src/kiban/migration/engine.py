"""Runs the stages like a build: what has been done on these inputs stands, what a crash cut leaves no trace.

A stage's key is the digest of its code version, the parts of the plan and the files it reads, and the outputs it needs. Its output is
written to a temporary folder and renamed, so it is there whole or not at all. Times are in the journal and never in an output.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from errno import EDQUOT, ENOSPC
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from kiban.kernel import Problem, Problems
from kiban.migration.digests import Hashes, digest_of, folder_digest
from kiban.migration.plan import Plan
from kiban.migration.stage import Context, Gate, Outcome, Progress, Stage
from kiban.store import Store

Clock = Callable[[], datetime]
SUMMARY, DONE = "summary.json", "done.json"


@dataclass(frozen=True)
class Result:
    """How a stage stands.

    Attributes:
        stage: which.
        state: `done` on the present inputs, `stale` where it was done on others, `open` where it never was.
        key: of the present inputs; "" where a stage it needs is not done.
        out: folder of the output; None where not done.
        summary, gate: what it found; an empty summary and None where not done.
        output: digest of everything it left.
        fresh: whether this run made it, instead of finding it.
    """

    stage: Stage
    state: str
    key: str = ""
    out: Path | None = None
    summary: Mapping[str, Any] | None = None
    gate: Gate | None = None
    output: str = ""
    fresh: bool = False


@dataclass(frozen=True)
class Work:
    """A work folder and what running in it takes.

    Attributes:
        folder: made where it is missing.
        open_store: see `Context`.
        progress: see `Progress`.
        clock: says what time it is; only the journal asks.
    """

    folder: Path
    open_store: Callable[[], Store]
    progress: Progress
    clock: Clock

    def note(self, event: str, stage: str, key: str, **more: Any) -> None:
        """Add a line to journal.jsonl."""
        line = {"at": self.clock().isoformat(), "event": event, "stage": stage, "key": key, **more}
        with (self.folder / "journal.jsonl").open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(line, ensure_ascii=False) + "\n")


def run(
    stages: Sequence[Stage], plan: Plan, work: Work, *, through: str | None = None, only: str | None = None
) -> list[Result]:
    """Run the stages in order; behind a closed gate only those that look (see `Stage.looks`).

    Args:
        stages: in order; each needs only stages before it.
        plan: read by `load_plan`.
        work: where to work.
        through: the last stage to run; None for all.
        only: run just this stage; those before it must be done on the present inputs.

    Returns:
        What was run or found, in order; stages that had to wait are left out.

    Raises:
        Problem: `stage-unknown`, `stage-before` where `only` cannot begin, `work-busy` where another run holds the folder, `disk-full`.
        Problem, Problems: what a stage refuses; nothing of it stays.
    """
    last = _known(stages, only or through)
    with _alone(work.folder):
        hashes = Hashes(work.folder / "hashes.json")
        done: dict[str, Result] = {}
        for stage in stages[: last + 1]:
            waiting = only is not None and stage.name != only
            if not _may(stage, done):
                continue
            result = _standing(stage, plan, work, done, hashes)
            if result.state != "done" and waiting:
                raise _before(only or "", stage)
            if result.state != "done":
                result = _make(stage, plan, work, done, result.key)
            elif not waiting:
                work.note("skipped", stage.name, result.key)
            done[stage.called] = result
        hashes.keep()
        return list(done.values())


def status(stages: Sequence[Stage], plan: Plan, work: Work) -> list[Result]:
    """How every stage stands on the present inputs, without running anything.

    Stages that a closed gate keeps waiting, or that need one that is not done, are `open`, or `stale` where they were done before.
    """
    if not work.folder.is_dir():
        return [Result(stage, "open") for stage in stages]
    hashes = Hashes(work.folder / "hashes.json")
    done: dict[str, Result] = {}
    results = []
    for stage in stages:
        result = _standing(stage, plan, work, done, hashes) if _may(stage, done) else _unready(stage, work)
        results.append(result)
        if result.state == "done":
            done[stage.called] = result
    return results


def _may(stage: Stage, done: Mapping[str, Result]) -> bool:
    """Whether a stage has what it needs, and no closed gate before it that it has to wait for."""
    shut = any(one.gate is not None and not one.gate.open for one in done.values())
    return all(name in done for name in stage.needs) and (stage.looks or not shut)


def _known(stages: Sequence[Stage], name: str | None) -> int:
    names = [stage.name for stage in stages]
    if name is not None and name not in names:
        raise Problem("stage-unknown", f"there is no stage {name}", fix=f"the stages are {', '.join(names)}")
    return len(names) - 1 if name is None else names.index(name)


def _before(only: str, stage: Stage) -> Problem:
    return Problem(
        "stage-before",
        f"the stage {only} cannot begin: {stage.name} is not done on the present inputs",
        fix=f"run with --through {only}, or the stage {stage.name} first",
    )


def _key(stage: Stage, plan: Plan, done: Mapping[str, Result], hashes: Hashes) -> str:
    files = {_name(path, plan): hashes.of(path) for path in stage.reads(plan)}
    needs = {name: done[name].output for name in (*stage.needs, *stage.wants) if name in done}
    return digest_of([stage.name, stage.version, stage.parts(plan), files, needs])[:20]


def _name(path: Path, plan: Plan) -> str:
    for folder in (plan.unload, plan.folder):
        if path.is_relative_to(folder):
            return f"{'unload' if folder == plan.unload else 'project'}/{path.relative_to(folder).as_posix()}"
    return path.as_posix()


def _place(work: Work, stage: Stage, key: str) -> Path:
    return work.folder / "stages" / stage.name / key


def _unready(stage: Stage, work: Work) -> Result:
    before = work.folder / "stages" / stage.name
    return Result(stage, "stale" if before.is_dir() and any(before.glob("*/" + DONE)) else "open")


def _standing(stage: Stage, plan: Plan, work: Work, done: Mapping[str, Result], hashes: Hashes) -> Result:
    """The stage as it is found on the present inputs."""
    key = _key(stage, plan, done, hashes)
    out = _place(work, stage, key)
    if not (out / DONE).is_file():
        return Result(stage, _unready(stage, work).state, key)
    told = json.loads((out / DONE).read_text(encoding="utf-8"))
    if stage.outside is not None and stage.outside(_context(stage, plan, work, done, out)) != told["outside"]:
        return Result(stage, "stale", key)
    return _read(stage, key, out, told)


def _read(stage: Stage, key: str, out: Path, told: Mapping[str, Any], *, fresh: bool = False) -> Result:
    summary = json.loads((out / SUMMARY).read_text(encoding="utf-8"))
    found = Gate(summary["gate"]["open"], tuple(summary["gate"]["reasons"]))
    return Result(stage, "done", key, out, summary["summary"], found, told["output"], fresh)


def _context(stage: Stage, plan: Plan, work: Work, done: Mapping[str, Result], out: Path) -> Context:
    inputs = {
        name: found.out for name, found in done.items() if name in (*stage.needs, *stage.wants) and found.out
    }
    units = work.folder / "units" / stage.name
    return Context(plan, inputs, out, units, work.progress, work.open_store)


def _make(stage: Stage, plan: Plan, work: Work, done: Mapping[str, Result], key: str) -> Result:
    place = _place(work, stage, key)
    making = place.with_name(f".{key}.making")
    work.note("started", stage.name, key)
    begun = work.clock()
    try:
        with _disk(making):
            for old in (making, place):
                shutil.rmtree(old, ignore_errors=True)
            making.mkdir(parents=True)
            context = _context(stage, plan, work, done, making)
            outcome = stage.run(context)
            told = _finish(making, outcome, stage.outside(context) if stage.outside else "")
            making.rename(place)
            _sync(place.parent)
    except (Problem, Problems) as problem:
        shutil.rmtree(making, ignore_errors=True)
        codes = [one.code for one in (problem.problems if isinstance(problem, Problems) else [problem])]
        work.note("refused", stage.name, key, codes=sorted(set(codes)))
        raise
    for other in place.parent.iterdir():
        if other != place:
            shutil.rmtree(other, ignore_errors=True)
    seconds = round((work.clock() - begun).total_seconds(), 1)
    work.note("finished", stage.name, key, seconds=seconds, gate=outcome.gate.open)
    return _read(stage, key, place, told, fresh=True)


def _finish(making: Path, outcome: Outcome, outside: str) -> Mapping[str, Any]:
    """Write what was found and the digest of everything; done.json last, and everything on the disk."""
    found = {"open": outcome.gate.open, "reasons": list(outcome.gate.reasons)}
    _write(making / SUMMARY, {"summary": dict(outcome.summary), "gate": found})
    told = {"output": folder_digest(making), "outside": outside}
    _write(making / DONE, told)
    for path in making.rglob("*"):
        _sync(path)
    return told


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        shutil.rmtree(folder, ignore_errors=True)
        raise Problem(
            "disk-full",
            "the disk is full; what this stage had written is removed and all finished stages stand",
            str(folder.parent),
            "free some space, or take a work folder on a larger disk, and run again: it goes on here",
        ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the work folder; the lock ends with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a", encoding="utf-8") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except OSError as error:
            raise Problem(
                "work-busy",
                "another run is working in this folder",
                str(folder),
                "wait for it, or name another folder with --work",
            ) from error
        yield
