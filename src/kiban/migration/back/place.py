"""What the way back stands on: the stages that are done, the load, and the maps; and the folder that appears when all is done."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kiban import store
from kiban.characters import CodePage
from kiban.kernel import Actor, Problem
from kiban.migration.back.again import answers
from kiban.migration.back.desk import Desk
from kiban.migration.back.forms import Form
from kiban.migration.back.paper import Paper
from kiban.migration.back.tasks import paper_of
from kiban.migration.back.widths import widths
from kiban.migration.back.write import Tools
from kiban.migration.mapping import Map, load_maps
from kiban.migration.plan import Plan
from kiban.migration.sources import page_of
from kiban.migration.stages.land import FILES
from kiban.migration.stages.load import migrator
from kiban.migration.stages.transform import EXCLUDED
from kiban.standard import Edition
from kiban.store import Store

_NEEDED = (("land",), ("decode",), ("load", "apply"))
"""Stages, or of a delta those that stand for them."""


@dataclass(frozen=True)
class Place:
    """What the way back stands on.

    Attributes:
        plan: of the migration.
        landed, decoded: the landed files, and what was decoded from them.
        excluded: the legacy rows that were left out; None where cleansing is not done.
        load: number of the event of the load.
        maps: of all targets.
        pages: code pages by file of the plan, the same one for all that share it.
        actor: the migration, whose own events do not go back.
    """

    plan: Plan
    landed: Path
    decoded: Path
    excluded: Path | None
    load: int
    maps: tuple[Map, ...]
    pages: Mapping[str, CodePage]
    actor: Actor

    def tools(self, form: Form, at: Desk, said: Mapping[str, str], *, kept: bool) -> Tools:
        """What writing the records of a form takes; see `Tools`."""
        known = {made.register: answers(made, self.decoded) for made in form.maps}
        return Tools(self.paper(form), known, widths(at, form), said, kept)

    def paper(self, form: Form) -> Paper:
        """How the records of a form are written."""
        return paper_of(self.pages, self.plan, form, self.landed)

    @property
    def editions(self) -> list[Edition]:
        """Of the registers that were filled, each once."""
        return list({made.edition.id: made.edition for made in self.maps}.values())


def opened_place(plan: Plan, inputs: Mapping[str, Path], opened: Store) -> Place:
    """Look whether there is a load to go back from.

    Raises:
        Problem: `stage-before` where a stage is not done, `back-not-loaded` where the database does not hold its load, `back-edition`
            where another edition than the plan's came into force since.
        Problems: those of the maps.
    """
    missing = [names[0] for names in _NEEDED if not inputs.keys() & set(names)]
    if missing:
        what = f"not done on the present inputs: {', '.join(missing)}"
        raise Problem(
            "stage-before",
            what,
            fix="run kiban migrate run … first; the way back begins where the load ended",
        )
    load = store.last_load(opened, migrator(plan))
    if load is None:
        fix = "name the database that was loaded"
        raise Problem("back-not-loaded", "this database holds no load of the plan", plan.id, fix)
    maps = load_maps(plan)
    in_force = opened.applied()
    for edition in {made.edition.id: made.edition for made in maps}.values():
        if in_force.get(edition.id) != edition.edition:
            what = f"{in_force.get(edition.id)} is in force, the plan filled {edition.edition}"
            raise Problem(
                "back-edition",
                what,
                edition.id,
                "write maps for the edition in force, and name it in the plan",
            )
    excluded = inputs["cleanse"] / EXCLUDED if "cleanse" in inputs else None
    return Place(
        plan, inputs["land"] / FILES, inputs["decode"], excluded, load, maps, _pages(plan), migrator(plan)
    )


def check_day(plan: Plan, today: date) -> None:
    """Refuse when the point of no return lies behind.

    Raises:
        Problem: `return-over`.
    """
    if plan.return_until is not None and today > plan.return_until:
        raise Problem(
            "return-over",
            f"the way back was open until {plan.return_until}, which officials decided; today is {today}",
            "plan.yaml return_until",
            "let them decide anew and move return_until, or say --beyond where they have decided so",
        )


def _pages(plan: Plan) -> dict[str, CodePage]:
    """The code page of each file; files of one system that are written alike share it, and what is made of it."""
    known: dict[tuple[str, str], CodePage] = {}
    for file in plan.files:
        key = (file.system, file.code_page)
        known[key] = known[key] if key in known else page_of(plan, file)
    return {file.id: known[file.system, file.code_page] for file in plan.files}


@contextmanager
def finished(out: Path) -> Iterator[tuple[Path, Path]]:
    """A folder that appears under its name when everything in it is on the disk, and a folder beside it to work in.

    Raises:
        Problem: `out-not-empty`.
    """
    out = out.absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Problem(
            "out-not-empty", "the folder is not empty", str(out), "name an empty or new folder with --out"
        )
    making = out.with_name(f".{out.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    (making / "out").mkdir(parents=True)
    (making / "out").chmod(0o700)  # it will hold people
    (making / "spool").mkdir()
    try:
        yield making / "out", making / "spool"
        for path in (*(making / "out").iterdir(), making / "out"):
            _sync(path)
        if out.exists():
            out.rmdir()
        (making / "out").rename(out)
        _sync(out.parent)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def tell(path: Path, told: Mapping[str, Any]) -> None:
    """Write what was found, the same for the same."""
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
