"""How streams, subjects, durables and users are called: what another vendor's consumer relies on."""

from __future__ import annotations

from kiban.linkage.contracts.model import Contract

CHANGE, PROTECT, RECEIPT, REPLAY = "CHANGE", "PROTECT", "RECEIPT", "REPLAY"
"""The streams: changes, changes of protection, what receivers answer, and what is sent again beside the live lane."""

STREAMS = (CHANGE, PROTECT, RECEIPT, REPLAY)
LANES = (PROTECT, CHANGE, REPLAY)
"""What a receiver pulls from, the most urgent first."""

PLATFORM = "platform"
"""The user of the platform itself, and its durable on RECEIPT."""


def subject(stream: str, flow: str) -> str:
    """The subject of a flow in a stream.

    >>> subject(CHANGE, "resident-tax.v1")
    'kiban.change.resident-tax.v1'
    """
    return f"kiban.{stream.lower()}.{flow}"


def durable(flow: str) -> str:
    """The name of the durable consumer of a flow, the same in every lane.

    >>> durable("resident-tax.v1")
    'resident-tax_v1'
    """
    return flow.replace(".", "_")


def user(contract: Contract) -> str:
    """The user of the system that takes a flow: one for all its flows."""
    return contract.consumer.id


def inbox(name: str) -> str:
    """Under which a user is answered; nobody else can listen there."""
    return f"_INBOX.{name}"
