"""Decode: every byte of every landed file into columns, or into the ledger; each file is a unit that survives a crash."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kiban.migration import records, workers
from kiban.migration.digests import digest_of, file_digest
from kiban.migration.plan import Plan, SourceFile
from kiban.migration.sources import batches, read_by, reading_files, reading_parts
from kiban.migration.stage import Context, Outcome, Stage
from kiban.migration.stages.land import FILES, MANIFEST

VERSION = "3"
LEDGER, USES, TOLD = "ledger", "uses", "told.json"


def _run(context: Context) -> Outcome:
    plan, folder = context.plan, context.inputs["land"] / FILES
    context.units.mkdir(parents=True, exist_ok=True)
    manifest = json.loads((context.inputs["land"] / MANIFEST).read_text(encoding="utf-8"))
    hashes = {entry["file"]: entry["sha256"] for entry in manifest["files"]}
    units = {file.id: context.units / f"{file.id}-{_key(plan, file, hashes[file.id])}" for file in plan.files}
    open_ones = [
        (replace(plan, unload=folder), file, units[file.id])
        for file in plan.files
        if not units[file.id].is_dir()
    ]
    done = len(units) - len(open_ones)
    sizes = {file.id: (folder / file.path).stat().st_size for _, file, _ in open_ones}
    ordered = sorted(open_ones, key=lambda task: -sizes[task[1].id])
    for _ in workers.each(decode_one, ordered, sum(sizes.values())):
        done += 1
        context.progress("復号", done, len(units))
    _gather(context.out, units)
    for old in set(context.units.iterdir()) - set(units.values()):
        shutil.rmtree(old)
    return _outcome(units)


def _key(plan: Plan, file: SourceFile, sha256: str) -> str:
    """Of everything the decoded file depends on."""
    system = plan.system(file.system)
    paths = [*read_by(plan, system), *([file.copybook] if file.copybook else [])]
    data = plan.as_data()
    said = next(one for one in data["files"] if one["id"] == file.id)
    return digest_of(
        [VERSION, sha256, said, system.code_page, [file_digest(path) for path in paths if path.is_file()]]
    )[:16]


def decode_one(plan: Plan, file: SourceFile, unit: Path) -> None:
    """Decode one file into a folder of its own: SEGMENT.parquet each, ledger.parquet, uses.parquet, told.json.

    Args:
        plan: with `unload` set to where the landed files are.
        file: of the plan.
        unit: appears when everything in it is on the disk.
    """
    making = unit.with_name(f".{unit.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    writers: dict[str, pq.ParquetWriter] = {}
    rows: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    filled = 0
    try:
        for batch in batches(plan, file, plan.unload):
            for name, part in {**batch.segments, LEDGER: batch.ledger, USES: batch.uses}.items():
                if name not in writers:
                    writers[name] = pq.ParquetWriter(
                        making / f"{name}.parquet", part.schema, compression="zstd"
                    )
                writers[name].write_batch(part)
                rows[name] += part.num_rows
            codes.update(batch.ledger["code"].to_pylist())
            filled += batch.filled
    finally:
        for writer in writers.values():
            writer.close()
    told = {"rows": dict(rows), "codes": dict(codes), "filled": filled}
    (making / TOLD).write_text(json.dumps(told, sort_keys=True), encoding="utf-8")
    for path in making.iterdir():
        with path.open("rb") as opened:
            os.fsync(opened.fileno())
    making.rename(unit)


def _gather(out: Path, units: dict[str, Path]) -> None:
    """Put the units together: a folder for each segment with a file for each source file."""
    for name, unit in units.items():
        for path in sorted(unit.glob("*.parquet")):
            to = out / path.stem / f"{name}.parquet"
            to.parent.mkdir(exist_ok=True)
            try:
                to.hardlink_to(path)
            except OSError:  # a file system without links
                shutil.copyfile(path, to)


def _outcome(units: dict[str, Path]) -> Outcome:
    told: dict[str, Any] = {
        name: json.loads((unit / TOLD).read_text(encoding="utf-8")) for name, unit in sorted(units.items())
    }
    rows: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for one in told.values():
        rows.update(one["rows"])
        codes.update(one["codes"])
    faults = rows.pop(LEDGER, 0)
    rows.pop(USES, None)
    summary = {
        "files": len(told),
        "rows": sum(rows.values()),
        "faults": faults,
        "segments": dict(sorted(rows.items())),
        "codes": dict(sorted(codes.items())),
        "filled": sum(one["filled"] for one in told.values()),
        "by_file": {name: one["rows"].get(LEDGER, 0) for name, one in told.items()},
    }
    # Whatever is undecoded is a finding of its record: its owner decides in the stage of cleansing, whose gate stays closed until then.
    return Outcome(summary)


def ledger(out: Path) -> pa.Table:
    """The ledger of all files; empty where nothing was at fault.

    Args:
        out: the output of this stage.
    """
    paths = sorted((out / LEDGER).glob("*.parquet"))
    return (
        pa.concat_tables([pq.read_table(path) for path in paths]) if paths else records.LEDGER.empty_table()
    )


DECODE = Stage("decode", "復号", ("land",), _run, VERSION, reading_files, reading_parts)
