"""`kiban town`: make a synthetic designated city."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kiban import main, town

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Make a synthetic designated city: real wards, towns and postal codes, and nobody real.""",
    epilog="""Examples:

    [b]kiban town make --residents 50000 --seed 1 --out town[/b]

    [b]kiban town make --residents 3800000 --seed 1 --city 14100 --out yokohama[/b]

    [b]kiban town make --population kobe-2017-12-31.csv --as-of 2017-12-31 --seed 1 --out kobe[/b]

    [b]kiban town unload kobe old-kobe --faults 1000[/b]

    [b]kiban town later kobe kobe-later --residents 500 --as-of 2018-01-07[/b]""",
)
_SUPPRESSED_SHOWN = 10


@app.callback()
def _town() -> None:
    """Make a synthetic designated city."""


@app.command()
def make(
    seed: Annotated[int, typer.Option(help="Same seed and arguments, same bytes.")],
    out: Annotated[Path, typer.Option(help="An empty or new folder.")],
    residents: Annotated[
        int | None, typer.Option(metavar="N", help="Current residents. Not needed with --population.")
    ] = None,
    city: Annotated[
        str, typer.Option(metavar="CODE", help="A designated city, five or six digits.")
    ] = "28100",
    population: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Residents by town, as CSV; every published number is matched."),
    ] = None,
    as_of: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="The day on which people have their ages. Give that of the population file.",
        ),
    ] = datetime(2026, 10, 1),  # noqa: DTZ001 - a calendar day; the command line library wants a datetime
    processes: Annotated[
        int, typer.Option(help="How many work at the same time. No effect on the bytes.")
    ] = 2,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace an earlier town in the folder.")
    ] = False,
) -> None:
    """Make a city with its households, its people and their history.

    Writes Parquet files by business and group, totals.csv (residents by ward), and at last town.json
    (arguments, counts, digests). Without town.json it is unfinished: --replace starts anew.
    """
    library = main.library()
    console = Console(stderr=True)
    started = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("Preparing", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, description="Making parts", completed=done, total=total)

        report = town.make(
            out,
            resident=library.edition("resident"),
            nonresident=library.edition("nonresident_addressee"),
            tax=library.edition("individual_resident_tax"),
            residents=residents,
            seed=seed,
            city=city,
            population=population,
            as_of=as_of.date(),
            processes=processes,
            progress=progress,
            replace=replace,
        )
    _show(report, time.monotonic() - started)


@app.command()
def unload(
    folder: Annotated[Path, typer.Argument(metavar="TOWN", help="A finished town.")],
    out: Annotated[Path, typer.Argument(metavar="DIR", help="An empty or new folder.")],
    faults: Annotated[
        int, typer.Option(metavar="N", help="Put N known faults in; faults.csv lists them.")
    ] = 0,
    withhold: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Do not hand this file over. Repeatable.")
    ] = None,
    stale: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Give this file the day of a year before. Repeatable."),
    ] = None,
    generation: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="Write this file of the tax ledger in KEIS78, not KEIS83. Repeatable."
        ),
    ] = None,
    processes: Annotated[
        int, typer.Option(help="How many work at the same time. No effect on the bytes.")
    ] = 2,
) -> None:
    """Write what the city's mainframes would hand over: unload files, printed totals, a migration project.

    DIR/unload has the files, DIR/project what `kiban migrate` works with, DIR/faults.csv the known faults.
    """
    console = Console(stderr=True)
    started = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("Unloading", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        report = town.unload(
            folder,
            out,
            faults=faults,
            withhold=withhold or (),
            stale=stale or (),
            generation=generation or (),
            processes=processes,
            progress=progress,
        )
    typer.echo(
        f"{sum(report.records.values()):,} records in {report.out}, {report.gaiji} gaiji, "
        f"{len(report.faults):,} known faults, {time.monotonic() - started:.0f} s"
    )
    for name, records in report.records.items():
        typer.echo(f"  {name:<28} {records:>12,} records")


@app.command()
def later(
    folder: Annotated[Path, typer.Argument(metavar="TOWN", help="A finished town.")],
    out: Annotated[Path, typer.Argument(metavar="DIR", help="An empty or new folder.")],
    residents: Annotated[int, typer.Option(metavar="N", help="How many residents have changed.")],
    as_of: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The later day.")],
) -> None:
    """Make the same city some days later, to unload it again: moves, births, deaths, new households, support measures.

    Everything else stays as it is, byte for byte; DIR/changes.csv lists the residents who changed.
    """
    library = main.library()
    report = town.later(
        folder,
        out,
        resident=library.edition("resident"),
        nonresident=library.edition("nonresident_addressee"),
        residents=residents,
        as_of=as_of.date(),
    )
    kinds: dict[str, int] = {}
    for change in report.changes:
        kinds[change.kind] = kinds.get(change.kind, 0) + 1
    told = "、".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items()))
    typer.echo(f"{len(report.changes):,} residents of {report.out} changed: {told}")


def _show(report: town.TownReport, seconds: float) -> None:
    typer.echo(
        f"{report.city}: {report.residents:,} residents in {report.households:,} households, "
        f"{report.parts} files in {report.out}, {seconds:.0f} s"
    )
    for group, rows in report.rows.items():
        typer.echo(f"  {group:<28} {rows:>12,} rows")
    if report.suppressed:
        names = "、".join(report.suppressed[:_SUPPRESSED_SHOWN])
        more = len(report.suppressed) - _SUPPRESSED_SHOWN
        rest = f" and {more} more (all in town.json)" if more > 0 else ""
        typer.echo(f"  {len(report.suppressed)} towns without published numbers stay empty: {names}{rest}")
