"""The command `kiban`: what a person at a terminal sees, and what a failure looks like to them."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from kiban.kernel import Problem, Problems

_COMMANDS = {
    "demo": "Build a synthetic designated city and show what Kiban does with it.",
    "standard": "Read, check and compare editions of the standard.",
    "town": "Make a synthetic designated city.",
    "characters": "Legacy code pages and a city's own characters.",
    "migrate": "Migrate a legacy system to the standard, with proof.",
    "link": "Link systems by contracts, with evidence.",
    "audit": "Seal, verify and ask the audit trail.",
    "account": "Who may sign in: make, invite, recover, sign out.",
    "oidc": "Let other systems sign people in here.",
    "serve": "Serve the pages, and the API of the linkage, at one address.",
    "extract": "Extract data by a query (EUC), beside the counters.",
    "sets": "Look at sets, check them and compare two of them.",
    "access": "Who works for the city, who may do what, and why.",
    "db": "Run the integrated database.",
}
"""In the order of the help. Each is the module of that name in this folder; its `app` adds no completion."""


class _Commands(TyperGroup):
    """The commands, each imported when it is called: help stays quick."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, text in _COMMANDS.items():
            if find_spec(f"{__name__}.{name}"):
                self.add_command(TyperCommand(name, help=text))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Put the command itself in the place of its line in the help."""
        if args and args[0] in _COMMANDS and args[0] in self.commands:
            command = typer.main.get_command(importlib.import_module(f"{__name__}.{args[0]}").app)
            self.add_command(command, args[0])
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    epilog="""Start here:

    [b]kiban demo[/b]                    a city of 50,000, loaded and searched
    [b]kiban standard show resident[/b]  what the standard says of residents
    [b]kiban db up[/b]                   only the database

    Every command explains itself, with examples: [b]kiban db --help[/b]""",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"kiban {version('kiban')}")
        raise typer.Exit


@app.callback()
def _kiban(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Kiban (基盤): the common platform of a Japanese designated city (政令指定都市).

    The national standard is data here: tables and checks are derived from it.
    One database holds the registers of all wards with their whole history,
    and shows each actor what their duty allows.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    Args:
        arguments: without the program's name; None for those of the process.

    Raises:
        SystemExit: always. 0: done; 1: a problem, told on stderr; 2: the command was not understood;
            70: our mistake, with a number and the log file that holds the details; 130: interrupted.
    """
    try:
        typer.main.get_command(app).main(
            None if arguments is None else list(arguments), prog_name="kiban", standalone_mode=True
        )
    except (Problem, Problems) as problem:
        typer.echo(str(problem), err=True)
        sys.exit(1)
    except SystemExit as end:
        if end.code == 130:
            typer.echo("interrupted", err=True)
        raise
    except Exception:  # noqa: BLE001 - the last resort: a person gets a number, the log gets the rest
        number, file = _note_failure()
        typer.echo(f"Kiban made a mistake: error {number}. The details are in {file}", err=True)
        sys.exit(70)


def _note_failure() -> tuple[str, Path]:
    """Write the traceback of the exception being handled to a file that only the caller may read."""
    number = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
    text = traceback.format_exc()
    try:
        from kiban import settings

        folder = settings.read(os.environ).home / "log"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return number, _write(folder / f"error-{number}.log", text)
    except (OSError, Problems):
        return number, _write(Path(tempfile.mkdtemp(prefix="kiban-")) / f"error-{number}.log", text)


def _write(file: Path, text: str) -> Path:
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(text, encoding="utf-8")
    return file
