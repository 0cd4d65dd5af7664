"""The work-list: what came in and needs an officer, shown as old and new, decided once, on what was seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiban import store
from kiban.kernel import Actor, Problem
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.incoming import register
from kiban.linkage.incoming.authority import writable
from kiban.linkage.incoming.steps import CHANGE, CREATE, END, Claim, Step, steps
from kiban.store import BookPage, Books, Row, Session, Store


@dataclass(frozen=True)
class Shown:
    """A proposal as an officer sees it now.

    Attributes:
        number: of the proposal.
        flow: `Contract.flow`.
        provider: name of the system that says so.
        register: schema.table.
        kind: `change`, `create` or `end`.
        steps: what would change now; empty where the register says it already.
        titles: romaji -> official title.
        proposed_at: when it came.
        changed_since: whether the register was changed since then.
        seen: what has to be given to decide: a digest of all of this.
    """

    number: int
    flow: str
    provider: str
    register: str
    kind: str
    steps: tuple[Step, ...]
    titles: Mapping[str, str]
    proposed_at: datetime
    changed_since: bool
    seen: str


@dataclass(frozen=True)
class Decided:
    """What became of a proposal: `accepted`, `rejected` or `same` where the register said it already; with the event."""

    number: int
    state: str
    event: int | None


class WorkList:
    """The proposals of one flow. Every look and every decision is that of an officer, who sees what the database shows that officer."""

    def __init__(self, opened: Store, books: Books, contract: Contract) -> None:
        self._store, self._books, self._contract = opened, books, contract

    def open(self, officer: Actor) -> list[Shown]:
        """The open proposals that the officer may see, the oldest first."""
        with self._books.transaction() as page:
            rows = page.rows(
                "SELECT * FROM incoming_proposal WHERE flow = %s AND state = 'open' ORDER BY number",
                [self._contract.flow],
            )
        with self._store.session(officer) as session:
            shown = [self._shown(session, row) for row in rows]
        return [each for each in shown if each is not None]

    def show(self, officer: Actor, number: int) -> Shown:
        """One open proposal.

        Raises:
            Problem: `proposal-unknown` where there is none that the officer may see, or it is decided.
        """
        with self._books.transaction() as page:
            row = self._row(page, number)
        with self._store.session(officer) as session:
            return self._visible(session, row)

    def accept(
        self,
        officer: Actor,
        number: int,
        seen: str,
        reason: str,
        now: datetime,
        edited: Mapping[str, Any] | None = None,
    ) -> Decided:
        """Write what is proposed into the register, as one event with the names of both: who sent it and who accepted it.

        Args:
            officer: who decides.
            number: of the proposal.
            seen: `Shown.seen` of what the officer decided on.
            reason: in words; kept with the event where it is not empty.
            now: in UTC.
            edited: item -> value as the officer corrects or completes it.

        Raises:
            Problem: `proposal-unknown`; `proposal-stale` where it is no longer what was seen: look at it again;
                `proposal-reason` where it was edited without one; those of `Session.record`.
        """
        if edited and not reason.strip():
            raise Problem("proposal-reason", "an edited proposal needs a reason", fix="say why in words")
        self._announce(number)
        with self._books.transaction() as page:
            row = self._row(page, number)
            event = register.recorded_since(self._store, row["after"], "proposal", str(number))
            if event is None:
                with self._store.session(officer) as session:
                    shown = _same(self._visible(session, row), seen)
                    event = self._record(session, shown, reason, edited or {}) if shown.steps else None
            state = "same" if event is None else "accepted"
            self._decide(page, number, state, officer, reason, now, event)
        return Decided(number, state, event)

    def reject(self, officer: Actor, number: int, seen: str, reason: str, now: datetime) -> Decided:
        """Leave the register as it is.

        Raises:
            Problem: `proposal-unknown`, `proposal-stale`, `proposal-reason` without a reason.
        """
        if not reason.strip():
            raise Problem("proposal-reason", "a proposal is rejected with a reason", fix="say why in words")
        with self._books.transaction() as page:
            row = self._row(page, number)
            with self._store.session(officer) as session:
                _same(self._visible(session, row), seen)
            self._decide(page, number, "rejected", officer, reason, now, None)
        return Decided(number, "rejected", None)

    def _announce(self, number: int) -> None:
        """Note behind which event the one to come will stand, so that a crash after it is seen."""
        with self._books.transaction() as page:
            if self._row(page, number)["after"] is None:
                last, _ = store.last_event(self._store)
                page.run("UPDATE incoming_proposal SET after = %s WHERE number = %s", [last, number])

    def _record(self, session: Session, shown: Shown, reason: str, edited: Mapping[str, Any]) -> int:
        feed = self._feed(shown.register)
        wrong = sorted(set(edited) - set(writable(feed.group.key, feed.group.items)))
        if wrong or (edited and shown.kind == END):
            raise Problem(
                "item-unknown",
                f"{', '.join(wrong) or 'an end'} cannot be edited",
                fix="name items of the row",
            )
        told = [
            Step(each.group, each.kind, each.subject, each.valid, each.old, {**each.new, **edited}, each.base)
            for each in shown.steps
        ]
        unit = str(told[0].subject.get(feed.unit.romaji, ""))
        rows = {feed.name: _rows(session, feed, told[0].subject)}
        note = {
            "origin": self._contract.provider.id,
            "provider": self._contract.provider.name,
            "flow": shown.flow,
            "proposal": str(shown.number),
            "accepted_by": session.actor.id,
            **({"reason": reason} if reason.strip() else {}),
            **({"edited": ",".join(sorted(edited))} if edited else {}),
        }
        try:
            return register.write(session, self._contract, told, rows, unit, _KIND, note)
        except Problem as problem:
            if problem.code == "register-moved":
                raise _stale(shown.number) from problem
            raise

    def _decide(
        self,
        page: BookPage,
        number: int,
        state: str,
        officer: Actor,
        reason: str,
        now: datetime,
        event: int | None,
    ) -> None:
        page.run(
            "UPDATE incoming_proposal SET state = %s, decided_by = %s, decided_at = %s, reason = %s, recorded = %s, "
            "items = '{}' WHERE number = %s",
            [state, officer.id, now, reason, event, number],
        )

    def _row(self, page: BookPage, number: int) -> dict[str, Any]:
        """An open proposal, held until the transaction ends."""
        query = (
            "SELECT * FROM incoming_proposal WHERE number = %s AND flow = %s AND state = 'open' FOR UPDATE"
        )
        found = page.rows(query, [number, self._contract.flow])
        if not found:
            raise _unknown(number)
        return found[0]

    def _visible(self, session: Session, row: Mapping[str, Any]) -> Shown:
        shown = self._shown(session, row)
        if shown is None:
            raise _unknown(row["number"])
        return shown

    def _shown(self, session: Session, row: Mapping[str, Any]) -> Shown | None:
        """The proposal against the register as the officer sees it; None where it is none of the officer's business."""
        feed = self._feed(row["register"])
        known = _rows(session, feed, row["subject"])
        if not _may_see(session, feed, row, known):
            return None
        told = tuple(_against(feed, row, known))
        base = max((each.base for each in told), default=-1)
        body = [[each.kind, str(each.valid), each.old, each.new, each.base] for each in told]
        said = json.dumps([row["number"], body], sort_keys=True, ensure_ascii=False, default=str)
        titles = {item.romaji: item.name for item in feed.group.items}
        return Shown(
            row["number"],
            row["flow"],
            self._contract.provider.name,
            row["register"],
            row["kind"],
            told,
            titles,
            row["proposed_at"],
            base != row["base"],
            hashlib.sha256(said.encode()).hexdigest()[:32],
        )

    def _feed(self, name: str) -> Feed:
        return next(feed for feed in self._contract.feeds if feed.register == name)


