"""The plan of a delta: the same migration, with the unload of a later day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from kiban.kernel import Problem
from kiban.migration.plan import Plan


def newer(plan: Plan, cut_date: date) -> Plan:
    """The plan for the unload of a later day.

    Args:
        plan: of the migration whose rows are in the database; its `unload` is where the newer files are.
        cut_date: the day whose state they show.

    Raises:
        Problem: `delta-cut-date` where the day is not after that of the plan.
    """
    if cut_date <= plan.cut_date:
        what = f"a delta of {cut_date} is not newer than what was loaded ({plan.cut_date})"
        fix = "give the day that the headers of the newer files name"
        raise Problem("delta-cut-date", what, "--cut-date", fix)
    return replace(plan, title=f"{plan.title}（差分）", cut_date=cut_date)
