"""Compares what a consumer holds with the registers: by digests first, and by values only where those differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from kiban import sets
from kiban.linkage.consumer import Replica
from kiban.linkage.contracts.model import Feed
from kiban.linkage.files import Source
from kiban.linkage.message import Row
from kiban.linkage.reconcile.sides import Provider, consumer_buckets, differing_units
from kiban.sets import Buckets

Progress = Callable[[str, int, int], None]
"""Called with a step, how much of it is done, and how much there is."""
_UNITS = 1_000  # looked at by value at a time


def quiet(_step: str, _done: int, _total: int) -> None:
    """A progress that shows nothing."""


@dataclass(frozen=True)
class Drifted:
    """A row that is not the same on both sides, though the consumer is to have it so. Its printed form tells not whose it is.

    Attributes:
        feed: name of the feed.
        what: `missing` at the consumer, `extra` there, `differs`, or `repeated` there.
        items: romaji of the items that differ; none unless it differs.
        unit: whose row.
        key: the values of `Feed.key`.
    """

    feed: str
    what: Literal["missing", "extra", "differs", "repeated"]
    items: tuple[str, ...] = ()
    unit: str = field(default="", repr=False)
    key: tuple[str | None, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class FeedCompared:
    """Both sides of a feed.

    Attributes:
        feed: its name.
        provider, consumer: rows of each side.
        buckets: how many of 4,096 differ.
        digests: of the rows of each side.
    """

    feed: str
    provider: int
    consumer: int
    buckets: int
    digests: tuple[str, str]


@dataclass(frozen=True)
class Compared:
    """What a comparison found.

    Attributes:
        flow: `Contract.flow`.
        event: the provider's side is as known after it.
        feeds: by feed.
        drifted: rows that are not as they were delivered.
        under_way: how many units differ only because the consumer has not yet come so far, or is further.
    """

    flow: str
    event: int
    feeds: tuple[FeedCompared, ...]
    drifted: tuple[Drifted, ...]
    under_way: int

    @property
    def equal(self) -> bool:
        """Whether the consumer holds exactly what was delivered to it."""
        return not self.drifted

    @property
    def units(self) -> tuple[str, ...]:
        """Whose rows have drifted."""
        return tuple(sorted({one.unit for one in self.drifted}))


def compare(
    source: Source, replica: Replica, folder: Path, progress: Progress = quiet, *, both: bool = True
) -> Compared:
    """Compare a replica with the registers.

    A unit of the replica is at a version of its own, the event of the last message or set that told of it. Where the digests
    differ, each unit is compared by value with the registers as known after its own version: so only what really drifted is named.

    Args:
        source: the registers, as known after an event near to what the replica holds.
        replica: of the flow.
        folder: for what does not fit into memory; must exist.
        progress: told of each feed.
        both: whether both sides are digested at once, on two cores.

    Raises:
        Problem: what the store raises.
    """
    provider = Provider(source)
    feeds: list[FeedCompared] = []
    units: list[str] = []
    for number, feed in enumerate(source.contract.feeds):
        progress("digests", number, len(source.contract.feeds))
        right, held = _buckets(provider, replica, feed, both)
        differing = sets.differing(right, held)
        rows = (sum(one.rows for one in right), sum(one.rows for one in held))
        digests = (sets.digest_of(right), sets.digest_of(held))
        feeds.append(FeedCompared(feed.name, *rows, len(differing), digests))
        if differing:
            with TemporaryDirectory(dir=folder) as place:
                units += differing_units(provider, replica, feed, differing, Path(place))
    progress("digests", len(feeds), len(feeds))
    units = sorted(set(units))
    drifted = tuple(_drifted(source, replica, units, progress))
    under_way = len(units) - len({one.unit for one in drifted})
    return Compared(source.contract.flow, source.event, tuple(feeds), drifted, under_way)


def suspects(source: Source, told: Mapping[str, Buckets]) -> Iterator[str]:
    """The units of the buckets in which a consumer differs that tells only its buckets; none where it is equal.

    Args:
        source: the registers, as known after the event up to which the consumer is.
        told: by feed, the buckets of what it holds.
    """
    provider = Provider(source)
    for feed in source.contract.feeds:
        differing = sets.differing(provider.buckets(feed), told[feed.name])
        seen: set[str] = set()
        for table in provider.digests(feed, differing) if differing else ():
            seen.update(table.column("unit").to_pylist())
        yield from sorted(seen)


def _buckets(provider: Provider, replica: Replica, feed: Feed, both: bool) -> tuple[Buckets, Buckets]:
    if not both:
        return provider.buckets(feed), consumer_buckets(replica, feed)
    with ThreadPoolExecutor(1) as worker:  # PostgreSQL works in processes of its own meanwhile
        right = worker.submit(provider.buckets, feed)
        held = consumer_buckets(replica, feed)
        return right.result(), held


def _drifted(source: Source, replica: Replica, units: Sequence[str], progress: Progress) -> Iterator[Drifted]:
    for first in range(0, len(units), _UNITS):
        chunk = units[first : first + _UNITS]
        versions = [(unit, replica.version(unit)) for unit in chunk]
        for feed in source.contract.feeds:
            for (unit, _), right in zip(versions, source.rows_at(feed, versions), strict=True):
                yield from _rows(feed, unit, right, replica.rows(feed.name, unit))
        progress("units", first + len(chunk), len(units))


def _rows(feed: Feed, unit: str, right: Sequence[Row], held: Sequence[Row]) -> Iterator[Drifted]:
    """What is not the same of one unit in one feed."""
    there = {_key(feed, row): row for row in right}
    here: dict[tuple[str | None, ...], Row] = {}
    for row in held:
        key = _key(feed, row)
        if key in here:
            yield Drifted(feed.name, "repeated", (), unit, key)
        here[key] = row
    for key, row in there.items():
        if key not in here:
            yield Drifted(feed.name, "missing", (), unit, key)
        elif items := tuple(n for n in feed.columns if row[n] != here[key][n]):
            yield Drifted(feed.name, "differs", items, unit, key)
    for key in here.keys() - there.keys():
        yield Drifted(feed.name, "extra", (), unit, key)


def _key(feed: Feed, row: Row) -> tuple[str | None, ...]:
    return tuple(None if row[name] is None else str(row[name]) for name in feed.key)
