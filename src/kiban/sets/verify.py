"""Checks a set as it lies on a shelf, by computing everything that its manifest says again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from kiban.kernel import Problem, Problems
from kiban.sets import buckets, places, writing
from kiban.sets.buckets import Figures
from kiban.sets.contents import find, positions
from kiban.sets.fetching import RESEND, part_file, unreadable
from kiban.sets.manifest import Manifest, Part, Position, faults
from kiban.sets.publish import Progress, quiet
from kiban.sets.shelf import Shelf
from kiban.sets.sources import Digester, parquet

Decode = Callable[[Part, Path], Iterable[pa.RecordBatch]]
"""Reads the rows of a part that is no Parquet file."""


def verify(
    shelf: Shelf,
    manifest: Manifest,
    *,
    scratch: Path,
    keys: Collection[str] = (),
    unsigned: bool = False,
    after: Position | None = None,
    decode: Decode | None = None,
    progress: Progress = quiet,
) -> tuple[Problem, ...]:
    """Everything that is wrong with a set, at once; nothing where it is what its producer published and fits where it comes.

    Args:
        shelf: where it lies.
        manifest: what is said of it.
        scratch: a folder for one part at a time, where the shelf is no folder itself.
        keys: the public keys that are trusted, see `read_keys`. Without any, nobody is.
        unsigned: take a set that nobody signed, and without `keys` one that anybody did. A signature must fit all the same.
        after: epoch and sequence of what the receiver applied last; None for one that holds nothing or does not ask.
        decode: reads parts of other forms; without it, their rows and sums are taken on the word of the producer.
        progress: told of each part.

    Returns:
        `set-signature`, `set-unsigned`, `signer-unknown`; `epoch-stale`, `sequence-stale`, `sequence-gap`; what `faults` finds;
        `part-missing`, `part-extra`, `part-changed`, `part-unreadable`, `part-rows`, `part-sums`; `set-buckets`. Of a part
        that is not what was signed, nothing further is told.

    Raises:
        Problem: `shelf-unreadable`.
    """
    found = [*_signature(manifest, keys, unsigned), *_order(shelf, manifest, after), *faults(manifest)]
    found += _extra(shelf, manifest)
    held: list[Figures | None] = []
    with Digester(manifest.key_columns, manifest.columns, manifest.sums) as digester:
        for number, part in enumerate(manifest.parts, 1):
            found += _part(shelf, manifest, part, scratch, digester, decode, held)
            progress("verify", number, len(manifest.parts))
    whole = [one.buckets for one in held if one is not None]
    if (
        manifest.buckets is not None
        and len(whole) == len(manifest.parts)
        and buckets.added(whole) != manifest.buckets
    ):
        found.append(
            Problem("set-buckets", "the rows are not those that the digests tell", manifest.flow, RESEND)
        )
    return tuple(dict.fromkeys(found))


def _signature(manifest: Manifest, keys: Collection[str], unsigned: bool) -> Iterator[Problem]:
    if manifest.signature is None:
        if not unsigned:
            yield Problem(
                "set-unsigned",
                "nobody signed the set",
                manifest.flow,
                "have its producer sign what it publishes",
            )
    elif not writing.signature_fits(manifest):
        yield Problem("set-signature", "the manifest is not the one that was signed", manifest.flow, RESEND)
    elif manifest.signature.key not in keys and (keys or not unsigned):
        fix = "ask the producer for its public key by another way, and name it as trusted"
        yield Problem(
            "signer-unknown",
            f"signed by {manifest.signature.key[:16]}…, whom nobody here trusts",
            manifest.flow,
            fix,
        )


def _order(shelf: Shelf, manifest: Manifest, after: Position | None) -> Iterator[Problem]:
    """Whether the set is the next one. Its chain goes back to what the receiver holds, or to the full set of the epoch."""
    there = set(positions(shelf, manifest.flow))
    newest = max((epoch for epoch, _ in there), default=0)
    if manifest.epoch < max(newest, after[0] if after else 0):
        yield Problem(
            "epoch-stale",
            f"of epoch {manifest.epoch}, and a later one is open",
            manifest.flow,
            "take the later one",
        )
    elif after is not None and manifest.position <= after:
        what = (
            f"{manifest.epoch}-{manifest.sequence} is not later than what was applied, {after[0]}-{after[1]}"
        )
        yield Problem("sequence-stale", what, manifest.flow, "do not apply it again")
    at = manifest
    while (
        at.previous is not None and at.previous < at.sequence and (place := (at.epoch, at.previous)) != after
    ):
        skipped = after is not None and place < after < manifest.position
        before = None if skipped or place not in there else _readable(shelf, at.flow, place)
        if before is None:
            what = f"{place[0]}-{place[1]}, which it follows, " + (
                "was not the last one applied" if skipped else "is not there"
            )
            yield Problem(
                "sequence-gap",
                what,
                manifest.flow,
                "hold it, and have what is missing sent again; skip nothing",
            )
            return
        at = before


def _readable(shelf: Shelf, flow: str, place: Position) -> Manifest | None:
    try:
        return find(shelf, flow, *place)
    except (Problem, Problems):
        return None


def _extra(shelf: Shelf, manifest: Manifest) -> Iterator[Problem]:
    named = {places.place_of(manifest, part) for part in manifest.parts} | {places.claim_of(manifest.set_id)}
    marks = f"{places.parts_of(manifest.set_id)}/marks/"
    for key in shelf.sizes(places.parts_of(manifest.set_id)):
        if key not in named and not key.startswith(marks):
            yield Problem(
                "part-extra", "a file that the manifest does not name", key, "find out who put it there"
            )


def _part(
    shelf: Shelf,
    manifest: Manifest,
    part: Part,
    scratch: Path,
    digester: Digester,
    decode: Decode | None,
    held: list[Figures | None],
) -> Iterator[Problem]:
    try:
        with part_file(shelf, manifest, part, scratch=scratch) as file:
            found = _figures(part, file, digester, decode)
    except Problem as problem:
        if not problem.code.startswith("part-"):
            raise
        yield problem
        found = None
    held.append(found)
    if found is None:
        return
    if found.rows != part.rows:
        yield Problem("part-rows", f"holds {found.rows:,} rows, not {part.rows:,}", part.name, RESEND)
    for name, value in part.sums:
        if found.sums.get(name, value) != value:
            yield Problem(
                "part-sums", f"{name} adds up to another amount than the manifest says", part.name, RESEND
            )


def _figures(part: Part, file: Path, digester: Digester, decode: Decode | None) -> Figures | None:
    """Of the rows as they are; None where nobody can read the form."""
    try:
        if part.form == "parquet":
            return digester.of(parquet([file]))
        return None if decode is None else digester.of_all(decode(part, file))
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise unreadable(part, error) from error
