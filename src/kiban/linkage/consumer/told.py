"""What a replica tells of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Effect:
    """A message that took effect here for the first time, and after which something may be done in the world: print, notify.

    Attributes:
        number: grows; an effect keeps its number.
        message: `Message.id`.
        unit: whose rows it changed.
        event: its event.
    """

    number: int
    message: str
    unit: str
    event: int


@dataclass(frozen=True)
class Waiting:
    """A unit that waits.

    Attributes:
        unit: whose rows.
        message: `Message.id` of the first message that waits.
        event: its event.
        missing: event of the message that has to come before it; None where it is quarantined.
        reason: codes of what is wrong with it; None where it is only held.
        since: when it came, ISO 8601 in UTC.
        behind: how many more wait behind it.
    """

    unit: str
    message: str
    event: int
    missing: int | None
    reason: str | None
    since: str
    behind: int


@dataclass(frozen=True)
class Tally:
    """What a replica took of one stretch of its ledger: the body of a receipt.

    Attributes:
        replica: the name that the replica gave itself when it was made, 32 hex digits.
        first: number of the first line of the ledger.
        last: number of the last one.
        applied: how many messages were applied.
        late: how many were noted only.
        content: sum of the contents of both, but replays, modulo 2**128: the same as that of what was sent.
        counted: how many entered that sum.
        event: the largest event among them.
    """

    replica: str
    first: int
    last: int
    applied: int
    late: int
    content: int
    counted: int
    event: int


def tallied(replica: str, lines: Sequence[tuple[Any, ...]]) -> Tally | None:
    """What lines of a ledger (seq, applied, replay, content, event) say together; None where there is none."""
    if not lines:
        return None
    counted = [int.from_bytes(content) for _, _, replay, content, _ in lines if not replay]
    applied = sum(line[1] for line in lines)
    return Tally(
        replica, lines[0][0], lines[-1][0], applied, len(lines) - applied, sum(counted) % 2**128,
        len(counted), max(line[4] for line in lines),
    )  # fmt: skip
