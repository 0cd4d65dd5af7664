"""Finding people: folded keys, the actor's own ward first, pages by key and never a count of everything."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from kiban import characters
from kiban.kernel import Actor, Problem, UncertainDate
from kiban.standard import Group, Search
from kiban.store.gates import open_among
from kiban.store.query import Hit, Page, Query
from kiban.store.schema import Table
from kiban.store.search_table import VAGUE, SearchTable
from kiban.store.text import quoted

_MARK_MOST = 10_000
_PHASES_MOST = 8


def run(
    connection: psycopg.Connection[Any], table: SearchTable, query: Query, actor: Actor, after: str | None
) -> Page:
    """One page of a query; see `Session.search`.

    Raises:
        Problem: `page-unreadable` where `after` is not the `next` of an earlier page.
    """
    phases = [part for phase in _phases(table, query, actor) for part in phase.by_birth(query)]
    phase, position = _position(after)
    found: list[tuple[int, object, Hit]] = []
    while phase < len(phases) and len(found) <= query.limit:
        wanted = query.limit + 1 - len(found)
        rows = _find(connection, table, query, phases[phase], actor, position, wanted)
        found += [(phase, key, hit) for hit, key in rows]
        phase, position = phase + 1, None
    hits = tuple(hit for _, _, hit in found[: query.limit])
    if len(found) <= query.limit:
        return Page(hits, None)
    (shown_in, key, last), (goes_on_in, _, _) = found[query.limit - 1], found[query.limit]
    return Page(hits, _token(goes_on_in, (key, last.subject) if shown_in == goes_on_in else None))


@dataclass(frozen=True)
class _Phase:
    """A part of the hits: those for whom a condition on the ward holds, or (None) protected persons, as the database tells of them.

    Their entries stand in no search table: whatever is asked there, the time it takes says nothing of them.
    """

    where: str | None
    values: tuple[object, ...] = ()
    wards: tuple[tuple[str, str], ...] = ()

    def by_birth(self, query: Query) -> list[_Phase]:
        """Where births alone are asked for: first the few that began before and are not known to the day, then those that begin then.

        Both come in the order of their first day. Together they would be all births of ten years, each looked at.
        """
        if self.where is None or not query.birth or query.keys or query.number:
            return [self]
        first = query.birth[0].isoformat()
        apart = (f"s.birth_from < %s AND s.{VAGUE.replace('<> ', '<> s.')}", "s.birth_from >= %s")
        return [_Phase(f"{self.where} AND {part}", (*self.values, first), self.wards) for part in apart]


def _phases(table: SearchTable, query: Query, actor: Actor) -> list[_Phase]:
    """The own ward, then all others; protected persons after those of the same wards, or last where they are closed to the actor."""
    section, naming = table.table.group.search, table.table.naming
    named = section is not None and section.subject in naming.people
    if query.number:  # all rows of a number are in the register itself
        named = named and not actor.protected and query.number[0] not in naming.households
    if table.table.group.ward is None or actor.ward is None:
        return [_Phase("true"), *([_Phase(None)] if named else [])]
    own, beside = _Phase("s.ward = %s", (actor.ward,)), _Phase(None, wards=(("ward", actor.ward),))
    if query.wards == "own":
        return [own, *([beside] if named else [])]
    # A person who was shown under the own ward is not shown again for a former row elsewhere.
    conditions, values = _conditions(query, "o", _number(table.table, query, actor))
    shown = f"EXISTS (SELECT FROM {_source(table, query)} o WHERE o.subject = s.subject AND o.ward = %s AND {conditions})"
    others = _Phase(f"s.ward <> %s AND NOT {shown}", (actor.ward, actor.ward, *values))
    if not named:
        return [own, others]
    if not actor.protected:
        return [own, others, _Phase(None)]
    return [own, beside, others, _Phase(None, wards=(("but", actor.ward),))]


def _number(table: Table, query: Query, actor: Actor) -> str:
    """The number that is asked for, as SQL; none where the rows that it finds are closed to the actor."""
    among = open_among(table, query.number[0], "ARRAY[%s]") if query.number and not actor.protected else None
    return f"({among})[1]" if among else "%s"


def _source(table: SearchTable, query: Query) -> str:
    """What is searched: the narrow table, or for a number the register itself."""
    if query.number is None:
        return table.name
    register, section = table.table, table.table.group.search
    assert section is not None
    ward = quoted(register.group.ward.romaji) if register.group.ward else "NULL::text"
    return (
        f"(SELECT {quoted(section.subject)} AS subject, {ward} AS ward, {quoted(query.number[0])} AS number "
        f"FROM {register.name} WHERE closed_by IS NULL)"
    )


def _find(
    connection: psycopg.Connection[Any],
    table: SearchTable,
    query: Query,
    phase: _Phase,
    actor: Actor,
    position: tuple[object, str] | None,
    limit: int,
) -> list[tuple[Hit, object]]:
    order = "number" if query.number else next(iter(query.keys), "birth_from")
    if phase.where is None:
        return _protected(connection, table, query, order, dict(phase.wards), position, limit)
    conditions, values = _conditions(query, "s", _number(table.table, query, actor))
    beyond = ""
    if position is not None:
        beyond = f" AND (s.{order}, s.subject) > (%s, %s)"
    statement = (
        f"SELECT DISTINCT ON (s.{order}, s.subject) s.{order}, s.subject, s.ward FROM {_source(table, query)} s "
        f"WHERE {conditions} AND {phase.where}{beyond} ORDER BY s.{order}, s.subject LIMIT {query.limit + 1:d}"
    )
    # The limit stands in the text, the same for every phase: the server sees how little is wanted, and need not plan each time.
    parameters = [*values, *phase.values, *(position or ())]
    rows = connection.execute(statement.encode(), parameters).fetchmany(limit)
    return [(Hit(subject, ward_code), key) for key, subject, ward_code in rows]


def _protected(
    connection: psycopg.Connection[Any],
    table: SearchTable,
    query: Query,
    order: str,
    wards: Mapping[str, str],
    position: tuple[object, str] | None,
    limit: int,
) -> list[tuple[Hit, object]]:
    """Protected persons. The database logs whom it tells of to an actor to whom they are closed."""
    register = table.table.register
    if query.number:
        item, value = query.number
        found = connection.execute(
            "SELECT kiban.find_protected_number(%s, %s, %s)", (register, item, value)
        ).fetchall()
        return [(Hit(subject, None, protected=True), value) for (subject,) in found if position is None]
    asked: dict[str, object] = {**query.keys, **wards}
    if query.birth:
        asked["birth"] = [day.isoformat() for day in query.birth]
    if query.sex:
        asked["sex"] = query.sex
    rows = connection.execute(
        "SELECT * FROM kiban.search_protected(%s, %s, %s, %s, %s, %s)",
        (register, order, Jsonb(asked), *(position or (None, None)), limit),
        prepare=True,
    ).fetchall()
    return [(Hit(subject, ward, protected=closed), key) for key, subject, ward, closed in rows]


def _conditions(query: Query, alias: str, number: str) -> tuple[str, list[object]]:
    # Only comparisons that PostgreSQL knows to be leakproof: others would not use an index under row-level security.
    conditions: list[str] = []
    values: list[object] = []
    if query.number:
        conditions.append(f"{alias}.number = {number}")
        values.append(query.number[1])
    for column, key in query.keys.items():
        conditions.append(f"{alias}.{column} >= %s AND {alias}.{column} < %s")
        values += [key, key + "\U0010ffff"]
    if query.birth:
        conditions.append(f"{alias}.birth_from <= %s AND {alias}.birth_to >= %s")
        values += [query.birth[1].isoformat(), query.birth[0].isoformat()]
        if not query.keys:
            # An index range needs a lower end too: a birth known only by its decade begins at most ten years earlier.
            conditions.append(f"{alias}.birth_from >= %s")
            values.append(query.birth[0].replace(year=max(1, query.birth[0].year - 10), day=1).isoformat())
    if query.sex:
        conditions.append(f"{alias}.sex = %s")
        values.append(query.sex)
    return " AND ".join(conditions), values


def _token(phase: int, position: tuple[object, str] | None) -> str:
    return base64.urlsafe_b64encode(json.dumps([phase, position], ensure_ascii=False).encode()).decode()


def _position(after: str | None) -> tuple[int, tuple[object, str] | None]:
    if after is None:
        return 0, None
    damaged = Problem("page-unreadable", "the mark of the page is damaged", fix="start the search again")
    try:
        mark = json.loads(base64.urlsafe_b64decode(after.encode()[:_MARK_MOST]))
    except (ValueError, RecursionError):
        raise damaged from None
    match mark:
        case [int(phase), None] if 0 <= phase < _PHASES_MOST:
            return phase, None
        case [int(phase), [str(key), str(subject)]] if 0 <= phase < _PHASES_MOST:
            return phase, (key, subject)
    raise damaged


def entries(group: Group, row: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """The search entries of one row: one for each form of the name that it holds.

    Args:
        group: the group, which has a search section.
        row: items by their romaji, in their written form.
    """
    section = group.search
    assert section is not None
    lo, hi = birth_range(*birth_items(section, row))
    shared = {
        "subject": row[section.subject],
        "ward": row.get(group.ward.romaji) if group.ward else None,
        "address_key": characters.address_key("".join(row.get(name) or "" for name in section.address))
        or None,
        "birth_from": lo,
        "birth_to": hi,
        "sex": row.get(section.sex) if section.sex else None,
    }
    made = []
    for name, kana in section.names:
        written, read = row.get(name), row.get(kana) if kana else None
        if written or read:
            keys = {
                "name_key": characters.name_key(written) if written else None,
                "kana_key": characters.kana_loose_key(read) if read else None,
            }
            made.append({**shared, **keys})
    return made or [{**shared, "name_key": None, "kana_key": None}]


def looked_at(group: Group, query: Query) -> list[str]:
    """The items that a query compares with something; romaji."""
    section = group.search
    assert section is not None
    found = [query.number[0]] if query.number else []
    found += [name for name, _ in section.names if query.name]
    found += [kana for _, kana in section.names if query.kana and kana]
    found += section.address if query.address else ()
    found += [section.birth] if query.birth and section.birth else []
    return [*found, *([section.sex] if query.sex and section.sex else [])]


def shown(group: Group, items: Sequence[str]) -> list[str]:
    """What a list of hits shows of a row: the items that the search section names, and the ward.

    Whoever is chosen from the list is read whole, by `Session.read`.
    """
    section = group.search
    assert section is not None
    names = [section.subject, *section.numbers, *(name for pair in section.names for name in pair if name)]
    names += [
        *section.address,
        *([section.sex] if section.sex else []),
        *([group.ward.romaji] if group.ward else []),
    ]
    if section.birth:
        names += [section.birth, f"{section.birth}_fushofuragu", f"{section.birth}_fushohyoki"]
    return [name for name in dict.fromkeys(names) if name in items]


def birth_items(section: Search, row: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """The triple of the birth date in a row: date, 不詳フラグ, 不詳表記."""
    if section.birth is None:
        return None, None, None
    return (
        row.get(section.birth),
        row.get(f"{section.birth}_fushofuragu"),
        row.get(f"{section.birth}_fushohyoki"),
    )


def birth_range(day: str | None, flag: str | None, notation: str | None) -> tuple[str | None, str | None]:
    """The first and last day on which the birth may lie, as ISO text; (None, None) where nothing is written."""
    if day is None and not notation:
        return None, None
    born = UncertainDate.parse(day, flag, notation)
    return born.sort_lo, born.sort_hi
