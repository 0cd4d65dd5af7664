"""A consumer that was away for long: a large backlog waits in the outbox and is caught up, in bounded memory."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from bench import city, events, flows, measure
from kiban import linkage, main, store
from kiban.kernel import AsOf
from kiban.linkage.broker import Broker
from kiban.store import Store

_CHANGES = int(os.environ.get("CHANGES", "500000"))
_TOGETHER = 500  # events in one transaction: single ones take longer to record
_CLOSED = ("atenabango", "valid_from", "valid_to")


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
    """Change persons one after another, each by an event of its own, many of them in one transaction; how many."""
    people = events.people(opened)
    with opened.session(city.HALL) as session:
        known = [row for n in people for row in session.read(city.PEOPLE, AsOf(city.DAY), atenabango=n)]
    schema, last = store.arrow_schema(opened.table(city.PEOPLE).group), store.last_event(opened)[0]
    done = 0
    with store.amending(opened, [city.PEOPLE], city.HALL, last) as work:
        while done < _CHANGES:
            for first in range(0, len(known), _TOGETHER):
                rows = known[first : first + _TOGETHER]
                new = [{**row, **flows.changed(row, flows.mark(done + n))} for n, row in enumerate(rows)]
                amendment = store.Amendment(
                    city.PEOPLE, _told(new, schema.names, schema), _told(rows, _CLOSED, schema)
                )
                work.record("住所更正", [row["atenabango"] for row in rows], [amendment], valid=city.DAY)
                known[first : first + _TOGETHER] = new
                done += len(rows)
    return done


def _told(rows: Sequence[Mapping[str, Any]], names: Sequence[str], schema: pa.Schema) -> pa.Table:
    """Rows as `store.Amendment` takes them, each of an event of its own."""
    fields = [pa.field("#event", pa.int64()), *(schema.field(name).with_nullable(True) for name in names)]
    made = [
        {**row, "valid_from": row["valid"].start, "valid_to": row["valid"].end, "#event": n}
        for n, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(made, schema=pa.schema(fields))


def _caught_up(residents: int, opened: Store, total: int) -> None:
    given = city.given(residents)
    stop, counter = flows.SPAWN.Event(), flows.SPAWN.Value("q", 0)
    server = main.cluster(given).status().pid or 0
    publisher = flows.SPAWN.Process(target=flows.publish, args=(residents, 1, stop))
    consumer = flows.SPAWN.Process(target=flows.apply, args=(residents, 1, [0], stop, counter, None))
    for each in (publisher, consumer):
        each.start()
    with (
        measure.watched(publisher.pid or 0, own=False) as sending,
        measure.watched(consumer.pid or 0, own=False) as taking,
        measure.watched(Broker(given.home).status().pid or 0, own=False) as between,
        measure.watched(server, own=False) as database,
    ):
        try:
            events.wait(counter, total)
            _equal(opened)
        finally:
            stop.set()
            for each in (publisher, consumer):
                each.join()
    measure.result(f"{total:,} waiting changes caught up", sending.seconds, "s")
    measure.result("caught up", total / sending.seconds, "messages/s")
    parts = {"publisher": sending, "consumer": taking, "broker": between, "database": database}
    for name, each in parts.items():
        measure.result(
            f"{name}, memory with the libraries and files it has mapped", each.peak_mib, "MiB", at_most=1024
        )


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
