"""`kiban db warm`: what searches touch is read into memory."""

from __future__ import annotations

import os
from time import perf_counter

import typer


def warm() -> None:
    """Read into memory what searches and reads touch, so that the first are as fast as the rest. Changes nothing.

    `kiban serve` does it when it starts. Have it run besides in the early morning, after the long jobs of the night.
    """
    from kiban import main, settings, store
    from kiban.cli import progress

    with main.open_store(settings.read(os.environ)) as opened, progress.shown() as tell:
        begun = perf_counter()
        found = store.warm(opened, tell)
        seconds = perf_counter() - begun
    typer.echo(f"{found.mib:,} MiB are in memory, after {seconds:.1f} s.")
    if found.left:
        typer.echo(f"{found.left:,} MiB are not: the server counts on no more (effective_cache_size).")
