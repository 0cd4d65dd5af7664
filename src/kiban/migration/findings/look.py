"""Look at all of the decoded data: every check, every map, every line of the decode ledger, and the decisions on what is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kiban.migration.findings import accept, checks, dates, loading, report
from kiban.migration.findings.books import read_books
from kiban.migration.findings.covering import uncovered
from kiban.migration.findings.decisions import read_decisions
from kiban.migration.findings.segments import opened
from kiban.migration.findings.settle import Settled, find, settle
from kiban.migration.mapping import load_maps
from kiban.migration.plan import Plan

Tell = Callable[[int, int], None]
"""Told how many steps are done, and how many there are."""


@dataclass(frozen=True)
class Looked:
    """What was found.

    Attributes:
        lines: see `report.write`.
        settled: what the decisions came to.
        excluded: rows that go, by fate.
        checks: how many checks the project declares.
        uncovered: lines that checks.csv lacks; see `covering.uncovered`.
    """

    lines: list[dict[str, Any]]
    settled: Settled
    excluded: Mapping[str, int]
    checks: int
    uncovered: list[str]


def look(
    plan: Plan, folders: Mapping[str, Path | None], ledger: Path, out: Path, spill: Path, tell: Tell
) -> Looked:
    """Find everything and leave it in a folder.

    Args:
        plan: read with a library, so that it knows its editions.
        folders: the decoded files of each segment, all beside each other; None where nothing was decoded.
        ledger: the decode ledger.
        out: where to leave what `report.write` leaves.
        spill: for what does not fit into memory.
        tell: see `Tell`.

    Raises:
        Problems: every fault of checks.csv, of the decisions, of the maps.
    """
    declared, decisions = checks.read_checks(plan.folder / checks.CHECKS), read_decisions(plan)
    maps, books = load_maps(plan), read_books(plan)
    steps = iter(range(1, len(declared) + len(maps) + 1))

    def step() -> None:
        tell(next(steps, 0), len(declared) + len(maps))

    with opened(folders, ledger, spill, checks.wanted(declared)) as bare:
        cut = int(plan.cut_date.strftime("%Y%m%d"))
        db = replace(bare, cut=cut, days=dates.days(declared), widths=books.widths)
        checks.validate(declared, db)
        classes = dates.prepare(declared, db)
        loading.undecoded(db, books.tables)
        for made in maps:
            loading.unfit(db, made, ledger.parent)
            step()
        find(declared, db, tell=step)
        settled = settle(declared, decisions, db, accept.followed(declared, maps))
        lines = report.write(out, plan, declared, decisions, db, classes, settled)
        gone = dict(
            db.query.execute("SELECT fate, count(*) FROM excluded GROUP BY ALL ORDER BY ALL").fetchall()
        )
    return Looked(lines, settled, gone, len(declared), uncovered(declared, maps))
