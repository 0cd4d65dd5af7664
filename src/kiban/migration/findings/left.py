"""What the stage left, read again: the list, the places of a rule, and a draft of the decisions that are still open."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from kiban.kernel import Problem
from kiban.migration.findings.decisions import ALL, HEADS
from kiban.migration.findings.report import DECIDED, FINDINGS, LIST
from kiban.migration.plan import Plan
from kiban.standard import suggest


def listed(out: Path) -> list[dict[str, str]]:
    """The lines of findings.csv, by its heads.

    Args:
        out: the output of the stage.
    """
    with (out / LIST).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def stale(out: Path) -> list[dict[str, str]]:
    """The lines of the decisions that decide nothing any more, by the heads of decided.csv.

    Args:
        out: the output of the stage.
    """
    with (out / DECIDED).open(encoding="utf-8", newline="") as opened:
        return [line for line in csv.DictReader(opened) if line["件数"] == "0"]


def places(out: Path, rule: str) -> pa.Table:
    """The findings of a rule, in the order of files and records; the columns of findings.parquet.

    Args:
        out: the output of the stage.
        rule: its name.

    Raises:
        Problem: `rule-unknown` where nothing was found under that name.
    """
    names = list(dict.fromkeys(line["規則"] for line in listed(out)))
    if rule not in names:
        raise Problem(
            "rule-unknown",
            f"nothing was found under {rule}",
            fix=suggest(rule, names, "see the list without --rule"),
        )
    return ds.dataset(out / FINDINGS).to_table(filter=pc.field("rule") == rule)


def draft(plan: Plan, out: Path) -> Path:
    """Write decisions/findings.csv with a line for every rule that has something open, to be filled in; nothing is decided by it.

    Args:
        plan: says where.
        out: the output of the stage.

    Returns:
        The file.

    Raises:
        Problem: `decisions-exist` where there is one: what people wrote is never written over.
    """
    path = plan.findings
    rules = dict.fromkeys(line["規則"] for line in listed(out) if line["未決定"] != "0")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError as error:
        raise Problem(
            "decisions-exist",
            "there are decisions already, and nobody writes over them",
            path.relative_to(plan.folder).as_posix(),
            "add a line for each rule by hand; kiban migrate findings lists them",
        ) from error
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(HEADS)
        writer.writerows([rule, ALL, ALL, "", "", "", ""] for rule in rules)
    return path
