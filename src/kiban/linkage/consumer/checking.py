"""Whether a message has the shape that its contract gives it: what every replica looks at before it takes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kiban.kernel import Problem
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.message import Message, Row

Check = Callable[[Contract, Message], Sequence[Problem]]
"""What is wrong with a message under its contract; nothing where it is good."""


def shape(contract: Contract, message: Message) -> tuple[Problem, ...]:
    """What is wrong with the shape of a message: groups, columns, kinds of values, whose rows they are.

    Returns:
        `message-empty`, `message-group`, `message-columns`, `message-value`, `message-unit`, `message-key-twice`; each at most
        once for a group, without any value.
    """
    if not message.parts:
        return (Problem("message-empty", "a message carries no group", message.id),)
    found: list[Problem] = []
    for name, rows in message.parts.items():
        try:
            feed = contract.feed(name)
        except KeyError:
            found.append(Problem("message-group", "the contract does not carry this group", name))
        else:
            found += {problem.code: problem for problem in _faults(feed, message.unit, rows)}.values()
    return tuple(found)


def _faults(feed: Feed, unit: str, rows: Sequence[Row]) -> Iterator[Problem]:
    names = set(feed.columns)
    seen: set[tuple[object, ...]] = set()
    for row in rows:
        if row.keys() != names:
            odd = sorted(row.keys() ^ names)
            yield Problem(
                "message-columns", f"not exactly the items of the contract: {', '.join(odd)}", feed.name
            )
            continue
        if row[feed.unit.romaji] != unit:
            yield Problem(
                "message-unit", f"a row belongs to another {feed.unit.romaji} than the message", feed.name
            )
        for name in _wrong(feed, row):
            yield Problem("message-value", "a value is not of the kind of its item", f"{feed.name}.{name}")
        key = tuple(row[name] for name in feed.key)
        if key in seen:
            yield Problem("message-key-twice", "two rows of one key", feed.name)
        seen.add(key)


def _wrong(feed: Feed, row: Row) -> Iterator[str]:
    for item in feed.items:
        value = row[item.romaji]
        if value is None:
            continue
        if item.repeats:
            good = isinstance(value, list) and all(isinstance(each, str) for each in value)
        elif item.type in ("9", "S9") and (item.digits or 0) <= _SAFE_DIGITS:
            good = type(value) is int
        else:
            good = isinstance(value, str)
        if not good:
            yield item.romaji


_SAFE_DIGITS = 18
