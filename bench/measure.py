"""Time, latencies and peak memory, and the list of what a run found. Memory is read from /proc: Linux only.

A bench is a module of this folder with `def run(residents: int) -> None`. It calls `result` for each figure it
finds, with the goal where there is one:

    with measure.watched(server_pid) as work:
        load(...)
    measure.result("load the resident register", residents / work.seconds, "rows/s", at_least=50_000)
    measure.result("load, memory", work.peak_mib, "MiB", at_most=4096)
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_EVERY = 0.2  # seconds between two looks at the memory, 2 ms of work each: a shorter peak is missed


@dataclass(frozen=True)
class Result:
    """One figure.

    Attributes:
        work: what was done, in a few words.
        value: what was measured.
        unit: of the value and of the goal.
        at_least: the goal where more is better; None where there is none.
        at_most: the goal where less is better; None where there is none.
    """

    work: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def goal(self) -> str:
        """The goal with its sign; empty where there is none."""
        if self.at_least is not None:
            return f"≥ {shown(self.at_least)}"
        return f"≤ {shown(self.at_most)}" if self.at_most is not None else ""

    @property
    def met(self) -> bool:
        """Whether the value reaches the goal; True where there is none."""
        least = -math.inf if self.at_least is None else self.at_least
        most = math.inf if self.at_most is None else self.at_most
        return least <= self.value <= most


results: list[Result] = []
"""What the benches of this run found, in their order."""


def result(
    work: str, value: float, unit: str, *, at_least: float | None = None, at_most: float | None = None
) -> None:
    """Note one figure and print it at once."""
    found = Result(work, value, unit, at_least, at_most)
    results.append(found)
    print(f"  {work}: {shown(value)} {unit}{f' (goal {found.goal})' * bool(found.goal)}", flush=True)


def shown(value: float) -> str:
    """A figure with three digits that count.

    >>> shown(1234567.8), shown(12.345), shown(0.01234)
    ('1,234,568', '12.3', '0.0123')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


@dataclass
class Work:
    """A piece of work that is being watched; complete when it is over.

    Attributes:
        seconds: how long it took.
        peak_mib: the most memory that this process, those below it and the servers held together.
    """

    seconds: float = 0.0
    peak_mib: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)


@contextmanager
def watched(*servers: int, own: bool = True) -> Iterator[Work]:
    """Watch the time and the memory of the work inside the `with` block.

    Args:
        servers: processes to count with all below them, such as `Cluster.status().pid` of PostgreSQL.
        own: whether to count this process with all below it.
    """
    work = Work()
    roots = (*((_own_pid(),) if own else ()), *servers)

    def look() -> None:
        work.peak_mib = max(work.peak_mib, sum(_tree_kib(root) for root in roots) / 1024)

    def keep_looking() -> None:
        while not work._stop.wait(_EVERY):
            look()

    watcher = threading.Thread(target=keep_looking, daemon=True)
    look()
    watcher.start()
    start = time.perf_counter()
    try:
        yield work
    finally:
        work.seconds = time.perf_counter() - start
        work._stop.set()
        watcher.join()
        look()


@dataclass(frozen=True)
class Latencies:
    """How long single calls took, in milliseconds, and how many a second were done.

    Attributes:
        calls: how many were timed.
        p50: half of them took at most this long.
        p95: 95 of 100 took at most this long.
        p99: 99 of 100 took at most this long.
        worst: the longest.
        per_second: calls of all clients together.
    """

    calls: int
    p50: float
    p95: float
    p99: float
    worst: float
    per_second: float


def latencies(
    call: Callable[[int, int], object], each: int, clients: int = 1, warm_up: int = 10
) -> Latencies:
    """Time a call that many clients make at once, each in a thread of its own.

    Args:
        call: gets the number of the client and of its call, both from 0. What it raises ends the measurement.
        each: timed calls of a client.
        clients: how many threads.
        warm_up: calls of a client before the timed ones; they get negative numbers.
    """
    ready = threading.Barrier(clients)

    def client(number: int) -> tuple[float, float, list[float]]:
        try:
            for n in range(-warm_up, 0):
                call(number, n)
        except BaseException:
            ready.abort()
            raise
        ready.wait()
        taken: list[float] = []
        begin = before = time.perf_counter()
        for n in range(each):
            call(number, n)
            now = time.perf_counter()
            taken.append((now - before) * 1000)
            before = now
        return begin, before, taken

    with ThreadPoolExecutor(clients) as pool:
        futures = [pool.submit(client, number) for number in range(clients)]
        failures = [error for future in futures if (error := future.exception()) is not None]
        real = [error for error in failures if not isinstance(error, threading.BrokenBarrierError)]
        if failures:
            raise (real or failures)[0]
        done = [future.result() for future in futures]
    times = [taken for *_, client_times in done for taken in client_times]
    span = max(end for _, end, _ in done) - min(begin for begin, *_ in done)
    return Latencies(
        len(times),
        percentile(times, 50),
        percentile(times, 95),
        percentile(times, 99),
        max(times),
        len(times) / span,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent of the values do not exceed (nearest rank).

    >>> percentile([4, 1, 3, 2], 50), percentile([4, 1, 3, 2], 95)
    (2, 4)
    """
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def postmaster(backend: int) -> int:
    """The server process of a backend, whose number `pg_backend_pid()` tells; for a server on this machine."""
    return _status(backend)["PPid"]


def _own_pid() -> int:
    return int(Path("/proc/self").readlink().name)


def _tree_kib(root: int) -> int:
    """Memory of a process and all below it, in KiB.

    What PostgreSQL's processes share is counted once: the largest share that one of them has touched.
    """
    kib, shared, ahead = 0, 0, [root]
    while ahead:
        pid = ahead.pop()
        try:
            status = _status(pid)
            for task in Path(f"/proc/{pid}/task").iterdir():
                ahead += [int(child) for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        kib += status.get("RssAnon", 0) + status.get("RssFile", 0)
        shared = max(shared, status.get("RssShmem", 0))
    return kib + shared


def _status(pid: int) -> dict[str, int]:
    """The numbers of /proc/<pid>/status; sizes are in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = (line.partition(":") for line in lines)
    return {
        name: int(value.split()[0])
        for name, _, value in pairs
        if value.split()[:1] and value.split()[0].isdigit()
    }
