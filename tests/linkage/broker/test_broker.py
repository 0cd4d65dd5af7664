"""The embedded broker: made, started, stopped, and closed to everybody but its users."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import nats
import pytest
from tests.linkage.flows import contract
from tests.store.conftest import library

from kiban import linkage, standard
from kiban.kernel import Problem
from kiban.linkage import Contract
from kiban.linkage.broker import Address, Broker, Trio, names, process, read_address, settle, sweep

__all__ = ["library"]


@pytest.fixture
def flow(library: standard.Library) -> Contract:
    return contract(library)


@pytest.fixture
def other(library: standard.Library) -> Contract:
    return contract(library, "card", consumer=linkage.System("L01", "試験図書館", False))


@pytest.fixture
def broker(home: Path) -> Iterator[Broker]:
    made = Broker(home)
    yield made
    made.destroy()


def test_it_is_made_started_and_stopped(broker: Broker, flow: Contract) -> None:
    assert broker.status().state == "absent"
    address = broker.up([flow])
    running = broker.status()
    assert running.state == "running" and running.address == address.servers[0]
    assert broker.up([flow]) == address and broker.status().pid == running.pid
    broker.down()
    assert broker.status().state == "stopped"
    assert broker.up([flow]) == address
    broker.destroy()
    assert broker.status().state == "absent"
    with pytest.raises(Problem, match="broker-absent"):
        broker.address(names.PLATFORM)


def test_a_half_made_one_is_made_anew(broker: Broker, flow: Contract) -> None:
    broker.up([flow])
    (broker.folder / "broker.json").unlink()
    (broker.folder / "users.json").write_text("{half")
    assert broker.status().state == "half-made"
    broker.up([flow])
    assert broker.status().state == "running"


def test_its_secrets_are_for_its_owner_alone(broker: Broker, flow: Contract) -> None:
    address = broker.up([flow])
    assert address.password is not None and len(address.password) == 64
    assert address.password not in repr(address)
    for file in ("users.json", "server.conf"):
        assert stat.S_IMODE((broker.folder / file).stat().st_mode) == 0o600
    assert address.servers[0].startswith("nats://127.0.0.1:")


def test_what_it_took_is_there_after_kill_9(broker: Broker, flow: Contract) -> None:
    async def send() -> None:
        client = await broker.up([flow]).connect()
        await settle(client.jetstream(), [flow])
        await client.jetstream().publish(names.subject(names.CHANGE, flow.flow), b"1")
        os.kill(broker.status().pid or 0, signal.SIGKILL)
        while broker.status().state == "running":
            await asyncio.sleep(0.01)
        await client.close()
        again = await broker.up([flow]).connect()
        assert (await again.jetstream().stream_info(names.CHANGE)).state.messages == 1
        await again.close()

    asyncio.run(send())


def test_a_consumer_reaches_its_own_flows_and_no_others(
    broker: Broker, flow: Contract, other: Contract
) -> None:
    async def look() -> None:
        platform = await broker.up([flow, other]).connect()
        await settle(platform.jetstream(), [flow, other])
        for each in (flow, other):
            await platform.jetstream().publish(names.subject(names.CHANGE, each.flow), each.id.encode())
        refused: list[str] = []

        async def note(error: Exception) -> None:
            refused.append(str(error))

        client = await broker.address(flow.consumer.id).connect(error_cb=note)
        mine = await client.jetstream().pull_subscribe_bind(names.durable(flow.flow), names.CHANGE)
        (message,) = await mine.fetch(1, timeout=5)
        assert message.data == b"tax"
        await message.ack()
        await client.jetstream().publish(names.subject(names.RECEIPT, flow.flow), b"{}")
        theirs = await client.jetstream().pull_subscribe_bind(names.durable(other.flow), names.CHANGE)
        with pytest.raises(TimeoutError):
            await theirs.fetch(1, timeout=0.3)
        for subject in (
            names.subject(names.RECEIPT, other.flow),
            names.subject(names.CHANGE, flow.flow),
            "$JS.API.STREAM.DELETE.CHANGE",
        ):
            await client.publish(subject, b"{}")
        await client.subscribe("kiban.>")
        await client.subscribe(f"{names.inbox(names.PLATFORM)}.>")
        await client.flush()
        while len(refused) < 6:
            await asyncio.sleep(0.01)
        await sweep(platform.jetstream(), [flow, other])  # what was acknowledged goes, what is unread stays
        assert all("permissions violation" in each.lower() for each in refused)
        assert (await platform.jetstream().stream_info(names.CHANGE)).state.messages == 1
        await client.close()
        await platform.close()

    asyncio.run(look())


def test_a_new_contract_brings_a_user_and_a_former_one_takes_it_away(
    broker: Broker, flow: Contract, other: Contract
) -> None:
    async def may(address: Address) -> bool:
        try:
            client = await address.connect(allow_reconnect=False)
        except Problem:
            return False
        await client.close()
        return True

    async def until(address: Address, wanted: bool) -> None:
        while await may(address) != wanted:
            await asyncio.sleep(0.02)

    broker.up([flow])
    pid = broker.status().pid
    with pytest.raises(Problem, match="broker-user"):
        broker.address("L01")
    broker.up([flow, other])
    former = broker.address("L01")
    asyncio.run(until(former, True))
    broker.up([flow])
    asyncio.run(until(former, False))
    assert broker.status().pid == pid


def test_a_server_of_the_citys_own_is_named_with_a_file(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text('{"user": "kiban", "password": "p"}')
    assert read_address("nats://a:4222, tls://b:4222", file) == Address(
        ("nats://a:4222", "tls://b:4222"), "kiban", "p"
    )
    file.write_text("{}")
    with pytest.raises(Problem, match="broker-credentials"):
        read_address("nats://a:4222", file)
    with pytest.raises(Problem, match="broker-unreachable"):
        asyncio.run(Address(("nats://127.0.0.1:1",)).connect(patience=0.2))


def test_three_nodes_go_on_without_their_leader(
    homes: Callable[[], object], tmp_path: Path, flow: Contract
) -> None:
    async def send(trio: Trio) -> None:
        client = await trio.address().connect()
        js = client.jetstream(timeout=30)
        await settle(js, [flow], replicas=3)
        subject = names.subject(names.CHANGE, flow.flow)
        await js.publish(subject, b"1", headers={"Nats-Msg-Id": "1"})
        info = await js.stream_info(names.CHANGE)
        assert info.cluster is not None and info.cluster.leader is not None
        trio.kill([node.name for node in trio.nodes].index(info.cluster.leader))
        while True:
            try:
                await js.publish(subject, b"2", timeout=2, headers={"Nats-Msg-Id": "2"})
                break
            except (nats.errors.Error, nats.js.errors.Error, TimeoutError):
                await asyncio.sleep(0.1)
        trio.up()
        assert (await js.stream_info(names.CHANGE)).state.messages == 2
        await client.close()

    trio = Trio(tmp_path, [flow])
    try:
        trio.up()
        asyncio.run(send(trio))
    finally:
        trio.destroy()
    assert homes and [process.find(node) for node in trio.nodes] == [None] * 3
