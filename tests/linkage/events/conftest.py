"""A city, its books, a broker, and a publisher over them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.linkage.flows import contract
from tests.store.conftest import city, city_template, library

from kiban import linkage, standard, store
from kiban.linkage import Contract
from kiban.linkage.broker import Broker, names, settle
from kiban.linkage.consumer import Replica
from kiban.linkage.events import Consumer, Desk, Platform, Publisher, Puller, Replayer, Sender, floor
from kiban.store import Books, Store

__all__ = ["city", "city_template", "library"]

NOW = datetime(2026, 10, 1, 3, tzinfo=UTC)


@pytest.fixture(scope="session")
def tax(library: standard.Library) -> Contract:
    return contract(library)


@pytest.fixture(scope="session")
def card(library: standard.Library) -> Contract:
    """A flow to another system, over the same groups."""
    return contract(library, "card", consumer=linkage.System("L01", "試験図書館", False))


@pytest.fixture(scope="session")
def broker(
    homes: Callable[[], AbstractContextManager[Path]], tax: Contract, card: Contract
) -> Iterator[Broker]:
    """One server for the session; each test has streams of its own."""
    with homes() as home:
        made = Broker(home)
        made.up([tax, card])
        yield made
        made.destroy()


@pytest.fixture
def books(city: Store) -> Iterator[Books]:
    with linkage.open_linkage(city) as opened:
        yield opened


@dataclass
class Line:
    """Everything from the outbox to the replicas, in one process."""

    city: Store
    books: Books
    broker: Broker
    folder: Path
    contracts: list[Contract]
    stack: AsyncExitStack
    options: dict[str, Any] = field(default_factory=dict)
    replicas: dict[str, Replica] = field(default_factory=dict)
    platform: Platform = field(init=False)

    async def begin(self) -> None:
        client = await self.broker.address(names.PLATFORM).connect()
        self.stack.push_async_callback(client.close)
        js = client.jetstream(timeout=30)
        for stream in names.STREAMS:
            if stream in {info.config.name for info in await js.streams_info()}:
                await js.delete_stream(stream)
        await settle(js, self.contracts)
        given = {"contracts": lambda _: self.contracts, "now": lambda: NOW, **self.options}
        publisher = Publisher(self.city, self.books, Sender(client), **given)
        desk = Desk(self.books, Puller(client, names.RECEIPT, names.PLATFORM, 500))
        self.platform = Platform(publisher, desk, Replayer(publisher), js)
        self.js = js
        await publisher.step()  # the flows are known from here on
        event, _ = store.last_event(self.city)
        for each in self.contracts:
            self.replicas[each.flow] = replica = Replica.open(self.folder / each.id, each)
            self.stack.callback(replica.close)
            with replica.replacing(event, 1):  # the registers that are carried are empty
                pass
            floor(self.books, each.flow, event, 1)

    async def consumer(self, flow: Contract, **options: Any) -> Consumer:
        client = await self.broker.address(flow.consumer.id).connect()
        self.stack.push_async_callback(client.close)
        return Consumer(client, self.replicas[flow.flow], lambda: NOW, **options)

    async def publish(self) -> int:
        return await self.platform.once()

    async def deliver(self, flow: Contract) -> int:
        """Take everything that is there, and let the platform hear of it."""
        count = await (await self.consumer(flow)).catch_up(0.15)
        await self.platform.receive(0.15)
        return count


@asynccontextmanager
async def line(
    city: Store, books: Books, broker: Broker, folder: Path, contracts: list[Contract], **options: Any
) -> AsyncIterator[Line]:
    """A line that has begun."""
    async with AsyncExitStack() as stack:
        made = Line(city, books, broker, folder, contracts, stack, options)
        await made.begin()
        yield made
