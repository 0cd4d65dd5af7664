"""From the plan to what a decoder needs: the page of a file with the city's decisions, its copybook, its records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from kiban import characters
from kiban.kernel import Problem
from kiban.migration import records
from kiban.migration.plan import Plan, SourceFile, System

Unset = Literal["low-values", "spaces"]


def decisions(plan: Plan, system: System) -> characters.Chart | None:
    """The system's charts with the decisions laid over them; None where it has none.

    Raises:
        Problems: faults of charts and decisions; `decisions-unsigned`, `decisions-signature` where the plan names keys.
    """
    paths = (*system.charts, *system.decisions)
    return characters.Chart.load(*paths, keys=plan.keys, unsigned=not plan.keys) if paths else None


def read_by(plan: Plan, system: System) -> list[Path]:
    """The files that say how a system's characters are read."""
    signed = [characters.signature_of(path) for path in system.decisions] if plan.keys else []
    return [*system.tables, *system.charts, *system.decisions, *signed, *plan.keys]


def reading_files(plan: Plan) -> list[Path]:
    """Every file that says how the unload is read: code tables, charts, decisions and copybooks."""
    systems = [path for one in plan.systems for path in read_by(plan, one)]
    return [*systems, *(file.copybook for file in plan.files if file.copybook)]


def reading_parts(plan: Plan) -> Any:
    """What the plan itself says of how the unload is read, as JSON can hold it."""
    data = plan.as_data()
    return [data["systems"], data["files"]]


def page_of(plan: Plan, file: SourceFile) -> characters.CodePage:
    """The code page of a file; of the city's own characters only those that two people decided on."""
    system = plan.system(file.system)
    chart = decisions(plan, system)
    own = file.code_page == system.code_page
    gaiji = chart.gaiji(system.id) if chart and own else None
    return characters.code_page(file.code_page, tables=system.tables if own else (), gaiji=gaiji)


def source_of(plan: Plan, file: SourceFile, folder: Path) -> records.Source:
    """What decodes a file of records.

    Args:
        plan: the plan.
        file: one of it, not CSV.
        folder: where the file lies under its path.

    Raises:
        Problem, Problems: faults of the copybook, the charts or the code page.
    """
    if file.copybook is None or file.form == "csv":
        raise Problem("plan-form", "a CSV file has no copybook", file.id, "read it as CSV")
    copybook = records.parse_copybook(file.copybook.read_text(encoding="utf-8"), file.copybook.name)
    unset = {name: cast(Sequence[Unset], values) for name, values in file.unset.items()}
    reading = records.Reading(file.modes, file.when, unset)
    return records.Source(file.id, folder / file.path, file.form, copybook, reading, page_of(plan, file))


def batches(plan: Plan, file: SourceFile, folder: Path) -> Iterator[records.Batch]:
    """Decode a file of either kind, in blocks of bounded memory."""
    if file.form == "csv":
        return records.decode_csv(file.id, folder / file.path, page_of(plan, file), file.segment)
    return records.decode_file(source_of(plan, file, folder))
