"""What lets a flow go on, and what holds it."""

from __future__ import annotations

from kiban import store
from kiban.kernel import Problem
from kiban.linkage.contracts.model import Contract
from kiban.linkage.events import places
from kiban.store import Books, Store

EMPTY = 0
"""The epoch of a copy that began empty; that of the first full set is 1."""


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


def begin(opened: Store, books: Books, contract: Contract) -> int:
    """Begin a flow that carries events and no files with an empty copy: what does not change from now on is never told of.

    Args:
        opened: the registers.
        books: of the linkage.
        contract: of the flow.

    Returns:
        The event behind which it begins: the floor of its consumer's copy.

    Raises:
        Problem: `flow-has-files` where it begins with a full set, `flow-begun` where it began before.
    """
    if "file" in contract.ways:
        fix = "publish a full set: kiban link files publish"
        raise Problem("flow-has-files", "the flow begins with its full set", contract.flow, fix)
    event, _ = store.last_event(opened)
    with books.transaction() as page:
        places.places(page, [contract.flow], event)
        places.hold(page, [contract.flow])
        (row,) = page.rows("SELECT epoch FROM event_flow WHERE flow = %s", (contract.flow,))
        if row["epoch"] is not None:
            fix = "see `kiban link status`; a copy that was lost is made whole by kiban link reconcile and repair"
            raise Problem("flow-begun", "the flow has begun before", contract.flow, fix)
        places.settle(page, contract.flow, event, EMPTY)
    return event


def pause(books: Books, flow: str, paused: bool = True) -> None:
    """Hold a flow, or let it go on.

    Raises:
        Problem: `flow-unknown`.
    """
    with books.transaction() as page:
        places.pause(page, flow, paused)
