"""Dates of the old system: every value classed by the kernel, once for each value and not for each row, and the checks that follow.

No day is made up: a date is what its form says, or it is told as a finding. How the dates of a field are written is said once, by
its line 暦日; every other check of dates looks there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import pyarrow as pa

from kiban.kernel import DateKind, Problem, UncertainDate
from kiban.migration.findings.check import Check, Kind, place
from kiban.migration.findings.segments import Day, Segments
from kiban.migration.mapping import Source, compile_rule, named
from kiban.standard import Item

CALENDAR = "暦日"
FORMS = ("西暦日付", "和暦日付", "有効期間開始", "有効期間終了")
"""How a date can be written: the rules of a map."""
LOOSE = "非暦日可"
"""The word of the argument with which days that no calendar has are allowed, as family registers have them."""
FIRST, LAST = 101, 99991231
"""What stands for always and for open, as YYYYMMDD."""

_OPEN: Mapping[str, int] = {"有効期間開始": FIRST, "有効期間終了": LAST}
"""The forms in which a date without a day is open, and what it then counts as."""

NONE, UNREADABLE = "none", "unreadable"
CLASSES: Mapping[str, str] = {
    DateKind.EXACT.value: "暦日",
    DateKind.NONCALENDAR.value: "暦にない日",
    DateKind.YEAR_MONTH.value: "一部不明（年月まで）",
    DateKind.YEAR.value: "一部不明（年まで）",
    DateKind.RANGE.value: "一部不明（期間）",
    DateKind.TEXT.value: "一部不明（文言）",
    DateKind.UNKNOWN.value: "不明",
    DateKind.OPEN.value: "期限なし",
    NONE: "記載なし",
    UNREADABLE: "読めない",
}
"""Every class of dates, with its name."""

_ANY_DAY = Item(
    "",
    "日付",
    "",
    "",
    False,
    False,
    ("", "", ""),
    "DATE",
    10,
    None,
    None,
    None,
    "任意",
    allows_unknown_date=True,
)
"""What a rule fills here: any day as written, also one that no calendar has."""
_CLASSED = pa.schema(
    [
        ("raw", pa.string()),
        ("flag", pa.string()),
        ("words", pa.string()),
        ("field", pa.string()),
        ("code", pa.string()),
    ]
)


@dataclass(frozen=True)
class Classed:
    """What one value of a date is.

    Attributes:
        kind: one of `CLASSES`.
        code: what is wrong with it; "" where nothing is.
        at: which of date, flag and words is at fault, from 0.
    """

    kind: str
    code: str = ""
    at: int = 0


def classed(
    iso: str | None, flag: str | None = None, words: str | None = None, fault: str | None = None
) -> Classed:
    """What a date is, once the rule of its form has read it.

    Args:
        iso: the day as YYYY-MM-DD; None where the field holds none.
        flag: 不詳フラグ; None where there is none.
        words: 不詳表記; None where there are none.
        fault: why the form could not be read; None where it could.

    >>> classed("2023-02-29").kind, classed(None, "1", "昭和２５年頃").kind, classed(None).kind
    ('noncalendar', 'year', 'none')
    """
    if fault:
        return Classed(DateKind.NONCALENDAR.value if fault == "date-calendar" else UNREADABLE, fault)
    if iso is None and not words and flag != "1":
        return Classed(NONE) if flag in (None, "0") else Classed(UNREADABLE, "date-flag", 1)
    try:
        found = UncertainDate.parse(iso, flag, words)
    except Problem as problem:
        return Classed(UNREADABLE, problem.code, 1 if problem.code == "date-flag" else 0)
    if iso is not None and flag == "1":
        return Classed(found.kind.value, "date-beside-flag")
    return Classed(found.kind.value, "date-calendar" if found.kind is DateKind.NONCALENDAR else "")


def form_of(check: Check) -> str:
    """The form that a line 暦日 names.

    Raises:
        Problem: `check-argument`.
    """
    form, *words = check.argument.split() or [""]
    if form not in FORMS or not {*words} <= {LOOSE}:
        raise check.fault(
            f"{check.argument or 'nothing'} is no form of dates",
            f"write one of {'、'.join(FORMS)}, and maybe {LOOSE}",
        )
    return form


def days(checks: Sequence[Check]) -> dict[tuple[str, str], Day]:
    """The fields of dates that the lines 暦日 declare; the first field of each line is the date."""
    found: dict[tuple[str, str], Day] = {}
    for check in checks:
        if check.kind == CALENDAR:
            key = (check.rows.segment, check.fields[0])
            found[key] = Day(f"days.{named('.'.join(key))}", (check.argument.split() or [""])[0])
    return found


def prepare(checks: Sequence[Check], db: Segments) -> dict[str, dict[str, int]]:
    """Class every date: a table of days for each field, and one of the faulty values for each line 暦日.

    Returns:
        Rows of each class, by rule; every row belongs to one class.
    """
    db.query.execute("CREATE SCHEMA IF NOT EXISTS days; CREATE SCHEMA IF NOT EXISTS classed")
    told: dict[str, dict[str, int]] = {}
    for check in checks:
        if check.kind == CALENDAR:
            day = db.days[check.rows.segment, check.fields[0]]
            db.query.execute(f"CREATE OR REPLACE TABLE {day.table} AS {_days(check, db)}")
            told[check.rule] = _classes(check, db)
    return told


def _days(check: Check, db: Segments) -> str:
    """Each value of the field with its day as YYYYMMDD; null where it holds none or none that can be read."""
    name, form = named(check.fields[0]), form_of(check)
    made = compile_rule(form, Source(check.fields[0]), None if form in _OPEN else _ANY_DAY)
    number = f"CAST(replace({made.value_sql}, '-', '') AS INTEGER)"
    return (
        f"SELECT {name} AS raw, {made.value_sql} AS iso, {made.fault_sql} AS fault, "
        f"CASE WHEN {made.fault_sql} IS NULL THEN coalesce({number}, {_OPEN.get(form, 'NULL')}) END AS day "
        f"FROM (SELECT DISTINCT {name} FROM held.{named(check.rows.segment)} WHERE {name} IS NOT NULL)"
    )


def _classes(check: Check, db: Segments) -> dict[str, int]:
    day = db.days[check.rows.segment, check.fields[0]]
    date, flag, words = _triple(check)
    asked = db.query.execute(
        f"SELECT CAST(t.raw AS VARCHAR), d.iso, d.fault, t.flag, t.words, t.many FROM (SELECT {date} AS raw, "
        f"{flag} AS flag, {words} AS words, count(*) AS many FROM {db.rows(replace(check.rows, fields=()))} r GROUP BY ALL) t "
        f"LEFT JOIN {day.table} d ON d.raw = t.raw"
    )
    read = lru_cache(maxsize=1 << 16)(classed)
    loose = LOOSE in check.argument.split()
    counts = dict.fromkeys(CLASSES, 0)
    faulty: list[tuple[str | None, str | None, str | None, str, str]] = []
    while rows := asked.fetchmany(1 << 16):
        for raw, iso, fault, flagged, text, many in rows:
            one = read(iso, flagged, text, fault)
            if one.kind == NONE and raw is not None and day.form in _OPEN:
                one = Classed(DateKind.OPEN.value)
            counts[one.kind] += many
            if one.code and not (loose and one.code == "date-calendar"):
                faulty.append((raw, flagged, text, check.fields[one.at], one.code))
    table = pa.table(list(map(pa.array, zip(*faulty, strict=True))) if faulty else [[]] * 5, schema=_CLASSED)
    db.query.register("faulty", table)
    db.query.execute(f"CREATE OR REPLACE TABLE classed.{named(check.rule)} AS SELECT * FROM faulty")
    db.query.unregister("faulty")
    return {name: many for name, many in counts.items() if many}


def _triple(check: Check) -> tuple[str, str, str]:
    """Date, flag and words of a row, as SQL."""
    date, *rest = (f"r.{named(name)}" for name in check.fields)
    flag, words = (*rest, "NULL", "NULL")[:2]
    return date, f"nullif(CAST({flag} AS VARCHAR), '')", f"nullif(CAST({words} AS VARCHAR), '')"


def calendar(check: Check, db: Segments) -> str:
    """暦日: a date that cannot be read, that no calendar has, or that stands beside the mark that it is unknown.

    The fields are the date and, where there are any, the mark 不詳 and the words; the argument is the form of the date.
    """
    form_of(check)
    date, flag, words = _triple(check)
    same = f"c.raw IS NOT DISTINCT FROM CAST({date} AS VARCHAR)"
    if len(check.fields) > 1:
        same += f" AND c.flag IS NOT DISTINCT FROM {flag} AND c.words IS NOT DISTINCT FROM {words}"
    return f"SELECT {place()}, c.field, c.code FROM {db.rows(check.rows)} r JOIN classed.{named(check.rule)} c ON {same}"


def day_table(check: Check, db: Segments, name: str, segment: str = "") -> str:
    """The table of days of a field of the check's own segment, or of another.

    Raises:
        Problem: `check-date-form` where no line 暦日 says how its dates are written.
    """
    segment = segment or check.rows.segment
    found = db.days.get((segment, name))
    if found is None:
        raise Problem(
            "check-date-form",
            f"no line {CALENDAR} says how the dates of {name} are written",
            f"{check.place} {check.rule}",
            f"add a line {CALENDAR} for {segment} {name}",
        )
    return found.table


KINDS = (Kind(CALENDAR, calendar, most=3),)
