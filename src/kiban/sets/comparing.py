"""Compares two sets: by their manifests alone, and by their rows where those differ."""

from __future__ import annotations

from pathlib import Path

from kiban.kernel import Problem
from kiban.sets import buckets
from kiban.sets.compare import DIFFERENCES, Comparison, compare
from kiban.sets.fetching import relation
from kiban.sets.manifest import Manifest
from kiban.sets.publish import Progress, quiet
from kiban.sets.shelf import Shelf


def differing_buckets(left: Manifest, right: Manifest) -> tuple[int, ...]:
    """The buckets in which two sets differ, by their manifests alone; none where they hold the same rows.

    Raises:
        Problem: `sets-incomparable` where they have no digests, or not of the same key and columns.
    """
    if (
        left.buckets is None
        or right.buckets is None
        or (left.key, left.columns) != (right.key, right.columns)
    ):
        fix = "publish both with one key and the same columns in one order"
        raise Problem(
            "sets-incomparable", "the digests of the two sets are not of the same kind", left.flow, fix
        )
    return buckets.differing(left.buckets, right.buckets)


def compare_sets(
    left: tuple[Shelf, Manifest],
    right: tuple[Shelf, Manifest],
    *,
    folder: Path,
    most: int = 100_000,
    progress: Progress = quiet,
) -> Comparison:
    """Compare the rows of two sets. Where their manifests agree, no row is read; `verify` says whether a manifest is true.

    Args:
        left: the set that is right by agreement, and its shelf.
        right: the other one.
        folder: for what does not fit into memory, and for parts of a shelf that is no folder; must exist.
        most: how many differences are listed; all are counted.
        progress: told about each step.

    Raises:
        Problem: `sets-incomparable`, `set-form`, `part-missing`, `part-changed`, `compare-unreadable`.
    """
    (_, one), (_, other) = left, right
    if not differing_buckets(one, other):
        digests = (buckets.digest_of(one.buckets or ()), buckets.digest_of(other.buckets or ()))
        return Comparison(one.rows, other.rows, 0, 0, 0, 0, 0, DIFFERENCES.empty_table(), digests)
    a, b = (relation(shelf, manifest, folder=folder) for shelf, manifest in (left, right))
    return compare(a, b, one.key_columns, one.columns, folder=folder, most=most, progress=progress)
