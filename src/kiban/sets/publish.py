"""Publishes sets: parts first, the manifest last. Before it there is no set, and nothing that is there is ever replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kiban.kernel import Problem, Problems
from kiban.sets import buckets, places, writing
from kiban.sets.buckets import Buckets
from kiban.sets.digest import Column
from kiban.sets.manifest import Draft, Manifest, Part, faults
from kiban.sets.shelf import Shelf
from kiban.sets.signing import Signer
from kiban.sets.sources import Digester, File, Raw, Reading, Source

Progress = Callable[[str, int, int], None]
"""Called with a step, how much of it is done, and how much there is."""


def quiet(_step: str, _done: int, _total: int) -> None:
    """A progress that shows nothing."""


def publish(
    shelf: Shelf,
    draft: Draft,
    parts: Iterable[Source],
    *,
    signer: Signer | None = None,
    progress: Progress = quiet,
) -> Manifest:
    """Write the parts of a set one after the other, then its manifest, with which the set exists.

    Whoever is interrupted calls again with the same draft and the same parts: what is finished is not written again, and a
    set that is published already is given back as it is. Only one of those who publish one position of a flow succeeds.

    Args:
        shelf: where to.
        draft: what is known of the set.
        parts: in order; without any, the set says that there was nothing.
        signer: of the producer; None to leave it unsigned.
        progress: told of each part; how many there are is known at the last.

    Returns:
        The manifest as it lies on the shelf.

    Raises:
        Problem: `set-exists` where another set has this id or this position of the flow; `part-repeated`; `part-unreadable`;
            what a source raises; `shelf-not-writable`, `shelf-unreadable`.
        Problems: everything that is wrong with the draft; `part-repeated`, `part-missing` of parts that are written.
    """
    _check(draft)
    place = places.manifest_of(draft)
    if (standing := shelf.read(place)) is not None:
        return _again(shelf, draft, standing)
    _claim(shelf, draft)
    made: list[tuple[Part, Buckets | None]] = []
    with Digester(draft.key_columns, draft.columns, draft.sums) as digester:
        for source in parts:
            if any(source.name == part.name for part, _ in made):
                raise Problem(
                    "part-repeated",
                    "a part of this name stands in the set",
                    source.name,
                    "name each part once",
                )
            made.append(_part(shelf, draft, len(made) + 1, source, digester))
            progress("parts", len(made), len(made) + 1)
    manifest = _manifest(draft, made, signer)
    if wrong := [*faults(manifest), *_gone(shelf, manifest)]:
        raise Problems(wrong)
    if not shelf.create(place, writing.manifest_bytes(manifest)):
        return _again(shelf, draft, shelf.read(place) or b"")
    shelf.clear(
        places.parts_of(draft.set_id),
        {places.claim_of(draft.set_id), *(places.place_of(manifest, part) for part in manifest.parts)},
    )
    progress("parts", len(made), len(made))
    return manifest


def publish_folder(
    shelf: Shelf, draft: Draft, folder: Path, *, signer: Signer | None = None, progress: Progress = quiet
) -> Manifest:
    """Publish the Parquet files of a folder, in the order of their names, as one set.

    Args:
        shelf: where to.
        draft: of one register, with its edition and its key. Where it names no columns, all columns of the files enter the digest.
        folder: holds `*.parquet` of one schema.
        signer: see `publish`.
        progress: see `publish`.

    Raises:
        Problem: `parts-missing` where there is no such file, `part-unreadable`, and those of `publish`.
        Problems: `part-columns` for each file that has other columns than the first; everything wrong with the draft.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise Problem("parts-missing", "no Parquet file", str(folder), "name the folder that holds the parts")
    schemas = [_schema(file) for file in files]
    if odd := [file for file, schema in zip(files, schemas, strict=True) if not schema.equals(schemas[0])]:
        what, fix = (
            "not the columns of the first file",
            "put the files of each register into a folder of their own",
        )
        raise Problems(Problem("part-columns", what, file.name, fix) for file in odd)
    if draft.key and not draft.columns:
        draft = replace(draft, columns=columns_of(schemas[0]))
    return publish(shelf, draft, [File(file) for file in files], signer=signer, progress=progress)


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    """How the columns of an Arrow schema enter a digest.

    Raises:
        Problems: `set-columns` for each column of a type that has no digest, such as floating numbers.
    """
    found = [(name, _kind(name, kind)) for name, kind in zip(schema.names, schema.types, strict=True)]
    if wrong := [name for name, column in found if column is None]:
        fix = "leave it out of the columns, or write it in a type that has one"
        raise Problems(Problem("set-columns", "its type has no digest", name, fix) for name in wrong)
    return tuple(column for _, column in found if column is not None)


