"""Seals: what holds lines and look-ups together, so that no change stays unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

import orjson

from kiban import sets
from kiban.access.audit.line import COLUMNS
from kiban.access.audit.trail import Entry
from kiban.kernel import stamp
from kiban.store import Lookup

SIDE = "audit"
"""Whose ledger the roots name."""
Source = Literal["line", "lookup"]
GENESIS = hashlib.sha256(b"kiban-audit-1").digest()
"""What the first seal is chained to."""


@dataclass(frozen=True, slots=True)
class Seal:
    """One link of the chain.

    Attributes:
        place: from 1, without gaps.
        source: whether it seals a line or a look-up.
        number: of the line or look-up.
        digest: of what it says.
        chain: over everything up to here.
    """

    place: int
    source: Source
    number: int
    digest: bytes
    chain: bytes


@dataclass(frozen=True)
class Block(sets.Signed):
    """The signed end of some seals.

    Attributes:
        block: from 1, without gaps.
        last: place of its last seal.
        line: number up to which lines are sealed; one that appears below it later was smuggled in.
        lookup: number up to which look-ups are sealed.
        chain: at `last`, hex.
        previous: digest of the block before; empty for the first.
        made_at: as `stamp` writes it.
        key: public key of who signed.
        signature: over all of the above.
    """

    document = "kiban-audit-block"

    block: int
    last: int
    line: int
    lookup: int
    chain: str
    previous: str
    made_at: str
    key: str = ""
    signature: str = ""


BLOCK = tuple(each.name for each in fields(Block))
NO_BLOCK = Block(0, 0, 0, 0, GENESIS.hex(), "", "")
"""What stands before the first block."""


def link(before: bytes, place: int, source: str, number: int, digest: bytes) -> bytes:
    """The chain of the seal that follows a chain."""
    return hashlib.sha256(
        b"%b%d\x1f%b\x1f%d\x1f%b" % (before, place, source.encode(), number, digest)
    ).digest()


def chained(block: Block, rows: Iterator[tuple[Source, int, bytes]]) -> Iterator[Seal]:
    """Digests of rows as the seals that follow a block."""
    place, chain = block.last, bytes.fromhex(block.chain)
    for source, number, digest in rows:
        place += 1
        chain = link(chain, place, source, number, digest)
        yield Seal(place, source, number, digest, chain)


def line_digest(entry: Entry) -> bytes:
    """SHA-256 of what a line says, without its number."""
    said = [getattr(entry.line, name) for name in COLUMNS if name not in ("at", "detail")]
    return _digest([stamp(entry.line.at), dict(entry.line.detail), *said])


def lookup_digest(lookup: Lookup) -> bytes:
    """SHA-256 of what a look-up says, without its number."""
    said = [lookup.actor, lookup.ward, lookup.purpose, lookup.register, lookup.asked, lookup.found]
    return _digest([stamp(lookup.at), *said])


def _digest(said: list[object]) -> bytes:
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()
