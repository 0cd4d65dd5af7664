"""The way back (切戻し): what changed since the load as files that the legacy system reads, and a list of what these cannot hold."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import date, timedelta, timezone
from pathlib import Path
from typing import Any

from kiban import store
from kiban.migration import workers
from kiban.migration.back.desk import STANDING, Desk, desk
from kiban.migration.back.forms import Form, gather
from kiban.migration.back.legacy import Legacy
from kiban.migration.back.place import Place, finished, opened_place, tell
from kiban.migration.back.rekey import write_rekey
from kiban.migration.back.settle import lines_of, settle
from kiban.migration.back.sheet import Sheet
from kiban.migration.back.spool import lay_changed, lay_some
from kiban.migration.back.tasks import Written, tasks, write_some
from kiban.migration.digests import file_digest
from kiban.migration.plan import Plan
from kiban.migration.stage import Progress
from kiban.store import Span, Store

REKEY, TOLD = "rekey.csv", "return.json"
_TOKYO = timezone(timedelta(hours=9))


def go_back(
    plan: Plan, inputs: Mapping[str, Path], opened: Store, out: Path, progress: Progress
) -> Mapping[str, Any]:
    """Write what changed since the load by anybody but the migration itself.

    Args:
        plan: of the migration.
        inputs: output folders of its stages: land, decode, load (or apply, of a delta), and cleanse where there is one.
        opened: the integrated database.
        out: an empty or new folder. It appears when everything in it is on the disk: a file KIND.RETURN.* for each kind of source file
            with a target, `rekey.csv`, `return.json`.
        progress: told about every step.

    Returns:
        What `return.json` tells: how many subjects of each register changed, how many of them went back whole, in part, or only
        onto the list; the files; fields of new records that nothing fills.

    Raises:
        Problem: `out-not-empty`, `back-not-loaded`, `back-edition`; those of the maps and of the database.
    """
    place = opened_place(plan, inputs, opened)
    forms, alone = gather(plan, place.maps)
    until, recorded = store.last_event(opened)
    day = recorded.astimezone(_TOKYO).date() if recorded else plan.cut_date
    registers = [f"{one.id}.{group.id}" for one in place.editions for group in one.groups]
    with finished(out) as (making, spool), desk(spool, place.decoded, place.excluded) as at:
        changed = lay_changed(at, opened, registers, Span(place.load, until, place.actor))
        progress("変更の読取り", 1, 1)
        used = [(n, one) for n, one in enumerate(forms) if any(changed[made.register] for made in one.maps)]
        wrote: list[Written] = []
        for done, (number, form) in enumerate(used):
            progress("書き戻し", done, len(used))
            lay_some(at, opened, form, place.actor, until)
            wrote += _write(place, at, number, form, day)
        progress("書き戻し", len(used), len(used))
        files = _files(place, forms, wrote, making, day)
        lone = {made.register for made in alone}
        told = settle(at, place, [form for _, form in used], lone, wrote, changed)
        count = write_rekey(making / REKEY, plan, place.maps, lines_of(at))
        summary = {
            "plan": plan.id,
            "load_event": place.load,
            "until_event": until,
            "day": day.isoformat(),
            "registers": told,
            "files": files,
            "lines": count,
            "unfilled": {one["kind"]: one["unfilled"] for one in files if one["unfilled"]},
        }
        tell(making / TOLD, summary)
    return summary


def _write(place: Place, at: Desk, number: int, form: Form, day: date) -> list[Written]:
    rows = at.count(form.main.register, STANDING)
    waiting = tasks(number, form, place.tools(form, at, _said(form, day), kept=True), at, rows)
    length = form.record.longest if form.record else 256
    return sorted(workers.each(write_some, waiting, rows * length), key=lambda one: one.name)


def _said(form: Form, day: date) -> dict[str, str]:
    """What every record says of its file, where it has no header for it."""
    checks = form.files[0].checks
    told = {checks.file_id: form.kind, checks.cut_date: f"{day:%Y%m%d}"}
    return {name: value for name, value in told.items() if name}


def _files(
    place: Place, forms: Sequence[Form], wrote: Sequence[Written], making: Path, day: date
) -> list[dict[str, Any]]:
    """Put the pieces of each kind of file together; a kind of which nothing changed has no record."""
    found = []
    for kind in dict.fromkeys(form.kind for form in forms):
        mine = {number: form for number, form in enumerate(forms) if form.kind == kind}
        pieces = [one for one in wrote if one.number in mine]
        records = sum(one.records for one in pieces)
        form = next(iter(mine.values()))
        name = f"{kind}.RETURN{Path(form.files[0].path).suffix}"
        with (making / name).open("wb") as file:
            head, tail = _ends(place, form, pieces, day)
            file.write(head)
            for one in pieces:
                with one.data.open("rb") as data:
                    shutil.copyfileobj(data, file, 1 << 20)
            file.write(tail)
        told = {"kind": kind, "file": name, "records": records, "bytes": (making / name).stat().st_size}
        unfilled = sorted({field for one in pieces for field in one.unfilled})
        found.append({**told, "sha256": file_digest(making / name), "unfilled": unfilled})
    return found


def _ends(place: Place, form: Form, pieces: Sequence[Written], day: date) -> tuple[bytes, bytes]:
    """Header and trailer of a file, as far as the plan names their fields; the line of names of a CSV file."""
    paper, checks = place.paper(form), form.files[0].checks
    if isinstance(paper, Sheet):
        return paper.main.heading, b""
    assert isinstance(paper, Legacy) and form.record is not None
    ends: list[bytes] = []
    sums = {name: sum(one.sums[added] for one in pieces) for name, added in checks.sums.items()}
    count = {checks.count: sum(one.records for one in pieces)}
    for told in ({checks.file_id: form.kind, checks.cut_date: f"{day:%Y%m%d}"}, count | sums):
        values = {name: value for name, value in told.items() if name}
        groups = {one.under[0] for one in form.record.fields if one.name in values and one.under} - {
            form.segment
        }
        ends.append(b"".join(paper.closing(group, values) for group in sorted(groups)))
    return ends[0], ends[1]
