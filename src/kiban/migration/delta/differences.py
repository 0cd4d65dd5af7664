"""Where the converted rows of a newer unload and the rows that the database knows are not the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kiban import sets, store
from kiban.kernel import Actor, Problem
from kiban.migration.plan import Plan
from kiban.standard import Group
from kiban.store import Store

_MOST = 1_000_000
_ENDS = ("valid_from", "valid_to")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Register:
    """A register that the plan fills, and its converted rows.

    Attributes:
        name: schema.table.
        group: of the standard.
        rows: a relation that DuckDB reads: the columns of `arrow_schema`.
        refers: items that name a row elsewhere, with the register they name.
    """

    name: str
    group: Group
    rows: str
    refers: Mapping[str, str]

    @property
    def business(self) -> str:
        """The schema."""
        return self.name.split(".")[0]

    @property
    def subject(self) -> tuple[str, ...]:
        """The items that say whose row it is. The first of them is whom an event is about."""
        return tuple(item.romaji for item in self.group.subject)

    @property
    def has_periods(self) -> bool:
        """Whether its rows are true for a period; those of a log are added once and for all."""
        return self.group.kind == "register"

    @property
    def key(self) -> tuple[str, ...]:
        """What tells rows known at one moment apart: the subject and, of a register, the whole period."""
        return (*self.subject, *(_ENDS if self.has_periods else ()))


@dataclass(frozen=True)
class Differing:
    """The differences of a register.

    Attributes:
        register: which.
        rows: how many converted rows there are.
        found: as `sets.DIFFERENCES`: `missing` in the database, `extra` there, or `differs` where only items other than the key
            differ.
    """

    register: Register
    rows: int
    found: pa.Table


def registers(plan: Plan, converted: Path, spare: Path) -> list[Register]:
    """The registers that the plan fills, in the order of their editions.

    Args:
        plan: with its editions.
        converted: the output of the stage transform.
        spare: a folder for empty files, which stand in for registers of which nothing was converted.
    """
    filled = {(target.edition, target.group) for target in plan.targets}
    found = {}
    for name, edition in plan.editions.items():
        for group in edition.groups:
            register = f"{edition.id}.{group.id}"
            if (name, group.id) in filled and register not in found:
                refers = {item: f"{edition.id}.{target}" for item, target in group.references.items()}
                rows = _relation(converted / edition.id / group.id, group, spare / f"{register}.parquet")
                found[register] = Register(register, group, rows, refers)
    return list(found.values())


def _relation(folder: Path, group: Group, spare: Path) -> str:
    files = sorted(folder.glob("*.parquet"))
    if not files:
        pq.write_table(store.arrow_schema(group).empty_table(), spare)
        files = [spare]
    names = ", ".join("'" + file.as_posix().replace("'", "''") + "'" for file in files)
    return f"read_parquet([{names}])"


def differing(
    opened: Store,
    register: Register,
    actor: Actor,
    known: datetime | None,
    folder: Path,
    progress: Progress,
) -> Differing:
    """Compare the converted rows with those that the database knew at a moment, or knows now (None).

    Raises:
        Problem: `delta-repeated` where the converted rows hold a key twice, `delta-large` where a million rows differ,
            `delta-log` where rows of a log changed or are gone.
    """
    items = store.arrow_schema(register.group).names
    stream = store.row_digests(opened, register.name, items, register.key, actor, known)
    compared = sets.compare(
        register.rows,
        stream,
        store.digest_columns(register.group, register.key),
        store.digest_columns(register.group, items),
        folder=folder,
        most=_MOST,
        progress=progress,
    )
    for problem in _faults(register, compared):
        raise problem
    return Differing(register, compared.left, compared.differences)


def _faults(register: Register, compared: sets.Comparison) -> Sequence[Problem]:
    found = []
    if compared.repeated:
        what = f"{compared.repeated} rows of one subject and one period stand twice"
        fix = "correct them at the source, or decide on them in decisions/findings.csv"
        found.append(Problem("delta-repeated", what, register.name, fix))
    if len(compared.differences) >= _MOST:
        what = f"{compared.missing + compared.extra + compared.differing} rows differ, which is no delta"
        fix = "see whether the unload is of this city and complete; else load it anew into an empty database"
        found.append(Problem("delta-large", what, register.name, fix))
    lost = compared.extra + compared.differing
    if lost and not register.has_periods:
        what = f"{lost} rows of a log are gone or changed, and such rows are only ever added"
        found.append(Problem("delta-log", what, register.name, "see why the legacy system changed its log"))
    return found
