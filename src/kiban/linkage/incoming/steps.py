"""What a message would change of a register: pure comparison of rows in time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from kiban.kernel import Period
from kiban.standard import Group
from kiban.store import Change, Row

CHANGE, CREATE, END = "change", "create", "end"


@dataclass(frozen=True)
class Step:
    """One change of one subject for one stretch of time.

    Attributes:
        group: ID of the group.
        kind: `CHANGE` of a row that is there, `CREATE` where none is, `END` of what is there.
        subject: the items that identify the row.
        valid: for how long; None in a log.
        old: item -> value that stands in the register; empty where nothing does.
        new: item -> value as it would be; empty at an end.
        base: the event that wrote the row that is there; 0 where none is.
    """

    group: str
    kind: str
    subject: Mapping[str, Any]
    valid: Period | None
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    base: int


@dataclass(frozen=True)
class Claim:
    """What somebody else says of a unit in one group.

    Attributes:
        group: the group.
        items: romaji of what is said; others of the row stay as they are.
        rows: as a message writes them.
        ended: from which day nothing is true any more, where there are no rows; None where nothing is said of it.
    """

    group: Group
    items: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    ended: date | None = None


def steps(claim: Claim, known: Sequence[Row], turns: Sequence[date] = ()) -> list[Step]:
    """What has to change so that the register says what is claimed, in the order of subjects and time.

    Where nothing is claimed of a time before the first row, the register stays as it is.

    Args:
        claim: of one unit.
        known: all rows of the unit in the register, in all periods.
        turns: days at which a stretch is cut.
    """
    subject = [item.romaji for item in claim.group.subject]
    theirs = _by_subject(claim.rows, subject)
    ours = _by_subject(known, subject)
    found: list[Step] = []
    for key, rows in sorted(theirs.items(), key=lambda pair: list(map(str, pair[0]))):
        named = dict(zip(subject, key, strict=True))
        if claim.group.kind != "register":
            found += _of_log(claim, named, rows, ours.get(key, []))
        else:
            found += _of_subject(claim, named, rows, ours.get(key, []), turns)
    if claim.ended is not None and claim.group.kind == "register":
        for key in sorted(ours.keys() - theirs.keys(), key=str):
            named = dict(zip(subject, key, strict=True))
            found += _end(claim.group, named, ours[key], claim.ended)
    return found


def changes(group: Group, register: str, told: Sequence[Step], known: Sequence[Row]) -> list[Change]:
    """The changes that make steps true, each with all items of its row; a history is counted on."""
    made = []
    counted: dict[tuple[Any, ...], int] = {}
    for step in told:
        if step.kind == END:
            made.append(Change(register, None, step.valid, step.subject))
            continue
        row = dict.fromkeys(item.romaji for item in group.items)
        rows = [each for each in known if all(each[name] == value for name, value in step.subject.items())]
        if step.kind == CHANGE:
            [base] = [each for each in rows if _holds(each["valid"], step.valid)]
            row = {name: base[name] for name in row}
        row |= {**step.subject, **step.new}
        if group.history:
            key, name = tuple(step.subject.values()), group.history.romaji
            last = counted.get(key) or max((int(each[name] or 0) for each in rows), default=0)
            counted[key] = row[name] = last + 1
        made.append(
            Change(register, {name: value for name, value in row.items() if value is not None}, step.valid)
        )
    return made


def without(step: Step, items: Iterable[str]) -> Step | None:
    """A step that leaves items as they are; None where nothing is left of it."""
    left = {name: value for name, value in step.new.items() if name not in set(items)}
    old = {name: value for name, value in step.old.items() if name in left}
    return replace(step, new=left, old=old) if left else None


def plain(value: Any) -> Any:
    """A value as a message writes it: a decimal is text."""
    return format(value, "f") if isinstance(value, Decimal) else value


def _by_subject(
    rows: Iterable[Mapping[str, Any]], subject: Sequence[str]
) -> dict[tuple[Any, ...], list[Any]]:
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in subject), []).append(row)
    return found


def _of_log(
    claim: Claim, named: Mapping[str, Any], rows: Sequence[Any], ours: Sequence[Row]
) -> Iterator[Step]:
    for row in rows[:1] if not ours else ():
        yield Step(claim.group.id, CREATE, named, None, {}, _said(claim, row), 0)


def _of_subject(
    claim: Claim, named: Mapping[str, Any], rows: Sequence[Any], ours: Sequence[Row], turns: Sequence[date]
) -> Iterator[Step]:
    ours = sorted(ours, key=lambda row: row["valid"].start or date.min)
    theirs = sorted(rows, key=lambda row: row["valid_from"] or "")
    for row in theirs:
        start, end = (_day(row[name]) for name in ("valid_from", "valid_to"))
        at = start or date.min
        for base in ours:
            own_start, own_end = base["valid"].start or date.min, base["valid"].end or date.max
            low, high = max(start or date.min, own_start), min(end or date.max, own_end)
            if low >= high:
                continue
            if at < low:
                yield from _created(claim, named, row, at, low, turns)
            for piece in _cut(low, high, turns):
                yield from _changed(claim, named, row, base, piece)
            at = high
        if at < (end or date.max):
            yield from _created(claim, named, row, at, end or date.max, turns)
    last = _day(theirs[-1]["valid_to"])
    if last is not None:
        yield from _end(claim.group, named, ours, last)


def _created(
    claim: Claim,
    named: Mapping[str, Any],
    row: Mapping[str, Any],
    low: date,
    high: date,
    turns: Sequence[date],
) -> Iterator[Step]:
    for piece in _cut(low, high, turns):
        yield Step(claim.group.id, CREATE, named, piece, {}, _said(claim, row), 0)


def _changed(
    claim: Claim, named: Mapping[str, Any], row: Mapping[str, Any], base: Row, piece: Period
) -> Iterator[Step]:
    new = {name: row[name] for name in claim.items if name in row and plain(base[name]) != row[name]}
    if new:
        old = {name: plain(base[name]) for name in new}
        yield Step(claim.group.id, CHANGE, named, piece, old, new, base["event"])


def _end(group: Group, named: Mapping[str, Any], ours: Sequence[Row], day: date) -> Iterator[Step]:
    beyond = [row for row in ours if (row["valid"].end or date.max) > day]
    if beyond:
        yield Step(group.id, END, named, Period(day), {}, {}, max(row["event"] for row in beyond))


def _said(claim: Claim, row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in claim.items if row.get(name) is not None}


def _cut(low: date, high: date, turns: Sequence[date]) -> Iterator[Period]:
    for turn in (*sorted({day for day in turns if low < day < high}), high):
        yield Period(None if low == date.min else low, None if turn == date.max else turn)
        low = turn


def _holds(valid: Period, piece: Period | None) -> bool:
    assert piece is not None
    after = (valid.start or date.min) <= (piece.start or date.min)
    return after and (piece.end or date.max) <= (valid.end or date.max)


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None
