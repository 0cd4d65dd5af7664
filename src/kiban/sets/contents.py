"""What lies on a shelf: sets, sets that nobody finished, and what is no set. By names and sizes; bytes are not read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from kiban.kernel import Problem, Problems
from kiban.sets import places, writing
from kiban.sets.manifest import Draft, Manifest, Position
from kiban.sets.shelf import Shelf


@dataclass(frozen=True)
class Contents:
    """What was found.

    Attributes:
        sets: manifests in the order of flow, epoch and sequence.
        unfinished: drafts of sets that are begun and not published.
        lacking: by set id, the names of the parts that are not there in their size; only sets that lack one.
        problems: of what cannot be read or lies in a wrong place: `manifest-…`, `claim-…`, `document-field`, `set-place`.
    """

    sets: tuple[Manifest, ...]
    unfinished: tuple[Draft, ...]
    lacking: dict[str, tuple[str, ...]]
    problems: tuple[Problem, ...]


def contents(shelf: Shelf, flow: str | None = None) -> Contents:
    """Look at a shelf.

    Args:
        shelf: which one.
        flow: only this one; None for all.

    Raises:
        Problem: `shelf-unreadable`.
    """
    problems: list[Problem] = []
    sets: list[Manifest] = []
    for key in shelf.sizes(places.manifests_of(flow)):
        if (manifest := _manifest(shelf, key, problems)) is not None:
            sets.append(manifest)
    sizes = shelf.sizes("parts")
    published = {manifest.set_id for manifest in sets}
    claims = (key for key in sizes if key.endswith("/claim.json") and key.split("/")[1] not in published)
    drafts = [draft for key in claims if (draft := _draft(shelf, key, problems)) is not None]
    lacking = {
        manifest.set_id: gone
        for manifest in sets
        if (
            gone := tuple(
                p.name for p in manifest.parts if sizes.get(places.place_of(manifest, p)) != p.bytes
            )
        )
    }
    unfinished = [draft for draft in drafts if flow in (None, draft.flow)]
    sets.sort(key=lambda manifest: (manifest.flow, manifest.position))
    unfinished.sort(key=lambda draft: (draft.flow, draft.position, draft.set_id))
    return Contents(tuple(sets), tuple(unfinished), lacking, tuple(problems))


def find(shelf: Shelf, flow: str, epoch: int, sequence: int) -> Manifest:
    """One set by its position.

    Raises:
        Problem: `set-missing`; `set-place`; those of `writing.read_manifest`.
        Problems: `document-field`.
    """
    key = places.manifest_at(flow, epoch, sequence)
    data = shelf.read(key)
    if data is None:
        raise Problem(
            "set-missing",
            "there is no such set",
            f"{shelf.place}/{key}",
            "kiban sets list shows those there are",
        )
    manifest = writing.read_manifest(data, key)
    if places.manifest_of(manifest) != key:
        raise _misplaced(key)
    return manifest


def published(shelf: Shelf, set_id: str) -> Manifest:
    """One set by its id.

    Raises:
        Problem: `set-missing`; `set-place`; those of `writing.read_manifest`.
        Problems: `document-field`.
    """
    key = places.claim_of(set_id)
    data = shelf.read(key)
    if data is not None:
        draft = writing.read_draft(data, key)
        manifest = find(shelf, draft.flow, draft.epoch, draft.sequence)
        if manifest.set_id == set_id:
            return manifest
    fix = "kiban sets list shows those there are"
    raise Problem("set-missing", "no set of this id is published", f"{shelf.place}: {set_id}", fix)


def published_at(shelf: Shelf, manifest: Manifest) -> datetime | None:
    """When a set began to exist, by the clock of the shelf; None where it does not.

    Raises:
        Problem: `shelf-unreadable`.
    """
    return shelf.written_at(places.manifest_of(manifest))


def positions(shelf: Shelf, flow: str) -> list[Position]:
    """Epoch and sequence of each set of a flow, in order, by the names of their manifests alone.

    Raises:
        Problem: `shelf-unreadable`.
    """
    names = (key.rpartition("/")[2] for key in shelf.sizes(places.manifests_of(flow)))
    found = (re.fullmatch(r"(\d{10})-(\d{10})\.json", name, re.ASCII) for name in names)
    return [(int(name[1]), int(name[2])) for name in found if name]


def _manifest(shelf: Shelf, key: str, problems: list[Problem]) -> Manifest | None:
    try:
        manifest = writing.read_manifest(shelf.read(key) or b"", key)
    except Problem as problem:
        problems.append(problem)
    except Problems as several:
        problems += several.problems
    else:
        if places.manifest_of(manifest) == key:
            return manifest
        problems.append(_misplaced(key))
    return None


def _draft(shelf: Shelf, key: str, problems: list[Problem]) -> Draft | None:
    data = shelf.read(key)
    if data is None:  # taken away while we looked
        return None
    try:
        return writing.read_draft(data, key)
    except Problem as problem:
        problems.append(problem)
    except Problems as several:
        problems += several.problems
    return None


def _misplaced(key: str) -> Problem:
    fix = "remove the copy; publish sets, never copy their manifests"
    return Problem("set-place", "the manifest is of another flow, epoch or sequence", key, fix)
