"""The evidence of a set that passes the border: written by each side before the set exists, or before it takes effect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from kiban.linkage.contracts.model import Contract
from kiban.linkage.evidence import RECEIVED, SENT, Line, stamp
from kiban.linkage.files.about import About

Evidence = Callable[[Sequence[Line]], object]
"""Writes lines, such as `append` of a ledger; what it raises keeps the set from passing."""


def sent(contract: Contract, set_id: str, said: About, now: datetime) -> Line:
    """What the provider writes before the set exists."""
    return _line(contract, set_id, said, SENT, "offered", contract.consumer.id, now)


def received(contract: Contract, set_id: str, said: About, now: datetime) -> Line:
    """What the consumer writes when it has found everything right, before it takes effect."""
    return _line(contract, set_id, said, RECEIVED, "applied", contract.provider.id, now)


def _line(
    contract: Contract, set_id: str, said: About, direction: str, outcome: str, who: str, now: datetime
) -> Line:
    return Line(
        at=stamp(now),
        flow=contract.flow,
        contract=said.contract,
        purpose=contract.purpose,
        who=who,
        way="file",
        direction=direction,
        item=set_id,
        unit=None,
        event=said.event,
        digest=said.digest,
        count=said.rows,
        outcome=outcome,
    )
