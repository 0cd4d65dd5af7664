"""`kiban link`: link systems by contracts."""

from __future__ import annotations

import importlib
from importlib.util import find_spec

import typer

_PARTS = ("status", "contracts", "events", "files", "protection", "incoming", "evidence", "systems", "verify")
"""Each is the module link_NAME of this folder, where it is there: its `add` puts its commands into the app."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Link systems by contracts, with evidence.

    A contract says what one system gives another, and is what runs: validator, documentation, samples, mock provider and
    mock consumer come from it, and traffic outside one is refused. Changes go as events, everything as sets of files,
    questions by an API. What was delivered counts only when the consumer's digest equals the provider's.""",
)

for _part in _PARTS:
    if find_spec(f"kiban.cli.link_{_part}"):
        importlib.import_module(f"kiban.cli.link_{_part}").add(app)


@app.callback()
def _link() -> None:
    """Keep the commands named, however few there are."""
