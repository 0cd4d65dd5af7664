"""Changes as events to twenty subscribers: how soon they are applied, and how fast it goes beside the broker alone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import city, flows, measure
from kiban import linkage, main, store
from kiban.kernel import AsOf, Period
from kiban.linkage.broker import Broker
from kiban.linkage.events import reading
from kiban.store import Change, Store

_SUBSCRIBERS = 20
_PER_HOUR = 200_000
_CLERKS = 4  # who record at once
_PROTECTED = 20  # one change of so many makes somebody protected
_SECONDS = float(os.environ.get("SECONDS", "120"))
_SATURATING = int(os.environ.get("EVENTS", "3000"))


def run(residents: int) -> None:
    """The age of changes when twenty subscribers have applied them, at 200,000 an hour; then as fast as it goes."""
    given = city.given(residents)
    with city.loaded(residents) as opened:
        known = flows.contracts(opened.library, _SUBSCRIBERS)
        living = people(opened)
        flows.prepare(given, opened, known)
        try:
            main.broker(given, known)
            _paced(residents, opened, living)
            _saturated(residents, opened, living)
        finally:
            Broker(given.home).destroy()


def _paced(residents: int, opened: Store, living: list[str]) -> None:
    with _working(residents) as (counter, ages):
        _change(opened, living[-1], "始")  # when it has come everywhere, all processes are at work
        wait(counter, _SUBSCRIBERS)
        before, _ = store.last_event(opened)
        count, seconds = _recorded(opened, living, before)
        rate = count / seconds * 3600
        wait(counter, (count + 1) * _SUBSCRIBERS)
        acknowledged = _acknowledged(opened, before)
    half = _SUBSCRIBERS // 2  # the first of each flow was that one
    found = [float(line) for file in ages for line in file.read_text(encoding="utf-8").split()[half:]]
    measure.result("changes recorded", rate, "an hour", at_least=_PER_HOUR * 0.98)
    for percent, goal in ((50, None), (95, 5.0), (99, None)):
        name = f"committed to applied at {_SUBSCRIBERS} subscribers, p{percent}"
        measure.result(name, measure.percentile(found, percent), "s", at_most=goal)
    name = f"protect-on recorded to acknowledged, {len(acknowledged):,} notices, p99"
    measure.result(name, measure.percentile(acknowledged, 99), "s", at_most=5)


def _recorded(opened: Store, living: list[str], first: int) -> tuple[int, float]:
    """Clerks record changes at the rate, each of another person, for as long as is asked: how many, and in how many seconds.

    One clerk alone waits about 18 ms for each change, most of it for the disk, and that is what 200,000 an hour leave of time.
    """
    begin = time.monotonic()
    total = int(_SECONDS * _PER_HOUR / 3600)
    numbers = iter(range(total))
    turn = threading.Lock()

    def work(_clerk: int) -> None:
        while True:
            with turn:
                count = next(numbers, None)
            if count is None:
                return
            time.sleep(max(0.0, begin + count * 3600 / _PER_HOUR - time.monotonic()))
            protect = {"shiensochifuragu": "1"} if count % _PROTECTED == 0 else {}
            _change(opened, living[(first + count) % len(living)], flows.mark(count), protect)

    with ThreadPoolExecutor(_CLERKS) as clerks:
        list(clerks.map(work, range(_CLERKS)))
    return total, time.monotonic() - begin


def _acknowledged(opened: Store, after: int) -> list[float]:
    """Seconds from the event that protects somebody until a subscriber's acknowledgement stands in the books, for each notice."""
    statement = """SELECT extract(epoch FROM acknowledged_at - decided_at)::float AS taken
        FROM protection_notice WHERE state = 'protected' AND event > %s"""
    deadline = time.monotonic() + 60
    with linkage.open_linkage(opened) as books:
        while True:
            with books.transaction() as page:
                rows = page.rows(statement, (after,))
            if rows and all(row["taken"] is not None for row in rows):
                return [row["taken"] for row in rows]
            assert time.monotonic() < deadline, "not everybody has acknowledged"
            time.sleep(0.1)


