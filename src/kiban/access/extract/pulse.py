"""The pulse of a worker: tells that a job goes on, and learns that it is to end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from kiban.kernel import Problem

Beat = Callable[[str, int], bool]
"""Tells a step and how many rows are done; False where the job is to end."""


class Ended(Exception):  # noqa: N818 - the job has ended: nothing is wrong
    """The job was cancelled, or is another worker's by now."""


class Pulse:
    """Beats in a thread of its own, so that a statement that takes long is not taken for a dead worker. Use as a context manager."""

    def __init__(self, beat: Beat, seconds: float = 2.0) -> None:
        self._beat, self._seconds = beat, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kiban-extract-pulse", daemon=True)
        self._step, self._rows = "開始", 0
        self._interrupt: Callable[[], None] | None = None
        self._turn = threading.Lock()
        self.ended = False

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def tick(self, step: str, rows: int) -> None:
        """Say how far the work is.

        Raises:
            Ended: where it is to end.
        """
        self._step, self._rows = step, rows
        if self.ended:
            raise Ended

    @contextmanager
    def watching(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """While inside, end what runs by this call, once the job is to end."""
        with self._turn:
            self._interrupt = interrupt
        try:
            yield
        finally:
            with self._turn:
                self._interrupt = None

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self.ended = self.ended or not self._beat(self._step, self._rows)
            except Problem:
                continue  # the books are out of reach for now; whether the job is still ours is asked at its end
            with self._turn:
                if self.ended and self._interrupt is not None:
                    self._interrupt()
