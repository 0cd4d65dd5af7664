"""Flows to many subscribers, and the processes that publish and apply them, for the benches of events."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import city
from kiban import linkage, main, standard, store
from kiban.linkage import Contract, Contracts, Message, Replica
from kiban.linkage.broker import Broker, names
from kiban.settings import Settings

KEY = "bench"
"""The trusted key of these contracts; they are made here and signed by nobody else."""

_ITEMS = 40  # of the resident register in each message
SPAWN = multiprocessing.get_context("spawn")


def contracts(library: standard.Library, count: int) -> Contracts:
    """Contracts of so many subscribers over the resident register."""
    edition = library.edition("resident")
    group = edition.group("jumin")
    items = (*group.items[: _ITEMS - 1], group.item("jusho_banchigohyoki"))
    feed = linkage.Feed(edition, group, items, group.item("atenabango"))
    made = [
        Contract(
            f"bench-{n:02}", "計測", (1, 0, 0), "active", linkage.System("001", "住民記録", True, "resident"),
            linkage.System(f"B{n:02}", "受け手", False), "例（公式ではない）", "計測", (feed,), frozenset({"event"}),
            None, (linkage.Due("event", None, None, None, timedelta(minutes=1)),), linkage.Receiver(), {},
            linkage.Protection(True), None, "計測", date(2020, 1, 1), None, f"{n:064x}", frozenset({KEY}),
        )
        for n in range(count)
    ]  # fmt: skip
    return Contracts(tuple(made))


def prepare(given: Settings, opened: store.Store, known: Contracts) -> None:
    """A new broker, new replicas as after a full set, and flows that begin at the last event."""
    Broker(given.home).destroy()
    shutil.rmtree(given.home / "replicas", ignore_errors=True)
    with linkage.open_linkage(opened) as books:
        with books.transaction() as page:
            for table in ("event_flow", "event_carried", "event_answered", "event_waiting"):
                page.run(f"DELETE FROM {table}")
        event, _ = store.last_event(opened)
        for contract in known:
            linkage.events.floor(books, contract.flow, event, 1)
            with replica(given, contract) as made, made.replacing(event, 1):
                pass


def replica(given: Settings, contract: Contract) -> Replica:
    """The replica of a subscriber."""
    return Replica.open(given.home / "replicas" / contract.id, contract, linkage.validate)


def publish(residents: int, count: int, stop: Any) -> None:
    """A process that publishes until it is stopped."""
    given = city.given(residents)

    async def work() -> None:
        with main.open_store(given) as opened, linkage.open_linkage(opened) as books:
            known = contracts(opened.library, count)
            keys = frozenset({KEY})
            async with main.publisher(given, opened, books, known, keys, _now) as platform:
                await platform.run(await _stopped(stop))

    asyncio.run(work())


def apply(residents: int, count: int, mine: Sequence[int], stop: Any, counter: Any, out: Path | None) -> None:
    """A process that applies some of the flows; the age of each message when it was applied goes to a file, in seconds, if to any."""
    given = city.given(residents)
    known = list(contracts(main.library(given=given), count))
    ages: list[float] = []

    def aged(taken: Callable[..., Any]) -> Callable[..., Any]:
        def take(messages: Sequence[Message], now: datetime) -> Any:
            found = taken(messages, now)
            if out is not None:
                at = time.time()
                ages.extend(at - datetime.fromisoformat(each.recorded_at).timestamp() for each in messages)
            with counter.get_lock():
                counter.value += len(messages)
            return found

        return take

    async def work() -> None:
        ended = await _stopped(stop)
        runs = []
        for n in mine:
            one = replica(given, known[n])
            one.take = aged(one.take)  # type: ignore[method-assign]
            client = await Broker(given.home).address(known[n].consumer.id).connect()
            runs.append(linkage.events.Consumer(client, one, _now).run(ended))
        await asyncio.gather(*runs)

    asyncio.run(work())
    if out is not None:
        out.write_text("\n".join(f"{age:.6f}" for age in ages), encoding="utf-8")


def raw_publish(given: Settings, sent: Sequence[bytes], flows: Sequence[str], prefix: str) -> None:
    """Publish bytes to JetStream and nothing else, as the client library does it."""

    async def work() -> None:
        client = await Broker(given.home).address(names.PLATFORM).connect()
        js = client.jetstream(publish_async_max_pending=4_000)
        for n, data in enumerate(sent):
            subject = names.subject(names.CHANGE, flows[n % len(flows)])
            await js.publish_async(subject, data, headers={"Nats-Msg-Id": f"{prefix}{n}"})
        await js.publish_async_completed()
        await client.close()

    asyncio.run(work())


def raw_consume(given: Settings, systems: Sequence[tuple[str, str]], each: int, counter: Any) -> None:
    """Pull and acknowledge so many messages of each flow, and do nothing with them."""

    async def one(system: str, flow: str) -> None:
        client = await Broker(given.home).address(system).connect()
        pull = await client.jetstream().pull_subscribe_bind(names.durable(flow), names.CHANGE)
        left = each
        while left:
            try:
                messages = await pull.fetch(500, timeout=5)
            except TimeoutError:
                continue
            for message in messages:
                await message.ack()
            left -= len(messages)
            with counter.get_lock():
                counter.value += len(messages)
        await client.flush()
        await client.close()

    async def work() -> None:
        await asyncio.gather(*(one(*each) for each in systems))

    asyncio.run(work())


async def _stopped(stop: Any) -> asyncio.Event:
    """An event of this loop that is set when the process is told to stop."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait() -> None:
        stop.wait()
        loop.call_soon_threadsafe(ended.set)

    loop.run_in_executor(None, wait)
    return ended


def _now() -> datetime:
    return datetime.now(UTC)


def mark(number: int) -> str:
    """A house number that no other change has, in full-width characters as the standard wants it."""
    return f"{number}番".translate(_WIDE)


_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def changed(row: dict[str, Any], mark: str) -> dict[str, Any]:
    """A person's row with another house number, as the next row of its history."""
    kept = {
        name: value for name, value in row.items() if name not in ("valid", "known_from", "known_to", "event")
    }
    return {**kept, "rirekibango": kept["rirekibango"] + 1, "jusho_banchigohyoki": mark}


__all__ = [
    "KEY", "SPAWN", "apply", "changed", "contracts", "mark", "prepare", "publish", "raw_consume", "raw_publish", "replace", "replica",
]  # fmt: skip
