"""`kiban migrate delta`: a newer unload of what is loaded already, until the cut-over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from kiban.cli.migrating import PlanArgument, finish, opened, show


def delta(
    plan: PlanArgument,
    unload: Annotated[Path, typer.Option("--unload", metavar="DIR", help="Where the newer files are.")],
    cut_date: Annotated[
        datetime,
        typer.Option(
            "--cut-date", formats=["%Y-%m-%d"], metavar="DAY", help="The day whose state they show."
        ),
    ],
    work: Annotated[
        Path | None,
        typer.Option(
            "--work", metavar="DIR", help="Where to work. Default: work/delta-DAY beside the project."
        ),
    ] = None,
    through: Annotated[str | None, typer.Option(metavar="STAGE", help="The last stage to run.")] = None,
    status: Annotated[bool, typer.Option("--status", help="Only show how it stands.")] = False,
) -> None:
    """Bring a newer unload into the database that holds an older one: what differs is recorded, subject by subject.

    The stages are those of `run`, with `apply` in the place of `load`, and so is the proof. Nothing is applied where too many
    subjects have vanished, or where anybody but the migration has worked on the registers since the load.
    """
    from kiban import migration
    from kiban.cli import progress

    with progress.shown() as tell:
        given, place = opened(plan, unload, work, tell)
        newer = migration.newer(given, cut_date.date())
        if work is None:
            place = replace(place, folder=place.folder / f"delta-{newer.cut_date}")
        if status:
            results = migration.status(migration.DELTA_STAGES, newer, place)
        else:
            results = migration.run(migration.DELTA_STAGES, newer, place, through=through)
    if status:
        show(newer, results, f"delta … --cut-date {newer.cut_date}")
    else:
        finish(newer, results, place, f"delta … --cut-date {newer.cut_date}")
