"""Transform: decoded records become rows of the standard, as the maps say; each file of each register survives a crash."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from kiban.migration import mapping, workers
from kiban.migration.digests import digest_of, file_digest
from kiban.migration.plan import Plan
from kiban.migration.stage import Context, Outcome, Stage, gate

VERSION = "1"
EXCLUDED, REFUSED, ROWS = "excluded.parquet", "refused.parquet", "rows.parquet"
_PARTS = "parts"
_ROW = 335  # bytes of work in a row, so that 200,000 rows are enough for another process
_SHOWN = 5


@dataclass(frozen=True)
class Task:
    """One decoded file to become rows of one register.

    Attributes:
        plan: of the migration.
        number: of the target in the plan.
        register, file: what becomes what; the id of the file in the plan.
        decoded: output of the stage decode.
        excluded: the rows to leave out.
        unit: the folder that appears when everything in it is on the disk: parts/NNNN.parquet, refused.parquet, rows.parquet.
        rows: of the decoded file.
    """

    plan: Plan
    number: int
    register: str
    file: str
    decoded: Path
    excluded: Path
    unit: Path
    rows: int


def _run(context: Context) -> Outcome:
    context.units.mkdir(parents=True, exist_ok=True)
    tasks = _tasks(context)
    waiting = [task for task in tasks if not task.unit.is_dir()]
    done = len(tasks) - len(waiting)
    ordered = [(task,) for task in sorted(waiting, key=lambda task: -task.rows)]
    for _ in workers.each(transform_one, ordered, sum(task.rows for task in waiting) * _ROW):
        done += 1
        context.progress("変換", done, len(tasks))
    _gather(context.out, tasks)
    for old in set(context.units.iterdir()) - {task.unit for task in tasks}:
        shutil.rmtree(old)
    return _outcome(context.out)


def _tasks(context: Context) -> list[Task]:
    """Every file of every target, in the order of the plan; every map is looked at before anything begins."""
    plan, decoded = context.plan, context.inputs["decode"]
    excluded = context.inputs["cleanse"] / EXCLUDED
    hashes = {path: file_digest(path) for path in [*sorted(decoded.glob("*/*.parquet")), excluded]}
    tasks = []
    for number, made in enumerate(mapping.load_maps(plan)):
        made.sql(decoded)  # refuses fields that the decoded files do not have
        others = [
            path
            for path in hashes
            if path.parent.name in made.reads and path.parent.name != made.target.source
        ]
        said = [_said(plan, made), *(hashes[path] for path in (*others, excluded))]
        for path in sorted((decoded / made.target.source).glob("*.parquet")):
            unit = (
                context.units / f"{made.register}-{path.stem}-{digest_of([VERSION, hashes[path], said])[:16]}"
            )
            rows = pq.read_metadata(path).num_rows
            tasks.append(Task(plan, number, made.register, path.stem, decoded, excluded, unit, rows))
    return tasks


def _said(plan: Plan, made: mapping.Map) -> list[Any]:
    """Everything a map says that its rows depend on."""
    lines = [
        [line.item, line.field, line.argument, line.compiled.value_sql, line.compiled.fault_sql]
        for line in made.lines
    ]
    return [lines, made.target.source, made.target.where, plan.as_data()["editions"][made.target.edition]]


def transform_one(task: Task) -> None:
    """Carry out the map of a register on one decoded file, into a folder of its own."""
    made = mapping.load_maps(task.plan)[task.number]
    making = task.unit.with_name(f".{task.unit.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    (making / _PARTS).mkdir(parents=True)
    counts = []
    with pq.ParquetWriter(making / REFUSED, mapping.REFUSED, compression="zstd") as refused:
        for piece in made.pieces(task.decoded, task.excluded, task.file):
            counts.append(piece.counts)
            refused.write_table(piece.refused)
            if piece.rows.num_rows:
                part = making / _PARTS / f"{task.file}-{piece.number:04d}.parquet"
                pq.write_table(piece.rows, part, compression="zstd")
    _write_counts(counts, making / ROWS)
    for path in making.rglob("*.parquet"):
        with path.open("rb") as opened:
            os.fsync(opened.fileno())
    making.rename(task.unit)


def _write_counts(counts: Sequence[pa.Table], path: Path) -> None:
    """The counts of several pieces or files, those of the same file, ward and year together."""
    names = mapping.COUNTS.names
    told = pl.from_arrow(pa.concat_tables([mapping.COUNTS.empty_table(), *counts]))
    assert isinstance(told, pl.DataFrame)
    summed = told.group_by(names[:4], maintain_order=True).agg(pl.col(names[4:]).sum())
    pq.write_table(summed.sort(names[:4]).to_arrow().cast(mapping.COUNTS), path, compression="zstd")


def _gather(out: Path, tasks: Sequence[Task]) -> None:
    """Put the units together: a folder for each register, all refusals, all counts."""
    for task in tasks:
        for path in sorted((task.unit / _PARTS).iterdir()):
            to = out / task.register.replace(".", "/") / path.name
            to.parent.mkdir(parents=True, exist_ok=True)
            try:
                to.hardlink_to(path)
            except OSError:  # a file system without links
                shutil.copyfile(path, to)
    with pq.ParquetWriter(out / REFUSED, mapping.REFUSED, compression="zstd") as refused:
        for task in tasks:
            for batch in pq.ParquetFile(task.unit / REFUSED).iter_batches():
                refused.write_batch(batch)
    _write_counts([pq.read_table(task.unit / ROWS) for task in tasks], out / ROWS)


def _outcome(out: Path) -> Outcome:
    rows = pl.read_parquet(out / ROWS)
    kinds = mapping.COUNTS.names[4:]
    by_register = rows.group_by("register", maintain_order=True).agg(pl.col(kinds).sum()).to_dicts()
    refused = (
        pl.scan_parquet(out / REFUSED).group_by("segment", "item", "field", "rule", "code").len("values")
    )
    found = refused.sort("segment", "item", "field", "rule", "code").collect().to_dicts()
    summary = {
        **{name: int(rows[name].sum()) for name in kinds},
        "registers": {one.pop("register"): one for one in by_register},
        "refusals": found,
    }
    return Outcome(summary, gate(_reasons(found)))


def _reasons(found: Sequence[dict[str, Any]]) -> list[str]:
    """Why the gate is closed, for officials: the most frequent refusals by field."""
    if not found:
        return []
    total = sum(one["values"] for one in found)
    most = sorted(found, key=lambda one: -one["values"])[:_SHOWN]
    shown = "、".join(
        f"{one['segment']}の{one['field'] or '（項目なし）'}→{one['item']}（規則 {one['rule']}、{one['code']}）{one['values']:,}件"
        for one in most
    )
    rest = f"、ほか{len(found) - _SHOWN}種類" if len(found) > _SHOWN else ""
    return [
        f"規則で移せない値が{total:,}件あります：{shown}{rest}。場所は{REFUSED}にあります。"
        "元の値を直すか、対応表・コード表を直すか、所見として決めてください。"
    ]


def _reads(plan: Plan) -> list[Path]:
    return [*(target.map for target in plan.targets), *mapping.code_tables(plan.folder)]


def _parts(plan: Plan) -> Any:
    data = plan.as_data()
    return [data[name] for name in ("targets", "editions", "files")]


TRANSFORM = Stage(
    "transform", "変換", ("land", "decode", "characters", "cleanse"), _run, VERSION, _reads, _parts
)