def _saturated(residents: int, opened: Store, living: list[str]) -> None:
    """Many changes wait; then publisher and subscribers start."""
    given = city.given(residents)
    for count in range(_SATURATING):
        _change(opened, living[count % len(living)], flows.mark(10**6 + count))
    total = _SATURATING * _SUBSCRIBERS
    with _working(residents) as (counter, _):
        while not counter.value:
            time.sleep(0.001)
        begin = time.perf_counter()
        wait(counter, total)
        whole = total / (time.perf_counter() - begin)
    measure.result(f"events to {_SUBSCRIBERS} subscribers at most", whole, "messages/s")
    raw = _raw(opened, given, total)
    measure.result("JetStream alone, the same messages", raw, "messages/s")
    measure.result("share of JetStream alone", whole / raw, "of it", at_least=0.25)


def _raw(opened: Store, given: Any, total: int) -> float:
    """Publish and pull messages of the same size in the same processes, without anything of Kiban; messages a second."""
    known = list(flows.contracts(main.library(given=given), _SUBSCRIBERS))
    size = _size(opened)
    counter = flows.SPAWN.Value("q", 0)
    names = [(each.consumer.id, each.flow) for each in known]
    half = len(names) // 2
    consumers = [
        flows.SPAWN.Process(target=flows.raw_consume, args=(given, part, total // len(names), counter))
        for part in (names[:half], names[half:])
    ]
    sent = [os.urandom(size // 2).hex().encode() for _ in range(1_000)]
    data = [sent[n % len(sent)] for n in range(total)]
    publisher = flows.SPAWN.Process(
        target=flows.raw_publish, args=(given, data, [flow for _, flow in names], "raw")
    )
    for each in (*consumers, publisher):
        each.start()
    while not counter.value:
        time.sleep(0.001)
    begin = time.perf_counter()
    wait(counter, total)
    taken = time.perf_counter() - begin
    for each in (*consumers, publisher):
        each.join()
    return total / taken


def _size(opened: Store) -> int:
    """The size of a message, in bytes: that of one person's."""
    known = list(flows.contracts(opened.library, 1))
    last, _ = store.last_event(opened)
    told = store.told_after(opened, last - 1, 1)
    found = reading.read(opened, known, told)
    change = found.changes[known[0].flow][0]
    return len(linkage.encode(reading.message(known[0], change, 0, ("clear", 0), found)))


@contextmanager
def _working(residents: int) -> Iterator[tuple[Any, list[Path]]]:
    """A publisher and two processes of subscribers at work."""
    given = city.given(residents)
    stop, counter = flows.SPAWN.Event(), flows.SPAWN.Value("q", 0)
    ages = [given.home / f"ages{n}" for n in (0, 1)]
    mine = [list(range(n, _SUBSCRIBERS, 2)) for n in (0, 1)]
    tasks = [flows.SPAWN.Process(target=flows.publish, args=(residents, _SUBSCRIBERS, stop))]
    tasks += [
        flows.SPAWN.Process(
            target=flows.apply, args=(residents, _SUBSCRIBERS, mine[n], stop, counter, ages[n])
        )
        for n in (0, 1)
    ]
    for each in tasks:
        each.start()
    try:
        yield counter, ages
    finally:
        stop.set()
        for each in tasks:
            each.join()
    assert all(each.exitcode == 0 for each in tasks)


def wait(counter: Any, total: int) -> None:
    """Wait until a counter has come so far; AssertionError where nothing moves for two minutes."""
    begin, last = time.monotonic(), -1
    while counter.value < total:
        if counter.value != last:
            begin, last = time.monotonic(), counter.value
        assert time.monotonic() - begin < 120, f"only {counter.value:,} of {total:,} came"
        time.sleep(0.002)


def people(opened: Store, most: int = 5_000) -> list[str]:
    """Numbers of people who live here now."""
    with opened.session(city.HALL) as session:
        rows = session.sql(
            "SELECT atenabango FROM resident.jumin WHERE closed_by IS NULL AND valid_to = 'infinity' LIMIT %s",
            [most],
        )
    return [row["atenabango"] for row in rows]


def _change(opened: Store, number: str, mark: str, items: Mapping[str, str] | None = None) -> None:
    with opened.session(city.HALL) as session:
        (row,) = session.read(city.PEOPLE, AsOf(city.DAY), atenabango=number)
        changed = Change(city.PEOPLE, {**flows.changed(row, mark), **(items or {})}, Period(city.DAY))
        session.record("住所更正", number, [changed], valid=city.DAY)
