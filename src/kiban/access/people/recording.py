"""Changes of offices, staff and assignments, checked together and written with their history."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from kiban.access.people.checking import Change, Key, State, ends_earlier, faults, key
from kiban.access.people.values import Assignment, Office, Staff
from kiban.kernel import Problem, Problems
from kiban.store import BookPage

OFFICE = "id, name, kind, parent, ward, start_on AS start, end_on AS end"
STAFF = "number, name, kana, start_on AS start, end_on AS end, external_id"
ASSIGNMENT = "staff, duty, office, start_on AS start, end_on AS end, substitutes, id"


def record(
    page: BookPage,
    changes: Sequence[Change],
    by: str,
    at: datetime,
    duties: Container[str] | None,
    places: Sequence[str],
    seen: Sequence[tuple[Change, Change | None]],
    *,
    dry_run: bool,
) -> list[Change]:
    """Check changes and write those that change anything; see `People.apply`.

    Raises:
        Problem: `change-stale`.
        Problems: all faults; then nothing is written.
    """
    page.run("LOCK TABLE office IN SHARE ROW EXCLUSIVE MODE")  # one change after the other
    state = _state(page, changes)
    before = {key(each): state.find(each) for each in changes}
    if any(before[key(each)] != there for each, there in seen):
        raise Problem("change-stale", "somebody else has changed it since", fix="look at it again")
    found = list(_twice(changes, places))
    for each in changes:
        state.put(each)
    for place, each in enumerate(changes):
        where = places[place] if places else None
        found += faults(each, before[key(each)], state, where, duties)
    found += _own(changes, before, by, places)
    found += _external(page, changes, places)
    if found:
        raise Problems(found)
    real = [each for each in changes if not _same(each, before[key(each)])]
    if not dry_run:
        _write(page, real)
        page.many(
            "INSERT INTO people_change (at, by, kind, key, before, after) VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (at, by, kind, " ".join(own), _json(before[(kind, *own)]), _json(each))
                for each in real
                for kind, *own in [key(each)]
            ],
        )
    return real


def _state(page: BookPage, changes: Iterable[Change]) -> State:
    """What stands now, of everything that the changes concern."""
    numbers: set[str] = set()
    for each in changes:
        if isinstance(each, Staff):
            numbers.add(each.number)
        elif isinstance(each, Assignment):
            numbers |= {each.staff, *([each.substitutes] if each.substitutes else [])}
    wanted = list(numbers)
    state = State({row["id"]: Office(**row) for row in page.rows(f"SELECT {OFFICE} FROM office")})
    for row in page.rows(f"SELECT {STAFF} FROM staff WHERE number = ANY(%s)", (wanted,)):
        state.put(Staff(**row))
    for row in page.rows(f"SELECT {ASSIGNMENT} FROM assignment WHERE staff = ANY(%s)", (wanted,)):
        state.put(Assignment(**row))
    return state


def _twice(changes: Iterable[Change], places: Sequence[str]) -> Iterable[Problem]:
    seen = set()
    for place, each in enumerate(changes):
        if key(each) in seen:
            yield Problem(
                "change-twice",
                "the same is changed twice",
                places[place] if places else None,
                "keep one of both",
            )
        seen.add(key(each))


def _own(
    changes: Sequence[Change], before: Mapping[Key, Change | None], by: str, places: Sequence[str]
) -> Iterable[Problem]:
    """Each duty that somebody would give to himself, or make longer."""
    for place, each in enumerate(changes):
        if isinstance(each, Assignment) and each.staff == by and not ends_earlier(each, before[key(each)]):
            where = places[place] if places else None
            yield Problem("assignment-own", "nobody gives a duty to himself", where, "let another do it")


def _external(page: BookPage, changes: Sequence[Change], places: Sequence[str]) -> Iterable[Problem]:
    """Each ID of the personnel system that would belong to two people."""
    mine = {each.external_id: each.number for each in changes if isinstance(each, Staff) and each.external_id}
    changed = {each.number for each in changes if isinstance(each, Staff)}
    query = "SELECT number, external_id FROM staff WHERE external_id = ANY(%s)"
    taken = {row["external_id"]: row["number"] for row in page.rows(query, (list(mine),))}
    for place, each in enumerate(changes):
        if not isinstance(each, Staff) or not each.external_id:
            continue
        other = taken.get(each.external_id)
        if mine[each.external_id] != each.number or (other and other != each.number and other not in changed):
            where = places[place] if places else None
            yield Problem(
                "staff-external-id", "the external ID belongs to somebody else", where, "each person has one"
            )


def _same(change: Change, before: Change | None) -> bool:
    if isinstance(change, Assignment) and isinstance(before, Assignment):
        return replace(change, id=before.id) == before
    return change == before


def _write(page: BookPage, changes: Sequence[Change]) -> None:
    """Write offices, then staff, then assignments: each names those before."""
    tables: dict[type[Change], tuple[str, tuple[str, ...]]] = {
        Office: ("office", ("id",)),
        Staff: ("staff", ("number",)),
        Assignment: ("assignment", ("staff", "duty", "office", "start_on")),
    }
    for kind, (table, own) in tables.items():
        rows = [_row(each) for each in changes if isinstance(each, kind)]
        if not rows:
            continue
        names = list(rows[0])
        marks = ", ".join(["%s"] * len(names))
        fresh = ", ".join(f"{name} = excluded.{name}" for name in names if name not in own)
        statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks}) ON CONFLICT ({', '.join(own)}) DO UPDATE SET {fresh}"
        page.many(statement, [list(row.values()) for row in rows])


def _row(change: Change) -> dict[str, object]:
    """By the names of the columns."""
    row = asdict(change)
    if isinstance(change, Assignment):
        del row["id"]  # the table gives it
    columns = {"start": "start_on", "end": "end_on"}
    return {columns.get(name, name): value for name, value in row.items()}


def _json(change: Change | None) -> str | None:
    if change is None:
        return None
    return json.dumps(asdict(change), ensure_ascii=False, default=str)
