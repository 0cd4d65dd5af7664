"""One line of evidence, its bytes, and the chain that holds lines together. The same on both sides of a flow."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime

import orjson

from kiban.kernel import Problem, stamp
from kiban.linkage.contracts.model import Contract
from kiban.linkage.message import Message
from kiban.linkage.message import encode as message_bytes

SENT, RECEIVED = "sent", "received"
WAYS = ("event", "file", "api")
OUTCOMES = (
    "offered",
    "accepted",
    "applied",
    "repeated",
    "late",
    "held",
    "quarantined",
    "proposed",
    "refused",
    "failed",
)
"""What became of it. `offered` is written before anything leaves; who receives writes what it is about to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that passed a border, as one side saw it.

    Attributes:
        at: when, as `stamp` writes it.
        flow: `Contract.flow`.
        contract: digest of the contract.
        purpose: what for (事務), as the contract or the request says.
        who: the system, or the officer behind a request.
        way: one of `WAYS`.
        direction: `SENT` or `RECEIVED`, seen from the side that writes.
        item: id of the message, the set or the request; the other side writes the same.
        unit: `unit_hash` of the person or household; None where there are many.
        event: version of the unit or of the set; None where it has none.
        digest: SHA-256 of the payload, hex; see `message_digest`.
        count: rows, or 1 for a message.
        outcome: one of `OUTCOMES`.
    """

    at: str
    flow: str
    contract: str
    purpose: str
    who: str
    way: str
    direction: str
    item: str
    unit: str | None
    event: int | None
    digest: str
    count: int
    outcome: str


_STAMP = len("2026-04-01T00:00:00.000000Z")
COLUMNS = tuple(field.name for field in fields(Line))
"""The names of what a line says, in their order; columns of both kinds of ledgers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line in its place.

    Attributes:
        number: from 1, without gaps.
        line: what it says.
        chain: SHA-256 over the chain of the entry before and the bytes of the line, hex.
    """

    number: int
    line: Line
    chain: str


def encode(line: Line) -> bytes:
    """The bytes of a line: JSON in UTF-8 with sorted names."""
    return orjson.dumps({name: getattr(line, name) for name in COLUMNS}, option=orjson.OPT_SORT_KEYS)


def genesis(side: str) -> str:
    """What the first line of a side is chained to, so that no ledger passes for that of another."""
    return hashlib.sha256(b"kiban-evidence-1\x1f" + side.encode()).hexdigest()


def link(before: str, number: int, line: Line) -> str:
    """The chain of the line that follows a chain: SHA-256 of that chain, U+001F, its own number, U+001F and its bytes, hex."""
    return hashlib.sha256(f"{before}\x1f{number}\x1f".encode() + encode(line)).hexdigest()


def seal(number: int, chain: str, lines: Iterable[Line]) -> Iterator[Entry]:
    """Lines as the entries that follow an entry, given by its number and chain.

    Raises:
        Problem: `evidence-line` for a word that no line has, or a moment in another form.
    """
    for line in lines:
        fits = line.way in WAYS and line.direction in (SENT, RECEIVED) and line.outcome in OUTCOMES
        if not fits or len(line.at) != _STAMP or line.at[-1] != "Z":
            what = "a line of evidence has a way, a direction, an outcome or a moment that is none"
            raise Problem("evidence-line", what, line.flow, "see kiban.linkage.evidence")
        number, chain = number + 1, link(chain, number + 1, line)
        yield Entry(number, line, chain)


def walk(entries: Iterable[Entry], number: int, chain: str) -> Iterator[tuple[Problem | None, Entry]]:
    """Each entry with what is wrong with it, following the entry of a number and chain.

    Behind a fault the walk goes on from what is written, so that the next one is found, too.
    """
    for entry in entries:
        problem = None
        if entry.number != number + 1:
            problem = broken(
                "evidence-gap", entry.number, "the number of a line does not follow the one before"
            )
        elif link(chain, entry.number, entry.line) != entry.chain:
            problem = broken(
                "evidence-changed", entry.number, "a line, or its place, is not what was written"
            )
        yield problem, entry
        number, chain = entry.number, entry.chain


def broken(code: str, number: int, what: str) -> Problem:
    """A fault of a ledger."""
    return Problem(
        code,
        what,
        f"line {number}",
        "keep the ledger as it is; compare with the other side and the signed roots",
    )


def unit_hash(secret: bytes, unit: str) -> str:
    """How a line names a person or household: HMAC-SHA256 under the secret of the city, hex.

    Who has the secret finds every line of a person; who has only the lines cannot try out all numbers.

    Raises:
        Problem: `evidence-secret-weak` for fewer than 32 bytes.
    """
    if len(secret) < 32:
        raise Problem("evidence-secret-weak", "the secret has fewer than 32 bytes", fix="see city_secret")
    return hmac.new(secret, b"kiban-unit\x1f" + unit.encode(), hashlib.sha256).hexdigest()


def message_digest(message: Message) -> str:
    """SHA-256 of what a message says, hex; a replay says the same."""
    return hashlib.sha256(message_bytes(replace(message, replay=False))).hexdigest()


def of_message(
    contract: Contract, message: Message, direction: str, outcome: str, who: str, secret: bytes, now: datetime
) -> Line:
    """The line of a message, on either side.

    Args:
        contract: of its flow.
        message: what passes.
        direction: `SENT` or `RECEIVED`.
        outcome: one of `OUTCOMES`.
        who: ID of the system on the other side.
        secret: see `unit_hash`.
        now: in UTC.

    Raises:
        Problem: `evidence-secret-weak`, `moment-without-zone`.
    """
    return Line(
        stamp(now),
        contract.flow,
        message.contract,
        contract.purpose,
        who,
        "event",
        direction,
        message.id,
        unit_hash(secret, message.unit),
        message.event,
        message_digest(message),
        1,
        outcome,
    )
