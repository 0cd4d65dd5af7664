"""Whether a message is what its contract promises: whose rows, which items, which values, what is withheld."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date

from kiban.kernel import Problem
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.message import CLEAR, Message, Row

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIX = "have the provider send it as the contract says"


def validate(contract: Contract, message: Message) -> tuple[Problem, ...]:
    """Everything that is wrong with a message under its contract.

    Returns:
        Nothing where it is good. `message-elsewhere`, `message-empty`, `message-version`, `message-group`, `message-columns`,
        `message-unit`, `message-key-twice`, `message-period`, `message-overlap`, `message-not-withheld`, `value-missing` and
        those of `Check.problem`; each once for a group and item. Places are groups and items; no value is told.
    """
    if message.flow != contract.flow:
        return (_wrong("message-elsewhere", "the message is of another flow", message.id),)
    if not message.parts:
        return (_wrong("message-empty", "the message carries no group", message.id),)
    found: dict[tuple[str, str | None], Problem] = {}
    if not 0 <= message.previous < message.event or message.protection_event > message.event:
        found["message-version", None] = _wrong("message-version", "the versions do not grow", message.id)
    for name, rows in message.parts.items():
        try:
            feed = contract.feed(name)
        except KeyError:
            problem = _wrong("message-group", "the contract does not carry this group", name)
            found[problem.code, name] = problem
            continue
        protected = contract.protection.carried and message.protection != CLEAR
        hidden = contract.protection.withheld.get(name, frozenset()) if protected else frozenset()
        for problem in _faults(feed, message.unit, rows, hidden):
            found.setdefault((problem.code, problem.where), problem)
    return tuple(found.values())


def _faults(feed: Feed, unit: str, rows: Sequence[Row], hidden: Collection[str]) -> Iterator[Problem]:
    names = set(feed.columns)
    whole = [row for row in rows if row.keys() == names]
    if len(whole) < len(rows):
        odd = sorted({name for row in rows for name in row.keys() ^ names})
        yield _wrong(
            "message-columns", f"not exactly the items of the contract: {', '.join(odd[:20])}", feed.name
        )
    if any(row[feed.unit.romaji] != unit for row in whole):
        yield _wrong("message-unit", f"a row is of another {feed.unit.romaji} than the message", feed.name)
    for row in whole:
        yield from _values(feed, row, hidden)
    yield from _keys(feed, whole)


def _values(feed: Feed, row: Row, hidden: Collection[str]) -> Iterator[Problem]:
    for check in feed.checks:
        name = check.name
        value = row[name]
        if name in hidden:
            if value is not None:
                what = f"{name} is told of a unit that is protected, or of which nobody knows"
                yield _wrong("message-not-withheld", what, f"{feed.name}.{name}")
        elif value is None:
            if check.required:
                yield _wrong("value-missing", f"{name} always needs a value", f"{feed.name}.{name}")
        elif (
            type(value) is str and value and check.fits(value) and not check.whole and not check.item.repeats
        ):
            continue  # nearly all values: nothing more to be asked
        elif problem := check.problem(value):
            yield Problem(problem.code, problem.what, f"{feed.name}.{name}", problem.fix)


def _keys(feed: Feed, rows: Sequence[Row]) -> Iterator[Problem]:
    keys = [tuple(_hashable(row[name]) for name in feed.key) for row in rows]
    if len(set(keys)) < len(keys):
        yield _wrong("message-key-twice", "two rows have the same key", feed.name)
    if not feed.has_periods:
        return
    if not all(_is_period(row["valid_from"], row["valid_to"]) for row in rows):
        yield _wrong("message-period", "a period is none, or ends before it begins", feed.name)
        return
    ends: dict[object, str] = {}
    subject = feed.key[:-1]
    for row in sorted(rows, key=lambda row: row["valid_from"] or ""):
        whose = tuple(_hashable(row[name]) for name in subject)
        if (row["valid_from"] or "") < ends.get(whose, ""):
            yield _wrong("message-overlap", "two periods of one subject overlap", feed.name)
        ends[whose] = row["valid_to"] or "~"


def _is_period(start: object, end: object) -> bool:
    return all(day is None or _is_day(day) for day in (start, end)) and (
        start is None or end is None or str(start) < str(end)
    )


def _is_day(text: object) -> bool:
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _wrong(code: str, what: str, where: str) -> Problem:
    return Problem(code, what, where, _FIX)
