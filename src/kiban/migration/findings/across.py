"""Checks of one segment against another: references without target, other persons, protection in one system only."""

from __future__ import annotations

from kiban.migration.findings.check import Check, Kind, place
from kiban.migration.findings.refs import Ref
from kiban.migration.findings.segments import Segments
from kiban.migration.findings.values import SELECTORS
from kiban.migration.mapping import named, quoted


def _distinct(db: Segments, other: Ref) -> str:
    return f"(SELECT DISTINCT {', '.join(map(named, other.fields))} FROM {db.rows(other)})"


def _held(check: Check, db: Segments, names: tuple[str, ...]) -> str:
    return " AND ".join(db.holds(check.rows.segment, name, within="r.") for name in names)


def orphans(check: Check, db: Segments) -> str:
    """孤児: what the fields refer to is not there; the finding names the first of them.

    Where the argument has conditions, what is there without meeting them is `reference-ended`.
    """
    other = check.ref(fields=len(check.fields))
    bare = Ref(other.segment, other.fields)
    alike = " AND ".join(db.alike(check.rows, other, "r", "t"))
    held = _held(check, db, check.fields)
    ways = [("reference-missing", f"ANTI JOIN {_distinct(db, bare)} t ON {alike}")]
    if other.where:
        again = " AND ".join(db.alike(check.rows, other, "r", "s"))
        there = f"SEMI JOIN {_distinct(db, bare)} t ON {alike} ANTI JOIN {_distinct(db, other)} s ON {again}"
        ways.append(("reference-ended", there))
    return " UNION ALL ".join(
        f"SELECT {place()}, {quoted(check.fields[0])} AS field, {quoted(code)} AS code FROM {db.rows(check.rows)} r {join} WHERE {held}"
        for code, join in ways
    )


def mismatches(check: Check, db: Segments) -> str:
    """参照相違: what the first field refers to is there, but never together with what the other fields hold."""
    other = check.ref(fields=len(check.fields))
    first = Ref(other.segment, other.fields[:1], other.where)
    [known] = db.alike(Ref(check.rows.segment, check.fields[:1]), first, "r", "s")
    alike = " AND ".join(db.alike(check.rows, other, "r", "t"))
    return (
        f"SELECT {place()}, {quoted(check.fields[0])} AS field, 'reference-other' AS code FROM {db.rows(check.rows)} r "
        f"SEMI JOIN {_distinct(db, first)} s ON {known} ANTI JOIN {_distinct(db, other)} t ON {alike} "
        f"WHERE {_held(check, db, check.fields)}"
    )


def wards(check: Check, db: Segments) -> str:
    """区不明: no ward, or one that is in no list of wards."""
    other = check.ref(fields=1)
    parts = []
    for name in check.fields:
        [alike] = db.alike(Ref(check.rows.segment, (name,)), other, "r", "t")
        held = db.holds(check.rows.segment, name, within="r.")
        parts.append(
            f"SELECT {place()}, {quoted(name)} AS field, CASE WHEN {held} THEN 'ward-unknown' ELSE 'value-missing' END AS code "
            f"FROM {db.rows(check.rows)} r ANTI JOIN {_distinct(db, other)} t ON {alike}"
        )
    return " UNION ALL ".join(parts)


def persons(check: Check, db: Segments) -> str:
    """名寄せ不一致: the number of the first field is there, with another name, birth or sex than the other fields hold.

    One field that differs is `person-differs`, two or more are `person-other`: somebody else has this number. Blanks and variation
    selectors in texts do not count, and neither does what only one side holds.
    """
    other = check.ref(fields=len(check.fields))
    parts = [_differing(check, db, other, at) for at in range(1, len(check.fields))]
    several = "count(*) OVER (PARTITION BY file, record, index) > 1"
    return (
        f"SELECT *, CASE WHEN {several} THEN 'person-other' ELSE 'person-differs' END AS code "
        f"FROM ({' UNION ALL '.join(parts)})"
    )


