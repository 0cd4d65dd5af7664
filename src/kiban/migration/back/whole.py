"""Every row of every target register written back and held against the landed files: bytes → standard → database → bytes."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiban import store
from kiban.migration import workers
from kiban.migration.back.compare import Compared
from kiban.migration.back.desk import LOST, STANDING, Desk, desk
from kiban.migration.back.forms import Form, gather
from kiban.migration.back.place import Place, finished, opened_place, tell
from kiban.migration.back.spool import lay_all
from kiban.migration.back.tasks import compare_some, tasks
from kiban.migration.plan import Plan
from kiban.migration.stage import Progress
from kiban.store import Store

DIFFERENCES, TOLD = "differences.csv", "compare.json"
HEADS = ("ファイル", "項目", "理由", "件数", "例")


def compare_back(
    plan: Plan, inputs: Mapping[str, Path], opened: Store, out: Path, progress: Progress
) -> Mapping[str, Any]:
    """Write everything back and say of every record whether it is what the legacy system had written.

    Args:
        plan: of the migration.
        inputs: output folders of its stages: land, decode, load (or apply, of a delta), and cleanse where there is one.
        opened: the integrated database.
        out: an empty or new folder for `compare.json` and `differences.csv`; it appears when both are on the disk.
        progress: told about every step.

    Returns:
        What `compare.json` tells, for each kind of record: `landed` records without those that were left out, `records` that the
        database has, `same` byte for byte, `new` ones that no file has, `other` fields by reason, `left` fields that
        nothing writes, whose bytes are those of the landed file, and `lost` items by reason.

    Raises:
        Problem: as `go_back`.
    """
    place = opened_place(plan, inputs, opened)
    forms, alone = gather(plan, place.maps)
    until, _ = store.last_event(opened)
    told: list[dict[str, Any]] = []
    with finished(out) as (making, spool), desk(spool, place.decoded, place.excluded) as at:
        for number, form in enumerate(forms):
            progress("照合", number, len(forms))
            landed = lay_all(at, opened, form, place.actor, until)
            told.append(_told(form, landed, _compared(place, at, number, form)))
            for made in form.maps:
                for path in at.folder.glob(f"{made.register}.*.parquet"):
                    path.unlink()
        progress("照合", len(forms), len(forms))
        summary = {
            "plan": plan.id,
            "load_event": place.load,
            "until_event": until,
            "forms": told,
            "without_record": [made.register for made in alone],
        }
        tell(making / TOLD, summary)
        _write(making / DIFFERENCES, told)
    return summary


def _compared(place: Place, at: Desk, number: int, form: Form) -> Compared:
    rows = at.count(form.main.register, STANDING)
    found = Compared()
    waiting = tasks(number, form, place.tools(form, at, {}, kept=False), at, rows)
    length = form.record.longest if form.record else 256
    for _, more in sorted(workers.each(compare_some, waiting, rows * length), key=lambda one: one[0]):
        found.add(more)
    for made in form.maps[1:]:
        for one in at.query.execute(
            f"SELECT code, count(*) FROM {at.rows(made.register, LOST)} GROUP BY 1 ORDER BY 1"
        ).fetchall():
            found.lost[made.register, "", one[0]] += one[1]
    return found


def _told(form: Form, landed: int, found: Compared) -> dict[str, Any]:
    return {
        "kind": form.kind,
        "segment": form.segment,
        "landed": landed,
        "records": found.records,
        "new": found.new,
        "same": found.same,
        "other": [
            {"field": name, "reason": reason, "count": count, "examples": found.examples[name, reason]}
            for (name, reason), count in sorted(found.other.items())
        ],
        "lost": [
            {"register": register, "item": item, "code": code, "count": count}
            for (register, item, code), count in sorted(found.lost.items())
        ],
        "left": list(found.left),
    }


def _write(path: Path, told: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADS)
        for form in told:
            for one in form["other"]:
                shown = "、".join(f"{name}の第{record:,}件" for name, record in one["examples"])
                writer.writerow((form["kind"], one["field"], one["reason"], one["count"], shown))
