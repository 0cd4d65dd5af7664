"""The streams and durables on a broker: made or mended from the contracts, with limits on everything that grows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import nats
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from kiban.kernel import Problem
from kiban.linkage.broker import names
from kiban.linkage.contracts.model import Contract

WAITING = 20_000
"""How many messages of one flow lie on the broker at most; more wait in the outbox, and hold up no other flow."""

_WINDOW = 120  # seconds in which the broker itself knows a message again
_LARGEST = 8 * 2**20  # bytes of a message
_BYTES = {names.CHANGE: 8 * 2**30, names.PROTECT: 2**30, names.RECEIPT: 2 * 2**30, names.REPLAY: 4 * 2**30}
_ELECTION = 50  # looks for a leader
_AGAIN = 15  # seconds after which a message that nobody acknowledged comes again


async def settle(js: JetStreamContext, contracts: Iterable[Contract], replicas: int = 1) -> None:
    """Make the streams, and for each flow its durables; those that are there are brought to what is wanted.

    Args:
        js: of the platform's user.
        contracts: those whose flows are sent as events.
        replicas: on how many nodes each message lies.

    Raises:
        Problem: `broker-unready`.
    """
    await _ready(js)
    for stream in names.STREAMS:
        await _stream(js, stream, replicas)
    await _durable(js, names.RECEIPT, names.PLATFORM, "kiban.receipt.>", 5_000)
    for contract in contracts:
        if "event" in contract.ways:
            for lane in names.LANES:
                subject = names.subject(lane, contract.flow)
                await _durable(js, lane, names.durable(contract.flow), subject, contract.receiver.pending)


async def _ready(js: JetStreamContext) -> None:
    """Wait until the nodes have a leader, who answers."""
    for _ in range(_ELECTION):
        try:
            await asyncio.wait_for(js.account_info(), 1)
            return
        except (TimeoutError, nats.errors.Error, nats.js.errors.Error):
            await asyncio.sleep(0.2)
    raise Problem("broker-unready", "the nodes of the broker find no leader", fix="see that most of them run")


async def _stream(js: JetStreamContext, name: str, replicas: int) -> None:
    config = StreamConfig(
        name=name,
        subjects=[f"kiban.{name.lower()}.>"],
        # What was acknowledged goes by `sweep`, many at once: a work queue would write to the disk for each.
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,  # a full stream refuses the newest: its sender keeps it
        discard_new_per_subject=True,
        max_msgs_per_subject=WAITING,
        max_bytes=_BYTES[name],
        max_msg_size=_LARGEST,
        storage=StorageType.FILE,
        num_replicas=replicas,
        duplicate_window=_WINDOW,
        allow_direct=False,
        allow_msg_ttl=True,  # a heartbeat that nobody takes goes by itself
        allow_atomic=True,  # a batch waits once for the disk
    )
    try:
        await js.stream_info(name)
    except NotFoundError:
        await js.add_stream(config)
    else:
        await js.update_stream(config)


async def _durable(js: JetStreamContext, stream: str, name: str, subject: str, pending: int) -> None:
    config = ConsumerConfig(
        durable_name=name,
        filter_subject=subject,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=_AGAIN,
        max_ack_pending=pending,
        max_deliver=-1,
    )
    await js.add_consumer(stream, config)


async def sweep(js: JetStreamContext, contracts: Iterable[Contract]) -> None:
    """Let go of what every receiver has acknowledged; nothing that is unread ever goes.

    Raises:
        nats.errors.Error: where the broker does not answer; it may be done again.
    """
    for contract in contracts:
        for lane in names.LANES:
            await _sweep(js, lane, names.durable(contract.flow), names.subject(lane, contract.flow))
    await _sweep(js, names.RECEIPT, names.PLATFORM, "kiban.receipt.>")


async def _sweep(js: JetStreamContext, stream: str, name: str, subject: str) -> None:
    info = await js.consumer_info(stream, name)
    if info.ack_floor is not None and info.ack_floor.stream_seq:
        # Everything of the subject up to the floor was acknowledged: the floor stops before the first that was not.
        await js.purge_stream(stream, subject=subject, seq=info.ack_floor.stream_seq + 1)
