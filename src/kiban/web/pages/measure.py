"""How often something may happen in a while; each process counts by itself, in memory, and forgets what is past."""

from __future__ import annotations

from datetime import datetime
from threading import Lock

_LOCK = Lock()
_HELD: dict[str, tuple[int, int]] = {}
_MOST = 10_000


def over(what: str, most: int, seconds: int, now: datetime) -> bool:
    """Count one more; whether it is too many.

    Args:
        what: what is counted, by whom.
        most: how often it may happen.
        seconds: within which; whiles begin at whole multiples of it.
        now: with its time zone.
    """
    current = int(now.timestamp()) // seconds
    with _LOCK:
        if len(_HELD) >= _MOST:
            _HELD.clear()  # once in a blue moon somebody may do a little more
        began, count = _HELD.get(what, (current, 0))
        count = count + 1 if began == current else 1
        _HELD[what] = (current, count)
    return count > most
