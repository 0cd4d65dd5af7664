"""Who is protected, as a set carries it: unasked, and with the items left empty that the contract withholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.message import CLEAR, UNKNOWN


@dataclass(frozen=True)
class Protected:
    """The protection of all units, as known after one event.

    Attributes:
        states: unit -> its state and the event since which it holds; only units whose state is not that of `others`,
            or has changed before.
        others: the state of all further units: `clear`, or `unknown` where nobody can tell, which counts as protected.
    """

    states: Mapping[str, tuple[str, int]] = field(default_factory=dict, repr=False)
    others: str = UNKNOWN

    def withhold(self, contract: Contract, feed: Feed, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows as the consumer may see them."""
        items = contract.protection.withheld.get(feed.name, frozenset())
        if not items or not batch.num_rows:
            return batch
        hidden = self._hidden(batch.column(feed.unit.romaji))
        columns = [
            pc.if_else(hidden, pa.scalar(None, column.type), column) if name in items else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        schema = pa.schema([f.with_nullable(True) for f in batch.schema])
        return pa.record_batch(columns, schema=schema)

    @property
    def hides_others(self) -> bool:
        """Whether units that are not named count as protected."""
        return self.others != CLEAR

    @property
    def exceptions(self) -> frozenset[str]:
        """Units that are named, and protected where the others are not, or the other way round."""
        return frozenset(u for u, (state, _) in self.states.items() if (state != CLEAR) != self.hides_others)

    def hides(self, unit: str) -> bool:
        """Whether a unit counts as protected."""
        return self.states.get(unit, (self.others, 0))[0] != CLEAR

    def _hidden(self, units: pa.Array) -> pa.Array:
        among = pc.is_in(units, value_set=pa.array(sorted(self.exceptions), units.type))
        return pc.invert(among) if self.hides_others else among