def _differing(check: Check, db: Segments, other: Ref, at: int) -> str:
    """Rows whose number is there with the field held, but never with what they hold.

    First as written, which tells nearly every row apart without folding; then the few that are left by folded values.
    """
    mine, theirs = (check.rows.segment, check.fields[at]), (other.segment, other.fields[at])
    number = (Ref(mine[0], check.fields[:1]), Ref(theirs[0], other.fields[:1]))
    [near], [again], [inner] = (db.alike(*number, *names) for names in (("r", "t"), ("c", "t"), ("c", "o")))
    key, value = named(other.fields[0]), named(theirs[1])
    pairs = f"SELECT {key}, {value} FROM {db.rows(other)} o"
    held = f"WHERE {db.holds(*theirs, within='o.')}"
    as_written = f"r.{named(mine[1])} = t.{value}" if _alike(db, mine, theirs) else "false"
    return (
        f"(WITH c AS MATERIALIZED (SELECT r.* FROM {db.rows(check.rows)} r SEMI JOIN ({pairs} {held}) t ON {near} "
        f"ANTI JOIN ({pairs} {held}) t ON {near} AND {as_written} WHERE {_held(check, db, (check.fields[0], mine[1]))}) "
        f"SELECT {place('c')}, {quoted(mine[1])} AS field FROM c ANTI JOIN ({pairs} SEMI JOIN c ON {inner} {held}) t "
        f"ON {again} AND {_folded(db, *mine, 'c')} = {_folded(db, *theirs, 't')})"
    )


def _alike(db: Segments, mine: tuple[str, str], theirs: tuple[str, str]) -> bool:
    """Whether two fields are written alike, so that they can be compared as they are."""
    kinds = [db.fields[segment][name] for segment, name in (mine, theirs)]
    forms = [day.form if (day := db.days.get(one)) else "" for one in (mine, theirs)]
    return kinds[0] == kinds[1] and forms[0] == forms[1]


def _folded(db: Segments, segment: str, name: str, alias: str) -> str:
    """A field as it is compared between two systems: dates as days, texts without blanks and variation selectors."""
    column = f"{alias}.{named(name)}"
    if day := db.days.get((segment, name)):
        return f"(SELECT CAST(d.day AS VARCHAR) FROM {day.table} d WHERE d.raw = {column})"
    if db.whole(segment, name):
        return f"CAST({column} AS VARCHAR)"
    return f"regexp_replace(CAST({column} AS VARCHAR), '[ \u3000]|{SELECTORS}', '', 'g')"


def protection(check: Check, db: Segments) -> str:
    """保護不一致: the mark of the first field and the support measures do not say the same of the person of the second.

    The argument has two or three parts with `;` between: the value of the mark; the field of the persons protected; and where a
    measure has a number of its own, the field of that number in the records of those persons, of which any row must meet conditions.
    """
    mark, people, measures = _protection(check)
    key = named(people.fields[0])
    source = f"{db.rows(people)} p"
    if measures is not None:
        number = named(measures.fields[0])
        record = f'(SELECT "#file", "#record", {number} FROM held.{named(measures.segment)}) m'
        source += (
            f' JOIN {record} ON m."#file" = p."#file" AND m."#record" = p."#record" '
            f"SEMI JOIN (SELECT {number} FROM {db.rows(measures)}) n ON n.{number} = m.{number}"
        )
    [alike] = db.alike(Ref(check.rows.segment, check.fields[1:]), people, "r", "t")
    marked = f"coalesce(CAST(r.{named(check.fields[0])} AS VARCHAR) = {quoted(mark)}, false)"
    return (
        f"SELECT {place()}, {quoted(check.fields[0])} AS field, "
        f"CASE WHEN {marked} THEN 'protection-extra' ELSE 'protection-missing' END AS code FROM {db.rows(check.rows)} r "
        f"LEFT JOIN (SELECT DISTINCT p.{key} FROM {source}) t ON {alike} WHERE {marked} <> (t.{key} IS NOT NULL)"
    )


def _protection(check: Check) -> tuple[str, Ref, Ref | None]:
    mark, *parts = (part.strip() for part in check.argument.split(";"))
    if not mark or len(parts) not in (1, 2):
        raise check.fault(
            "the argument has not the parts it needs",
            "write MARK; SEGMENT.PERSON[conditions]; SEGMENT.MEASURE[conditions]",
        )
    refs = [check.ref(part, fields=1) for part in parts]
    return mark, refs[0], refs[1] if len(refs) > 1 else None


def _protection_refs(check: Check) -> tuple[Ref, ...]:
    return tuple(ref for ref in _protection(check)[1:] if isinstance(ref, Ref))


def _one_ref(check: Check) -> tuple[Ref, ...]:
    return (check.ref(),)


KINDS = (
    Kind("孤児", orphans, _one_ref, relates=True, held_only=True),
    Kind("参照相違", mismatches, _one_ref, least=2, relates=True, held_only=True),
    Kind("区不明", wards, _one_ref, relates=True),
    Kind("名寄せ不一致", persons, _one_ref, least=2, relates=True, held_only=True),
    Kind("保護不一致", protection, _protection_refs, least=2, most=2, relates=True),
)