_KIND = "連携による訂正"


def _rows(session: Session, feed: Feed, subject: Mapping[str, Any]) -> list[Row]:
    return session.history(feed.register, None, **{name: str(value) for name, value in subject.items()})


def _against(feed: Feed, row: Mapping[str, Any], known: Sequence[Row]) -> list[Step]:
    """What a proposal would change of the rows there are now."""
    start, end = row["valid_from"], row["valid_to"]
    if row["kind"] == END:
        return [step for step in steps(Claim(feed.group, (), (), start), known) if step.kind == END]
    said = {**row["subject"], **row["items"]}
    if feed.has_periods:
        said |= {"valid_from": str(start) if start else None, "valid_to": str(end) if end else None}
    told = steps(Claim(feed.group, tuple(row["items"]), [said]), known)
    kinds = (CHANGE, CREATE) if row["kind"] == CREATE else (CHANGE,)
    return [step for step in told if step.kind in kinds]


def _may_see(session: Session, feed: Feed, row: Mapping[str, Any], known: Sequence[Row]) -> bool:
    """Whether a proposal is shown: its rows are those of the officer; a new one has to say a ward of the officer."""
    if feed.group.scope != "ward" or feed.group.ward is None:
        return True
    if known:
        return True  # the database shows only rows of the officer's wards
    ward = row["items"].get(feed.group.ward.romaji)
    return row["kind"] == CREATE and (session.actor.may_see(ward) if ward else session.actor.may_see("*"))


def _same(shown: Shown, seen: str) -> Shown:
    if shown.seen != seen:
        raise _stale(shown.number)
    return shown


def _stale(number: int) -> Problem:
    what = f"proposal {number} is no longer what was seen: the register was changed"
    return Problem("proposal-stale", what, fix="look at it again and decide on what it shows now")


def _unknown(number: int) -> Problem:
    return Problem(
        "proposal-unknown", f"there is no open proposal {number}", fix="see kiban link incoming list"
    )
