"""How cases are made: deliveries of messages, and the rows that are right after them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kiban.linkage.conformance.case import Case, Step
from kiban.linkage.message import Message, Row, encode


def state(messages: Iterable[Message]) -> dict[str, list[Row]]:
    """The rows that are right once these messages have come, in whatever order: of each unit and feed those of the newest."""
    newest: dict[tuple[str, str], tuple[int, Sequence[Row]]] = {}
    feeds: dict[str, None] = {}
    for message in messages:
        for feed, rows in message.parts.items():
            feeds[feed] = None
            if newest.get((feed, message.unit), (-1, ()))[0] < message.event:
                newest[feed, message.unit] = (message.event, rows)
    return {
        name: [row for (feed, _), (_, rows) in newest.items() if feed == name for row in rows]
        for name in feeds
    }


def step(messages: Iterable[Message], *outcomes: str | None, restart: bool = False) -> Step:
    """A delivery; one outcome stands for all."""
    many = tuple(messages)
    told = outcomes if len(outcomes) == len(many) else outcomes * len(many)
    return Step(tuple(encode(each) for each in many), told, restart)


def case_of(
    id: str, title: str, why: str, steps: Iterable[Step], true: Iterable[Message], **more: Any
) -> Case:
    """A case after which exactly these messages have taken effect."""
    right = tuple(true)
    told: dict[str, Any] = {"effects": frozenset(each.id for each in right), **more}
    return Case(id, title, why, tuple(steps), state(right), **told)
