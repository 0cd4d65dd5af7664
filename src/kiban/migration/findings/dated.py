"""Checks of one date against another, against the cut date, and against what people and years can be."""

from __future__ import annotations

from kiban.kernel import eras
from kiban.migration.findings.check import Check, Kind, place
from kiban.migration.findings.dates import FIRST, LAST, day_table
from kiban.migration.findings.segments import Segments
from kiban.migration.mapping import named, quoted


def future(check: Check, db: Segments) -> str:
    """将来日: a day after the cut date; an open end is none."""
    parts = [
        f"SELECT {place()}, {quoted(name)} AS field, 'date-future' AS code FROM {db.rows(check.rows)} r "
        f"JOIN {day_table(check, db, name)} d ON d.raw = r.{named(name)} WHERE d.day > {db.cut} AND d.day < {LAST}"
        for name in check.fields
    ]
    return " UNION ALL ".join(parts)


def birth(check: Check, db: Segments) -> str:
    """生年月日: born after one of the later days, or older on the last of them than the argument says.

    The first field is the birth, the others are days on which the person lived; those after the cut date count as the cut date. A
    day no calendar has is somewhere in its month.
    """
    if not check.argument.isdecimal():
        raise check.fault(f"{check.argument or 'nothing'} is no age", "write the greatest age, such as 120")
    born, *later = check.fields
    joins = "".join(
        f" LEFT JOIN {day_table(check, db, name)} d{at} ON d{at}.raw = r.{named(name)}"
        for at, name in enumerate(later)
    )
    known = [f"nullif(least(d{at}.day, {db.cut}), {FIRST})" for at in range(len(later))]
    before = " OR ".join(f"coalesce({one} < first, false)" for one in known)
    last = f"greatest({', '.join(known)}, 0)"
    return (
        f"SELECT file, record, index, {quoted(born)} AS field, CASE WHEN after THEN 'birth-after' ELSE 'birth-long-ago' END AS code "
        f"FROM (SELECT {place()}, b.first, {before} AS after, {last} AS last FROM {db.rows(check.rows)} r "
        f"JOIN (SELECT raw, day, CASE WHEN day % 100 > 28 AND try_cast(iso AS DATE) IS NULL THEN day // 100 * 100 ELSE day END AS first "
        f"FROM {day_table(check, db, born)}) b ON b.raw = r.{named(born)}{joins}) "
        f"WHERE after OR (last - first) // 10000 > {int(check.argument)}"
    )


def order(check: Check, db: Segments) -> str:
    """日付順序: the second date is before the first, or more days after it than the argument says, where it says any."""
    first, second = check.fields
    if check.argument and not check.argument.isdecimal():
        raise check.fault(
            f"{check.argument} is no number of days", "write the most days that may lie between, or nothing"
        )
    apart = "false"
    if check.argument:
        apart = f"date_diff('day', try_cast(a.iso AS DATE), try_cast(b.iso AS DATE)) > {int(check.argument)}"
    return (
        f"SELECT {place()}, {quoted(second)} AS field, CASE WHEN b.day < a.day THEN 'date-order' ELSE 'date-apart' END AS code "
        f"FROM {db.rows(check.rows)} r JOIN {day_table(check, db, first)} a ON a.raw = r.{named(first)} "
        f"JOIN {day_table(check, db, second)} b ON b.raw = r.{named(second)} WHERE b.day < a.day OR coalesce({apart}, false)"
    )


def fiscal_year(check: Check, db: Segments) -> str:
    """年度: the date of the second field is in an earlier fiscal year than the first field, or more years after it than the argument says.

    A fiscal year is written as four digits, or as the number of its era, from 1 for 明治, and two digits.
    """
    year, date = check.fields
    if not check.argument.isdecimal():
        raise check.fault(
            f"{check.argument or 'nothing'} is no number of years",
            "write the most years that may lie between, such as 5",
        )
    number = f"TRY_CAST(r.{named(year)} AS BIGINT)"
    starts = " ".join(f"WHEN {at} THEN {era.first_year - 1}" for at, era in enumerate(eras(), 1))
    told = (
        f"CASE WHEN {number} BETWEEN {eras()[0].first_year} AND 9999 THEN {number} "
        f"WHEN {number} BETWEEN 101 AND {100 * len(eras()) + 99} AND {number} % 100 > 0 "
        f"THEN {number} % 100 + CASE {number} // 100 {starts} END END"
    )
    started = "d.day // 10000 - CASE WHEN d.day // 100 % 100 < 4 THEN 1 ELSE 0 END"
    return (
        f"SELECT file, record, index, {quoted(year)} AS field, CASE WHEN told IS NULL THEN 'year-form' ELSE 'year-other' END AS code "
        f"FROM (SELECT {place()}, {told} AS told, {started} AS started FROM {db.rows(check.rows)} r "
        f"LEFT JOIN {day_table(check, db, date)} d ON d.raw = r.{named(date)} WHERE {db.holds(check.rows.segment, year, within='r.')}) "
        f"WHERE told IS NULL OR started NOT BETWEEN told AND told + {int(check.argument)}"
    )


KINDS = (
    Kind("将来日", future, held_only=True),
    Kind("生年月日", birth, least=2),
    Kind("日付順序", order, least=2, most=2),
    Kind("年度", fiscal_year, least=2, most=2, held_only=True),
)
