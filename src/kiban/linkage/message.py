"""A message: what one event changed of one unit, as one contract lets its consumer see it.

A message carries the state, not the step: for each group that the event touched, all rows of the unit that are known
after it. So it may be applied twice without effect, and the newest is right whatever came before. `previous` names the
message of the same unit before it, so that a gap shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kiban.kernel import Problem

Row = Mapping[str, Any]
"""Items by their romaji in their written form: text, a whole number, or a list of texts; a decimal is text. None is null."""

PROTECTED, CLEAR, UNKNOWN = "protected", "clear", "unknown"


@dataclass(frozen=True, slots=True)
class Message:
    """One change on its way.

    Attributes:
        flow: `Contract.flow`.
        contract: digest of the contract it was made under.
        unit: the value of the unit item: whose rows they are.
        event: number of the event at the provider: the version of the unit. Grows along a unit.
        previous: number of the event of the message of this unit before it, or of the full set; 0 where it is the first.
        recorded_at: when the event became known, ISO 8601 in UTC.
        kind: 異動事由.
        valid: the day of the event in the town, YYYY-MM-DD; None where it has none.
        origin: the system where the change was made, where it came into Kiban by linkage; None where it was made in Kiban.
        protection: `protected`, `clear` or `unknown`; who cannot tell says unknown, which counts as protected.
        protection_event: the version of that state: the event since which it holds; 0 where it never changed.
        parts: name of the feed -> all its rows of this unit, in the order of their key. No rows: the unit has ended
            there (a tombstone).
        replay: whether it is sent again only to mend a copy: no side effect may follow.
    """

    flow: str
    contract: str
    unit: str
    event: int
    previous: int
    recorded_at: str
    kind: str
    valid: str | None
    origin: str | None
    protection: str
    protection_event: int
    parts: Mapping[str, Sequence[Row]]
    replay: bool = False

    @property
    def id(self) -> str:
        """What it is told apart by, without telling whose it is: 32 hex digits. A replay has the same."""
        named = f"{self.flow}\x1f{self.unit}\x1f{self.event}"
        return hashlib.sha256(named.encode()).hexdigest()[:32]


def encode(message: Message) -> bytes:
    """The bytes of a message: JSON in UTF-8 with sorted names; the same message always has the same bytes."""
    body = {name: getattr(message, name) for name in _FIELDS}
    return orjson.dumps({**_HEAD, **body}, option=orjson.OPT_SORT_KEYS)


def decode(data: bytes) -> Message:
    """The message that these bytes are.

    Raises:
        Problem: `message-unreadable`.
    """
    try:
        body = orjson.loads(data)
        if not isinstance(body, dict) or {name: body.pop(name, None) for name in _HEAD} != _HEAD:
            raise ValueError
        if set(body) != set(_FIELDS) or not all(_fits(body[name], kind) for name, kind in _FIELDS.items()):
            raise ValueError
        if body["protection"] not in (PROTECTED, CLEAR, UNKNOWN) or not all(
            map(_rows, body["parts"].values())
        ):
            raise ValueError
    except (orjson.JSONDecodeError, ValueError, KeyError):
        raise Problem(
            "message-unreadable", "a message has not the form of one", fix="see docs/linkage.md"
        ) from None
    return Message(**body)


_HEAD = {"document": "kiban-change", "document_version": 1}
_FIELDS: dict[str, tuple[type, ...]] = {
    "flow": (str,),
    "contract": (str,),
    "unit": (str,),
    "event": (int,),
    "previous": (int,),
    "recorded_at": (str,),
    "kind": (str,),
    "valid": (str, type(None)),
    "origin": (str, type(None)),
    "protection": (str,),
    "protection_event": (int,),
    "parts": (dict,),
    "replay": (bool,),
}


def _fits(value: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)


def _rows(rows: object) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
