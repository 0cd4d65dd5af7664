"""What lets a flow go on, and what holds it."""

from __future__ import annotations

from kiban.linkage.events import places
from kiban.store import Books


def floor(books: Books, flow: str, event: int, epoch: int) -> bool:
    """Note that a full set was published; a flow that was held for one goes on behind it.

    Args:
        books: of the linkage.
        flow: `Contract.flow`.
        event: the set is as known after it.
        epoch: that it opens.

    Returns:
        Whether it counts: False where a newer one was noted, or one is needed that is newer.
    """
    with books.transaction() as page:
        return places.settle(page, flow, event, epoch)


def pause(books: Books, flow: str, paused: bool = True) -> None:
    """Hold a flow, or let it go on.

    Raises:
        Problem: `flow-unknown`.
    """
    with books.transaction() as page:
        places.pause(page, flow, paused)
