"""Reconcile: the proof by an independent path that the database holds what the legacy files say, and protects whom they protect."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kiban.migration import mapping, proof
from kiban.migration.plan import Plan
from kiban.migration.proof import Decoded, Register
from kiban.migration.stage import Context, Outcome, Progress, Stage, gate
from kiban.migration.stages.load import LOADED, migrator, standing
from kiban.migration.stages.transform import EXCLUDED, ROWS
from kiban.store import Store

CERTIFICATE, DIFFERENCES, PROTECTION = "certificate.json", "differences.parquet", "protection.parquet"
_NAMED = 20_000
_AT_ONCE, _STEPS = 2, 5


def _run(context: Context) -> Outcome:
    said = proof.declared(context.plan)
    sides = _sides(context)
    load = json.loads((context.inputs["load"] / LOADED).read_text(encoding="utf-8"))
    with context.open_store() as opened, context.spill() as folder:
        registers = _registers(context, opened, sides, folder, load, said.confidential)
        protection, judged = _protection(context, opened, said)
    certificate = proof.certificate(context.plan, load, registers, protection)
    text = json.dumps(certificate, ensure_ascii=False, indent=1, sort_keys=True)
    (context.out / CERTIFICATE).write_text(text + "\n", encoding="utf-8")
    tables = [one.compared.differences for one in registers] or [proof.DIFFERENCES.empty_table()]
    pq.write_table(pa.concat_tables(tables), context.out / DIFFERENCES)
    pq.write_table(judged, context.out / PROTECTION)
    return _outcome(certificate, registers, protection)


def _sides(context: Context) -> list[Decoded]:
    """What the decoded files say of every register, by the maps as SQL."""
    decoded = context.inputs["decode"]
    left_out = context.inputs["cleanse"] / EXCLUDED

    def side(one: mapping.Map) -> Decoded:
        def select(items: Sequence[str], every: bool) -> str:
            lines = tuple(line for line in one.lines if line.item in items)
            return replace(one, lines=lines).sql(decoded, None if every else left_out)

        return Decoded(one.register, one.group, select)

    return [side(one) for one in mapping.load_maps(context.plan)]


def _registers(
    context: Context,
    opened: Store,
    sides: Sequence[Decoded],
    folder: Path,
    load: Mapping[str, Any],
    confidential: frozenset[str],
) -> list[Register]:
    """All registers, two at a time, so that one is digested here while the server digests another; the largest first."""
    meter = _Meter(context.progress, {line["register"]: line["loaded"] for line in load["registers"]})

    def work(side: Decoded) -> Register:
        return _register(context, opened, side, folder / side.register, meter, side.register in confidential)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        ordered = sorted(sides, key=lambda side: -meter.rows.get(side.register, 0))
        found = {one.decoded.register: one for one in pool.map(work, ordered)}
    return [found[side.register] for side in sides]


def _register(
    context: Context, opened: Store, side: Decoded, folder: Path, meter: _Meter, confidential: bool
) -> Register:
    folder.mkdir()
    actor = migrator(context.plan)

    def tell(_step: str, done: int, _total: int) -> None:
        meter.reached(side.register, done)

    compared = proof.compare(opened, side, actor, folder=folder, most=_NAMED, progress=tell)
    with proof.engine(folder) as connection:
        cells = proof.count(opened, connection, side, context.inputs["transform"] / ROWS, actor)
    meter.reached(side.register, _STEPS)
    return Register(side, compared, cells, confidential)


@dataclass
class _Meter:
    """How far all registers are, in rows; told from several threads."""

    tell: Progress
    rows: Mapping[str, int]
    _steps: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def reached(self, register: str, step: int) -> None:
        with self._lock:
            self._steps[register] = step
            done = sum(self.rows.get(name, 0) * steps for name, steps in self._steps.items())
            self.tell("突合（行）", done // _STEPS, sum(self.rows.values()))


def _protection(context: Context, opened: Store, said: proof.Declared) -> tuple[dict[str, Any], pa.Table]:
    """What is said of protection, and everybody's judgement."""
    if said.not_held:
        return proof.not_protected(said.not_held), proof.PROTECTION.empty_table()
    context.progress("支援措置の照合", 0, 1)
    day = context.plan.cut_date
    source = proof.in_source(context.inputs["decode"], said, day)
    stored = proof.in_store(opened, said, day, migrator(context.plan), source)
    judged = list(proof.judge(source, stored))
    context.progress("支援措置の照合", 1, 1)
    return proof.protected(source, judged), proof.table(judged)


def _outcome(
    certificate: dict[str, Any], registers: Sequence[Register], protection: dict[str, Any]
) -> Outcome:
    summary = {
        **certificate["totals"],
        "protected": protection["people"],
        "weaker": protection["weaker"] + protection["missing"],
        "unexplained": certificate["unexplained"],
    }
    return Outcome(summary, gate(list(proof.reasons(registers, protection))))


def _outside(context: Context) -> str:
    """What was compared."""
    return standing(context, context.inputs["load"] / LOADED)


def _reads(plan: Plan) -> list[Path]:
    maps = [target.map for target in plan.targets]
    return [plan.folder / proof.DECLARED, *maps, *mapping.code_tables(plan.folder)]


RECONCILE = Stage(
    "reconcile",
    "突合",
    ("decode", "cleanse", "transform", "load"),
    _run,
    reads=_reads,
    outside=_outside,
)
