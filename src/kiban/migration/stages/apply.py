"""Apply: in a delta, what stands in the place of the load. What a newer unload changes becomes events, one for each subject."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from kiban import store
from kiban.kernel import Problem, Problems
from kiban.migration import delta
from kiban.migration.delta import KIND, Counts, Differing, Register
from kiban.migration.digests import digest_of, folder_digest
from kiban.migration.plan import Plan
from kiban.migration.stage import Context, Outcome, Stage, gate
from kiban.migration.stages.load import LOADED, editions, filled, migrator, other_editions
from kiban.store import Past, Store

DELTA, CHANGED, VANISHED = "delta.json", "delta.parquet", "vanished.csv"


def _run(context: Context) -> Outcome:
    plan, actor = context.plan, migrator(context.plan)
    with context.open_store() as opened, context.spill() as folder:
        registers = delta.registers(plan, context.inputs["transform"], folder)
        past = _past(opened, plan)
        _refuse(opened, plan, registers, past)
        before = _differing(context, opened, registers, folder, past if past.begun else None)
        counts = _tell(context, before, folder)
        reasons = list(_reasons(plan, registers, counts))
        if not reasons:
            todo = _differing(context, opened, registers, folder, None) if past.begun else before
            delta.amend(opened, todo, actor, plan.cut_date, past.head, folder, context.progress)
    _balance(context, counts, applied=not reasons)
    return Outcome(_summary(counts), gate(reasons))


def _past(opened: Store, plan: Plan) -> Past:
    return store.past(opened, filled(plan), migrator(plan).id, KIND, plan.cut_date)


def _refuse(opened: Store, plan: Plan, registers: Sequence[Register], past: Past) -> None:
    """Refuse, all at once, what stands in the way; nothing has changed then.

    Raises:
        Problems: `load-edition`, `delta-unloaded`, `delta-lived`, `delta-older`.
    """
    problems = other_editions(opened, plan)
    if not past.loads:
        fix = "load the first unload with `kiban migrate run`, then come with a newer one"
        problems.append(
            Problem("delta-unloaded", "nothing has been loaded that a delta could change", plan.id, fix)
        )
    for name in (one.name for one in registers):
        if others := past.others.get(name, 0):
            what = f"{others} events of others than the migration changed the register; a delta would undo their work"
            fix = (
                "after the cut-over there is no delta: go the way back, or load anew into an empty database; "
                "of a rehearsal, start again"
            )
            problems.append(Problem("delta-lived", what, name, fix))
    if past.newest is not None and past.newest > plan.cut_date:
        what = f"the database holds the state of {past.newest} already, which is newer than {plan.cut_date}"
        problems.append(Problem("delta-older", what, plan.id, "take the newest unload"))
    if problems:
        raise Problems(problems)


def _differing(
    context: Context, opened: Store, registers: Sequence[Register], folder: Path, past: Past | None
) -> list[Differing]:
    """The differences from what the database knew before the delta began, or knows now (None)."""
    known, actor = past.known if past else None, migrator(context.plan)
    found = []
    for number, register in enumerate(registers):
        context.progress("差分の比較", number, len(registers))
        found.append(delta.differing(opened, register, actor, known, folder, lambda *_: None))
    context.progress("差分の比較", len(registers), len(registers))
    return found


def _tell(context: Context, differing: Sequence[Differing], folder: Path) -> list[Counts]:
    """Write what the delta does; the same, however often it was cut."""
    with delta.desk(folder, differing) as connection:
        counts = [delta.count(connection, number, one) for number, one in enumerate(differing)]
        lines = pa.concat_tables(
            [delta.changes(connection, number, one.register) for number, one in enumerate(differing)]
            or [delta.CHANGES.empty_table()]
        )
    pq.write_table(lines, context.out / CHANGED)
    gone = lines.filter(lines.column("vanished")).to_pylist()
    listed = sorted({(line["register"], "/".join(line["subject"])) for line in gone})
    titles = ("台帳", "番号")
    table = pa.table(
        {title: pa.array([one[at] for one in listed], pa.string()) for at, title in enumerate(titles)}
    )
    pacsv.write_csv(table, context.out / VANISHED)
    limits = {name: str(value) for name, value in asdict(context.plan.delta).items()}
    told = {
        "cut_date": context.plan.cut_date.isoformat(),
        "limits": limits,
        "registers": [one.as_data() for one in counts],
    }
    _write(context.out / DELTA, told)
    return counts


def _reasons(plan: Plan, registers: Sequence[Register], counts: Sequence[Counts]) -> Iterator[str]:
    for register, one in zip(registers, counts, strict=True):
        most = delta.allowed(one.known, plan.delta)
        if one.vanished > most:
            yield (
                f"{register.group.name}の{one.vanished:,}件が新しいデータにありません（いま{one.known:,}件、目安は{most:,}件まで）。"
                "何も反映していません。ファイルの欠けがないか確かめ、消してよいものなら plan.yaml の delta に上限を書いてください"
                f"（一覧は {VANISHED}）。"
            )


def _balance(context: Context, counts: Sequence[Counts], *, applied: bool) -> None:
    """What the load leaves for the stages after it, of a delta; where nothing was applied, only unchanged rows are in the database."""
    plan, converted = context.plan, context.inputs["transform"]
    lines = [
        {
            "register": one.register,
            "in": one.rows,
            "loaded": one.rows if applied else one.unchanged,
            "rejected": 0,
        }
        for one in counts
    ]
    name = f"delta-{plan.id}-{plan.cut_date}-{digest_of(folder_digest(converted))[:16]}"
    used = {edition.id: edition.edition for edition in editions(plan)}
    told = {"job": name, "actor": migrator(plan).id, "editions": used, "registers": lines}
    _write(context.out / LOADED, told)


def _summary(counts: Sequence[Counts]) -> Mapping[str, Any]:
    names = ("unchanged", "new", "changed", "gone", "vanished")
    return {"registers": len(counts), **{name: sum(getattr(one, name) for one in counts) for name in names}}


def _write(path: Path, told: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _outside(context: Context) -> str:
    """The last event of the migration on these registers; "" where the database has none."""
    with context.open_store() as opened:
        try:
            return _past(opened, context.plan).own
        except Problem as problem:
            if problem.code != "store-not-installed":
                raise
            return ""


def _depends(plan: Plan) -> Any:
    data = plan.as_data()
    limits = {name: str(value) for name, value in asdict(plan.delta).items()}
    return [data["id"], data["targets"], data["editions"], data["cut_date"], limits]


APPLY = Stage("apply", "差分反映", ("transform",), _run, parts=_depends, stands_for="load", outside=_outside)
