"""To which flows a change of protection is told: to every one that has a row of the unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.message import CLEAR
from kiban.linkage.protection import journal
from kiban.linkage.protection.unit import Notice, State, Unit, kinds_of, notice
from kiban.standard import Protected
from kiban.store import BookPage, Session


def addressed(
    page: BookPage,
    session: Session,
    contracts: Iterable[Contract],
    protected: Protected,
    changed: Sequence[tuple[Unit, State, datetime]],
) -> list[Notice]:
    """The notices of changed states.

    Args:
        page: of the books.
        session: of who sees the whole city.
        contracts: of all flows out of Kiban.
        protected: what the edition says of protected persons.
        changed: units with their new states and when they became known. A flow carries a unit of which it has a row that was
            known before the first of them, or later.
    """
    made = []
    asked: dict[object, set[str]] = {}  # flows over the same groups and units are looked up once
    after = min((state.event for _, state, _ in changed), default=1) - 1
    for contract in contracts if changed else ():
        if not contract.protection.carried:
            continue
        kinds = kinds_of(contract, protected)
        carried = {}
        for kind, feeds in kinds.items():
            named = (kind, *((feed.register, feed.unit.romaji) for feed in feeds))
            if named not in asked:
                asked[named] = _carried(session, feeds, kind, changed, after)
            carried[kind] = asked[named]
        for unit, state, decided_at in changed:
            others = [Unit(kind, unit.number) for kind in kinds if kind != unit.kind]
            if state.state == CLEAR and journal.holds(page, others):
                continue  # the flow uses the number for another one, too, who stays protected
            if unit.number in carried.get(unit.kind, ()):
                made.append(notice(contract.flow, unit, state, decided_at))
    return made


def _carried(
    session: Session,
    feeds: Sequence[Feed],
    kind: str,
    changed: Sequence[tuple[Unit, State, datetime]],
    after: int,
) -> set[str]:
    """The units among those changed of which the feeds have rows."""
    numbers = sorted({unit.number for unit, *_ in changed if unit.kind == kind})
    found: set[str] = set()
    for feed in feeds if numbers else ():
        item = feed.unit.romaji
        found |= {row[item] for row in session.since(feed.register, after, [item], (item, numbers))}
    return found
