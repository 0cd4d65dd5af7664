"""The first acts of the demonstration: a city is made, unloaded as its mainframes would, and migrated."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from kiban import main, migration, store, town
from kiban.cli import progress
from kiban.cli.demo_stage import OPERATOR, REFERENCE_DAY, console, say, timed
from kiban.kernel import Problem
from kiban.settings import Settings
from kiban.store import Store


def made(given: Settings, residents: int, seed: int, city: str) -> Path:
    """The generated city; made only where the same one does not lie there already."""
    folder = given.home / f"town-{city}-{residents}-{seed}"
    editions = main.library(given=given)
    if (folder / "town.json").exists():
        console.print(f"[dim]the city of an earlier run is used again: {folder}[/dim]", highlight=False)
        return folder
    with timed("make the city"), progress.shown() as tell:
        town.make(
            folder,
            resident=editions.edition("resident"),
            nonresident=editions.edition("nonresident_addressee"),
            tax=editions.edition("individual_resident_tax"),
            residents=residents,
            seed=seed,
            city=city,
            population=None,
            as_of=REFERENCE_DAY,
            replace=True,
            progress=lambda done, total: tell("town", done, total),
        )
    return folder


def migrate(given: Settings, folder: Path) -> Path:
    """The city from its mainframes' files into the database, with every proof on the way.

    Returns:
        The page of the sign-off packet.

    Raises:
        Problem: `demo-gate` where a stage did not come through; its reasons are printed before.
    """
    old = folder.with_name(folder.name.replace("town-", "old-", 1))
    shutil.rmtree(old, ignore_errors=True)
    with (
        timed("unload it as its mainframes would (JEF, KEIS, EBCDIC, packed, CP932)"),
        progress.shown() as tell,
    ):
        town.unload(folder, old, progress=lambda done, total: tell("unload", done, total))
    plan = migration.load_plan(old / "project", old / "unload", main.library(given=given))
    place = given.home / "migrations" / old.name.replace("old-", "", 1)
    place.parent.mkdir(exist_ok=True)
    with timed("kiban migrate run: from the files to the packet"), progress.shown() as tell:
        work = migration.Work(place, lambda: main.open_store(given), tell, lambda: datetime.now(UTC))
        results = migration.run(migration.STAGES, plan, work)
        page = migration.hand_over(plan, results, work)
        seconds = migration.times(results, work)
    for one in results:
        figures = "  ".join(
            f"{name} {value:,}" for name, value in (one.summary or {}).items() if isinstance(value, int)
        )
        opened = "開" if one.gate and one.gate.open else "閉"
        say(
            f"  {one.stage.title_ja}（{one.stage.name}） {seconds.get(one.stage.name, 0):.1f} s ゲート{opened}  [dim]{figures}[/dim]"
        )
        for reason in one.gate.reasons if one.gate else ():
            say(f"    → {reason}")
    if page is None or results[-1].stage.name != "signoff" or "reconcile" not in seconds:
        raise Problem(
            "demo-gate", "the migration did not come through to its packet", fix="see the gates above"
        )
    return page


def load_nonresidents(opened: Store, folder: Path) -> None:
    """The register of non-residents, which no mainframe of the sample holds: it comes from the town itself."""
    business = "nonresident_addressee"
    store.apply(opened, opened.library.edition(business), OPERATOR)
    parts = [part for part in store.folder_parts(opened, folder) if part.register.startswith(f"{business}.")]
    with timed(f"load {sum(part.rows for part in parts):,} non-residents"), progress.shown() as tell:
        store.import_arrow(opened, parts, OPERATOR, progress=tell)
