"""A heartbeat: the platform says that it is there, and up to which event it has told a flow of every protection.

Who hears none for longer than the patience of the contract knows nothing of protection any more: everybody counts as protected.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import orjson

from kiban.kernel import Problem


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat on the lane of protection, behind the notices that it speaks of.

    Attributes:
        flow: `Contract.flow`.
        event: every notice of protection of the events up to this one was sent before.
        at: when, by the clock of the platform, ISO 8601 in UTC.
    """

    flow: str
    event: int
    at: str


def encode_beat(beat: Beat) -> bytes:
    """The bytes of a heartbeat."""
    return orjson.dumps({**_HEAD, **asdict(beat)}, option=orjson.OPT_SORT_KEYS)


def decode_beat(data: bytes) -> Beat:
    """The heartbeat that these bytes are.

    Raises:
        Problem: `beat-unreadable`.
    """
    try:
        body: Any = orjson.loads(data)
        if not isinstance(body, dict) or {name: body.pop(name, None) for name in _HEAD} != _HEAD:
            raise ValueError
        if set(body) != {each.name for each in fields(Beat)} or type(body["event"]) is not int:
            raise ValueError
        if not isinstance(body["flow"], str) or datetime.fromisoformat(body["at"]).utcoffset() != timedelta(
            0
        ):
            raise ValueError
    except (ValueError, TypeError):
        raise Problem(
            "beat-unreadable", "a heartbeat has not the form of one", fix="see docs/events.md"
        ) from None
    return Beat(**body)


_HEAD = {"document": "kiban-heartbeat", "document_version": 1}
