"""`kiban demo`: a synthetic designated city from nothing to answers, with the time each step took."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def demo(
    residents: Annotated[int, typer.Option(min=1, help="How many people live in the city.")] = 50_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same city.")] = 1,
    city: Annotated[
        str, typer.Option(help="A designated city, such as 28100 (Kobe) or 14100 (Yokohama).")
    ] = "28100",
    code: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="Only print the one-time code of somebody of the demonstration, such as W0001.",
        ),
    ] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Only end the pages of an earlier demonstration.")
    ] = False,
) -> None:
    """Build a synthetic designated city and show what Kiban does with it.

    It works in its own home (.kiban/demo), begins anew each time, and keeps the generated city for the next run.
    At its end the city runs: pages on this machine, with people to sign in as. Nobody in it is real.
    """
    from kiban import settings
    from kiban.cli import demo_run, demo_web

    given = settings.read(os.environ)
    given = replace(given, home=given.home / "demo", database=None, database_app=None)
    if code is not None:
        typer.echo(demo_web.code(given.home, code))
        return
    running = demo_web.stop(given.home)
    if stop:
        typer.echo(
            "the pages of the demonstration have ended" if running else "no pages of a demonstration run"
        )
        return
    demo_run.run(given, residents, seed, city)
