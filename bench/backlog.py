"""A consumer that was away for long: a large backlog waits in the outbox and is caught up, in bounded memory."""

from __future__ import annotations

import os
import time

from bench import city, events, flows, measure
from kiban import linkage, main
from kiban.kernel import AsOf, Period
from kiban.linkage.broker import Broker
from kiban.store import Change, Store

_CHANGES = int(os.environ.get("CHANGES", "500000"))
_TOGETHER = 10  # persons that one event changes, as where a family moves with others; single events take longer to record


def run(residents: int) -> None:
    """CHANGES messages (default 500,000; 72 hours at 200,000 an hour would be 14.4 million) to one consumer that was away."""
    given = city.given(residents)
    with city.loaded(residents) as opened:
        known = flows.contracts(opened.library, 1)
        flows.prepare(given, opened, known)
        try:
            main.broker(given, known)
            begin = time.monotonic()
            total = _recorded(opened)
            measure.result("changes recorded", total / (time.monotonic() - begin), "a second")
            _caught_up(residents, opened, total)
        finally:
            Broker(given.home).destroy()


def _recorded(opened: Store) -> int:
    """Change many persons in each event; how many changes."""
    people = events.people(opened, 20_000)
    groups = [people[first : first + _TOGETHER] for first in range(0, len(people), _TOGETHER)]
    done = number = 0
    while done < _CHANGES:
        group = groups[number % len(groups)]
        with opened.session(city.HALL) as session:
            rows = session.read(city.PEOPLE, AsOf(city.DAY), atenabango=group)
            changes = [
                Change(city.PEOPLE, flows.changed(row, flows.mark(number)), Period(city.DAY)) for row in rows
            ]
            session.record("住所更正", group[0], changes, valid=city.DAY)
        done, number = done + len(changes), number + 1
    return done


def _caught_up(residents: int, opened: Store, total: int) -> None:
    given = city.given(residents)
    stop, counter = flows.SPAWN.Event(), flows.SPAWN.Value("q", 0)
    server = main.cluster(given).status().pid or 0
    publisher = flows.SPAWN.Process(target=flows.publish, args=(residents, 1, stop))
    consumer = flows.SPAWN.Process(
        target=flows.apply, args=(residents, 1, [0], stop, counter, given.home / "ages")
    )
    with measure.watched() as ours, measure.watched(server) as all_:
        for each in (publisher, consumer):
            each.start()
        try:
            events.wait(counter, total)
            _equal(opened)
        finally:
            stop.set()
            for each in (publisher, consumer):
                each.join()
    measure.result(f"{total:,} waiting changes caught up", all_.seconds, "s")
    measure.result("caught up", total / all_.seconds, "messages/s")
    measure.result("publisher, consumer and bench together, memory", ours.peak_mib, "MiB", at_most=1024)
    measure.result("with the database, memory", all_.peak_mib, "MiB", at_most=4096)


def _equal(opened: Store) -> None:
    """Wait until the consumer has answered for all of it, each once."""
    deadline = time.monotonic() + 120
    with linkage.open_linkage(opened) as books:
        while True:
            (found,) = linkage.events.status(opened, books, "bench-00.v1")
            if found.equal and not found.due:
                return
            assert time.monotonic() < deadline, f"not everything was answered for: lag {found.lag:,}"
            time.sleep(0.2)
