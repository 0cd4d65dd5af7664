"""Receiving into Kiban: in order along a unit, once, applied where the contract says so, proposed to an officer elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from kiban import store
from kiban.kernel import ALL_WARDS, Actor, Problem
from kiban.linkage.contracts import validate
from kiban.linkage.contracts.model import Contract
from kiban.linkage.evidence import JAPAN, RECEIVED, Ledger, of_message
from kiban.linkage.incoming import journal, register
from kiban.linkage.incoming.authority import Authority, writable
from kiban.linkage.incoming.steps import CHANGE, Claim, Step, steps, without
from kiban.linkage.message import CLEAR, Message, encode
from kiban.store import BookPage, Books, Row, Session, Store

APPLIED, PROPOSED, SAME, LATE, REPEATED = "applied", "proposed", "same", "late", "repeated"
HELD, QUARANTINED, LOOP, REFUSED = "held", "quarantined", "loop", "refused"
_TRIES = 5


@dataclass(frozen=True)
class Received:
    """What became of a message.

    Attributes:
        id: `Message.id`.
        state: `applied` to the register; `proposed` to an officer, at least in part; `same` where the register says it
            already; `late` where a newer one was there; `repeated`; `held` until an earlier one comes; `quarantined` for
            bad content; `loop` where it came from here; `refused` where somebody else is master of all it would change.
        event: of the register; None where none was recorded.
        proposals: numbers of the proposals that it made.
        problems: what is wrong with it.
    """

    id: str
    state: str
    event: int | None = None
    proposals: tuple[int, ...] = ()
    problems: tuple[Problem, ...] = ()


class Intake:
    """Takes messages of one flow into the register. Safe to share between threads and processes."""

    def __init__(
        self,
        opened: Store,
        books: Books,
        contract: Contract,
        authority: Authority,
        evidence: tuple[Ledger, bytes] | None = None,
    ) -> None:
        """An intake.

        Args:
            opened: an open store.
            books: of the linkage.
            contract: of a flow into Kiban.
            authority: who may write what; see `load_authority`.
            evidence: the ledger that is written before anything is taken, and the city's secret.

        Raises:
            Problem: `incoming-not-here` where the consumer of the flow is no business of Kiban.
        """
        if contract.incoming is None or contract.consumer.business is None:
            what = f"the consumer of {contract.flow} is no business of Kiban"
            raise Problem("incoming-not-here", what, fix="name a flow with x-incoming")
        self._store, self._books, self._contract, self._authority = opened, books, contract, authority
        self._evidence = evidence
        self._actor = Actor(f"link.{contract.provider.id}", None, ALL_WARDS, contract.purpose, protected=True)

    def receive(self, messages: Sequence[Message], now: datetime) -> list[Received]:
        """Take messages, in any order and as often as they come; each is dealt with once.

        Args:
            messages: of this flow.
            now: in UTC.

        Returns:
            For each message what became of it, then for each that had waited for one of them.

        Raises:
            Problem: those of the store. Whatever was dealt with before stays so; send the rest again.
        """
        if self._evidence:
            ledger, secret = self._evidence
            who = self._contract.provider.id
            ledger.append(
                [
                    of_message(self._contract, each, RECEIVED, "accepted", who, secret, now)
                    for each in messages
                ]
            )
        found: list[Received] = []
        freed: list[Received] = []
        for message in messages:
            found.append(self._take(message, now))
            while waiting := self._next(message.unit):
                freed.append(self._take(waiting, now))
        return found + freed

    def resume(self, now: datetime) -> list[Received]:
        """Go on with what a crash interrupted. Call it at the beginning.

        Raises:
            Problem: those of the store.
        """
        with self._books.transaction() as page:
            interrupted = journal.interrupted(page, self._contract.flow)
        return [self._take(message, now) for message in interrupted]

    def floor(self, event: int) -> None:
        """Note that everything until an event is known by a full set: messages until it are late, later ones have no gap."""
        with self._books.transaction() as page:
            journal.set_floor(page, self._contract.flow, event)

    def _take(self, message: Message, now: datetime) -> Received:
        digest = hashlib.sha256(encode(message)).hexdigest()
        with self._books.transaction() as page:
            held = journal.lock(page, self._contract.flow, message.unit)
            earlier = journal.find(page, self._contract.flow, message.id)
            verdict = self._verdict(message, digest, held, earlier)
            if verdict.state != APPLIED:
                if verdict.state != REPEATED:
                    journal.note(page, message, digest, verdict.state, verdict.problems, now)
                return verdict
            journal.note(page, message, digest, "applying", (), now)
            if earlier is None or earlier["after"] is None:
                journal.set_after(page, message, store.last_event(self._store)[0])
        return self._apply(message, now)

    def _verdict(
        self, message: Message, digest: str, held: int, earlier: Mapping[str, object] | None
    ) -> Received:
        """What is to be done with a message; `applied` stands for going on."""
        if earlier and earlier["state"] not in (HELD, QUARANTINED, "applying"):
            if earlier["digest"] != digest:
                what = "a message came again with another content"
                return Received(
                    message.id, QUARANTINED, problems=(Problem("message-changed", what, message.id),)
                )
            return Received(message.id, REPEATED)
        if message.event <= held:
            return Received(message.id, LATE)
        if faults := validate(self._contract, message):
            return Received(message.id, QUARANTINED, problems=faults)
        if message.previous > held:
            return Received(message.id, HELD)
        return Received(message.id, APPLIED)

    def _next(self, unit: str) -> Message | None:
        with self._books.transaction() as page:
            held = journal.lock(page, self._contract.flow, unit)
            return journal.next_held(page, self._contract.flow, unit, held)

    def _apply(self, message: Message, now: datetime) -> Received:
        """Deal with a message whose turn it is. The book says `applying` by now, so that a crash is seen."""
        with self._books.transaction() as page:
            held = journal.lock(page, self._contract.flow, message.unit)
            noted = journal.find(page, self._contract.flow, message.id)
            if noted is None or noted["state"] != "applying" or message.event <= held:
                return Received(message.id, REPEATED)  # somebody else was quicker
            if message.origin == self._contract.consumer.id:
                return self._done(page, message, Received(message.id, LOOP))
            event = register.recorded_since(self._store, noted["after"], "message", message.id)
            if event is None:
                event = self._apply_own(message, now)
            left, refused = self._left(message, now)
            journal.refuse(page, message, self._contract.provider.id, refused, now)
            numbers = journal.propose(page, self._contract, message, left, now)
            state = PROPOSED if numbers else APPLIED if event else REFUSED if refused else SAME
            return self._done(page, message, Received(message.id, state, event, tuple(numbers)))

    def _done(self, page: BookPage, message: Message, received: Received) -> Received:
        journal.settle(page, message, received.state, received.event)
        return received

    def _apply_own(self, message: Message, now: datetime) -> int | None:
        """Record what the contract lets be applied; read again where an officer was quicker."""
        for _ in range(_TRIES - 1):
            try:
                return self._record_own(message, now)
            except Problem as problem:
                if problem.code != "register-moved":
                    raise
        return self._record_own(message, now)

    def _record_own(self, message: Message, now: datetime) -> int | None:
        """One event, or None where there is nothing to apply."""
        assert self._contract.incoming is not None
        auto = self._contract.incoming.auto
        with self._store.session(self._actor) as session:
            told, rows, _ = self._wanted(session, message, now)
            own = []
            for step in told:
                allowed = auto.get(step.group, frozenset())
                part = without(step, step.new.keys() - allowed) if step.kind == CHANGE else None
                own += [part] if part else []
            if not own:
                return None
            note = {
                "origin": message.origin or self._contract.provider.id,
                "flow": self._contract.flow,
                "message": message.id,
            }
            return register.write(session, self._contract, own, rows, message.unit, message.kind, note)

    def _left(self, message: Message, now: datetime) -> tuple[list[Step], list[tuple[str, str, str | None]]]:
        with self._store.session(self._actor) as session:
            told, _, refused = self._wanted(session, message, now)
        return told, refused

    def _wanted(
        self, session: Session, message: Message, now: datetime
    ) -> tuple[list[Step], dict[str, list[Row]], list[tuple[str, str, str | None]]]:
        """What a message would change and its provider is master of, the rows that are there, and what is refused."""
        told: list[Step] = []
        rows: dict[str, list[Row]] = {}
        refused: dict[tuple[str, str], str | None] = {}
        hidden = self._contract.protection.withheld if message.protection != CLEAR else {}
        day = date.fromisoformat(message.valid) if message.valid else now.astimezone(JAPAN).date()
        for name, claim in register.claims(self._contract, message.parts, hidden, day).items():
            feed = self._contract.feed(name)
            rows[name] = register.known(session, feed, message.unit)
            turns = self._authority.turns(feed.register, writable(feed.group.key, feed.items))
            for step in steps(claim, rows[name], turns):
                others = self._not_master(claim, feed.register, step)
                refused |= {(feed.register, item): master for item, master in others.items()}
                part = without(step, others) if step.kind == CHANGE else None if others else step
                told += [part] if part else []
        return told, rows, [(reg, item, master) for (reg, item), master in sorted(refused.items())]

    def _not_master(self, claim: Claim, name: str, step: Step) -> dict[str, str | None]:
        """The items of a step of which somebody else is master, with who that is; an end is of all items."""
        items: Iterable[str] = step.new or claim.items
        day = (step.valid.start if step.valid else None) or date.min
        masters = {item: self._authority.master(name, item, day) for item in items}
        return {item: master for item, master in masters.items() if master != self._contract.provider.id}
