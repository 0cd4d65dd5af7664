"""What the legacy system printed, and how each printed item is counted again: two lists that people write, read strictly."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiban.kernel import Problem, Problems
from kiban.migration.plan import Plan
from kiban.standard import suggest

RULES = "totals.csv"
HEADS = (
    *("種別", "帳票項目", "データ", "区フィールド", "年度フィールド", "合計フィールド"),
    *("条件フィールド", "条件値", "使い道"),
)
USES = ("", "件数", "金額", "図", "保護")
PRINTED = ("file", "ward", "year", "item", "value")

Key = tuple[str, str, str, str]
"""File without its extension, ward, year and item."""


@dataclass(frozen=True)
class Rule:
    """How a printed item is counted again.

    Attributes:
        line: of `totals.csv`.
        kind: of the files, as in the plan.
        item: as printed.
        segment: dataset whose rows are counted, or whose field is added up.
        ward: field of the ward; "" where the list is not by ward.
        year: field of the fiscal year; "" where the list is not by year. A printed year is compared with what the field holds, in the
            legacy system's own writing (508 for 令和8年度): nothing is converted before it is compared, only leading zeros do not count.
        summed: field whose yen are added up; "" where rows are counted.
        field, value: only rows where this field has this value; "" for all rows.
        use: what the packet does with it: 件数 counts the records of a file, 金額 is a sum in yen, 図 is drawn, 保護 counts protected
            people; "" none of it.
    """

    line: int
    kind: str
    item: str
    segment: str
    ward: str
    year: str
    summed: str
    field: str
    value: str
    use: str

    @property
    def where(self) -> str:
        """The place of the rule, for problems."""
        return f"{RULES} line {self.line}"


def stem(path: str) -> str:
    """The name by which the printed list calls a file."""
    return Path(path).stem


def read_rules(plan: Plan) -> list[Rule]:
    """The rules beside the plan.

    Raises:
        Problems: every fault: `totals-rules`, `totals-columns`, `totals-kind`, `totals-blank`, `totals-use`, `totals-condition`,
            `totals-rule-twice`.
    """
    path = plan.folder / RULES
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(
            "totals-rules",
            "nothing says how the printed totals are counted again",
            str(path),
            f"write a CSV in UTF-8 with the columns {','.join(HEADS)}",
        ) from error
    rules = [Rule(line, *(row[head] for head in HEADS)) for line, row in _rows(text, HEADS, path.name)]
    problems = [problem for rule in rules for problem in _rule_faults(rule, plan)]
    seen: dict[tuple[str, str], Rule] = {}
    for rule in rules:
        first = seen.setdefault((rule.kind, rule.item), rule)
        if first is not rule:
            what = f"{rule.item} of {rule.kind} is counted by line {first.line} already"
            problems.append(Problem("totals-rule-twice", what, rule.where, "keep one of the two"))
    if problems:
        raise Problems(problems)
    return rules


def _rule_faults(rule: Rule, plan: Plan) -> Iterator[Problem]:
    kinds = list(dict.fromkeys(file.kind for file in plan.files))
    if rule.kind not in kinds:
        fix = suggest(rule.kind, kinds, "write the id of a file of the plan")
        yield Problem("totals-kind", f"the plan has no file {rule.kind}", rule.where, fix)
    for head, value in (("帳票項目", rule.item), ("データ", rule.segment)):
        if not value:
            yield Problem("totals-blank", f"{head} is empty", rule.where, "fill it in")
    if rule.use not in USES:
        fix = f"write {'、'.join(USES[1:])} or nothing"
        yield Problem("totals-use", f"{rule.use} is no use", rule.where, fix)
    if rule.value and not rule.field:
        what = f"the value {rule.value} belongs to no field"
        yield Problem("totals-condition", what, rule.where, "fill in 条件フィールド")
    if rule.summed and rule.use not in ("", "金額"):
        yield Problem(
            "totals-use", f"a sum of yen is not for {rule.use}", rule.where, "write 金額 or nothing"
        )


def read_printed(plan: Plan, path: Path, rules: Sequence[Rule]) -> dict[Key, int]:
    """The printed totals.

    Raises:
        Problems: every fault: `totals-unreadable`, `totals-columns`, `totals-file`, `totals-item`, `totals-value`, `totals-twice`.
    """
    try:
        text = path.read_bytes().decode("cp932")
    except UnicodeDecodeError as error:
        raise Problem(
            "totals-unreadable", "the printed totals are not in CP932", path.name, "ask for them again"
        ) from error
    kinds = {stem(file.path): file.kind for file in plan.files}
    known = {(rule.kind, rule.item) for rule in rules}
    found: dict[Key, int] = {}
    problems = []
    for number, row in _rows(text, PRINTED, path.name):
        key = (row["file"], row["ward"], plain_year(row["year"]), row["item"])
        fault = _printed_fault(row, kinds, known, key in found)
        if fault:
            problems.append(Problem(fault[0], fault[1], f"{path.name} line {number}", fault[2]))
        else:
            found[key] = int(row["value"])
    if problems:
        raise Problems(problems)
    return found


def _printed_fault(
    row: Mapping[str, str], kinds: Mapping[str, str], known: set[tuple[str, str]], twice: bool
) -> tuple[str, str, str] | None:
    if row["file"] not in kinds:
        return "totals-file", f"the plan has no file {row['file']}", "add it to the plan"
    if (kinds[row["file"]], row["item"]) not in known:
        return "totals-item", f"nothing says how {row['item']} is counted", f"add a line to {RULES}"
    value = row["value"].removeprefix("-")
    if not (value.isascii() and value.isdecimal()):
        return "totals-value", "not a whole number", "correct the value"
    if twice:
        return "totals-twice", "the same total stands twice", "take one of them out"
    return None


def plain_year(year: str) -> str:
    """A year as it is compared: without leading zeros where it is a number.

    >>> plain_year("08"), plain_year("R08"), plain_year("")
    ('8', 'R08', '')
    """
    return str(int(year)) if year.isascii() and year.isdecimal() else year


def _rows(text: str, heads: Sequence[str], where: str) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != tuple(heads):
        what = f"the columns must be {','.join(heads)}"
        raise Problems([Problem("totals-columns", what, f"{where} line 1", "correct the first line")])
    rows = [(number, row) for number, row in enumerate(reader, 2)]
    short = [
        Problem(
            "totals-columns",
            "a line has too few or too many cells",
            f"{where} line {number}",
            "correct the line",
        )
        for number, row in rows
        if None in row or None in row.values()
    ]
    if short:
        raise Problems(short)
    return rows
