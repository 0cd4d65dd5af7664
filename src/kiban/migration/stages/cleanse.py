"""Cleanse: everything wrong in the decoded data that reads like any value, and what its owners decided; no conversion before that."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kiban.migration import findings
from kiban.migration.mapping.fields import segments
from kiban.migration.plan import Plan
from kiban.migration.stage import Context, Outcome, Stage, gate
from kiban.migration.stages.decode import LEDGER

_MOST = 8
"""So many reasons are told; the list has them all."""


def _run(context: Context) -> Outcome:
    plan, decoded = context.plan, context.inputs["decode"]
    known, _ = segments(plan)  # faults of copybooks are told by the maps
    folders = {name: decoded / name if (decoded / name).is_dir() else None for name in known}
    spill = context.units / "spill"
    try:
        looked = findings.look(
            plan,
            folders,
            decoded / LEDGER,
            context.out,
            spill,
            lambda done, all_: context.progress("データ整備", done, all_),
        )
    finally:
        shutil.rmtree(spill, ignore_errors=True)
    return _outcome(looked)


def _outcome(looked: findings.Looked) -> Outcome:
    figures = dict.fromkeys(("must", "should", "note"), 0)
    states = dict.fromkeys(findings.STATES, 0)
    for line in looked.lines:
        figures[line["severity"]] += line["件数"]
        for state, many in line["states"].items():
            states[state] += many
    summary: dict[str, Any] = {
        "checks": looked.checks,
        **figures,
        "open": sum(line["未決定"] for line in looked.lines if line["severity"] == "must"),
        "rejected": looked.excluded.get("rejected", 0),
        "merged": looked.excluded.get("merged", 0),
        "stale": len(looked.settled.stale),
        "states": {name: many for name, many in states.items() if many},
        "uncovered": len(looked.uncovered),
        "rounds": {"again": looked.settled.rounds},
    }
    return Outcome(summary, gate(list(_reasons(looked))))


def _reasons(looked: findings.Looked) -> Iterator[str]:
    open_ones: dict[str, list[dict[str, Any]]] = {}
    for line in looked.lines:
        if line["severity"] == "must" and (line["未決定"] or line["states"]["returned"]):
            open_ones.setdefault(line["規則"], []).append(line)
    for rule, lines in list(open_ones.items())[:_MOST]:
        yield from _reason(rule, lines)
    if len(open_ones) > _MOST:
        yield f"ほかに{len(open_ones) - _MOST}の規則に未決定の指摘があります。`kiban migrate findings` で全部を見てください。"
    for missing in looked.uncovered[:_MOST]:
        yield f"台帳が受け付けない行を変換の前に見つける検査がありません。checks.csv に規則の名前を付けて加えてください：{missing}"
    for number, rule, code in looked.settled.refused[:_MOST]:
        yield (
            f"decisions/findings.csv の{number}行目の決定は「{rule}」の「{findings.said(code)}」には使えません。"
            "新しい台帳が受け付けない値です。除外か出し直しを書いてください。"
        )


def _reason(rule: str, lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    files = "・".join(dict.fromkeys(line["ファイル"] for line in lines))
    waiting, returned = (
        sum(line["未決定"] for line in lines),
        sum(line["states"]["returned"] for line in lines),
    )
    owners = "・".join(dict.fromkeys(line["担当"] for line in lines if line["担当"]))
    if waiting:
        yield (
            f"「{rule}」の指摘{waiting:,}件（{files}、担当 {owners}）が未決定です。"
            f"`kiban migrate findings … --rule {rule}` で場所を確かめ、decisions/findings.csv に決定を書いてください。"
        )
    if returned:
        yield (
            f"「{rule}」の指摘{returned:,}件（{files}）は出し直しと決まっています。"
            "直したファイルを受け取り、`kiban migrate run` をもう一度実行してください。"
        )


def _reads(plan: Plan) -> list[Path]:
    books = [file.copybook for file in plan.files if file.copybook]
    maps = [target.map for target in plan.targets]
    codes = sorted((plan.folder / "codes").glob("*.csv"))
    return [plan.folder / findings.CHECKS, plan.findings, *books, *maps, *codes]


CLEANSE = Stage("cleanse", "データ整備", ("decode",), _run, reads=_reads, looks=True)
