"""What the findings leave behind: every finding, a line for each rule and file for officials, and the rows that go."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kiban.migration.findings.check import Check
from kiban.migration.findings.checks import KINDS
from kiban.migration.findings.dates import CLASSES
from kiban.migration.findings.decisions import ALL, Decision
from kiban.migration.findings.loading import DECODED, LOADED, MAPPED
from kiban.migration.findings.segments import Segments
from kiban.migration.findings.settle import Settled, outdated
from kiban.migration.findings.words import SEVERITIES, STATES, said
from kiban.migration.mapping import quoted
from kiban.migration.plan import Plan

FINDINGS, EXCLUDED = "findings.parquet", "excluded.parquet"
LIST, DATES, CHECKED, DECIDED = "findings.csv", "dates.csv", "checked.csv", "decided.csv"
HEADS = (
    "規則",
    "内容",
    "重大度",
    "データ",
    "ファイル",
    "件数",
    "決定済み",
    "未決定",
    "決定",
    "担当",
    "説明",
    "例",
)
SHOWN = 5
"""How many examples each line of the list names."""
_WHY = {
    DECODED: "復号できない値。旧システムで直すか、意味のある値なら計画の unset に書く",
    MAPPED: "対応表の規則が受け取れない値。旧システムで直すか、対応表・コード表を直す",
    LOADED: "標準の項目に合わない値。新しい台帳は受け付けない",
}


def write(
    out: Path,
    plan: Plan,
    checks: Sequence[Check],
    decisions: Sequence[Decision],
    db: Segments,
    classes: Mapping[str, Mapping[str, int]],
    settled: Settled,
) -> list[dict[str, Any]]:
    """Leave everything in a folder.

    Args:
        out: the folder.
        plan: says who owns a file.
        checks: of the project, in their order.
        decisions: of the owners, in their order.
        db: with `stated` and `excluded`.
        classes: dates of each class, by rule.
        settled: what the decisions came to.

    Returns:
        The lines of the list, by the heads of `findings.csv`; with `code`, `severity` and `states` (findings in each) beside them.
    """
    db.query.execute("SET preserve_insertion_order = true")
    _parquet(db, _FINDINGS, out / FINDINGS)
    _parquet(db, _EXCLUDED, out / EXCLUDED)
    listed = _list(plan, checks, db)
    _csv(out / LIST, HEADS, [[line[head] for head in HEADS] for line in listed])
    dated = ("規則", "データ", "フィールド", "種類", "件数")
    _csv(out / DATES, dated, _dated(checks, classes))
    _csv(out / CHECKED, ("規則", "検査", "データ", "フィールド", "対象", "検出"), _checked(checks, db))
    decided = ("行", "規則", "ファイル", "レコード", "決定", "件数", "状況")
    _csv(out / DECIDED, decided, _decided(db, decisions, settled))
    return listed


_FINDINGS = """SELECT rule, severity, segment, file, record, index, field, code, state FROM stated
    ORDER BY file, record, index, segment, field, rule, code"""
_EXCLUDED = (
    "SELECT segment, file, record, index, fate, reason FROM excluded ORDER BY file, record, index, segment"
)


def _parquet(db: Segments, asked: str, path: Path) -> None:
    db.query.execute(
        f"COPY ({asked}) TO {quoted(path.as_posix())} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
    )


def _csv(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)


def _list(plan: Plan, checks: Sequence[Check], db: Segments) -> list[dict[str, Any]]:
    why = {check.rule: check.why for check in checks}
    places = {check.rule: at for at, check in enumerate(checks)}
    owners = {file.id: file.owner for file in plan.files}
    states = ", ".join(f"count(*) FILTER (state = {quoted(state)})" for state in STATES)
    place = "record || CASE WHEN index > 0 THEN '/' || index ELSE '' END"
    rows = db.query.execute(
        f"SELECT rule, code, severity, segment, file, count(*), [{states}], arg_min({place}, (state <> 'open', record, index), {SHOWN}) "
        f"FROM stated GROUP BY ALL"
    ).fetchall()
    rows.sort(key=lambda row: ([*SEVERITIES].index(row[2]), places.get(row[0], -1), row[0], row[1], row[4]))
    found = []
    for rule, code, severity, segment, file, many, counts, shown in rows:
        told = dict(zip(STATES, counts, strict=True))
        decided = [f"{STATES[name]} {n:,}" for name, n in told.items() if n and name != "open"]
        cells = (
            rule,
            said(code),
            SEVERITIES[severity],
            segment,
            file,
            many,
            many - told["open"],
            told["open"],
        )
        more = (
            "・".join(decided),
            owners.get(file, ""),
            why.get(rule, _WHY.get(rule.split(":")[0], "")),
            "・".join(shown),
        )
        line: dict[str, Any] = dict(zip(HEADS, (*cells, *more), strict=True))
        found.append(line | {"code": code, "severity": severity, "states": told})
    return found


def _dated(
    checks: Sequence[Check], classes: Mapping[str, Mapping[str, int]]
) -> list[tuple[str, str, str, str, int]]:
    """How many dates of each field are of each class."""
    by_rule = {check.rule: check.rows for check in checks}
    return [
        (rule, by_rule[rule].segment, by_rule[rule].fields[0], CLASSES[kind], many)
        for rule, counts in classes.items()
        for kind, many in counts.items()
    ]


def _checked(checks: Sequence[Check], db: Segments) -> list[tuple[str, str, str, str, int, int]]:
    """How many rows each check looked at, those without a value left out where it looks at values, and how many places it found."""
    found = dict(db.query.execute("SELECT rule, count(*) FROM found GROUP BY ALL").fetchall())
    rows = []
    for check in checks:
        looked = db.count(check.rows, held=KINDS[check.kind].held_only)
        rows.append(
            (
                check.rule,
                check.kind,
                check.rows.segment,
                " ".join(check.fields),
                looked,
                found.get(check.rule, 0),
            )
        )
    return rows


def _decided(db: Segments, decisions: Sequence[Decision], settled: Settled) -> list[tuple[Any, ...]]:
    """Every line of the decisions with how many findings it decides, and whether it decides any."""
    used = dict(
        db.query.execute("SELECT line, count(*) FROM stated WHERE line IS NOT NULL GROUP BY ALL").fetchall()
    )
    refused = {line for line, _, _ in settled.refused}
    rows = []
    for one in decisions:
        record = ALL if one.record is None else f"{one.record}/{one.index}" if one.index else str(one.record)
        state = "従えない指摘がある" if one.line in refused else "適用"
        if one.line in settled.stale:
            state = "基準日より前の決定" if outdated(one, db.cut) else "該当なし"
        rows.append((one.line, one.rule, one.file or ALL, record, one.word, used.get(one.line, 0), state))
    return rows
