"""Load: what was converted becomes rows of the integrated database, all of it in one event or none of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kiban import store
from kiban.kernel import ALL_WARDS, Actor, Problem, Problems
from kiban.migration.digests import digest_of, folder_digest
from kiban.migration.plan import Plan
from kiban.migration.stage import Context, Outcome, Progress, Stage, gate
from kiban.standard import Edition
from kiban.store import Load, Part, Store

LOADED = "load.json"
_STEPS = {
    "copy": "取込み（行）",
    "keys and checks": "取込み（索引と検査）",
    "publish": "取込み（公開）",
    "swap": "版の適用",
    "wait for open sessions": "取込み（利用中の処理を待つ）",
}


def _run(context: Context) -> Outcome:
    place, actor = context.inputs["transform"], migrator(context.plan)
    folders = _folders(place)
    job = _job(context.plan, folders)
    with context.open_store() as opened:
        done = store.finished_load(opened, job)
        _refuse(opened, context.plan, folders, done)
        tell = _in_japanese(context.progress)
        for edition in editions(context.plan):
            if edition.id not in opened.applied():
                store.apply(opened, edition, actor, progress=tell)
        parts = _parts(opened, place, folders)
        if done is None:
            store.import_arrow(opened, parts, actor, job=job, progress=tell)
            done = store.finished_load(opened, job)
    assert done is not None
    lines = [_line(name, parts, done) for name in filled(context.plan)]
    used = {edition.id: edition.edition for edition in editions(context.plan)}
    told = {"job": job, "actor": actor.id, "editions": used, "registers": lines}
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True)
    (context.out / LOADED).write_text(text + "\n", encoding="utf-8")
    return _outcome(lines)


def migrator(plan: Plan) -> Actor:
    """Who loads and reads back: the migration itself, for the whole city; its purpose names the plan."""
    return Actor("migration", None, ALL_WARDS, f"データ移行 {plan.id}", protected=True)


def _folders(place: Path) -> dict[str, Path]:
    """The folder of each register that was converted."""
    found = {".".join(path.parts[-2:]): path for path in sorted(place.glob("*/*")) if path.is_dir()}
    if not found:
        fix = "run the stage transform first, and look at its gate"
        raise Problem("load-empty", "nothing was converted, so there is nothing to load", place.name, fix)
    return found


def _job(plan: Plan, folders: Mapping[str, Path]) -> str:
    """A name that the same converted rows always get, so that a load that was cut finds itself again."""
    return (
        f"migrate-{plan.id}-{digest_of({name: folder_digest(path) for name, path in folders.items()})[:16]}"
    )


def filled(plan: Plan) -> list[str]:
    """Every register the plan fills, in its order; one of which no row came is filled with nothing."""
    return [f"{plan.editions[target.edition].id}.{target.group}" for target in plan.targets]


def editions(plan: Plan) -> list[Edition]:
    """The editions whose registers are filled, each once."""
    names = dict.fromkeys(target.edition for target in plan.targets)
    return list({plan.editions[name].id: plan.editions[name] for name in names}.values())


def other_editions(opened: Store, plan: Plan) -> list[Problem]:
    """A problem `load-edition` for each business of which another edition is in force than the plan fills."""
    in_force = opened.applied()
    return [
        Problem(
            "load-edition",
            f"{in_force[edition.id]} of {edition.id} is in force, the plan fills {edition.edition}",
            edition.id,
            f"name {edition.id}@{in_force[edition.id]} in the plan, or bring {edition.edition} into force: kiban db apply",
        )
        for edition in editions(plan)
        if in_force.get(edition.id, edition.edition) != edition.edition
    ]


def _refuse(opened: Store, plan: Plan, folders: Mapping[str, Path], done: Load | None) -> None:
    """Refuse, all at once, what stands in the way; nothing has changed then.

    Raises:
        Problems: `load-edition`, `load-register`, `load-occupied`.
    """
    problems = other_editions(opened, plan)
    known = filled(plan)
    problems += [
        Problem("load-register", "converted, but no target of the plan", name, "run transform again")
        for name in folders
        if name not in known
    ]
    standing = [name for name in known if name in opened.tables()]
    for name, rows in store.strangers(opened, standing, done).items():
        if rows:
            whose = "rows that are not as this load left them" if done else "rows"
            fix = "use an empty database for a rehearsal; what changed since the last load comes as a delta"
            problems.append(Problem("load-occupied", f"the register holds {rows} {whose}", name, fix))
    if problems:
        raise Problems(problems)


def _parts(opened: Store, place: Path, folders: Mapping[str, Path]) -> list[Part]:
    """What is loaded, under names that do not depend on where the work folder lies."""
    found = store.folder_parts(opened, place)
    assert {part.register for part in found} == set(folders)
    return [replace(part, name=f"{part.register} {number}") for number, part in enumerate(found, 1)]


def _line(register: str, parts: Sequence[Part], done: Load) -> dict[str, Any]:
    """One register's balance; what the store takes it takes whole, so rows are rejected only together, by a refusal."""
    given = sum(part.rows for part in parts if part.register == register)
    return {"register": register, "in": given, "loaded": done.rows.get(register, 0), "rejected": 0}


def _outcome(lines: Sequence[Mapping[str, Any]]) -> Outcome:
    uneven = [line for line in lines if line["in"] != line["loaded"] + line["rejected"]]
    reasons = [
        f"{line['register']}は{line['in']:,}行のうち{line['loaded']:,}行しか取り込まれていません。"
        for line in uneven
    ]
    summary = {
        "registers": len(lines),
        "rows": sum(line["in"] for line in lines),
        "loaded": sum(line["loaded"] for line in lines),
        "rejected": sum(line["rejected"] for line in lines),
    }
    return Outcome(summary, gate(reasons))


def _in_japanese(progress: Progress) -> Progress:
    return lambda step, done, total: progress(_STEPS.get(step, step), done, total)


def standing(context: Context, told: Path) -> str:
    """Which event of which chain wrote the rows of a load; "" where the database has no such event.

    Args:
        context: opens the database.
        told: load.json.

    Raises:
        Problem: `database-unreachable`: whether the rows are there is not known then.
    """
    if not told.is_file():
        return ""
    job = json.loads(told.read_text(encoding="utf-8"))["job"]
    with context.open_store() as opened:
        try:
            found = store.finished_load(opened, job)
        except Problem as problem:
            if problem.code != "store-not-installed":
                raise
            return ""
    return f"{found.event}:{found.digest}" if found else ""


def _outside(context: Context) -> str:
    return standing(context, context.out / LOADED)


def _depends(plan: Plan) -> Any:
    data = plan.as_data()
    return [data["id"], data["targets"], data["editions"]]


LOAD = Stage("load", "取込み", ("transform",), _run, parts=_depends, outside=_outside)
