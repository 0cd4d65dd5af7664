"""What a stage of the migration is: the one shape they all share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiban.migration.plan import Plan
from kiban.store import Store

Progress = Callable[[str, int, int], None]
"""Called with a step, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Gate:
    """Whether the next stage may begin.

    Attributes:
        open: whether it may.
        reasons: why not and what to do next, in Japanese, one sentence each; empty where open.
    """

    open: bool
    reasons: tuple[str, ...] = ()


OPEN = Gate(True)


def gate(reasons: Sequence[str]) -> Gate:
    """The gate that these reasons close: open where there are none.

    >>> gate([]).open, gate(["未決定の外字が2字あります。"]).open
    (True, False)
    """
    return Gate(not reasons, tuple(reasons))


@dataclass(frozen=True)
class Outcome:
    """What a stage found.

    Attributes:
        summary: figures and names that JSON can hold; the same for the same inputs, so no times and no paths; no personal data.
            Entries whose value is a number are shown by `kiban migrate status`.
        gate: see `Gate`.
    """

    summary: Mapping[str, Any]
    gate: Gate = OPEN


@dataclass(frozen=True)
class Context:
    """What a stage works with.

    Attributes:
        plan: the plan, with `plan.unload` set.
        inputs: the finished output folders of the stages it needs, and of those it wants that are done, by their names; read-only.
        out: an empty folder of its own; everything it leaves there becomes its output, under the same relative names.
        units: a folder that survives a crash, for pieces of work worth keeping; see `engine.unit`.
        progress: see `Progress`.
        open_store: opens the integrated database; called only by stages that need it, used as a context manager.
    """

    plan: Plan
    inputs: Mapping[str, Path]
    out: Path
    units: Path
    progress: Progress
    open_store: Callable[[], Store]

    @contextmanager
    def spill(self) -> Iterator[Path]:
        """A folder for what does not fit into memory; what an earlier run left there goes, and so does this when it ends."""
        folder = self.units / "spill"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def no_files(_plan: Plan) -> Sequence[Path]:
    """Says that a stage reads no file besides the outputs of the stages before it."""
    return ()


def whole_plan(plan: Plan) -> Any:
    """Says that a stage depends on everything the plan says."""
    return plan.as_data()


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: as on the command line and in the work folder.
        title_ja: as officials read it.
        needs: names of the stages whose outputs it reads.
        run: does the work.
        version: to be raised whenever the same inputs may give other outputs.
        reads: the files of the project or the unload that it reads, besides the outputs it needs. A missing one is a problem of the
            stage itself, so it may be named here.
        parts: what of the plan it depends on, as JSON can hold it.
        wants: names of stages whose outputs it reads where they are done, and does without where they are not.
        looks: whether it only looks at what there is. Such a stage runs behind a closed gate too, so that one run tells everything
            that is wrong; every other stage needs the gates of all stages before it open.
        stands_for: the stage whose place it takes, so that stages which need that one find its output under that name; "" for none.
        outside: what it leaves outside the work folder, such as rows in a database, as text, "" where it is gone; asked before the
            stage is skipped, so that a lost database is loaded again. None where it leaves nothing.
    """

    name: str
    title_ja: str
    needs: tuple[str, ...]
    run: Callable[[Context], Outcome]
    version: str = "1"
    reads: Callable[[Plan], Sequence[Path]] = field(default=no_files)
    parts: Callable[[Plan], Any] = field(default=whole_plan)
    wants: tuple[str, ...] = ()
    looks: bool = False
    stands_for: str = ""
    outside: Callable[[Context], str] | None = None

    @property
    def called(self) -> str:
        """The name by which other stages need it."""
        return self.stands_for or self.name
