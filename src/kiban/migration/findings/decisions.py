"""What the owners of the data decided on findings: decisions/findings.csv beside the plan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from kiban.kernel import Problems
from kiban.migration.plan import Plan
from kiban.standard import Findings, read_rows, suggest

HEADS = ("規則", "ファイル", "レコード", "決定", "理由", "決定者", "決定日")
ALL = "*"
ACCEPTED, REJECTED, MERGED, RETURNED = "受入れ", "除外", "統合", "出し直し"
WORDS = {
    ACCEPTED: "このまま移行する",
    REJECTED: "この行は移行しない。除外した行として理由とともに残る",
    MERGED: "中身まで同じ行を1つにまとめる",
    RETURNED: "旧システムで直してアンロードし直す。それまで先へ進まない",
}
"""The decisions there are, and what each of them does."""
_RECORD = re.compile(r"[1-9][0-9]*(/[1-9][0-9]*)?")


@dataclass(frozen=True)
class Decision:
    """A line of decisions/findings.csv.

    Attributes:
        line: in the file.
        rule: whose findings it decides.
        file: of the plan; None for every file.
        record: number in the file; None for every record.
        index: row of a table of that record; None for the record and all its rows.
        word: one of `WORDS`.
        reason, by, on: why, who and when.
    """

    line: int
    rule: str
    file: str | None
    record: int | None
    index: int | None
    word: str
    reason: str
    by: str
    on: date


def read_decisions(plan: Plan) -> tuple[Decision, ...]:
    """Read the decisions; a project without the file has decided nothing. Lines whose 決定 is empty decide nothing either.

    Raises:
        Problems: every fault of every line: those of CSV files (`standard.read_rows`), `decision-rule` without a name,
            `decision-file`, `decision-record`, `decision-word`, `decision-reason` where reason or person is missing, `decision-day`,
            `decision-twice`.
    """
    path = plan.findings
    if not path.is_file():
        return ()
    findings = Findings()
    name = path.relative_to(plan.folder).as_posix()
    rows = [row for row in read_rows(path, name, HEADS, findings) if row.values["決定"]]
    found = [one for row in rows if (one := _decision(row.line, row.values, name, plan, findings))]
    seen: dict[tuple[str, str | None, int | None, int | None], int] = {}
    for one in found:
        key = (one.rule, one.file, one.record, one.index)
        if key in seen:
            findings.fault(
                "decision-twice",
                f"the same findings of {one.rule} are decided in line {seen[key]} already",
                f"{name}:{one.line}",
                "keep one of the lines",
            )
        seen.setdefault(key, one.line)
    if findings.faults:
        raise Problems(findings.faults)
    return tuple(found)


def _decision(line: int, cells: dict[str, str], name: str, plan: Plan, findings: Findings) -> Decision | None:
    before, where = len(findings.found), f"{name}:{line}"
    _place(cells, where, [one.id for one in plan.files], findings)
    if cells["決定"] not in WORDS:
        fix = suggest(cells["決定"], WORDS, f"write {'、'.join(WORDS)}")
        findings.fault("decision-word", f"{cells['決定']} is no decision", where, fix)
    missing = "、".join(head for head in ("理由", "決定者") if not cells[head])
    if missing:
        findings.fault("decision-reason", f"{missing} is missing", where, "write why, and who decided")
    try:
        day = date.fromisoformat(cells["決定日"])
    except ValueError:
        findings.fault("decision-day", "決定日 is no day", where, "write it as 2026-10-15")
    if len(findings.found) > before:
        return None
    file, (record, _, index) = cells["ファイル"], cells["レコード"].partition("/")
    return Decision(
        line,
        cells["規則"],
        None if file == ALL else file,
        None if record == ALL else int(record),
        int(index) if index else None,
        cells["決定"],
        cells["理由"],
        cells["決定者"],
        day,
    )


def _place(cells: dict[str, str], where: str, files: list[str], findings: Findings) -> None:
    """Find what is wrong with rule, file and record of a line."""
    rule, file, record = (cells[head] for head in HEADS[:3])
    if not rule or rule == ALL:
        fix = "write one rule on each line: nobody decides on everything at once"
        findings.fault("decision-rule", "no rule is named", where, fix)
    if file not in (ALL, *files):
        fix = suggest(file, files, f"write {ALL} for every file")
        findings.fault("decision-file", f"the plan has no file {file or '(empty)'}", where, fix)
    if record != ALL and not _RECORD.fullmatch(record):
        fix = f"write 12, 12/3 for a row of its table, or {ALL} for all"
        findings.fault("decision-record", "no number of a record", where, fix)
    elif record != ALL and file == ALL:
        findings.fault("decision-file", "a record is named and no file", where, "name the file of the record")