def _kind(name: str, kind: pa.DataType) -> Column | None:
    types = pa.types
    if types.is_decimal(kind):
        return Column(name, "decimal", kind.scale) if kind.scale >= 0 else None
    if (types.is_list(kind) or types.is_large_list(kind)) and _is_text(kind.value_type):
        return Column(name, "list")
    if _is_text(kind):
        return Column(name)
    if types.is_integer(kind):
        return Column(name, "integer")
    if types.is_date(kind):
        return Column(name, "date")
    if types.is_boolean(kind):
        return Column(name, "boolean")
    return Column(name, "bytes") if types.is_binary(kind) or types.is_large_binary(kind) else None


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _schema(file: Path) -> pa.Schema:
    try:
        return pq.read_schema(file).remove_metadata()
    except (pa.ArrowException, OSError) as error:
        fix = "make or copy the file again"
        raise Problem("part-unreadable", "not a whole Parquet file", file.name, fix) from error


def _check(draft: Draft) -> None:
    """Nothing is written that nobody could read back."""
    try:
        data = writing.draft_bytes(draft)
    except (UnicodeEncodeError, ValueError, TypeError) as error:
        raise Problem(
            "document-field",
            "a value that cannot be written",
            draft.flow,
            "give plain texts and whole numbers",
        ) from error
    writing.read_draft(data, "draft")
    if wrong := faults(draft):
        raise Problems(wrong)


def _claim(shelf: Shelf, draft: Draft) -> None:
    key, data = places.claim_of(draft.set_id), writing.draft_bytes(draft)
    if not shelf.create(key, data) and shelf.read(key) != data:
        fix = "give each set an id of its own; to go on with an interrupted set, give its draft as it was"
        raise Problem("set-exists", "another set has this id", key, fix)


def _part(
    shelf: Shelf, draft: Draft, number: int, source: Source, digester: Digester
) -> tuple[Part, Buckets | None]:
    place, mark = places.part_of(draft.set_id, number, source.name), places.mark_of(draft.set_id, number)
    if (standing := shelf.read(mark)) is not None:
        part, held = writing.read_mark(standing, mark)
        if part.name == source.name and shelf.size(place) == part.bytes:
            return part, held
    reading = Reading(source, digester)
    if isinstance(source, Raw) and draft.key and source.batches is None:
        fix = "give the rows as Arrow beside the bytes, or publish the set without a key"
        raise Problem("part-unreadable", "a set with a key needs the rows of every part", source.name, fix)
    shelf.put(place, reading.chunks())
    found = reading.figures
    if isinstance(source, Raw) and found.rows != source.rows:
        what = f"said to hold {source.rows:,} rows, and holds {found.rows:,}"
        raise Problem("part-rows", what, source.name, "count the rows again")
    sums = tuple(sorted(found.sums.items()))
    part = Part(number, 0, source.name, reading.form, found.rows, reading.size, sums, reading.sha256)
    held = found.buckets if draft.key else None
    shelf.put(mark, writing.mark_bytes(part, held))
    return part, held


def _manifest(draft: Draft, made: list[tuple[Part, Buckets | None]], signer: Signer | None) -> Manifest:
    parts = tuple(replace(part, of=len(made)) for part, _ in made)
    held = buckets.added(one for _, one in made if one is not None) if draft.key else None
    said = {one.name: getattr(draft, one.name) for one in fields(Draft)}
    return writing.signed(Manifest(**said, parts=parts, buckets=held), signer)


def _gone(shelf: Shelf, manifest: Manifest) -> Iterator[Problem]:
    """Parts that somebody took away while the others were written."""
    there = shelf.sizes(places.parts_of(manifest.set_id))
    for part in manifest.parts:
        if there.get(places.place_of(manifest, part)) != part.bytes:
            fix = "publish again, and discard no set that is being written"
            yield Problem("part-missing", "the part was taken away before the set was whole", part.name, fix)


def _again(shelf: Shelf, draft: Draft, standing: bytes) -> Manifest:
    """The set that is there, where it is the one that was to be published; otherwise what was written for it is taken away."""
    place = places.manifest_of(draft)
    manifest = writing.read_manifest(standing, place)
    if writing.draft_bytes(manifest) == writing.draft_bytes(draft):
        return manifest
    if shelf.read(places.claim_of(draft.set_id)) == writing.draft_bytes(draft):
        _remove(shelf, draft.set_id)
    what = f"the flow has a set {draft.epoch}-{draft.sequence} already"
    raise Problem(
        "set-exists", what, place, "look at that set; publish under the next position, with an id of its own"
    )


def discard(shelf: Shelf, draft: Draft) -> None:
    """Take away what an interrupted publisher left of a set. Nobody may be writing it any more.

    Raises:
        Problem: `set-exists` where the set is published: a set that exists is never taken away here.
    """
    standing = shelf.read(places.manifest_of(draft))
    if (
        standing is not None
        and writing.read_manifest(standing, places.manifest_of(draft)).set_id == draft.set_id
    ):
        fix = "leave it; a wrong set is followed by a right one"
        raise Problem("set-exists", "the set is published", places.manifest_of(draft), fix)
    _remove(shelf, draft.set_id)


def _remove(shelf: Shelf, set_id: str) -> None:
    """The claim goes last: what is left after an interruption can still be found and taken away."""
    claim = places.claim_of(set_id)
    shelf.clear(places.parts_of(set_id), {claim})
    shelf.clear(places.parts_of(set_id))
