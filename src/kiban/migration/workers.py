"""Work on many files, two at a time: one process for each core, results in the order in which they come."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

WORKERS = 2
_MANY = 1 << 26  # bytes; a worker takes longer to start than fewer bytes take

Result = TypeVar("Result")


def each(work: Callable[..., Result], tasks: Sequence[tuple[Any, ...]], size: int) -> Iterator[Result]:
    """Call a function of a module with each task's arguments; what one of them raises ends everything.

    Args:
        work: what to call.
        tasks: arguments, the longest work first.
        size: bytes of all of it; little of it is done here, without another process.
    """
    if size < _MANY or len(tasks) < WORKERS:
        for task in tasks:
            yield work(*task)
        return
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(work, *task) for task in tasks]):
            yield done.result()
