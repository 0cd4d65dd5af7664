"""Sets of invented data, right ones and wrong ones, made from a contract alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from kiban import sets
from kiban.kernel import AsOf
from kiban.linkage import files
from kiban.linkage.conformance.making import state
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.contracts.sample import sample
from kiban.linkage.files import about, companions
from kiban.linkage.message import CLEAR, Row

_SEED = 20261125


@dataclass(frozen=True)
class Maker:
    """Makes the sets of a trial.

    Attributes:
        contract: of the flow.
        codec: how its files are written.
        scratch: a folder for what is being made.
        now: the moment of the trial, in UTC.
    """

    contract: Contract
    codec: files.RecordCodec
    scratch: Path
    now: datetime

    def rows(self, units: int) -> Mapping[str, Sequence[Row]]:
        """Invented rows of each feed, none of them withheld: all units are clear."""
        messages = [each for each in sample(self.contract, _SEED, units) if each.protection == CLEAR]
        return {feed.name: () for feed in self.contract.feeds} | state(messages)

    def put(
        self,
        shelf: sets.Shelf,
        rows: Mapping[str, Sequence[Row]],
        position: sets.Position,
        *,
        other: Mapping[str, Sequence[Row]] | None = None,
    ) -> tuple[sets.Manifest, about.About]:
        """Publish a set: a full one where its sequence is 0, otherwise a delta that follows the one before.

        Args:
            shelf: where to.
            rows: of each feed.
            position: epoch and sequence.
            other: the rows that the set tells of instead of those that it holds: then its digests are wrong.
        """
        epoch, sequence = position
        kind: Literal["full", "delta"] = "delta" if sequence else "full"
        told = self._about(rows if other is None else other, 100 * epoch + sequence)
        marks = companions.Marks(self._units(rows) if sequence else {}, {}, frozenset())
        parts = [self._part(feed, rows[feed.name]) for feed in self.contract.feeds]
        beside = {
            about.ABOUT: about.about_bytes(told),
            about.UNITS: b"".join(companions.units_csv(marks)),
            about.PROTECTION: b"".join(companions.protection_csv(files.Protected({}, CLEAR))),
        }
        parts += [sets.Raw(name, 0, lambda data=data: [data]) for name, data in beside.items()]  # type: ignore[misc]
        draft = sets.Draft(
            set_id=sets.new_set_id(self.now), flow=self.contract.flow, kind=kind, epoch=epoch, sequence=sequence,
            previous=sequence - 1 if sequence else None, as_of=AsOf(self.now.date(), self.now),
            producer=self.contract.provider.id,
        )  # fmt: skip
        return sets.publish(shelf, draft, parts), told

    def _part(self, feed: Feed, rows: Sequence[Row]) -> sets.Raw:
        data = self.codec.head(feed) + self.codec.write(feed, batch(feed, rows))
        return sets.Raw(f"{feed.name}.0001{self.codec.ending}", len(rows), lambda: [data])

    def _about(self, rows: Mapping[str, Sequence[Row]], event: int) -> about.About:
        said = []
        for feed in self.contract.feeds:
            with about.digester(feed) as digester:
                table = pa.Table.from_batches([batch(feed, rows[feed.name])])
                said.append(about.said(feed, digester.of_table(table)))
        return about.About(self.contract.flow, self.contract.digest, event, 0, CLEAR, 0, tuple(said))

    def _units(self, rows: Mapping[str, Sequence[Row]]) -> dict[str, frozenset[str]]:
        return {
            feed.name: frozenset(str(row[feed.unit.romaji]) for row in rows[feed.name])
            for feed in self.contract.feeds
        }


def batch(feed: Feed, rows: Sequence[Row]) -> pa.RecordBatch:
    """Rows of messages as they stand in a file."""
    return pa.RecordBatch.from_pylist([_typed(feed, row) for row in rows], files.columns_of(feed))


def _typed(feed: Feed, row: Row) -> dict[str, Any]:
    ends = {
        name: row[name] and date.fromisoformat(row[name])
        for name in ("valid_from", "valid_to")
        if name in row
    }
    return {**row, **ends}


def damaged(shelf: sets.Shelf, manifest: sets.Manifest, *, lost: bool) -> None:
    """Take the first part of a set away, or change a byte of it, as a bad disk or line does."""
    key = sets.part_place(manifest, manifest.parts[0])
    if lost:
        shelf.clear(key.rpartition("/")[0], [each for each in shelf.sizes("") if each != key])
        return
    data = bytearray(shelf.read(key) or b"")
    data[len(data) // 2] ^= 1
    shelf.put(key, bytes(data))
