"""Mends a copy that has drifted: exactly the units that differ are sent again, and equality is shown afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from kiban import store
from kiban.kernel import Problem
from kiban.linkage.consumer import Replica
from kiban.linkage.files import Source
from kiban.linkage.message import Message
from kiban.linkage.reconcile.compare import Compared, Progress, compare, quiet

Resend = Callable[[Sequence[tuple[str, int]]], None]
"""Sends everything of units again, each as known after its version, as replays; returns when they are taken."""

_UNITS = 500  # sent at a time


def repair(
    source: Source,
    replica: Replica,
    found: Compared,
    resend: Resend,
    folder: Path,
    progress: Progress = quiet,
) -> Compared:
    """Have the units that drifted sent again, and compare once more.

    Args:
        source: the registers.
        replica: of the flow.
        found: what `compare` found.
        resend: such as `into(source, replica, now)`, or a replay over the broker.
        folder: see `compare`.
        progress: told of units sent, then as `compare`.

    Returns:
        What the comparison afterwards found: it is equal.

    Raises:
        Problem: `repair-incomplete` where something still differs; its comparison tells what.
    """
    units = found.units
    for first in range(0, len(units), _UNITS):
        chunk = units[first : first + _UNITS]
        resend([(unit, replica.version(unit)) for unit in chunk])
        progress("repair", first + len(chunk), len(units))
    after = compare(source, replica, folder, progress)
    if not after.equal:
        what = f"{len(after.units):,} of {len(units):,} units still differ"
        raise Problem(
            "repair-incomplete", what, source.contract.flow, "take a full set: kiban link files take"
        )
    return after


def into(source: Source, replica: Replica, now: Callable[[], datetime]) -> Resend:
    """Sends straight into a replica at hand, by the same way as any message."""

    def resend(versions: Sequence[tuple[str, int]]) -> None:
        replica.take(messages(source, versions), now())

    return resend


def messages(source: Source, versions: Sequence[tuple[str, int]]) -> Iterator[Message]:
    """Everything of units, each as known after its version, as replays: no side effect follows.

    The version stays what it was: messages that are still on their way come with their effects.
    """
    parts = {feed.name: source.rows_at(feed, versions) for feed in source.contract.feeds}
    moments: dict[int, str] = {}
    for place, (unit, event) in enumerate(versions):
        if event not in moments:
            moments[event] = store.event_moment(source.opened, event).isoformat() if event else ""
        state, since = source.protected.states.get(unit, (source.protected.others, 0))
        yield Message(
            flow=source.contract.flow,
            contract=source.contract.digest,
            unit=unit,
            event=event,
            previous=0,
            recorded_at=moments[event],
            kind="修復",
            valid=None,
            origin=None,
            protection=state,
            protection_event=since,
            parts={name: rows[place] for name, rows in parts.items()},
            replay=True,
        )
