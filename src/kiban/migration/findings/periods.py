"""Checks of keys and histories: the same key twice, periods that overlap, periods between which time is missing."""

from __future__ import annotations

from kiban.migration.findings.check import Check, Kind, place
from kiban.migration.findings.dates import day_table
from kiban.migration.findings.refs import Ref
from kiban.migration.findings.segments import Segments
from kiban.migration.mapping import named, quoted


def doubles(check: Check, db: Segments) -> str:
    """重複: the same key more than once.

    A row that repeats another in everything is `double-same` from the second on; rows that share their key and nothing else are
    `double-other`, each of them, as nobody here can say which one is right. Rows without a whole key are left out.
    """
    rows, segment = db.rows(check.rows), check.rows.segment
    keys = ", ".join(map(named, check.fields))
    whole = " AND ".join(f"{named(name)} IS NOT NULL" for name in check.fields)
    every = ", ".join(map(named, db.fields[segment]))
    twice = f"SELECT {keys} FROM {rows} WHERE {whole} GROUP BY ALL HAVING count(*) > 1"
    return (
        f"SELECT {place()}, CASE WHEN nth > 1 THEN '' ELSE {quoted(check.fields[-1])} END AS field, "
        f"CASE WHEN nth > 1 THEN 'double-same' ELSE 'double-other' END AS code FROM (SELECT *, "
        f'row_number() OVER (PARTITION BY {every} ORDER BY "#file", "#record", "#index") AS nth, '
        f"count(*) OVER (PARTITION BY {every}) AS same, count(*) OVER (PARTITION BY {keys}) AS every "
        f"FROM {rows} SEMI JOIN ({twice}) t USING ({keys})) r WHERE nth > 1 OR same < every"
    )


def _subject(check: Check, db: Segments) -> tuple[str, ...]:
    names = tuple(check.argument.split())
    unknown = [name for name in names if name not in db.fields[check.rows.segment]]
    if unknown or not names:
        raise check.fault(
            f"{', '.join(unknown) or 'nothing'} is no field of {check.rows.segment}",
            "write the fields that tell whose history it is",
        )
    return names


def _neighbours(check: Check, db: Segments) -> str:
    """The rows of each subject in order, with the end of the row before and the begin of the row after, as YYYYMMDD.

    Rows whose days cannot be read, and those that only repeat another, are left out: other checks tell them.
    """
    segment, (begin, end) = check.rows.segment, check.fields
    subject = ", ".join(f"r.{named(name)}" for name in _subject(check, db))
    ordered = f'OVER (PARTITION BY {subject} ORDER BY b.day, e.day, r."#file", r."#record", r."#index")'
    return (
        f"SELECT {place()}, b.day AS begin, e.day AS ends, lag(e.day) {ordered} AS before, lead(b.day) {ordered} AS after "
        f"FROM {db.rows(check.rows)} r "
        f"JOIN {day_table(check, db, begin)} b ON b.raw = r.{named(begin)} JOIN {day_table(check, db, end)} e ON e.raw = r.{named(end)} "
        f"ANTI JOIN (SELECT * FROM found WHERE code = 'double-same' AND segment = {quoted(segment)}) d "
        f'ON d.file = r."#file" AND d.record = r."#record" AND d.index = r."#index" '
        f"WHERE b.day IS NOT NULL AND e.day IS NOT NULL"
    )


def _meeting(check: Check, db: Segments, wrong: str, codes: tuple[str, str]) -> str:
    """Both rows of each pair of neighbours that meet wrongly: the earlier at its end, the later at its begin."""
    begin, end = map(quoted, check.fields)
    early, late = f"ends {wrong} after", f"before {wrong} begin"
    return (
        f"WITH n AS MATERIALIZED (SELECT * FROM ({_neighbours(check, db)}) WHERE {early} OR {late}) "
        f"SELECT file, record, index, {end} AS field, {quoted(codes[0])} AS code FROM n WHERE {early} UNION ALL "
        f"SELECT file, record, index, {begin} AS field, {quoted(codes[1])} AS code FROM n WHERE {late}"
    )


def overlaps(check: Check, db: Segments) -> str:
    """期間重複: a period begins before the one before it has ended, as the register refuses it."""
    return _meeting(check, db, ">", ("period-overlap", "period-overlapped"))


def gaps(check: Check, db: Segments) -> str:
    """期間空白: between two periods of the same subject some days belong to none."""
    return _meeting(check, db, "<", ("period-gap", "period-gap-before"))


def lives(check: Check, db: Segments) -> str:
    """期間相違: the first begin or the last end under a key is not that of the rows of another segment under the same key.

    The fields are the key, begin and end, and so are those of the argument.
    """
    other = check.ref(fields=3)
    mine, theirs = Ref(check.rows.segment, check.fields[:1]), Ref(other.segment, other.fields[:1])
    [same] = db.alike(mine, theirs, "m", "t")
    key, begin, end = check.fields
    order = ('begin, ends, "#file", "#record"', 'ends DESC, begin DESC, "#file" DESC, "#record" DESC')
    first, last = (f"row_number() OVER (PARTITION BY {named(key)} ORDER BY {one}) = 1" for one in order)
    theirs_life = f"SELECT {named(other.fields[0])}, min(begin) AS begin, max(ends) AS ends FROM ({_life(check, db, other)}) GROUP BY ALL"
    return (
        f"WITH w AS MATERIALIZED (SELECT m.*, first AND m.begin <> t.begin AS early, last AND m.ends <> t.ends AS late "
        f"FROM (SELECT *, {first} AS first, {last} AS last FROM ({_life(check, db, check.rows)})) m JOIN ({theirs_life}) t ON {same} "
        f"WHERE (first AND m.begin <> t.begin) OR (last AND m.ends <> t.ends)) "
        f"SELECT {place('w')}, {quoted(begin)} AS field, 'period-begin-other' AS code FROM w WHERE early UNION ALL "
        f"SELECT {place('w')}, {quoted(end)} AS field, 'period-end-other' AS code FROM w WHERE late"
    )


def _life(check: Check, db: Segments, ref: Ref) -> str:
    key, begin, end = ref.fields
    return (
        f'SELECT r."#file", r."#record", r."#index", r.{named(key)}, b.day AS begin, e.day AS ends FROM {db.rows(ref)} r '
        f"JOIN {day_table(check, db, begin, ref.segment)} b ON b.raw = r.{named(begin)} "
        f"JOIN {day_table(check, db, end, ref.segment)} e ON e.raw = r.{named(end)}"
    )


def _one_ref(check: Check) -> tuple[Ref, ...]:
    return (check.ref(fields=3),)


KINDS = (
    Kind("重複", doubles, relates=True),
    Kind("期間重複", overlaps, least=2, most=2, relates=True),
    Kind("期間空白", gaps, least=2, most=2, relates=True),
    Kind("期間相違", lives, _one_ref, least=3, most=3, relates=True),
)
