"""The rows of a flow as its consumer may see them: as known after one event, with what the contract withholds left empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kiban import store
from kiban.kernel import ALL_WARDS, Actor
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.files.codec import columns_of
from kiban.linkage.files.withhold import Protected

Keys = Any
"""An Arrow array of units, each once."""


@dataclass(frozen=True)
class Source:
    """Where the rows of a flow come from.

    Attributes:
        opened: the registers.
        contract: the flow.
        protected: the protection of all units after the event.
        event: number of the event after which the rows are as known.
    """

    opened: store.Store
    contract: Contract
    protected: Protected
    event: int

    @property
    def actor(self) -> Actor:
        """Who reads: the flow itself, for its purpose."""
        return reader(self.contract)

    def batches(
        self, feed: Feed, units: Keys | None = None, without: frozenset[str] = frozenset()
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a feed, in bounded memory.

        Args:
            feed: of the contract.
            units: only these; None for all.
            without: units that are left out.
        """
        items = [item.romaji for item in feed.items]
        keys = None if units is None else pa.table({feed.unit.romaji: units})
        found = store.known_rows(self.opened, feed.register, self.actor, self.event, keys, items)
        for batch in found:
            kept = batch
            if without and batch.num_rows:
                named = pa.array(sorted(without), pa.string())
                kept = batch.filter(pc.invert(pc.is_in(batch.column(feed.unit.romaji), value_set=named)))
            yield self.protected.withhold(self.contract, feed, kept)

    def rows_at(self, feed: Feed, versions: Sequence[tuple[str, int]]) -> list[list[dict[str, Any]]]:
        """The rows of units in a feed, each as known after an event of its own, in the order of their key."""
        items = [item.romaji for item in feed.items]
        asked = [(event, {feed.unit.romaji: unit}) for unit, event in versions]
        with self.opened.session(self.actor) as session:
            found = session.after_events(feed.register, asked, items)
        hidden = self.contract.protection.withheld.get(feed.name, frozenset())
        return [
            [self._seen(feed, row, hidden if self.protected.hides(unit) else frozenset()) for row in rows]
            for (unit, _), rows in zip(versions, found, strict=True)
        ]

    def _seen(self, feed: Feed, row: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
        return {name: None if name in hidden else plain(row[name]) for name in feed.columns}


def plain(value: Any) -> Any:
    """A value as a message carries it."""
    if value is None or isinstance(value, str | int | list):
        return value
    if isinstance(value, bytes):
        return value.hex()
    return format(value, "f") if isinstance(value, Decimal) else value.isoformat()


def reader(contract: Contract) -> Actor:
    """The actor that reads for a flow; it stands in the log of every read."""
    return Actor(f"linkage.{contract.flow}"[:64], None, ALL_WARDS, contract.purpose, protected=True)


def changed(source: Source, span: store.Span, kept: frozenset[str] = frozenset()) -> dict[str, Keys]:
    """By feed, the units whose rows were added or closed by the events of a span, and those that were held back before."""
    found = {}
    for feed in source.contract.feeds:
        name = feed.unit.romaji
        batches = store.changed_subjects(source.opened, feed.register, span, [name])
        units = [batch.column(name) for batch in batches]
        kind = columns_of(feed).field(name).type
        more = pa.array(sorted(kept), pa.string()).cast(kind)
        found[feed.name] = pc.unique(pa.chunked_array([*units, more], kind)).drop_null()
    return found
