"""`kiban migrate person`: people whom the owner picks, in the legacy files and in the database, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiban.cli.migrating import PlanArgument, UnloadOption, WorkOption, opened


def person(
    plan: PlanArgument,
    number: Annotated[
        list[str], typer.Argument(metavar="宛名番号", help="One or more, with or without leading zeros.")
    ],
    unload: UnloadOption = None,
    work: WorkOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where the pages go. Default: the folder people in the work folder."
        ),
    ] = None,
) -> None:
    """Show people side by side: what the legacy files say, what it was converted to, what the database holds.

    One page for each person, item by item, for the owner of the data who picks the people. The pages hold personal data and
    only you can read them; the database logs who was looked at.
    """
    from kiban import migration
    from kiban.cli import progress
    from kiban.kernel import Problem

    with progress.shown() as tell:
        given, place = opened(plan, unload, work, tell, "read")
        done = {
            one.stage.name: one.out for one in migration.status(migration.STAGES, given, place) if one.out
        }
    if "load" not in done:
        raise Problem(
            "stage-before",
            "nothing is loaded on the present inputs, so there is nothing to hold the files against",
            fix="run kiban migrate run first",
        )
    folder = out or place.folder / "people"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with place.open_store() as database:
        for each in number:
            page = migration.people_page(
                given, done["decode"], done["cleanse"] / "excluded.parquet", database, each
            )
            file = folder / f"{each.strip().zfill(15)}.html"
            file.touch(mode=0o600)
            file.write_text(page, encoding="utf-8")
            typer.echo(str(file))
