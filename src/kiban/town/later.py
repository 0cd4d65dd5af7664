"""The same town some days later: some residents have moved, died, been born or protected, and nothing else is another."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from kiban.kernel import Problem
from kiban.standard import Edition
from kiban.town.later_lives import Change, Rows, Town
from kiban.town.later_part import Numbering, change_part
from kiban.town.later_rows import count_wards, write_rows
from kiban.town.output import DESCRIPTION, TOTALS, finish, prepare, write_totals
from kiban.town.unload_system import parts
from kiban.town.words import words

CHANGES = "changes.csv"
SUPPORT_FROM = 6
"""From so many residents on, one of them is newly protected, and the protection of one ends."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LaterReport:
    """What happened.

    Attributes:
        out: the later town, with changes.csv.
        changes: one for each resident, in the order of their 宛名番号.
    """

    out: Path
    changes: tuple[Change, ...]


def later(
    town: Path,
    out: Path,
    *,
    resident: Edition,
    nonresident: Edition,
    residents: int,
    as_of: date,
    progress: Progress | None = None,
) -> LaterReport:
    """Makes a finished town as it is some days later; the same arguments give the same bytes.

    New people and households have names, addresses and spellings that the town has already, so that its old systems need no other
    gaiji. The groups 異動 and 抑止, which no old system hands over, stay as they were.

    Args:
        town: a finished town.
        out: an empty or new folder; changes.csv in it lists every resident who changed.
        resident: the edition of business 001 that the town was made in.
        nonresident: that of business 031.
        residents: how many change.
        as_of: the later day.
        progress: told after each part.

    Raises:
        Problem: `town-unfinished`, `out-not-empty`, `later-day`, `later-few`, `later-many`.
    """
    told = _told(town)
    before = date.fromisoformat(told["as_of"])
    _check(residents, before, as_of)
    rng = np.random.default_rng([told["seed"], residents, as_of.toordinal()])
    at = Town(words([resident, nonresident]), before, as_of, told["seed"])
    prepare(out, replace=False)
    shutil.copytree(town, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(DESCRIPTION))
    paths = parts(out, "jumin")
    numbering = Numbering(out, protects=residents >= SUPPORT_FROM)
    sizes = np.array([path.stat().st_size for path in paths], np.float64)
    quota = rng.multinomial(residents, sizes / sizes.sum())
    changes: list[Change] = []
    missing = 0
    for index, (path, wanted) in enumerate(zip(paths, quota.tolist(), strict=True)):
        if wanted + missing:
            made = Rows()
            change_part(made, out, path.name, at, rng, numbering, wanted + missing)
            write_rows(out, path.name, made)
            missing += wanted - len(made.changes)
            changes += made.changes
        if progress:
            progress(index + 1, len(paths))
    if missing:
        raise Problem(
            "later-many",
            f"only {len(changes)} residents of this town can change",
            fix="ask for fewer, or take a larger town",
        )
    return _finish(town, out, told, at, changes)


def _told(town: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((town / DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem(
            "town-unfinished",
            f"the folder has no {DESCRIPTION}",
            where=str(town),
            fix="give the folder of a finished town, from `kiban town make`",
        ) from None
    return told


def _check(residents: int, before: date, as_of: date) -> None:
    if as_of <= before:
        what = f"{as_of} is not after the day of the town, {before}"
        raise Problem("later-day", what, fix="give a later day")
    if residents < 1:
        raise Problem("later-few", f"{residents} residents change", fix="give 1 or more")


def _finish(town: Path, out: Path, told: dict[str, Any], at: Town, changes: Sequence[Change]) -> LaterReport:
    """Totals, the list of changes, and last of all the description."""
    ordered = sorted(changes, key=lambda one: (one.person, one.kind))
    with (out / CHANGES).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("kind", "day", "ward", "atenabango", "setaibango", "shiensochibango"))
        writer.writerows(
            (one.kind, one.day, one.ward, one.person, one.household, one.measure) for one in ordered
        )
    with (out / TOTALS).open(encoding="utf-8", newline="") as file:
        wards = [(row["ward_code"], row["ward"]) for row in csv.DictReader(file)]
    man, japanese = at.words("jumin.seibetsu", "man"), at.words("jumin.juminshubetsu", "japanese")
    counts = count_wards(out, [code for code, _ in wards], man, japanese)
    write_totals(out, wards, counts)
    listed = [_measured(out, part) for part in told["parts"]]
    rows: dict[str, int] = {}
    for part in listed:
        group = part["path"].split("/")[1]
        rows[group] = rows.get(group, 0) + part["rows"]
    description = {
        **told,
        "as_of": at.until.isoformat(),
        "later_than": hashlib.sha256((town / DESCRIPTION).read_bytes()).hexdigest(),
        "changes": len(ordered),
        "residents": sum(one.men + one.women for one in counts),
        "households": sum(one.households for one in counts),
        "rows": {group: rows[group] for group in told["rows"]},
        "parts": listed,
    }
    finish(out, description)
    return LaterReport(out, tuple(ordered))


def _measured(out: Path, part: dict[str, Any]) -> dict[str, Any]:
    """A part's line of the description, as it is now."""
    path = out / part["path"]
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": part["path"], "rows": pq.read_metadata(path).num_rows, "sha256": sha256}
