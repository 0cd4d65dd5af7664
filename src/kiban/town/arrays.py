"""Small column operations that the town needs and numpy does not name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def rank_within(group: Ints, key: NDArray[Any]) -> Ints:
    """Rank of each element within its group by ascending key, from 0; equal keys keep their order."""
    order = np.lexsort((key, group))
    ranks = np.empty(len(group), dtype=np.int64)
    ranks[order] = run_positions(group[order])
    return ranks


def run_positions(sorted_group: Ints) -> Ints:
    """Position of each element within its run of equal values, from 0; the values are sorted."""
    if not len(sorted_group):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, sorted_group[1:] != sorted_group[:-1]])
    lengths = np.diff(np.r_[starts, len(sorted_group)])
    return np.arange(len(sorted_group)) - np.repeat(starts, lengths)


def gumbel_order(weights: Floats, rng: np.random.Generator) -> Floats:
    """Keys whose ascending order is a random draw without replacement, heavier weights tending to come first.

    Weights of zero come last, in random order.
    """
    with np.errstate(divide="ignore"):
        keys = -np.log(weights) - rng.gumbel(size=len(weights))
    return np.where(weights > 0, keys, 1e9 + rng.random(len(weights)))


def spread_match(
    left_group: Ints, left_key: NDArray[Any], right_group: Ints, right_key: NDArray[Any]
) -> Ints:
    """For each right element a left element of its group at the same relative rank; -1 where the group has none.

    Both sides are ordered by their keys, so close keys meet; a left element may be met several times, or never.
    """
    groups = 1 + max(int(left_group.max(initial=-1)), int(right_group.max(initial=-1)))
    lefts = np.bincount(left_group, minlength=groups)
    rights = np.bincount(right_group, minlength=groups)
    first = np.cumsum(lefts) - lefts
    order = np.lexsort((left_key, left_group))
    rank = rank_within(right_group, right_key)
    place = rank * lefts[right_group] // np.maximum(rights[right_group], 1)
    found = np.full(len(right_group), -1, dtype=np.int64)
    some = lefts[right_group] > 0
    found[some] = order[(first[right_group] + place)[some]]
    return found


def pair_match(
    left_group: Ints,
    left_key: NDArray[Any],
    right_group: Ints,
    right_key: NDArray[Any],
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:
    """Pairs of one left and one right element of the same group, met in the order of their keys.

    Of the larger side of a group, as many as the smaller has are drawn at random. Returns both sides' indices.
    """
    groups = 1 + max(int(left_group.max(initial=-1)), int(right_group.max(initial=-1)))
    least = np.minimum(np.bincount(left_group, minlength=groups), np.bincount(right_group, minlength=groups))
    left = np.flatnonzero(rank_within(left_group, rng.random(len(left_group))) < least[left_group])
    right = np.flatnonzero(rank_within(right_group, rng.random(len(right_group))) < least[right_group])
    return (
        left[np.lexsort((left_key[left], left_group[left]))],
        right[np.lexsort((right_key[right], right_group[right]))],
    )


def last_known(values: Ints, known: Bools, group_start: Ints) -> Ints:
    """Carries the last known value forward within groups; elements before the first known one are -1.

    Args:
        values: values, read where known.
        known: which are known.
        group_start: index of the first element of each element's group; groups are contiguous.
    """
    place = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(place >= group_start, values[np.maximum(place, 0)], -1)


def drawn(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """Indices drawn by weight."""
    edges = np.cumsum(weights)
    picked: Ints = np.searchsorted(edges / edges[-1], rng.random(size), side="right").astype(np.int64)
    return np.minimum(picked, len(weights) - 1)
