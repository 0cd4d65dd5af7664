"""How what is known of a person came about, read for who looks: every row that was ever known, and the events that wrote them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from kiban import store
from kiban.kernel import Period
from kiban.store import EventHead, Session
from kiban.web.counter.days import Dates
from kiban.web.counter.finding import Found, present
from kiban.web.counter.history import Step, Version, steps
from kiban.web.counter.labels import labels
from kiban.web.counter.looked import Looked
from kiban.web.counter.person import of_the_day
from kiban.web.counter.registers import Place, places
from kiban.web.counter.sheets import Reader, period_text

_MOST = 20_000
_KEPT: WeakKeyDictionary[store.Store, dict[int, EventHead]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Past:
    """What is known of how it came about.

    Attributes:
        one: the person as the registers say it, as known at the moment asked for.
        versions: her rows.
        heads: of the events that wrote or closed them.
        readers: how the items of each business are read.
        steps: the events, the newest first, each with what it changed of her.
    """

    one: Found
    versions: tuple[Version, ...]
    heads: Mapping[int, EventHead]
    readers: Mapping[str, Reader]
    steps: tuple[Step, ...]


def heads_of(city: store.Store, numbers: Collection[int]) -> dict[int, EventHead]:
    """The heads of some events whose rows were shown; events never change, so they are asked for once.

    Args:
        city: the registers.
        numbers: of the events.
    """
    kept = _KEPT.setdefault(city, {})
    if len(kept) > _MOST:
        kept.clear()
    if missing := [each for each in numbers if each not in kept]:
        kept.update(store.event_heads(city, missing))
    return {each: head for each in numbers if (head := kept.get(each))}


def read_past(city: store.Store, session: Session, looked: Looked) -> Past | None:
    """The past of a person; None where no row of hers is open to who looks.

    Args:
        city: the registers.
        session: of who looks.
        looked: at whom, and as of when.

    Raises:
        Problem: what the database refuses.
    """
    found = [each for each in places(city, session.actor, looked.roll) if not each.of_household]
    versions = [one for place in found for one in versions_of(session, place, [looked.number])]
    if not any(version.place.register == looked.roll.register for version in versions):
        return None
    readers = readers_of(city, session, versions, looked.dates)
    numbers = {v.event for v in versions} | {v.closed_by for v in versions if v.closed_by is not None}
    heads = heads_of(city, numbers)
    if looked.dates.known is not None:
        heads = {each: told for each, told in heads.items() if told.recorded_at <= looked.dates.known}
        versions = [_as_known(v, heads.keys()) for v in versions if v.event in heads]
    made = steps(versions, heads, readers, looked.number)
    one = _head(city, session, looked, versions)
    return Past(one, tuple(versions), heads, readers, tuple(reversed(made)))


def versions_of(session: Session, place: Place, keys: Sequence[str]) -> list[Version]:
    """Every row that was ever known of some persons or households in a register, without what is hidden."""
    hidden = session.actor.hidden
    shown = [item.romaji for item in place.group.items if f"{place.register}.{item.romaji}" not in hidden]
    if place.item not in shown:
        return []
    return [
        Version.of(place, row) for row in session.since(place.register, 0, shown, (place.item, list(keys)))
    ]


def _head(city: store.Store, session: Session, looked: Looked, versions: Sequence[Version]) -> Found:
    """The person as what is known says; her number alone where nothing was known yet."""
    own = [v for v in versions if v.place.register == looked.roll.register and v.closed_by is None]
    if not own:
        return Found(looked.number)
    rows = [dict(v.row, valid=v.period) for v in own]
    row = of_the_day(rows, looked.dates.on)
    return present(city, session, looked.roll, [row], looked.dates.on)[looked.number]


def readers_of(
    city: store.Store, session: Session, versions: Sequence[Version], dates: Dates
) -> dict[str, Reader]:
    """How the items of each business of some rows are read, with what codes of the city's own tables stand for."""
    readers = {}
    for edition in {v.place.edition.id: v.place.edition for v in versions}.values():
        names: dict[str, dict[str, str]] = {}
        for group in {
            v.place.group.id: v.place.group for v in versions if v.place.edition == edition
        }.values():
            of_group = [v.row for v in versions if v.place.group.id == group.id]
            for romaji, told in labels(city, session, edition, group, of_group, dates.on).items():
                names.setdefault(romaji, {}).update(told)
        readers[edition.id] = Reader(edition, session.actor.hidden, dates.on, names)
    return readers


def _as_known(version: Version, events: Any) -> Version:
    """The version as it was known when only these events were."""
    if version.closed_by is None or version.closed_by in events:
        return version
    return Version(version.place, {**version.row, "closed_by": None}, version.period)


def tracks(versions: Sequence[Version]) -> list[tuple[str, list[tuple[Period, str]]]]:
    """For each register its periods as they are known."""
    tracks: dict[str, list[tuple[Period, str]]] = {}
    for version in versions:
        if version.period is not None and version.closed_by is None:
            tracks.setdefault(version.place.group.name, []).append(
                (version.period, period_text(version.period))
            )
    return list(tracks.items())
