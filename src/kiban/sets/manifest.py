"""What is said of a set: its manifest. A draft says what is known before its parts are written."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from kiban.kernel import AsOf, Problem
from kiban.sets import buckets
from kiban.sets.buckets import Buckets
from kiban.sets.digest import Column
from kiban.sets.signing import Signature

SetKind = Literal["full", "delta"]
Form = Literal["parquet", "bytes"]

Position = tuple[int, int]
"""Epoch and sequence of a set within its flow; a later set has a greater one."""


@dataclass(frozen=True)
class Part:
    """A file of a set.

    Attributes:
        number: from 1.
        of: how many parts the set has; 0 while it is being written.
        name: as people know it; no two parts of a set share one.
        form: `parquet`, or `bytes` of any other form.
        rows: how many.
        bytes: its size.
        sums: column and whole yen, for each column that the set adds up.
        sha256: of its bytes, in hex.
    """

    number: int
    of: int
    name: str
    form: Form
    rows: int
    bytes: int
    sums: tuple[tuple[str, int], ...]
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a producer says of a set before its parts are written.

    Attributes:
        set_id: UUIDv7, see `new_set_id`; never used twice.
        flow: what the sets that follow each other have in common, such as a linkage ID; letters, digits, `. _ -`.
        kind: a `full` set opens an epoch, a `delta` continues it.
        epoch: from 1; a later full set has a higher one.
        sequence: 0 for a full set; within an epoch a later delta has a higher one.
        previous: the sequence that this delta follows; None for a full set.
        as_of: the two dates of the data.
        producer: the system that answers for it.
        edition: the edition of the standard, such as kiban-2026.1; None where the rows are not those of one.
        register: the group of the standard, such as resident.jumin; None likewise.
        key: names of the columns that tell the rows apart; without any there are no bucket digests.
        columns: every column that enters the digest, in order, the key among them.
        sums: names of the columns of whole numbers that are added up.
    """

    set_id: str
    flow: str
    kind: SetKind
    epoch: int
    as_of: AsOf
    producer: str
    sequence: int = 0
    previous: int | None = None
    edition: str | None = None
    register: str | None = None
    key: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    sums: tuple[str, ...] = ()

    @property
    def position(self) -> Position:
        """Epoch and sequence."""
        return self.epoch, self.sequence

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the key, in its order."""
        named = {column.name: column for column in self.columns}
        return tuple(named[name] for name in self.key)


@dataclass(frozen=True, kw_only=True)
class Manifest(Draft):
    """All that is said of a set. The set exists because its manifest does.

    Attributes:
        parts: in the order of their numbers.
        buckets: digests of all rows; None where the set has no key.
        signature: of the producer; None where nobody signed.
    """

    parts: tuple[Part, ...]
    buckets: Buckets | None
    signature: Signature | None = None

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def bytes(self) -> int:
        """Size of all parts."""
        return sum(part.bytes for part in self.parts)

    @property
    def totals(self) -> dict[str, int]:
        """Whole yen of all parts by column."""
        found = dict.fromkeys(self.sums, 0)
        for part in self.parts:
            for name, value in part.sums:
                found[name] = found.get(name, 0) + value
        return found

    @property
    def digest(self) -> str | None:
        """One digest of all rows; None where the set has no key."""
        return None if self.buckets is None else buckets.digest_of(self.buckets)


def new_set_id(at: datetime) -> str:
    """A UUIDv7: the moment in milliseconds, then 74 random bits, so that sets of one moment have many names.

    Args:
        at: with its time zone.
    """
    moment = int(at.timestamp() * 1000).to_bytes(6, "big")
    rest = int.from_bytes(moment + secrets.token_bytes(10), "big")
    rest = rest & ~(0xF << 76) | 0x7 << 76
    rest = rest & ~(0x3 << 62) | 0x2 << 62
    digits = f"{rest:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def moment_of(set_id: str) -> datetime:
    """When a set was begun, by the clock of its producer: what `new_set_id` wrote into the name, in UTC."""
    return datetime.fromtimestamp(int(set_id.replace("-", "")[:12], 16) / 1000, UTC)


def faults(said: Draft) -> list[Problem]:
    """What a draft or a manifest says against itself, all of it.

    Returns:
        `set-sequence`, `set-columns`; of a manifest also `part-number`, `part-repeated`, `part-sums`, `set-buckets`.
    """
    found = [*_order(said), *_columns(said)]
    if isinstance(said, Manifest):
        found += [*_parts(said), *_buckets(said)]
    return found


def _order(said: Draft) -> Iterator[Problem]:
    if said.kind == "full" and (said.sequence, said.previous) != (0, None):
        yield Problem(
            "set-sequence", "a full set has sequence 0 and follows none", said.flow, "open a new epoch"
        )
    if said.kind == "delta" and (said.previous is None or said.previous >= said.sequence):
        fix = "name the sequence that it follows, a lower one"
        yield Problem("set-sequence", "a delta follows an earlier set of its epoch", said.flow, fix)


def _columns(said: Draft) -> Iterator[Problem]:
    kinds = {column.name: column.kind for column in said.columns}
    wrong = [f"{name} stands twice" for name, n in Counter(c.name for c in said.columns).items() if n > 1]
    wrong += [f"{name} of the key stands twice" for name, n in Counter(said.key).items() if n > 1]
    wrong += [f"{name} of the key is no column" for name in said.key if name not in kinds]
    wrong += [f"{name} is added up twice" for name, n in Counter(said.sums).items() if n > 1]
    wrong += [
        f"{name} is no column of whole numbers"
        for name in said.sums
        if kinds and kinds.get(name) != "integer"
    ]
    if bool(said.key) != bool(said.columns):
        wrong.append("a digest needs a key and columns, both or none")
    for what in wrong:
        yield Problem(
            "set-columns", what, said.flow, "name each column once, the key and the sums among them"
        )


def _parts(said: Manifest) -> Iterator[Problem]:
    count = len(said.parts)
    fix = "have the producer publish the set again, under a new id"
    for place, part in enumerate(said.parts, 1):
        if (part.number, part.of) != (place, count):
            what = f"called part {part.number} of {part.of}, and is {place} of {count}"
            yield Problem("part-number", what, part.name, fix)
        if tuple(sorted(said.sums)) != tuple(name for name, _ in part.sums):
            yield Problem("part-sums", "does not add up the columns that the set does", part.name, fix)
    names, bytes_of = Counter(p.name for p in said.parts), Counter(p.sha256 for p in said.parts if p.rows)
    for part in said.parts:
        if names[part.name] > 1 or bytes_of[part.sha256] > 1:
            yield Problem("part-repeated", "the same part stands in the set more than once", part.name, fix)


def _buckets(said: Manifest) -> Iterator[Problem]:
    fix = "have the producer publish the set again, under a new id"
    if (said.buckets is None) != (not said.key):
        yield Problem("set-buckets", "bucket digests without a key, or a key without them", said.flow, fix)
    if said.buckets is not None and sum(bucket.rows for bucket in said.buckets) != said.rows:
        yield Problem("set-buckets", "the buckets hold another number of rows than the parts", said.flow, fix)
