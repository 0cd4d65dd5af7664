"""When a replica last heard how protection stands, and for how long it may go by that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kiban.linkage.consumer.place import Place
from kiban.linkage.message import CLEAR, UNKNOWN

_NOTHING = timedelta(0)


@dataclass(frozen=True)
class Heard:
    """What was last heard of the platform.

    Attributes:
        event: up to which protection was told.
        at: when that was said, by the platform's clock.
        here: when it came, by the clock of the replica.
    """

    event: int
    at: datetime
    here: datetime

    def counts(self, now: datetime, patience: timedelta) -> bool:
        """Whether it still says how protection stands.

        Both clocks are held against the moment, so what lay long on its way says nothing. A moment before it came means
        that the clock went back, and then nobody knows how long ago that was.
        """
        return _NOTHING <= now - self.here <= patience and now - self.at <= patience


def heard(place: Place) -> Heard | None:
    """What was last heard; None where nothing."""
    told = [place.state(name) for name in ("heard_event", "heard_at", "heard_here")]
    if None in told:
        return None
    event, *moments = told
    return Heard(int(event), *(datetime.fromisoformat(each) for each in moments))


def hear(place: Place, new: Heard) -> bool:
    """Note what was heard, where it is no older than what is known. False where it is.

    What is known from a moment that is still to come was said by a clock that has been set right since: it gives way.
    """
    with place.writing():
        known = heard(place)
        if known is not None and new.at < known.at <= new.here:
            return False
        place.set(heard_event=new.event, heard_at=new.at.isoformat(), heard_here=new.here.isoformat())
        return True


def faded(held: tuple[str, int], known: Heard | None, now: datetime, patience: timedelta) -> tuple[str, int]:
    """The state that counts: clear is nobody of whom nothing was heard in time."""
    state, event = held
    stands = state != CLEAR or (known is not None and known.counts(now, patience))
    return held if stands else (UNKNOWN, event)
