"""What publisher and consumer call before they deliver: a line for each message, in one append."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from kiban.linkage.contracts.model import Contract
from kiban.linkage.evidence.ledger import Ledger
from kiban.linkage.evidence.line import RECEIVED, SENT, of_message
from kiban.linkage.message import Message


def before_sending(
    ledger: Ledger, secret: bytes, now: Callable[[], datetime]
) -> Callable[[Sequence[tuple[Contract, Message]]], None]:
    """Writes what a publisher is about to send.

    Args:
        ledger: of the side that sends.
        secret: of the city; see `city_secret`.
        now: the moment, in UTC.
    """

    def write(messages: Sequence[tuple[Contract, Message]]) -> None:
        moment = now()
        ledger.append([of_message(c, m, SENT, "offered", c.consumer.id, secret, moment) for c, m in messages])

    return write


def before_taking(
    ledger: Ledger, secret: bytes, now: Callable[[], datetime]
) -> Callable[[Contract, Sequence[Message]], None]:
    """Writes what a consumer is about to apply.

    Args:
        ledger: of the side that takes.
        secret: of the city, or of the system where the city does not share it: lines are matched without it.
        now: the moment, in UTC.
    """

    def write(contract: Contract, messages: Sequence[Message]) -> None:
        moment, who = now(), contract.provider.id
        ledger.append([of_message(contract, m, RECEIVED, "accepted", who, secret, moment) for m in messages])

    return write
