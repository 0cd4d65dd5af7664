"""The evidence of both sides: a line for each message before it is delivered, or applied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from kiban.linkage import evidence
from kiban.linkage.contracts.model import Contract
from kiban.linkage.events.consuming import Before
from kiban.linkage.events.publisher import Evidence
from kiban.linkage.message import Message


def sent_lines(ledger: evidence.Ledger, secret: bytes, clock: Callable[[], datetime]) -> Evidence:
    """What a publisher writes down before anything leaves.

    Args:
        ledger: of the platform.
        secret: that of the city, with which units are hashed.
        clock: the moment, in UTC.
    """

    def write(sent: Sequence[tuple[Contract, Message]]) -> None:
        now = clock()
        lines = [
            evidence.of_message(one, each, evidence.SENT, "offered", one.consumer.id, secret, now)
            for one, each in sent
        ]
        ledger.append(lines)

    return write


def received_lines(ledger: evidence.Ledger, secret: bytes, clock: Callable[[], datetime]) -> Before:
    """What a consumer writes down before it applies anything; see `sent_lines`."""

    def write(contract: Contract, messages: Sequence[Message]) -> None:
        now, who = clock(), contract.provider.id
        lines = [
            evidence.of_message(contract, each, evidence.RECEIVED, "accepted", who, secret, now)
            for each in messages
        ]
        ledger.append(lines)

    return write
