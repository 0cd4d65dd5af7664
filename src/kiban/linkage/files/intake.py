"""What a consumer takes sets with, and how it reads their parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import pyarrow as pa

from kiban import sets
from kiban.kernel import Problem
from kiban.linkage.consumer import Replica
from kiban.linkage.contracts import validate_rows
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.files import about
from kiban.linkage.files.about import COMPANIONS, About
from kiban.linkage.files.codec import RecordCodec
from kiban.linkage.files.passing import Evidence

Progress = Callable[[str, int, int], None]
"""Called with a step, how much of it is done, and how much there is."""

ABSENT_MOST = Fraction(1, 1_000)
"""The share of units that may be absent from a full set without a tombstone, where the contract states none."""


def quiet(_step: str, _done: int, _total: int) -> None:
    """A progress that shows nothing."""


@dataclass(frozen=True)
class Intake:
    """What a consumer works with.

    Attributes:
        codec: how the files are read: that of the contract's profile.
        scratch: a folder for one part at a time. It holds personal data: mode 0700.
        clock: the present moment, in UTC.
        keys: public keys of providers that are trusted.
        unsigned: take sets that nobody signed.
        signer: of the consumer, for receipts; None to leave them unsigned.
        absent_most: the share of units that may be absent without a tombstone; beyond it a full set is not taken.
        absence_accepted: an officer has looked at what is absent: it is removed, however much it is.
        progress: told of each step.
        evidence: is written when everything was found right, before it takes effect.
    """

    codec: RecordCodec
    scratch: Path
    clock: Callable[[], datetime]
    keys: Collection[str] = ()
    unsigned: bool = False
    signer: sets.Signer | None = None
    absent_most: Fraction = ABSENT_MOST
    absence_accepted: bool = False
    progress: Progress = quiet
    evidence: Evidence | None = None


@dataclass(frozen=True)
class TakenSet:
    """What became of a set.

    Attributes:
        manifest: of the set.
        repeated: whether it had been applied before, and nothing was changed.
        rows: that the consumer now holds of all feeds.
        digest: of them; see `digest_of_feeds`.
        equal: whether it is the provider's; None for a delta, which tells only of what changed.
        absent: feed -> units that a full set no longer has, without a tombstone: they are kept, and proposed for removal.
        held: how many units the provider held back.
        quarantined: how many units were not taken because their rows break the rules of the contract: what was held of them stays.
    """

    manifest: sets.Manifest
    repeated: bool
    rows: int
    digest: str
    equal: bool | None
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    held: int = 0
    quarantined: int = 0


def stated_absence(contract: Contract) -> Fraction:
    """The share of units that may be absent, as the contract states it by `x-absence` (such as 0.001); otherwise `ABSENT_MOST`.

    Raises:
        Problem: `contract-absence` where it is no share.
    """
    stated = contract.document.get("customProperties") or ()
    for one in stated:
        if isinstance(one, Mapping) and one.get("property") == "x-absence":
            try:
                share = Fraction(str(one.get("value")))
            except (ValueError, ZeroDivisionError):
                share = Fraction(-1)
            if not 0 <= share <= 1:
                raise Problem("contract-absence", "x-absence is no share", contract.flow, "such as 0.001")
            return share
    return ABSENT_MOST


def batches_of(
    intake: Intake, shelf: sets.Shelf, manifest: sets.Manifest, feed: Feed
) -> Iterator[pa.RecordBatch]:
    """The rows of a feed as they stand in the parts of a set, in bounded memory.

    Raises:
        Problem: `part-missing`, `part-changed`, `file-unreadable`, `file-header`.
    """
    for part in manifest.parts:
        if part.name not in COMPANIONS and part.name.partition(".")[0] == feed.name:
            with sets.part_file(shelf, manifest, part, scratch=intake.scratch) as file:
                yield from intake.codec.read(feed, file)


def faults_of(contract: Contract, feed: Feed, batch: pa.RecordBatch) -> tuple[frozenset[str], list[Problem]]:
    """The units whose rows break the rules of the contract, and what is wrong, without a value."""
    withheld = contract.protection.withheld.get(feed.name, frozenset())
    found = validate_rows(feed, batch, withheld)
    units = batch.column(feed.unit.romaji)
    bad = (units.take(one.rows).to_pylist() for one in found)
    return frozenset(unit for some in bad for unit in some), [one.problem for one in found]


def strangers(manifest: sets.Manifest, contract: Contract) -> list[Problem]:
    """Parts that are neither of a feed of the contract nor one of those beside."""
    known = {feed.name for feed in contract.feeds}
    fix = "have the provider publish what the contract carries, and nothing else"
    return [
        Problem("part-stranger", "a part of no group of the contract", part.name, fix)
        for part in manifest.parts
        if part.name not in COMPANIONS and part.name.partition(".")[0] not in known
    ]


def other_rows(said: About, feed: Feed, found: sets.Figures) -> list[Problem]:
    """Where the rows of a feed are not those that the provider tells of: none where they are."""
    [told] = [one for one in said.feeds if one.name == feed.name]
    fix = "have the provider publish the set again, under a new id"
    if found.rows != told.rows:
        return [Problem("set-rows", f"{found.rows:,} rows, and {told.rows:,} are told", feed.name, fix)]
    wrong = [name for name, value in told.sums.items() if found.sums.get(name) != value]
    if wrong:
        what = f"{', '.join(wrong)} add up to another amount than is told"
        return [Problem("set-sums", what, feed.name, fix)]
    if sets.differing(found.buckets, told.buckets):
        return [Problem("set-buckets", "the rows are not those that the digests tell", feed.name, fix)]
    return []


def held_rows(replica: Replica) -> tuple[int, str]:
    """How many rows a consumer holds of all feeds, and the digest of them, computed from what lies there."""
    rows, digests = 0, {}
    for feed in replica.contract.feeds:
        with about.digester(feed) as digester:
            found = digester.of_all(replica.batches(feed.name))
        rows += found.rows
        digests[feed.name] = sets.digest_of(found.buckets)
    return rows, about.digest_of_feeds(digests)
