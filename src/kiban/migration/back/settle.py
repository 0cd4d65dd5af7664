"""The account of the way back: every subject that changed went back in a record, or stands on the list, or both."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from kiban.migration.back.desk import LINES, Desk, subject
from kiban.migration.back.forms import Form
from kiban.migration.back.place import Place
from kiban.migration.back.rekey import NOT_A_TARGET, RECORD_MISSING, ROW_GONE
from kiban.migration.back.spool import CHANGED, lost_of
from kiban.migration.back.tasks import Written
from kiban.migration.mapping import quoted
from kiban.standard import Group

_FIGURES = ("changed", "whole", "part", "listed")


def settle(
    at: Desk,
    place: Place,
    used: Sequence[Form],
    alone: Collection[str],
    wrote: Sequence[Written],
    changed: Mapping[str, int],
) -> list[dict[str, Any]]:
    """Leave the table `lines` with a line for every subject that did not go back, and count.

    Args:
        at: the desk.
        place: what the way back stands on.
        used: the forms that were written.
        alone: registers whose rows belong to no record.
        wrote: what was written.
        changed: how many subjects of each register changed.

    Returns:
        For each register with changes: its name and title, how many subjects changed, and how many of them went back whole, went back
        in part with lines on the list, or are only on the list. The first is the sum of the others.
    """
    at.query.execute(f"CREATE TABLE lines AS {lost_of(at, used)}")
    for one in wrote:
        at.query.execute(f"INSERT INTO lines SELECT * FROM read_parquet({quoted(str(one.lost))})")
    at.query.execute("CREATE TABLE went (register varchar, subject varchar)")
    for one in wrote:
        at.query.execute(
            f"INSERT INTO went SELECT register, subject FROM read_parquet({quoted(str(one.went))})"
        )
    written = {made.register for form in used for made in form.maps}
    groups = {f"{one.id}.{group.id}": group for one in place.editions for group in one.groups}
    found = []
    for name in (name for name, count in changed.items() if count):
        code = ROW_GONE if name in written else RECORD_MISSING if name in alone else NOT_A_TARGET
        figures = _count(at, name, groups[name], code)
        assert figures[0] == sum(figures[1:])  # nobody is missing from both
        found.append(
            {"register": name, "title": groups[name].name, **dict(zip(_FIGURES, figures, strict=True))}
        )
    return found


def _count(at: Desk, register: str, group: Group, code: str) -> tuple[int, ...]:
    name = quoted(register)
    theirs = f"SELECT {subject(group)} AS subject FROM {at.rows(register, CHANGED)}"
    at.query.execute(f"CREATE OR REPLACE TABLE theirs AS {theirs}")
    went = f"SELECT subject FROM went WHERE register = {name}"
    listed = f"SELECT subject FROM lines WHERE register = {name}"
    at.query.execute(
        f"INSERT INTO lines SELECT {name}, subject, '', '', {quoted(code)} FROM theirs "
        f"WHERE subject NOT IN ({went}) AND subject NOT IN ({listed})"
    )
    told = f"SELECT subject IN ({went}) AS w, subject IN ({listed}) AS l FROM theirs"
    counts = ("true", "w AND NOT l", "w AND l", "l AND NOT w")
    figures = ", ".join(f"count(*) FILTER ({one})" for one in counts)
    [row] = at.query.execute(f"SELECT {figures} FROM ({told})").fetchall()
    return tuple(map(int, row))


def lines_of(at: Desk) -> Iterator[dict[str, str]]:
    """Every line of the list, in the order of register, subject, history and item."""
    found = at.query.execute(f"SELECT * FROM lines ORDER BY {', '.join(LINES.names)}")
    while rows := found.fetchmany(10_000):
        yield from (dict(zip(LINES.names, row, strict=True)) for row in rows)
