"""Writes the parts of a town, its totals, and last of all its description."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from kiban.kernel import Problem
from kiban.standard import Edition
from kiban.town.days import NEVER
from kiban.town.lives import JAPANESE
from kiban.town.people import MAN
from kiban.town.sheets import Sheet, table
from kiban.town.unit import Unit

DESCRIPTION, TOTALS, UNFINISHED = "town.json", "totals.csv", "town.unfinished"
TOTALS_HEADER = ("ward_code", "ward", "households", "men", "women", "total", "foreigners")


@dataclass(frozen=True)
class Part:
    """One file of a town.

    Attributes:
        group: ID of the group.
        path: relative to the town.
        rows: rows in it.
        sha256: of its bytes.
    """

    group: str
    path: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class WardCount:
    """Residents of a ward on the reference date, as the rows say.

    Attributes:
        ward: index of the ward.
        households: households with at least one resident.
        men: men.
        women: women.
        foreigners: foreign residents.
    """

    ward: int
    households: int
    men: int
    women: int
    foreigners: int


def prepare(out: Path, replace: bool) -> None:
    """Makes an empty folder for a town; an earlier town goes only when asked, anything else never.

    Raises:
        Problem: `out-not-empty`, `out-unwritable`.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        there = {path.name for path in out.iterdir()}
        if there and not (replace and there & {DESCRIPTION, UNFINISHED}):
            ours = (
                "is a town already" if there & {DESCRIPTION, UNFINISHED} else "is not empty, and not a town"
            )
            fix = "give another folder" + (", or replace it with --replace" if "already" in ours else "")
            raise Problem("out-not-empty", f"the folder {ours}", where=str(out), fix=fix)
        (out / UNFINISHED).touch()
        (out / DESCRIPTION).unlink(missing_ok=True)
        for path in out.iterdir():
            if path.is_dir() and path.name != UNFINISHED:
                shutil.rmtree(path)
    except OSError as error:
        raise unwritable(out, error) from None


def unwritable(out: Path, error: OSError) -> Problem:
    """The problem of a folder that does not take what is written."""
    return Problem(
        "out-unwritable",
        f"cannot write: {error.strerror}",
        where=str(error.filename or out),
        fix="give a folder that you may write to, with room for the town",
    )


def write_parts(out: Path, edition: Edition, sheets: Mapping[str, Sheet], index: int) -> list[Part]:
    """Writes each group's part of one work unit; parts without rows are only written for the first unit."""
    found = []
    for group, sheet in sheets.items():
        rows = table(edition, group, sheet)
        if not rows.num_rows and index:
            continue
        path = Path(edition.id) / group / f"part-{index:05d}.parquet"
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, out / path, compression="zstd", compression_level=1)
        found.append(Part(group, path.as_posix(), rows.num_rows, _digest(out / path)))
    return found


def count_residents(unit: Unit) -> list[WardCount]:
    """Counts the open rows of a unit by ward."""
    rows = unit.rows
    live = np.flatnonzero(rows.until == NEVER)
    ward = unit.homes.ward[rows.address[live]]
    person = rows.person[live]
    counts = []
    for index in np.unique(ward):
        here = person[ward == index]
        men = int((unit.persons.sex[here] == MAN).sum())
        counts.append(
            WardCount(
                ward=int(index),
                households=len(np.unique(rows.household[live][ward == index])),
                men=men,
                women=len(here) - men,
                foreigners=int((unit.persons.nation[here] != JAPANESE).sum()),
            )
        )
    return counts


def write_totals(out: Path, wards: Iterable[tuple[str, str]], counts: Iterable[WardCount]) -> None:
    """totals.csv: one line for each ward, in their order, also for one where nobody lives."""
    listed = list(counts)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(TOTALS_HEADER)
    for index, (code, name) in enumerate(wards):
        mine = [count for count in listed if count.ward == index]
        men, women = sum(count.men for count in mine), sum(count.women for count in mine)
        households, foreigners = (
            sum(count.households for count in mine),
            sum(count.foreigners for count in mine),
        )
        writer.writerow((code, name, households, men, women, men + women, foreigners))
    (out / TOTALS).write_text(lines.getvalue(), encoding="utf-8")


def finish(out: Path, description: Mapping[str, Any]) -> None:
    """town.json, whole or not at all: with it the town is finished."""
    written = out / f"{DESCRIPTION}.new"
    written.write_text(json.dumps(description, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    written.replace(out / DESCRIPTION)
    (out / UNFINISHED).unlink()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
