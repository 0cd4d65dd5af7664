"""The checks of a project: checks.csv beside the plan, read whole or refused with every fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

from kiban.kernel import Problem, Problems
from kiban.migration.findings import across, dated, dates, numbers, periods, values
from kiban.migration.findings.check import Check, Kind, Severity
from kiban.migration.findings.refs import Ref, parse
from kiban.migration.findings.segments import Segments
from kiban.standard import Findings, read_rows, suggest

CHECKS = "checks.csv"
HEADS = ("規則", "検査", "データ", "フィールド", "引数", "重大度", "説明")
KINDS: dict[str, Kind] = {
    kind.name: kind for module in (values, dates, dated, numbers, periods, across) for kind in module.KINDS
}
"""Every kind of check, by its name."""
SEVERITIES: tuple[str, ...] = get_args(Severity)
ALL = "*"
"""What stands for everything in decisions, and so is no name."""


def read_checks(path: Path) -> tuple[Check, ...]:
    """Read checks.csv; columns 規則,検査,データ,フィールド,引数,重大度,説明.

    Args:
        path: of the file; a project without one has no checks of its own.

    Raises:
        Problems: every fault with its line: those of CSV files (`standard.read_rows`), `check-name`, `check-twice`, `check-kind`,
            `check-severity`, `check-reference`, `check-fields`, `check-codes` where a code table cannot be read.
    """
    if not path.is_file():
        return ()
    findings = Findings()
    checks: dict[str, Check] = {}
    for row in read_rows(path, path.name, HEADS, findings):
        where = f"{path.name}:{row.line}"
        check = _check(row.values, where, path.parent, findings)
        if check and check.rule in checks:
            what = f"the rule {check.rule} stands twice (first in {checks[check.rule].place})"
            findings.fault("check-twice", what, where, "give it another name")
        elif check:
            checks[check.rule] = check
    if findings.faults:
        raise Problems(findings.faults)
    return tuple(checks.values())


def _check(row: dict[str, str], where: str, folder: Path, findings: Findings) -> Check | None:
    before = len(findings.found)
    rule, kind, severity = row["規則"], KINDS.get(row["検査"]), row["重大度"]
    fields = tuple(row["フィールド"].split())
    if not rule or ":" in rule or rule == ALL:
        findings.fault(
            "check-name", f"{rule or 'nothing'} is no name of a rule", where, "write a name without :"
        )
    if kind is None:
        fix = suggest(row["検査"], KINDS, f"write one of {'、'.join(KINDS)}")
        findings.fault("check-kind", f"there is no check {row['検査'] or '(empty)'}", where, fix)
    elif not kind.least <= len(fields) <= kind.most:
        some = str(kind.least) if kind.least == kind.most else f"{kind.least} to {kind.most}"
        what = f"{kind.name} takes {some} fields, not {len(fields)}"
        findings.fault("check-fields", what, where, "name them with spaces between")
    if severity not in SEVERITIES:
        what = f"{severity or 'nothing'} is no severity"
        findings.fault("check-severity", what, where, f"write one of {', '.join(SEVERITIES)}")
    rows, argument = Ref(""), row["引数"]
    try:
        rows = parse(row["データ"])
        argument = values.table_codes(argument, folder) if kind and kind.name == "コード" else argument
    except Problem as problem:
        findings.fault(problem.code, problem.what, where, problem.fix)
    except (OSError, KeyError, UnicodeDecodeError):
        what = f"{argument} is no code table with a column 旧コード"
        findings.fault("check-codes", what, where, "put it into codes/, or correct the name")
    if kind is None or len(findings.found) > before:
        return None
    return Check(
        rule, kind.name, replace(rows, fields=fields), argument, cast(Severity, severity), row["説明"], where
    )


def wanted(checks: Sequence[Check]) -> dict[str, set[str]]:
    """The fields that the checks ask of each segment."""
    found: dict[str, set[str]] = {}
    for check in checks:
        for ref in refs(check):
            found.setdefault(ref.segment, set()).update(ref.named)
    return found


def refs(check: Check) -> Iterator[Ref]:
    """Everything a check looks at; what is wrong with its argument is left to `validate`."""
    yield check.rows
    try:
        yield from KINDS[check.kind].refs(check)
    except Problem:
        return


def validate(checks: Sequence[Check], db: Segments) -> None:
    """Hold the checks against what was decoded, before any of them runs.

    Raises:
        Problems: `check-segment`, `check-field`, `check-reference`, `check-argument`, `check-date-form`; every one of every check.
    """
    problems: list[Problem] = []
    for check in checks:
        unknown = [problem for ref in refs(check) for problem in _unknown(check, ref, db)]
        problems += unknown
        if not unknown:
            try:
                KINDS[check.kind].build(check, db)
            except Problem as problem:
                problems.append(problem)
    if problems:
        raise Problems(problems)


def _unknown(check: Check, ref: Ref, db: Segments) -> Iterator[Problem]:
    where = f"{check.place} {check.rule}"
    known = db.fields.get(ref.segment)
    if known is None:
        yield Problem(
            "check-segment",
            f"there is no segment {ref.segment}",
            where,
            suggest(ref.segment, db.fields, "correct the name"),
        )
        return
    for name in ref.named:
        if name not in known:
            yield Problem(
                "check-field",
                f"{ref.segment} has no field {name}",
                where,
                suggest(name, known, "correct the name"),
            )
