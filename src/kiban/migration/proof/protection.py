"""Protection as both sides know it: the legacy system by its own fields, the store by the reads that a counter makes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from kiban.kernel import Actor, AsOf, Problem, Problems
from kiban.migration.mapping import named
from kiban.migration.proof.declared import DECLARED, Declared, Pair, Part
from kiban.migration.proof.shield import Judged, Measure, Place, Shield
from kiban.store import Session, Store

PROTECTION = pa.schema(
    [
        ("person", pa.string()),
        ("verdict", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("source", pa.int64()),
        ("stored", pa.int64()),
    ]
)
"""A line for each protected person; see `Judged`. Internal numbers only."""

_AT_ONCE = 500
_UNREADABLE, _UNNUMBERED = "?", "#"

Values = Mapping[str, str | None]
"""What a record says, by the names of `PARTS` and the items of the scope: in the codes and the forms of the standard."""


def table(judged: Iterable[Judged]) -> pa.Table:
    """The judgements in the form of `PROTECTION`."""
    lines = [
        {
            "person": one.person,
            "verdict": one.verdict,
            "reasons": list(one.reasons),
            "source": one.source,
            "stored": one.stored,
        }
        for one in judged
    ]
    return pa.Table.from_pylist(lines, PROTECTION)


def in_source(decoded: Path, said: Declared, day: date) -> Shield:
    """What the legacy system knows, from its decoded fields alone: no map, no decision of cleansing, nothing left out.

    Args:
        decoded: the output of the stage decode.
        said: see `declared`; with its parts.
        day: the day the files show.

    Raises:
        Problems: `protection-field` for a field that was not decoded.
    """
    assert said.measure and said.subject and said.aggressor and said.flag
    parts = (said.measure, said.subject, said.aggressor, said.flag)
    if problems := [one for part in parts for one in _missing(decoded, part)]:
        raise Problems(problems)
    with duckdb.connect() as connection:
        measures, subjects, aggressors, flags = (
            list(_records(connection, decoded, part, day, flagged=part is said.flag)) for part in parts
        )
    return _shield(said.measure, measures, subjects, aggressors, flags, unknown=True)


def in_store(opened: Store, said: Declared, day: date, actor: Actor, source: Shield) -> Shield:
    """What the store tells whoever asks for these people and measures on that day.

    Args:
        opened: the store.
        said: see `declared`; with its parts.
        day: the day of the question.
        actor: who asks; every read is logged.
        source: whom and what to ask for.
    """
    assert said.measure and said.subject and said.aggressor and said.flag
    people = sorted(one for one in source.places.keys() | source.flags if not one.startswith(_UNNUMBERED))
    numbers = source.measures.keys() - {_UNREADABLE}
    as_of = AsOf(day)
    with opened.session(actor) as session:
        subjects = _asked(session, said.subject, as_of, "person", people)
        every = sorted({*numbers, *(one["measure"] or "" for one in subjects)} - {""})
        subjects += _asked(session, said.subject, as_of, "measure", every)
        measures = _asked(session, said.measure, as_of, "number", every)
        aggressors = _asked(session, said.aggressor, as_of, "measure", every)
        everybody = sorted({*people, *(one["person"] or "" for one in subjects)} - {""})
        flags = [
            one
            for one in _asked(session, said.flag, as_of, "person", everybody)
            if one["flag"] in said.flag.pairs["flag"].on
        ]
    return _shield(said.measure, measures, subjects, aggressors, flags, unknown=False)


def _shield(
    measure: Part,
    measures: Iterable[Values],
    subjects: Iterable[Values],
    aggressors: Iterable[Values],
    flags: Iterable[Values],
    *,
    unknown: bool,
) -> Shield:
    """Put together what a side says; `unknown` tells whether a value that is not known protects."""
    by_number: dict[str, list[Measure]] = defaultdict(list)
    places: dict[str, dict[Place, None]] = defaultdict(dict)
    known: dict[str, set[str]] = defaultdict(set)
    for one in measures:
        by_number[one["number"] or _UNREADABLE].append(_measure(measure, one, unknown))
    for one in subjects:
        number = one["measure"] or _UNREADABLE
        person = one["person"] or f"{_UNNUMBERED}{number}-{one['number'] or _UNREADABLE}"
        places[person][Place(number, one["role"])] = None
    for one in aggressors:
        known[one["measure"] or _UNREADABLE].add(one["person"] or "")
    return Shield(
        {number: tuple(found) for number, found in by_number.items()},
        {person: tuple(found) for person, found in places.items()},
        {number: frozenset(people) for number, people in known.items()},
        frozenset(one["person"] or f"{_UNNUMBERED}{_UNREADABLE}" for one in flags),
    )


def _measure(part: Part, one: Values, unknown: bool) -> Measure:
    def protects(kind: str, pair: Pair) -> bool:
        value = one[kind]
        return unknown if value is None else value in pair.on

    return Measure(
        number=one["number"] or _UNREADABLE,
        state=one["state"],
        provisional=one["provisional"],
        on=protects("state", part.pairs["state"]),
        start=one["start"],
        end=one["end"],
        scope=frozenset(pair.item for pair in part.scope if protects(pair.item, pair)),
    )


# ---- the legacy side ---------------------------------------------------------------------------------------------


def _missing(decoded: Path, part: Part) -> Iterator[Problem]:
    """Fields of the declaration that a decoded file lacks; of a list, nobody could know before."""
    for segment, field in part.fields:
        for path in sorted((decoded / segment).glob("*.parquet")):
            if field not in pq.read_schema(path).names:
                what = f"{segment} of {path.stem} has no field {field}"
                yield Problem("protection-field", what, DECLARED, "correct the name of the field")


def _records(
    connection: duckdb.DuckDBPyConnection, decoded: Path, part: Part, day: date, *, flagged: bool
) -> Iterator[Values]:
    """What the records of a part say that are true on a day; those whose period cannot be read are."""
    if not any((decoded / part.segment).glob("*.parquet")):
        return  # a file without a record
    pairs = part.every
    parents = dict.fromkeys(segment for segment, _ in part.fields if segment != part.segment)
    own = named(part.segment)
    joins = "".join(
        f' LEFT JOIN {_files(decoded, name)} {named(name)} ON {named(name)}."#file" = {own}."#file" '
        f'AND {named(name)}."#record" = {own}."#record"'
        for name in parents
    )
    chosen = ", ".join(f"{_text(part, pair.field)} AS {named(kind)}" for kind, pair in pairs.items())
    days = (f"nullif(lpad({_text(part, name)}, 8, '0'), '00000000')" for name in (part.since, part.until))
    since, until = days
    where = [f"coalesce({since} <= '{day:%Y%m%d}', true)", f"coalesce('{day:%Y%m%d}' < {until}, true)"]
    if part.where is not None:
        where.append(f"coalesce({_among(part, *part.where)}, true)")
    if flagged:
        where.append(_flagged(part, part.pairs["flag"]))
    found = connection.execute(
        f"SELECT {chosen} FROM {_files(decoded, part.segment)} {own}{joins} WHERE {' AND '.join(where)} ORDER BY ALL"
    )
    for row in found.fetchall():
        yield {kind: _said(kind, pair, value) for (kind, pair), value in zip(pairs.items(), row, strict=True)}


def _files(decoded: Path, segment: str) -> str:
    paths = ", ".join(f"'{path.as_posix()}'" for path in sorted((decoded / segment).glob("*.parquet")))
    return f"read_parquet([{paths}], hive_partitioning = false)"


def _text(part: Part, field: str) -> str:
    """A field as text, null where nothing is held."""
    segment, _, inside = field.rpartition(".")
    return f"nullif(CAST({named(segment or part.segment)}.{named(inside)} AS VARCHAR), '')"


def _among(part: Part, field: str, values: Sequence[str]) -> str:
    """Whether a field has one of some values; null where nothing is held."""
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{_text(part, field)} IN ({listed})" if listed else "false"


def _flagged(part: Part, flag: Pair) -> str:
    """Whether a record is flagged; one whose flag cannot be read is, unless the declaration says what nothing means."""
    if not flag.values:
        return f"coalesce({_among(part, flag.field, flag.on)}, true)"
    off = [old for old, new in flag.values.items() if new not in flag.on]
    return f"coalesce(NOT {_among(part, flag.field, off)}, {'false' if '' in off else 'true'})"


def _said(kind: str, pair: Pair, value: str | None) -> str | None:
    """A legacy value in the form of the standard; None where there is none, or it cannot be read."""
    if kind in ("start", "end"):
        digits = (value or "").zfill(8)
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if digits.strip("0") else None
    if pair.digits:
        return value.zfill(pair.digits) if value and value.strip("0") else None
    return pair.values.get(value or "") if pair.values else value


# ---- the store ---------------------------------------------------------------------------------------------------


def _asked(session: Session, part: Part, as_of: AsOf, kind: str, values: Sequence[str]) -> list[Values]:
    """What the store says of these people or measures on a day."""
    pairs = part.every
    found: list[Values] = []
    for start in range(0, len(values), _AT_ONCE):
        some = list(values[start : start + _AT_ONCE])
        for row in session.read(part.register, as_of, **{pairs[kind].item: some}):
            told = {name: row[pair.item] for name, pair in pairs.items()}
            found.append({name: None if value is None else str(value) for name, value in told.items()})
    return found
