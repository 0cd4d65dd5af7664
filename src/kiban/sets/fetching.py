"""Parts of a set as they lie on a shelf: fetched where it is no folder, and their bytes compared with the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from kiban.kernel import Problem
from kiban.sets import places
from kiban.sets.manifest import Manifest, Part
from kiban.sets.shelf import Shelf
from kiban.sets.sources import parquet, read

RESEND = "have the producer publish the set again, under a new id"


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
                raise unreadable(part, error) from error


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
        raise Problem("part-changed", f"has {size:,} bytes, not {part.bytes:,}", part.name, RESEND)
    if digest.hexdigest() != part.sha256:
        raise Problem("part-changed", "its bytes are not those that were published", part.name, RESEND)


def _missing(part: Part) -> Problem:
    return Problem("part-missing", f"part {part.number} of {part.of} is not there", part.name, RESEND)


def unreadable(part: Part, error: Exception) -> Problem:
    """The fault of a part whose form nobody can read."""
    what = f"the part cannot be read ({type(error).__name__})"
    return Problem("part-unreadable", what, part.name, "have the producer see what it published")
