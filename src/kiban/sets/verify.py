"""Checks a set as it lies on a shelf, by computing everything that its manifest says again; and reads its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from kiban.kernel import Problem, Problems
from kiban.sets import buckets, places, writing
from kiban.sets.buckets import Figures
from kiban.sets.contents import find, positions
from kiban.sets.manifest import Manifest, Part, Position, faults
from kiban.sets.publish import Progress, quiet
from kiban.sets.shelf import Shelf
from kiban.sets.sources import Digester, parquet, read

Decode = Callable[[Part, Path], Iterable[pa.RecordBatch]]
"""Reads the rows of a part that is no Parquet file."""

_RESEND = "have the producer publish the set again, under a new id"


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
            Problem("set-buckets", "the rows are not those that the digests tell", manifest.flow, _RESEND)
        )
    return tuple(dict.fromkeys(found))


def batches(shelf: Shelf, manifest: Manifest, *, scratch: Path) -> Iterator[pa.RecordBatch]:
    """The rows of a set of Parquet files, in bounded memory; each part is checked before its first row comes.

    Raises:
        Problem: `part-missing`, `part-changed`, `part-unreadable`.
    """
    for part in manifest.parts:
        with part_file(shelf, manifest, part, scratch=scratch) as file:
            try:
                with pq.ParquetFile(file) as opened:
                    yield from opened.iter_batches(65_536)
            except (pa.ArrowException, OSError) as error:
                raise _unreadable(part, error) from error


def relation(shelf: Shelf, manifest: Manifest, *, folder: Path) -> str:
    """DuckDB SQL of the rows of a set of Parquet files, as `compare` takes it.

    Args:
        shelf: where the set lies. A folder's files are read in place, unchecked; others are fetched.
        manifest: of the set.
        folder: where fetched files go, and stay.

    Raises:
        Problem: `part-missing`, `part-changed`; `set-form` where a part is no Parquet file, or there is none.
    """
    if not manifest.parts or any(part.form != "parquet" for part in manifest.parts):
        fix = "compare by the manifests, or read the parts by the profile of their form"
        raise Problem("set-form", "the set is not one of Parquet files", manifest.flow, fix)
    files = []
    for part in manifest.parts:
        standing = shelf.file(places.place_of(manifest, part))
        files.append(
            standing
            or _fetched(shelf, manifest, part, folder / f"{manifest.set_id}-{part.number:06}.parquet")
        )
    return parquet(files)


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
        yield Problem("set-signature", "the manifest is not the one that was signed", manifest.flow, _RESEND)
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
        yield Problem("part-rows", f"holds {found.rows:,} rows, not {part.rows:,}", part.name, _RESEND)
    for name, value in part.sums:
        if found.sums.get(name, value) != value:
            yield Problem(
                "part-sums", f"{name} adds up to another amount than the manifest says", part.name, _RESEND
            )


def _figures(part: Part, file: Path, digester: Digester, decode: Decode | None) -> Figures | None:
    """Of the rows as they are; None where nobody can read the form."""
    try:
        if part.form == "parquet":
            return digester.of(parquet([file]))
        return None if decode is None else digester.of_all(decode(part, file))
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise _unreadable(part, error) from error


@contextmanager
def part_file(shelf: Shelf, manifest: Manifest, part: Part, *, scratch: Path) -> Iterator[Path]:
    """The file of a part, whose bytes are those of the manifest; fetched where the shelf is no folder, and gone afterwards.

    Raises:
        Problem: `part-missing`, `part-changed`, `shelf-unreadable`, `scratch-not-writable`.
    """
    standing = shelf.file(places.place_of(manifest, part))
    if standing is None:
        with _room(scratch) as folder:
            yield _fetched(shelf, manifest, part, folder / "part")
        return
    if shelf.size(places.place_of(manifest, part)) is None:
        raise _missing(part)
    try:
        _pass(part, read(standing), None)
    except OSError as error:
        fix = "see whether you may read what lies on the shelf"
        raise Problem(
            "shelf-unreadable", f"the file cannot be read ({error.strerror})", part.name, fix
        ) from error
    yield standing


@contextmanager
def _room(scratch: Path) -> Iterator[Path]:
    try:
        folder = TemporaryDirectory(dir=scratch)
    except OSError as error:
        raise _no_room(scratch, error) from error
    with folder as name:
        yield Path(name)


def _no_room(where: Path, error: OSError) -> Problem:
    fix = "name a folder with room for the parts"
    return Problem("scratch-not-writable", f"no part can be fetched ({error.strerror})", str(where), fix)


def _fetched(shelf: Shelf, manifest: Manifest, part: Part, target: Path) -> Path:
    key = places.place_of(manifest, part)
    if shelf.size(key) is None:
        raise _missing(part)
    try:
        with target.open("wb") as file:
            _pass(part, shelf.chunks(key), file)
    except OSError as error:
        raise _no_room(target, error) from error
    return target


def _pass(part: Part, chunks: Iterable[bytes], to: BinaryIO | None) -> None:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        if to is not None:
            to.write(chunk)
    if size != part.bytes:
        raise Problem("part-changed", f"has {size:,} bytes, not {part.bytes:,}", part.name, _RESEND)
    if digest.hexdigest() != part.sha256:
        raise Problem("part-changed", "its bytes are not those that were published", part.name, _RESEND)


def _missing(part: Part) -> Problem:
    return Problem("part-missing", f"part {part.number} of {part.of} is not there", part.name, _RESEND)


def _unreadable(part: Part, error: Exception) -> Problem:
    what = f"the part cannot be read ({type(error).__name__})"
    return Problem("part-unreadable", what, part.name, "have the producer see what it published")
