"""Known faults in an unload: each is listed apart, so that it can be shown that every one is found."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kiban.kernel import Problem
from kiban.town.unload_kinds import FAULT_KINDS, FaultKind
from kiban.town.unload_marks import Records

SPARE = 8
"""So many times the places that a kind needs are drawn, as some of them belong to people who have a fault already."""
ROLES = ("person", "household")
OWNERS = {
    "JUKI": ("JK-ATENA-NO", "JK-SETAI-NO"),
    "SETAI": ("SE-NUSHI-ATENA", "SE-SETAI-NO"),
    "ZEI": ("ZE-ATENA-NO",),
}
"""Person and household of a record: whoever has one fault gets no other, or one could hide the other."""

_Place = tuple[Records, int]


@dataclass(frozen=True, order=True)
class Fault:
    """One known fault.

    Attributes:
        file: name of the file.
        record: number of the record from 1, the header included.
        field: COBOL data name; empty for a whole record.
        kind: what is wrong with it; see `FAULT_KINDS`.
    """

    file: str
    record: int
    field: str
    kind: str


def plant(files: Sequence[tuple[str, Path]], count: int, seed: int) -> list[Fault]:
    """Puts faults into finished files, the kinds in turn; a kind for which there is no place left is passed over.

    Args:
        files: copybook and path of each finished file.
        count: how many faults.
        seed: same seed, same faults.

    Raises:
        Problem: `unload-faults-many`.
    """
    rng = np.random.default_rng([seed, count])
    views = [Records(book, path) for book, path in files]
    kinds = [kind for kind in FAULT_KINDS if any(view.book == kind.book for view in views)]
    turns = [(kind, _places(kind, views, count // len(kinds) + 1, rng)) for kind in kinds]
    taken: set[tuple[str, str]] = set()
    found: list[Fault] = []
    while len(found) < count and turns:
        left = []
        for kind, places in turns:
            fault = _next(kind, places, taken) if len(found) < count else None
            if fault is not None:
                found.append(fault)
                left.append((kind, places))
        turns = left
    if len(found) < count:
        raise Problem(
            "unload-faults-many",
            f"the unload has places for {len(found)} faults only, one person or household each",
            fix="ask for fewer, or make a larger town",
        )
    return sorted(found)


def write_faults(path: Path, faults: Sequence[Fault]) -> None:
    """The list of the faults, which no unload contains."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "record", "field", "kind"))
        writer.writerows((fault.file, fault.record, fault.field, fault.kind) for fault in faults)


def _places(
    kind: FaultKind, views: Sequence[Records], needed: int, rng: np.random.Generator
) -> Iterator[_Place]:
    """Where a kind can be put, in random order."""
    mine = [view for view in views if view.book == kind.book]
    rows = [np.flatnonzero(kind.where(view)) for view in mine]
    ends = np.cumsum([len(each) for each in rows])
    total = int(ends[-1])
    drawn = rng.choice(total, min(total, SPARE * needed + 100), replace=False)
    for at in drawn.tolist():
        file = int(np.searchsorted(ends, at, side="right"))
        yield mine[file], int(rows[file][at - ends[file]])


def _next(kind: FaultKind, places: Iterator[_Place], taken: set[tuple[str, str]]) -> Fault | None:
    """Puts a kind into the first place whose owners have no fault yet; None where there is none left."""
    for view, row in places:
        owners = {
            (role, view.digits(name, row)) for role, name in zip(ROLES, OWNERS[view.book], strict=False)
        }
        owners.add((view.path.name, str(row)))
        if not owners & taken and (fault := _change(kind, view, row)) is not None:
            taken |= owners
            return fault
    return None


def _change(kind: FaultKind, view: Records, row: int) -> Fault | None:
    """A duplicate takes the place of the record behind the one that it repeats; None where nothing would change."""
    if not kind.field:
        view.block[row + 1] = view.block[row]
        return Fault(view.path.name, row + 2, "", kind.name)
    place = view.column(kind.field)[row]
    old, new = place.tobytes(), kind.change(view, row, kind.field)
    if old == new:
        return None
    place[:] = np.frombuffer(new, np.uint8)
    return Fault(view.path.name, row + 1, kind.field, kind.name)
