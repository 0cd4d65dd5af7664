"""What goes over the broker beside messages: notices of protection, and what receivers answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson

from kiban.kernel import Problem
from kiban.linkage.beat import Beat, decode_beat
from kiban.linkage.consumer import Tally, Waiting
from kiban.linkage.message import CLEAR, PROTECTED, UNKNOWN
from kiban.linkage.protection import Notice


@dataclass(frozen=True)
class Receipt:
    """What a receiver answers: how its ledger went on, what waits, which protection it holds.

    Attributes:
        flow: `Contract.flow`.
        replica: the name of the replica, 32 hex digits.
        at: when, ISO 8601 in UTC.
        received: how many messages came since the receipt before; those that came again among them.
        repeated: how many of them were there already.
        quarantined: how many of them had bad content.
        taken: how the ledger went on; None where it did not.
        units_waiting: how many units wait now.
        waiting: the first of them, in their order; None where nothing changed.
        protection: units with the state that holds here and its version.
    """

    flow: str
    replica: str
    at: str
    received: int = 0
    repeated: int = 0
    quarantined: int = 0
    taken: Tally | None = None
    units_waiting: int = 0
    waiting: tuple[Waiting, ...] | None = None
    protection: tuple[tuple[str, str, int], ...] = ()


def encode_notice(notice: Notice) -> bytes:
    """The bytes of a notice."""
    return orjson.dumps({**_NOTICE, **asdict(notice)}, option=orjson.OPT_SORT_KEYS)


def decode_notice(data: bytes) -> Notice:
    """The notice that these bytes are.

    Raises:
        Problem: `notice-unreadable`.
    """
    body = _body(data, _NOTICE, Notice, "notice-unreadable")
    if body["state"] not in (PROTECTED, CLEAR, UNKNOWN) or type(body["event"]) is not int:
        raise _unreadable("notice-unreadable")
    return Notice(**body)


def decode_protect(data: bytes) -> Notice | Beat:
    """What these bytes on the lane of protection are.

    Raises:
        Problem: `notice-unreadable` where they are neither a notice nor a heartbeat.
    """
    try:
        return decode_beat(data)
    except Problem:
        return decode_notice(data)


def encode_receipt(receipt: Receipt) -> bytes:
    """The bytes of a receipt. Sums are written as text: they are longer than a number of JSON."""
    body = asdict(receipt)
    if receipt.taken is not None:
        body["taken"]["content"] = str(receipt.taken.content)
    return orjson.dumps({**_RECEIPT, **body}, option=orjson.OPT_SORT_KEYS)


def decode_receipt(data: bytes) -> Receipt:
    """The receipt that these bytes are.

    Raises:
        Problem: `receipt-unreadable`.
    """
    body = _body(data, _RECEIPT, Receipt, "receipt-unreadable")
    try:
        taken = body["taken"]
        if taken is not None:
            taken = Tally(**{**taken, "content": int(taken["content"])})
        waiting = body["waiting"]
        if waiting is not None:
            waiting = tuple(Waiting(**each) for each in waiting)
        protection = tuple((str(unit), str(state), int(event)) for unit, state, event in body["protection"])
        return Receipt(**{**body, "taken": taken, "waiting": waiting, "protection": protection})
    except (TypeError, ValueError, KeyError):
        raise _unreadable("receipt-unreadable") from None


_NOTICE = {"document": "kiban-protection", "document_version": 1}
_RECEIPT = {"document": "kiban-receipt", "document_version": 1}


def _body(data: bytes, head: dict[str, Any], kind: type[Any], code: str) -> dict[str, Any]:
    try:
        body = orjson.loads(data)
        if not isinstance(body, dict) or {name: body.pop(name, None) for name in head} != head:
            raise ValueError
        if set(body) != {field.name for field in fields(kind)}:
            raise ValueError
    except ValueError:
        raise _unreadable(code) from None
    return body


def _unreadable(code: str) -> Problem:
    return Problem(code, "what came has not the form that it should have", fix="see docs/events.md")
