"""The cities that benches work on: made once for each size, kept in .kiban/bench, used again by the next run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from kiban import main, settings, store, town
from kiban.kernel import ALL_WARDS, Actor
from kiban.settings import Settings
from kiban.store import Store

HALL = Actor("bench", None, ALL_WARDS, "計測", protected=True)
DAY = date(2026, 10, 1)
PEOPLE = "resident.jumin"


def given(residents: int) -> Settings:
    """The settings of a bench: a home of its own, the embedded server."""
    home = settings.read(os.environ).home / "bench" / str(residents)
    return replace(settings.read(os.environ), home=home, database=None, database_app=None)


def made(residents: int, *, tax: bool = False) -> Path:
    """The folder of the generated city; with its tax ledger it is another one."""
    folder = given(residents).home / ("town-tax" if tax else "town")
    if not (folder / "town.json").exists():
        editions = main.library(given=given(residents))
        print(f"  making a city of {residents:,} …", flush=True)
        town.make(
            folder,
            resident=editions.edition("resident"),
            nonresident=editions.edition("nonresident_addressee"),
            residents=residents,
            seed=1,
            city="28100",
            population=None,
            as_of=DAY,
            tax=editions.edition("individual_resident_tax") if tax else None,
            replace=True,
        )
    return folder


@contextmanager
def empty(residents: int) -> Iterator[Store]:
    """A store with empty registers on a new server."""
    cluster = main.cluster(given(residents))
    cluster.destroy()
    with main.open_store(given(residents)) as opened:
        for business in ("resident", "nonresident_addressee"):
            store.apply(opened, opened.library.edition(business), HALL)
        yield opened


@contextmanager
def loaded(residents: int) -> Iterator[Store]:
    """A store with the city in it; loaded only where it is not there already. The server stops at the end."""
    folder = made(residents)
    mark = given(residents).home / "loaded"
    if not mark.exists():
        with empty(residents) as opened:
            print("  loading …", flush=True)
            store.import_arrow(opened, store.folder_parts(opened, folder), HALL)
            mark.touch()
    with main.open_store(given(residents)) as opened:
        yield opened
    main.cluster(given(residents)).down()


def cool(residents: int) -> None:
    """Stop the server, and have the system forget its files: the next start is like that of a machine just switched on."""
    cluster = main.cluster(given(residents))
    cluster.down()
    folder = cluster.status().folder
    assert folder is not None
    os.sync()  # what is not written yet cannot be forgotten
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def forget(residents: int) -> None:
    """Remove the loaded store; the generated city stays."""
    home = given(residents).home
    (home / "loaded").unlink(missing_ok=True)
    main.cluster(given(residents)).destroy()
    shutil.rmtree(home / "csv", ignore_errors=True)
