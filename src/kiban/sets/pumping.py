"""Pieces are made in the caller's thread and stored in another.

The store takes pieces while its own threads run, and stops a process that asks it for anything else meanwhile; but whoever
makes the pieces may read them from a shelf. So they meet at a queue.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Full, Queue

_WAITING = 4  # pieces
_PATIENCE = 0.05  # seconds until it is looked again whether the store still takes pieces


class _CutError(Exception):
    """The pieces ended before the object was whole."""


def put_all(put: Callable[[bytes | Iterator[bytes]], None], pieces: Iterable[bytes], small: int) -> None:
    """Have pieces stored as one object: at once where they are few, one after the other where they are many.

    Args:
        put: stores an object, and leaves nothing of it where its pieces raise.
        pieces: may use the store themselves.
        small: bytes up to which an object is stored at once.

    Raises:
        Exception: what the pieces or the store raise.
    """
    ahead = iter(pieces)
    first: list[bytes] = []
    size = 0
    while size <= small:
        piece = next(ahead, None)
        if piece is None:
            put(b"".join(first))
            return
        first.append(piece)
        size += len(piece)
    queue: Queue[bytes | BaseException | None] = Queue(_WAITING)
    with ThreadPoolExecutor(1) as worker:
        task = worker.submit(put, _taken(queue))
        try:
            for piece in itertools.chain(first, ahead):
                _give(queue, piece, task)
        except BaseException:
            _give(queue, _CutError(), task)
            task.exception()
            raise
        _give(queue, None, task)
        task.result()


def _give(
    queue: Queue[bytes | BaseException | None], piece: bytes | BaseException | None, task: Future[None]
) -> None:
    """Wait for room in the queue, but not for a store that has given up."""
    while True:
        try:
            queue.put(piece, timeout=_PATIENCE)
        except Full:
            if task.done():
                if not isinstance(piece, BaseException):
                    task.result()
                return
        else:
            return


def _taken(queue: Queue[bytes | BaseException | None]) -> Iterator[bytes]:
    while (piece := queue.get()) is not None:
        if isinstance(piece, BaseException):
            raise piece
        yield piece
