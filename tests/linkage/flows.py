"""Contracts and messages for tests, built by hand: a tax system takes residents and their moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from kiban import standard
from kiban.linkage import Contract, Due, Feed, Message, Protection, Receiver, System

CITY = System("001", "住民記録", True, "resident")
TAX = System("T01", "試験税", False)
JUMIN = ("atenabango", "rirekibango", "shimei", "seinengappi", "jusho_banchigohyoki", "shiensochifuragu")
IDO = ("idobango", "atenabango", "idojiyu", "idonengappi")


def feed(edition: standard.Edition, group: str, unit: str, items: Sequence[str]) -> Feed:
    found = edition.group(group)
    wanted = {*items, *(item.romaji for item in found.key)}
    return Feed(
        edition, found, tuple(item for item in found.items if item.romaji in wanted), found.item(unit)
    )


def contract(library: standard.Library, name: str = "tax", **changes: Any) -> Contract:
    """A contract in force with two feeds, one of them a log."""
    edition = library.edition("resident")
    feeds = (
        feed(edition, "jumin", "atenabango", JUMIN),
        feed(edition, "ido", "atenabango", IDO),
    )
    given: dict[str, Any] = {
        "id": name,
        "title": "住民の異動",
        "version": (1, 0, 0),
        "status": "active",
        "provider": CITY,
        "consumer": TAX,
        "basis": "例（公式ではない）",
        "purpose": "課税",
        "feeds": feeds,
        "ways": frozenset({"event"}),
        "profile": None,
        "due": (Due("event", None, None, None, timedelta(minutes=1)),),
        "receiver": Receiver(),
        "quality": {},
        "protection": Protection(True),
        "incoming": None,
        "owner": "税務課",
        "effective": date(2026, 1, 1),
        "until": None,
        "digest": "0" * 64,
    }
    return Contract(**{**given, **changes})


def resident(unit: str, name: str = "名", since: str = "2020-04-01", **items: Any) -> dict[str, Any]:
    """A row of the feed jumin."""
    row = dict.fromkeys(JUMIN) | {"atenabango": unit, "rirekibango": 1, "shimei": name}
    return {**row, "valid_from": since, "valid_to": None, **items}


def message(
    flow: Contract, unit: str, event: int, previous: int, parts: Any = None, **changes: Any
) -> Message:
    given: dict[str, Any] = {
        "flow": flow.flow,
        "contract": flow.digest,
        "unit": unit,
        "event": event,
        "previous": previous,
        "recorded_at": "2026-10-01T00:00:00+00:00",
        "kind": "転居",
        "valid": "2026-10-01",
        "origin": None,
        "protection": "clear",
        "protection_event": 0,
        "parts": {"jumin": [resident(unit, f"名{event}")]} if parts is None else parts,
    }
    return Message(**{**given, **changes})
