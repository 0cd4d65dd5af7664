"""The read API of a contract: the rows asked for, as of two dates, with their protection, told to the evidence first."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from kiban.access import Scope
from kiban.kernel import ALL_WARDS, Actor, AsOf, Problem, Problems
from kiban.linkage.api import limits
from kiban.linkage.api.question import HASH, ID, Envelope, Question, understand
from kiban.linkage.api.scopes import read_scopes, readable
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.evidence import JAPAN, RECEIVED, SENT, Line, stamp, unit_hash
from kiban.linkage.message import CLEAR, UNKNOWN
from kiban.store import Books, Row, Store

Protections = Callable[[Contract, Sequence[str]], Mapping[str, tuple[str, int]]]
"""Of each unit its state (`protected`, `clear`, `unknown`) and the event since which it holds; who is left out is unknown."""


def nothing_known(_contract: Contract, _units: Sequence[str]) -> Mapping[str, tuple[str, int]]:
    """Where nobody can tell, everybody counts as protected."""
    return {}


@dataclass(frozen=True)
class Reply:
    """The answer to a question.

    Attributes:
        body: JSON in UTF-8; holds personal data, so it is no part of the printed form.
        headers: what binds it to its question, and its digest.
    """

    body: bytes = field(repr=False)
    headers: Mapping[str, str]


class Reading:
    """The read API. Safe to share between threads.

    Args:
        opened: the registers.
        contracts: those that may carry traffic on a day.
        evidence: writes lines durably before anything leaves, or raises.
        secret: under which evidence names persons.
        protections: how persons are protected; where it fails, everybody counts as protected.
        now: the time in UTC.
        books: of the linkage, for the limits of contracts; without them a flow that has limits is not read.
    """

    def __init__(
        self,
        opened: Store,
        contracts: Callable[[date], Iterable[Contract]],
        evidence: Callable[[Sequence[Line]], object],
        secret: bytes,
        protections: Protections,
        now: Callable[[], datetime],
        books: Books | None = None,
    ) -> None:
        self._store, self._contracts, self._evidence = opened, contracts, evidence
        self._secret, self._protections, self._now, self._books = secret, protections, now, books

    def contracts(self) -> list[Contract]:
        """Those that are read today."""
        return readable(self._contracts(self.today()), self.today())

    def scopes(self, system: str) -> frozenset[Scope]:
        """All that a system may read today."""
        return read_scopes(self.contracts(), system, self.today())

    def provider(self, flow: str) -> str:
        """ID of the system that gives a flow; none's where it is not read today."""
        return next((each.provider.id for each in self.contracts() if each.flow == flow), "000")

    def today(self) -> date:
        """The day in Japan."""
        return self._now().astimezone(JAPAN).date()

    def feed(self, flow: str, name: str, system: str) -> tuple[Contract, Feed]:
        """What a system reads under these names.

        Raises:
            Problem: `flow-unknown` where no contract in force gives it to this system, whoever else may have one.
        """
        for contract in self.contracts():
            if contract.flow == flow and contract.consumer.id == system:
                for feed in contract.feeds:
                    if feed.name == name:
                        return contract, feed
        raise Problem(
            "flow-unknown",
            "no contract in force lets this system read that",
            fix="see /openapi.json for what can be read, and the contract for since when",
        )

    def wait(self, contract: Contract) -> int:
        """Count a question under a contract: seconds after which it may be asked, 0 where it may now.

        Raises:
            Problem: `limits-unkept` where nothing is there to count in.
        """
        if self._books is not None:
            return limits.enter(self._books, contract, self._now())
        if contract.receiver.requests or contract.receiver.answer_bytes:
            raise Problem("limits-unkept", "the limits of the contract cannot be kept", contract.flow)
        return 0

    def answer(
        self, contract: Contract, feed: Feed, system: str, envelope: Envelope, asked: Mapping[str, Any]
    ) -> Reply:
        """Answer a question. The evidence has its lines before the answer exists.

        Args:
            contract: under which it is asked.
            feed: what is asked.
            system: who asks.
            envelope: the request.
            asked: what it asks, see `understand`.

        Raises:
            Problems: those of `understand`; noted as a refusal.
            Problem: what keeps the registers or the evidence from working; there is no answer then.
        """
        question = None
        try:
            question = understand(envelope, asked, feed)
            rows, more = self._rows(feed, system, question)
        except (Problem, Problems):
            said = envelope.said(system)
            self._evidence([self._line(contract, system, envelope, question, RECEIVED, said, 1, "refused")])
            raise
        body = orjson.dumps(self._told(contract, feed, question, envelope.hash(system), rows, more))
        self._evidence(
            [
                self._line(
                    contract, system, envelope, question, RECEIVED, envelope.said(system), 1, "accepted"
                ),
                self._line(contract, system, envelope, question, SENT, body, len(rows), "offered"),
            ]
        )
        if self._books is not None:
            limits.spend(self._books, contract, len(body), self._now())
        digest = base64.b64encode(hashlib.sha512(body).digest()).decode()
        bound = {ID: question.id, HASH: envelope.hash(system), "Content-Digest": f"sha-512=:{digest}:"}
        return Reply(body, bound)

    def _rows(self, feed: Feed, system: str, question: Question) -> tuple[list[Row], bool]:
        """The rows of a page in the order of their keys, and whether there are more."""
        actor = Actor(
            f"{system}:{question.user}",
            None,
            ALL_WARDS,
            f"{question.purpose}（{question.case}）",
            protected=True,
        )
        as_of = AsOf(question.as_of or self.today(), question.known)
        keys = {name: list(values) for name, values in question.keys.items()}
        with self._store.session(actor) as session:
            rows = session.read(feed.register, as_of, **keys)
        rows.sort(key=lambda row: place(feed, row))
        if question.after is not None:
            rows = [row for row in rows if place(feed, row) > _position(question.after, feed)]
        return rows[: question.limit], len(rows) > question.limit

    def _told(
        self, contract: Contract, feed: Feed, question: Question, request: str, rows: list[Row], more: bool
    ) -> dict[str, Any]:
        units = list(dict.fromkeys(str(row[feed.unit.romaji]) for row in rows))
        states = self._states(contract, units)
        withheld = contract.protection.withheld.get(feed.name, frozenset())
        told = []
        for row in rows:
            unit = str(row[feed.unit.romaji])
            state, event = states.get(unit, (UNKNOWN, 0))
            hidden = frozenset() if state == CLEAR else withheld
            told.append(
                {
                    "unit": unit,
                    "protection": {"state": state, "event": event},
                    "items": {name: None if name in hidden else value(row, name) for name in question.fields},
                    "withheld": [name for name in question.fields if name in hidden],
                }
            )
        return {
            "question": {"id": question.id, "hash": request},
            "flow": contract.flow,
            "feed": feed.name,
            "contract": contract.digest,
            "as_of": (question.as_of or self.today()).isoformat(),
            "protection_until": (self._now() + contract.patience).isoformat(),
            "rows": told,
            "next": _mark(place(feed, rows[-1])) if more else None,
        }

    def _states(self, contract: Contract, units: Sequence[str]) -> Mapping[str, tuple[str, int]]:
        try:
            return self._protections(contract, units)
        except Problem:
            return {}  # who cannot tell says unknown, which counts as protected

    def _line(
        self,
        contract: Contract,
        system: str,
        envelope: Envelope,
        question: Question | None,
        direction: str,
        said: bytes,
        count: int,
        outcome: str,
    ) -> Line:
        unit, purpose, who = None, contract.purpose, system
        if question is not None:
            purpose, who = f"{question.purpose}（{question.case}）", f"{system}:{question.user}"
            values = [value for values in question.keys.values() for value in values]
            unit = unit_hash(self._secret, values[0]) if len(values) == 1 else None
        return Line(
            stamp(self._now()),
            contract.flow,
            contract.digest,
            purpose,
            who,
            "api",
            direction,
            envelope.headers.get(ID, "")[:64] if question is None else question.id,
            unit,
            None,
            hashlib.sha256(said).hexdigest(),
            count,
            outcome,
        )


def value(row: Row, name: str) -> Any:
    """A value as it travels: text, a whole number, a list of texts; a decimal as text, bytes in Base64, an open end as null."""
    if name in ("valid_from", "valid_to"):
        period = row.get("valid")
        end = None if period is None else (period.start if name == "valid_from" else period.end)
        return end.isoformat() if end else None
    held = row[name]
    if isinstance(held, Decimal):
        return format(held, "f")
    return base64.b64encode(held).decode() if isinstance(held, bytes) else held


def place(feed: Feed, row: Row) -> tuple[str, ...]:
    """Where a row stands among those of an answer: by its unit, then its key."""
    return (str(row[feed.unit.romaji]), *(str(value(row, name) or "") for name in feed.key))


def _mark(position: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode()


def _position(after: str, feed: Feed) -> tuple[str, ...]:
    try:
        read = orjson.loads(base64.urlsafe_b64decode(after.encode()))
        if (
            not isinstance(read, list)
            or len(read) != len(feed.key) + 1
            or not all(isinstance(v, str) for v in read)
        ):
            raise ValueError
    except ValueError:
        raise Problem(
            "after-unreadable", "after is no place in an answer", fix="give the `next` of the page before"
        ) from None
    return tuple(read)
