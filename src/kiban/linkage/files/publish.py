"""Publishes what a contract carries as sets: the full set that opens an epoch, and the delta that follows the set before.

All rows are those known after one event, whatever changes meanwhile. Of all who publish at once one makes the set; the
others find it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from kiban import sets, store
from kiban.kernel import AsOf, Problem, Problems
from kiban.linkage.contracts.model import Contract
from kiban.linkage.files import companions, making, passing, rows, spool
from kiban.linkage.files.about import ABOUT, About, about_bytes, about_of, read_about
from kiban.linkage.files.codec import RecordCodec
from kiban.linkage.files.days import japan_day
from kiban.linkage.files.making import MadeFeed
from kiban.linkage.files.passing import Evidence
from kiban.linkage.files.withhold import Protected

Progress = Callable[[str, int, int], None]
"""Called with a step, how much of it is done, and how much there is."""

_HELD_SHARE, _HELD_ANYWAY = 1_000, 20
"""One unit of a thousand may be held back, and some in any case; beyond that the profile is wrong, not the data."""


Kind = Literal["full", "delta"]


def quiet(_step: str, _done: int, _total: int) -> None:
    """A progress that shows nothing."""


@dataclass(frozen=True)
class Desk:
    """What a publisher works with.

    Attributes:
        opened: the registers.
        shelf: where sets lie.
        codec: how files are written: that of the contract's profile.
        folder: where files are made; remembers an interrupted set. It holds personal data: mode 0700.
        protected: the protection of all units as known after an event; without one, everybody counts as protected.
        clock: the present moment, in UTC.
        signer: of the provider; None to leave sets unsigned.
        progress: told of each step.
        evidence: is written before a set exists.
    """

    opened: store.Store
    shelf: sets.Shelf
    codec: RecordCodec
    folder: Path
    clock: Callable[[], datetime]
    protected: Callable[[Contract, int], Protected] = field(default=lambda _contract, _event: Protected())
    signer: sets.Signer | None = None
    progress: Progress = quiet
    evidence: Evidence | None = None


@dataclass(frozen=True)
class Published:
    """A set that lies on the shelf.

    Attributes:
        manifest: of the set.
        about: what is said of its rows.
        made: whether this call made it; otherwise it was there, by another publisher or an earlier call.
        held: item and reason -> how many values, with words, of what was held back; empty where the set was there.
    """

    manifest: sets.Manifest
    about: About
    made: bool
    held: Mapping[tuple[str, str, str], tuple[int, str]] = field(default_factory=dict)


def publish_full(
    desk: Desk, contract: Contract, *, event: int | None = None, day: date | None = None
) -> Published:
    """Publish all rows of a flow as they were known after one event; the set opens an epoch.

    Units that ended since the set before are named as ended. Units with a value that the files cannot hold are held back and
    named as held: the consumer keeps what it has of them.

    Args:
        desk: what to work with.
        contract: the flow; `file` is among its ways.
        event: number of the event; None for the last one of the city.
        day: for which day the set is due; None for the present one in Japan.

    Returns:
        The set, or the one that is there already for this day with this event or a later one.

    Raises:
        Problem: `contract-way`, `event-unknown`, `file-limit`, `shelf-…`.
        Problems: one for each item where too many values do not fit; nothing was published then.
    """
    return _publish(desk, contract, "full", event, day)


def publish_delta(
    desk: Desk, contract: Contract, *, event: int | None = None, day: date | None = None
) -> Published:
    """Publish all rows of every unit that changed since the set before, and the units that ended; nothing changed is a set too.

    Args, returns and raises: as `publish_full`; and `set-no-epoch` where no full set is there to follow.
    """
    return _publish(desk, contract, "delta", event, day)


@dataclass(frozen=True)
class _Asked:
    kind: Kind
    event: int
    known: datetime
    day: date


def _publish(desk: Desk, contract: Contract, kind: Kind, event: int | None, day: date | None) -> Published:
    if "file" not in contract.ways:
        fix = "add file to its ways, in a new version that both sides sign"
        raise Problem("contract-way", "the contract carries no files", contract.flow, fix)
    now = desk.clock()
    last, _ = store.last_event(desk.opened)
    known = now if event is None else store.event_moment(desk.opened, event)
    asked = _Asked(kind, last if event is None else event, known, day or japan_day(now))
    with spool.alone(desk.folder / contract.flow) as place:
        _finish(desk, contract, place)
        while True:
            before = _newest(desk, contract, place.parent)
            if before is not None and _answers(before, asked):
                return Published(*before, made=False)
            held, about, plan = _make(desk, contract, asked, before, place)
            manifest = _finish(desk, contract, place)
            if manifest is not None and manifest.set_id == plan.draft.set_id:
                return Published(manifest, about, True, held)


def _answers(newest: tuple[sets.Manifest, About], asked: _Asked) -> bool:
    manifest, about = newest
    return (manifest.kind, manifest.as_of.valid) == (asked.kind, asked.day) and about.event >= asked.event


def _newest(desk: Desk, contract: Contract, scratch: Path) -> tuple[sets.Manifest, About] | None:
    there = sets.positions(desk.shelf, contract.flow)
    if not there:
        return None
    manifest = sets.find(desk.shelf, contract.flow, *there[-1])
    return manifest, about_of(desk.shelf, manifest, scratch)


def _finish(desk: Desk, contract: Contract, place: Path) -> sets.Manifest | None:
    """Publish what is made; None where nothing is, or somebody else was first at this position."""
    plan = spool.read_plan(place)
    if plan is None or plan.shelf != desk.shelf.place:
        return None
    if desk.evidence is not None:
        said = read_about((place / ABOUT).read_bytes())
        desk.evidence([passing.sent(contract, plan.draft.set_id, said, desk.clock())])
    try:
        manifest = sets.publish(
            desk.shelf, plan.draft, plan.sources(place), signer=desk.signer, progress=desk.progress
        )
    except Problem as problem:
        if problem.code != "set-exists":
            raise
        manifest = None
    spool.clear(place)
    return manifest


def _make(
    desk: Desk, contract: Contract, asked: _Asked, before: tuple[sets.Manifest, About] | None, place: Path
) -> tuple[dict[tuple[str, str, str], tuple[int, str]], About, spool.Plan]:
    draft = _draft(desk, contract, asked, before)
    since = None if before is None else before[1].event
    if since is not None and since > asked.event:
        fix = "leave the event out, or name a later one"
        raise Problem("event-stale", f"the newest set is as known after event {since}", contract.flow, fix)
    kept = frozenset() if before is None else companions.held_units(desk.shelf, before[0], place.parent)
    source = rows.Source(desk.opened, contract, desk.protected(contract, asked.event), asked.event)
    span = None if since is None else store.Span(since, asked.event)
    keys = None if asked.kind == "full" else rows.changed(source, span or store.Span(0, 0), kept)
    spool.empty(place)
    made, held, units = _fitting(desk, source, keys, place)
    marks = companions.marks(source, made, keys, span, units)
    about = About(
        contract.flow, contract.digest, asked.event, since or 0, source.protected.others, len(units),
        tuple(feed.said for feed in made),
    )  # fmt: skip
    files = [file for feed in made for file in feed.files]
    files.append(spool.written(place, companions.UNITS, companions.units_csv(marks)))
    files.append(spool.written(place, companions.PROTECTION, companions.protection_csv(source.protected)))
    files.append(spool.written(place, companions.ABOUT, [about_bytes(about)]))
    plan = spool.Plan(desk.shelf.place, draft, tuple(files))
    spool.write_plan(place, plan)
    return held, about, plan


def _draft(
    desk: Desk, contract: Contract, asked: _Asked, before: tuple[sets.Manifest, About] | None
) -> sets.Draft:
    if asked.kind == "delta" and before is None:
        fix = "publish a full set first: kiban link files publish FLOW"
        raise Problem("set-no-epoch", "a delta follows a full set, and there is none", contract.flow, fix)
    newest = None if before is None else before[0]
    full = sets.Draft(
        set_id=sets.new_set_id(desk.clock()),
        flow=contract.flow,
        kind="full",
        epoch=1 if newest is None else newest.epoch + 1,
        as_of=AsOf(asked.day, asked.known),
        producer=contract.provider.id,
    )
    if asked.kind == "full" or newest is None:
        return full
    return replace(
        full, kind="delta", epoch=newest.epoch, sequence=newest.sequence + 1, previous=newest.sequence
    )


def _fitting(
    desk: Desk, source: rows.Source, keys: Mapping[str, rows.Keys] | None, place: Path
) -> tuple[list[MadeFeed], dict[tuple[str, str, str], tuple[int, str]], frozenset[str]]:
    """The files without the units that have a value which does not fit; made a second time where there are such."""
    made = _feeds(desk, source, keys, place, frozenset())
    units = frozenset[str]().union(*(feed.units for feed in made))
    held = {(feed.said.name, *named): found for feed in made for named, found in feed.unfit.items()}
    if not units:
        return made, held, units
    total = sum(feed.seen for feed in made)
    if len(units) > max(_HELD_ANYWAY, total // _HELD_SHARE):
        fix = "see whether the profile is the right one; for records, name the charts of the city's own characters in the layout"
        raise Problems(
            Problem(why, f"{often:,} values cannot be written, such as: {what}", f"{feed}.{item}", fix)
            for (feed, item, why), (often, what) in held.items()
        )
    spool.empty(place)
    return _feeds(desk, source, keys, place, units), held, units


def _feeds(
    desk: Desk, source: rows.Source, keys: Mapping[str, rows.Keys] | None, place: Path, held: frozenset[str]
) -> list[MadeFeed]:
    done = 0

    def told(rows_done: int) -> None:
        nonlocal done
        done += rows_done
        desk.progress("rows", done, done + 1)

    made = [
        making.make(
            feed,
            source.batches(feed, None if keys is None else keys[feed.name], held),
            desk.codec,
            source.contract.receiver,
            place,
            count_units=keys is not None,
            told=told,
        )
        for feed in source.contract.feeds
    ]
    desk.progress("rows", done, done)
    return made
