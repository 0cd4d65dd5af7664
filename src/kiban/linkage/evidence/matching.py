"""The daily match of two ledgers: what one side sent and the other did not receive, what nobody sent, what differs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice

from kiban.kernel import moments
from kiban.linkage.evidence.ledger import Ledger
from kiban.linkage.evidence.line import SENT, Entry

_AT_ONCE = 2_000
_Key = tuple[str, str, str, str]
"""Flow, way, item, and who sent: a question and its answer have one id."""
_Content = tuple[str, int]
"""Digest and count."""


@dataclass(frozen=True)
class Difference:
    """One message, set or request of which the two sides do not say the same.

    Attributes:
        what: `sent-not-received`, `received-not-sent` or `different`.
        flow: whose.
        way: `event`, `file` or `api`.
        item: its id.
        sender: the side that sent, or would have.
        number: the line that says so, on the side that wrote it.
        written_by: that side.
    """

    what: str
    flow: str
    way: str
    item: str
    sender: str
    number: int
    written_by: str


@dataclass(frozen=True)
class Matched:
    """The match of a day.

    Attributes:
        day: in Japan.
        pairs: how many messages, sets and requests both sides say the same of.
        differences: in the order of lines, those found on the first ledger first.
    """

    day: date
    pairs: int
    differences: tuple[Difference, ...]


def match(one: Ledger, other: Ledger, day: date, flows: Collection[str]) -> Matched:
    """Match what two sides wrote of a day, whenever the other side wrote it: what comes late is no longer missing.

    Args:
        one: a ledger, such as that of the platform.
        other: that of the system at the other end.
        day: in Japan.
        flows: the flows between the two; lines of others are left out.
    """
    pairs, differences, seen = 0, list[Difference](), set[_Key]()
    for mine, theirs in ((one, other), (other, one)):
        new = _new(mine, theirs, day, flows, seen)
        while some := list(islice(new, _AT_ONCE)):
            items = sorted({entry.line.item for _, entry in some})
            said = _said(mine, theirs, items)
            for key, entry in some:
                what = _compared(*said[key])
                if what:
                    differences.append(Difference(what, *key, number=entry.number, written_by=mine.side))
                else:
                    pairs += 1
    return Matched(day, pairs, tuple(differences))


def _new(
    mine: Ledger, theirs: Ledger, day: date, flows: Collection[str], seen: set[_Key]
) -> Iterator[tuple[_Key, Entry]]:
    """What a ledger tells of a day for the first time."""
    for entry in mine.between(*moments(day)):
        key = _key(entry, mine, theirs)
        if entry.line.flow in flows and key not in seen:
            seen.add(key)
            yield key, entry


def _said(mine: Ledger, theirs: Ledger, items: list[str]) -> dict[_Key, tuple[set[_Content], set[_Content]]]:
    """What was sent and what was received of each."""
    said: dict[_Key, tuple[set[_Content], set[_Content]]] = {}
    told = chain(
        ((_key(entry, mine, theirs), entry.line) for entry in mine.of(items)),
        ((_key(entry, theirs, mine), entry.line) for entry in theirs.of(items)),
    )
    for key, line in told:
        sent_and_received = said.setdefault(key, (set(), set()))
        sent_and_received[line.direction != SENT].add((line.digest, line.count))
    return said


def _key(entry: Entry, writer: Ledger, peer: Ledger) -> _Key:
    sender = writer if entry.line.direction == SENT else peer
    return entry.line.flow, entry.line.way, entry.line.item, sender.side


def _compared(sent: set[_Content], received: set[_Content]) -> str | None:
    if not received:
        return "sent-not-received"
    if not sent:
        return "received-not-sent"
    return None if sent == received and len(sent) == 1 else "different"
