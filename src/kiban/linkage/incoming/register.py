"""Reading and writing the register for a flow into Kiban, so that an event is found again after a crash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from kiban import store
from kiban.kernel import Problem
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.incoming.steps import Claim, Step, changes
from kiban.store import Row, Session, Store

_AT_ONCE = 1_000


def known(session: Session, feed: Feed, unit: str) -> list[Row]:
    """All rows of a unit that are known now and that the actor may see, in all their periods."""
    return session.history(feed.register, None, **{feed.unit.romaji: unit})


def claims(
    contract: Contract,
    parts: Mapping[str, Sequence[Mapping[str, object]]],
    skipped: Mapping[str, frozenset[str]],
    day: date,
) -> dict[str, Claim]:
    """What a message says, by group.

    Args:
        contract: of the flow.
        parts: of the message.
        skipped: items of each group that say nothing (withheld of protected persons).
        day: from which on a unit without rows has ended.
    """
    found = {}
    for name, rows in parts.items():
        feed = contract.feed(name)
        key = {item.romaji for item in feed.group.key}
        items = [
            item.romaji for item in feed.items if item.romaji not in key | skipped.get(name, frozenset())
        ]
        found[name] = Claim(feed.group, items, rows, day)
    return found


def write(
    session: Session,
    contract: Contract,
    told: Sequence[Step],
    rows: Mapping[str, Sequence[Row]],
    unit: str,
    kind: str,
    note: Mapping[str, str],
) -> int:
    """Record steps as one event, made of the rows that were read; the number of the event.

    Args:
        session: in which the rows were read; ends at once.
        contract: of the flow.
        told: at least one step.
        rows: group -> the rows of the unit there.
        unit: whom it is about.
        kind: 異動事由.
        note: kept with the event.

    Raises:
        Problem: `register-moved` where somebody changed one of the rows meanwhile: nothing is written; those of
            `Session.record`.
    """
    made = []
    for feed in contract.feeds:
        own = [step for step in told if step.group == feed.name]
        made += changes(feed.group, feed.register, own, rows.get(feed.name, ()))
    event = session.record(kind, unit, made, note=note)
    for step in told:
        _refuse_moved(session, contract.feed(step.group), step, rows.get(step.group, ()), event)
    return event


def _refuse_moved(session: Session, feed: Feed, step: Step, rows: Sequence[Row], event: int) -> None:
    """Compare what was known just before an event with what was read: nobody else can write until the session ends."""
    items = [item.romaji for item in feed.group.items]
    subject = {name: str(value) for name, value in step.subject.items()}
    [before] = session.after_events(feed.register, [(event - 1, subject)], items)
    read = [row for row in rows if all(row[name] == value for name, value in step.subject.items())]
    if _content(before, items) != _content(read, items):
        raise Problem("register-moved", "the register was changed meanwhile", feed.register, "read it again")


def _content(rows: Sequence[Row], items: Sequence[str]) -> list[str]:
    return sorted(str([*(row[name] for name in items), *_ends(row)]) for row in rows)


def _ends(row: Row) -> tuple[str | None, str | None]:
    if valid := row.get("valid"):
        return (str(valid.start) if valid.start else None, str(valid.end) if valid.end else None)
    return row.get("valid_from"), row.get("valid_to")


def recorded_since(opened: Store, after: int, name: str, value: str) -> int | None:
    """The event after one that has a note of this name and value; None where there is none."""
    while True:
        told = store.told_after(opened, after, _AT_ONCE)
        for each in told:
            if each.note.get(name) == value:
                return each.event
        if len(told) < _AT_ONCE:
            return None
        after = told[-1].event
