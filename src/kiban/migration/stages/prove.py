"""Prove: what was decoded is written again, and every byte that came is accounted for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kiban.migration import records, workers
from kiban.migration.plan import Plan, SourceFile
from kiban.migration.sources import reading_files, reading_parts, source_of
from kiban.migration.stage import Context, Outcome, Stage, gate
from kiban.migration.stages.decode import LEDGER, USES
from kiban.migration.stages.land import FILES

PROOFS = "proofs.json"
_ROWS = 16_384


def _run(context: Context) -> Outcome:
    landed = context.inputs["land"] / FILES
    plan = replace(context.plan, unload=landed)
    files = [one for one in plan.files if one.form != "csv"]
    sizes = {one.id: (landed / one.path).stat().st_size for one in files}
    tasks = [(plan, one, context.inputs["decode"]) for one in sorted(files, key=lambda one: -sizes[one.id])]
    proofs: dict[str, records.Proof] = {}
    context.progress("書き戻し", 0, len(tasks))
    for name, proof in workers.each(prove_one, tasks, sum(sizes.values())):
        proofs[name] = proof
        context.progress("書き戻し", len(proofs), len(tasks))
    told = {name: asdict(proofs[name]) for name in sorted(proofs)}
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (context.out / PROOFS).write_text(text, encoding="utf-8")
    return _outcome(proofs)


def prove_one(plan: Plan, file: SourceFile, decoded: Path) -> tuple[str, records.Proof]:
    """Write the decoded rows of one file again.

    Args:
        plan: with `unload` set to where the landed files are.
        file: of the plan, not CSV.
        decoded: output of the stage that decodes.
    """
    ledger = decoded / LEDGER / f"{file.id}.parquet"
    faults = pq.read_table(ledger) if ledger.is_file() else records.LEDGER.empty_table()
    return file.id, records.prove(source_of(plan, file, plan.unload), _rows(decoded, file), faults)


def _rows(decoded: Path, file: SourceFile) -> Iterator[tuple[str, pa.RecordBatch]]:
    for folder in sorted(one for one in decoded.iterdir() if one.is_dir() and one.name not in {LEDGER, USES}):
        path = folder / f"{file.id}.parquet"
        if path.is_file():
            with pq.ParquetFile(path) as opened:
                for batch in opened.iter_batches(_ROWS):
                    yield folder.name, batch


def _outcome(proofs: dict[str, records.Proof]) -> Outcome:
    other: Counter[str] = Counter()
    for proof in proofs.values():
        other.update(proof.other)
    summary = {
        "files": len(proofs),
        "records": sum(one.records for one in proofs.values()),
        "fields": sum(one.fields for one in proofs.values()),
        "empty": sum(one.empty for one in proofs.values()),
        "otherwise": sum(other.values()),
        "unexplained": sum(one.unexplained for one in proofs.values()),
        "missing": sum(one.missing for one in proofs.values()),
        "other": dict(sorted(other.items())),
    }
    reasons = [
        f"{name}：復号した行から書き戻せないバイトが{one.unexplained:,}、行にならなかったレコードが{one.missing:,}あります。"
        "コピー句と計画の when を確かめてください。"
        for name, one in sorted(proofs.items())
        if one.unexplained or one.missing
    ]
    return Outcome(summary, gate(reasons))


PROVE = Stage("prove", "書き戻し", ("land", "decode"), _run, "1", reading_files, reading_parts, looks=True)
