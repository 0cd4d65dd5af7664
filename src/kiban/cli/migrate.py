"""`kiban migrate`: from a mainframe unload to the standard, stage by stage, with proof."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer

from kiban.cli.migrate_back import back
from kiban.cli.migrate_delta import delta
from kiban.cli.migrate_findings import findings
from kiban.cli.migrate_person import person
from kiban.cli.migrate_publish import publish
from kiban.cli.migrating import PlanArgument, UnloadOption, WorkOption, finish, opened, show

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Migrate a legacy system to the standard, with proof.

    A plan (plan.yaml) names the files, their copybooks, the maps and who answers for them. Stages run in order; what is done on
    the same inputs is not done again, and a closed gate says what to do next.""",
    epilog="""Examples:

    [b]kiban town unload town old[/b]                        a synthetic unload with its project
    [b]kiban migrate run old/project --unload old/unload[/b] all stages
    [b]kiban migrate status old/project[/b]                  where it stands
    [b]kiban migrate ledger old/project[/b]                  every value that could not be decoded
    [b]kiban migrate findings old/project[/b]                what is wrong in the data, and how to decide on it
    [b]kiban migrate person old/project 123456[/b]           one person in the files and in the database, side by side
    [b]kiban migrate delta old/project --unload newer --cut-date 2026-10-08[/b]
                                             what changed until then, subject by subject
    [b]kiban migrate back old/project --out back[/b]         what changed since the load, for the legacy system""",
)
app.command()(person)
app.command()(publish)
app.command()(delta)
app.command()(back)
app.command()(findings)


@app.command("run")
def run_(
    plan: PlanArgument,
    unload: UnloadOption = None,
    work: WorkOption = None,
    through: Annotated[str | None, typer.Option(metavar="STAGE", help="The last stage to run.")] = None,
) -> None:
    """Run the stages in order, up to the first closed gate. The same command goes on after any interruption."""
    _run(plan, unload, work, through=through)


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="inventory, land, decode, …")],
    plan: PlanArgument,
    unload: UnloadOption = None,
    work: WorkOption = None,
) -> None:
    """Run one stage alone. Those before it must be done on the present inputs."""
    _run(plan, unload, work, only=name)


@app.command()
def status(plan: PlanArgument, unload: UnloadOption = None, work: WorkOption = None) -> None:
    """Show how every stage stands on the present inputs, and what to do next."""
    from kiban import migration
    from kiban.cli import progress

    with progress.shown() as tell:
        given, place = opened(plan, unload, work, tell)
        results = migration.status(migration.STAGES, given, place)
    show(given, results)


@app.command()
def ledger(
    plan: PlanArgument,
    unload: UnloadOption = None,
    work: WorkOption = None,
    file: Annotated[str | None, typer.Option(help="Only this file of the plan.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, everything.")] = False,
    most: Annotated[int, typer.Option(help="How many lines to show.")] = 50,
) -> None:
    """List every value that could not be decoded: file, record, byte in the file, field, bytes, reason."""
    from kiban import migration
    from kiban.cli import progress
    from kiban.kernel import Problem

    with progress.shown() as tell:
        given, place = opened(plan, unload, work, tell)
        results = migration.status(migration.STAGES, given, place)
    out = next((one.out for one in results if one.stage.name == "decode"), None)
    if out is None:
        raise Problem(
            "stage-before",
            "nothing is decoded on the present inputs",
            fix="run kiban migrate run … --through decode first",
        )
    known = {one.id for one in given.files}
    if file is not None and file not in known:
        raise Problem(
            "file-unknown", f"the plan has no file {file}", fix=f"the files are {', '.join(sorted(known))}"
        )
    lines = [one for one in migration.ledger(out).to_pylist() if file in (None, one["file"])]
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["file", "record", "offset", "field", "raw", "code"])
        writer.writerows(one.values() for one in lines)
        return
    for one in lines[:most]:
        typer.echo(
            f"{one['file']} 第{one['record']:,}件 {one['offset']:,}バイト目 {one['field']} [{one['code']}] {one['raw'][:32]}"
        )
    more = f"（ほか{len(lines) - most:,}件は --csv で）" if len(lines) > most else ""
    typer.echo(f"復号できない値は{len(lines):,}件です。{more}")


def _run(plan: Path, unload: Path | None, work: Path | None, **which: str | None) -> None:
    from kiban import migration
    from kiban.cli import progress

    with progress.shown() as tell:
        given, place = opened(plan, unload, work, tell)
        results = migration.run(migration.STAGES, given, place, **which)
    finish(given, results, place)
