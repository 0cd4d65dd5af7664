"""Land: the files received, proved whole, alike and of the right day, before a byte is decoded; then immutable."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kiban.kernel import Problem, Problems
from kiban.migration import records
from kiban.migration.digests import file_digest
from kiban.migration.plan import Plan, SourceFile
from kiban.migration.sources import source_of
from kiban.migration.stage import Context, Outcome, Stage

FILES, MANIFEST = "files", "manifest.json"


def _run(context: Context) -> Outcome:
    plan = context.plan
    problems = [*_presence(plan)]
    landed: list[dict[str, Any]] = []
    folder = context.out / FILES
    for at, file in enumerate(plan.files):
        context.progress("受領", at, len(plan.files))
        if (plan.unload / file.path).is_file():
            _take(plan.unload / file.path, folder / file.path)
            try:
                landed.append(_entry(plan, file, folder))
            except Problem as problem:
                problems.append(problem)
            except Problems as several:
                problems += several.problems
    problems += _doubles(landed)
    for entry in landed:
        problems += _facts(plan, plan.file(entry["file"]), entry)
    if problems:
        raise Problems({str(one): one for one in problems}.values())  # what several files share is told once
    if plan.totals:
        _take(plan.unload / plan.totals, folder / plan.totals)
    context.progress("受領", len(plan.files), len(plan.files))
    _manifest(context, landed)
    size = sum(entry["bytes"] for entry in landed)
    counts = {entry["file"]: entry["records"] for entry in landed}
    return Outcome(
        {"files": len(landed), "bytes": size, "cut_date": plan.cut_date.isoformat(), "records": counts}
    )


def _manifest(context: Context, landed: Sequence[Mapping[str, Any]]) -> None:
    told = {"plan": context.plan.id, "cut_date": context.plan.cut_date.isoformat(), "files": list(landed)}
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (context.out / MANIFEST).write_text(text, encoding="utf-8")


def _presence(plan: Plan) -> Iterator[Problem]:
    if not plan.unload.is_dir():
        yield Problem(
            "unload-missing",
            "there is no such folder",
            str(plan.unload),
            "name the folder of the files with --unload",
        )
        return
    wanted = {file.path for file in plan.files} | ({plan.totals} if plan.totals else set())
    there = {path.relative_to(plan.unload).as_posix() for path in plan.unload.rglob("*") if path.is_file()}
    for name in sorted(wanted - there):
        yield Problem(
            "file-withheld", "the plan expects this file and it did not come", name, "ask its owner for it"
        )
    for name in sorted(there - wanted):
        yield Problem(
            "file-unexpected",
            "no entry of the plan names this file",
            name,
            "add it to the plan, or take it out of the unload",
        )


def _take(path: Path, to: Path) -> None:
    """Copy a file so that nothing done to the original reaches the copy; the copy is read-only."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)
    to.chmod(0o444)
    with to.open("rb") as opened:
        os.fsync(opened.fileno())


def _entry(plan: Plan, file: SourceFile, folder: Path) -> dict[str, Any]:
    path = folder / file.path
    entry = {
        "file": file.id,
        "path": file.path,
        "bytes": path.stat().st_size,
        "sha256": file_digest(path),
        "records": None,
        "told": {},
    }
    if not entry["bytes"] and file.may_be_empty:
        return {**entry, "records": 0}
    if not entry["bytes"]:
        raise Problem("file-empty", "the file has no bytes", file.path, "ask its owner for it again")
    if file.form != "csv":
        source = source_of(plan, file, folder)
        count = records.record_count(source)
        entry["records"] = count
        entry["told"] = _told(source, file, count)
    else:
        with path.open("rb") as opened:
            opened.seek(-1, os.SEEK_END)
            if opened.read(1) not in (b"\n", b"\x1a"):
                raise Problem(
                    "file-truncated", "the last line has no end", file.path, "ask its owner for it again"
                )
    return entry


def _told(source: records.Source, file: SourceFile, count: int) -> dict[str, Any]:
    """What the first and the last record say of the file."""
    checks = file.checks
    first = _values(source, 0) if checks.file_id or checks.cut_date else {}
    last = _values(source, count - 1) if checks.count else {}
    named = {
        "file_id": (checks.file_id, first),
        "cut_date": (checks.cut_date, first),
        "count": (checks.count, last),
    }
    return {name: record.get(field) for name, (field, record) in named.items() if field}


def _values(source: records.Source, at: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for batch in records.decode_file(source, at, at + 1):
        for rows in batch.segments.values():
            if rows.num_rows:
                found = {**rows.slice(0, 1).to_pylist()[0], **found}
    return found


def _doubles(landed: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for entry in (one for one in landed if one["bytes"]):
        first = seen.setdefault(entry["sha256"], entry["path"])
        if first != entry["path"]:
            yield Problem(
                "file-duplicate",
                f"the same bytes as {first}",
                entry["path"],
                "ask for the right file: one of the two came twice",
            )


def _facts(plan: Plan, file: SourceFile, entry: Mapping[str, Any]) -> Iterator[Problem]:
    told, wanted = entry["told"], plan.cut_date.strftime("%Y%m%d")
    if "file_id" in told and told["file_id"] != Path(file.path).stem:
        yield Problem(
            "file-other",
            "the header does not name this file",
            file.path,
            "ask its owner for the file of this name",
        )
    if "cut_date" in told and str(told["cut_date"]) != wanted:
        yield Problem(
            "file-stale",
            f"the file shows the state of {told['cut_date'] or 'an unreadable day'}, the plan's day is {wanted}",
            file.path,
            "ask for an unload of the plan's day, or correct cut_date in the plan",
        )
    if "count" in told and told["count"] != entry["records"] - 2:
        yield Problem(
            "file-truncated",
            f"the trailer counts {told['count']} records, {entry['records'] - 2} came between header and trailer",
            file.path,
            "ask its owner for the whole file again, transferred in binary",
        )


def _reads(plan: Plan) -> list[Path]:
    files = [plan.unload / file.path for file in plan.files]
    books = [file.copybook for file in plan.files if file.copybook]
    others = [plan.unload / plan.totals] if plan.totals else []
    extra = sorted({path for path in plan.unload.rglob("*") if path.is_file()} - {*files, *others})
    return [*files, *books, *others, *extra]


def _parts(plan: Plan) -> Any:
    data = plan.as_data()
    return [data[name] for name in ("cut_date", "totals", "files")] + [
        one["code_page"] for one in data["systems"]
    ]


LAND = Stage("land", "受領", ("inventory",), _run, reads=_reads, parts=_parts)
