"""The chain of events as the owner writes it: for bulk loads, changes of edition and amendments."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from kiban.kernel import Actor

Content = dict[str, dict[str, int | str]]
"""Per register: rows added, the sum of their hashes as text, rows closed."""


def open_event(connection: psycopg.Connection[Any]) -> tuple[int, str]:
    """Take the head of the chain until the end of the transaction; the number and the time of the event."""
    return open_events(connection, 1)


def open_events(connection: psycopg.Connection[Any], many: int) -> tuple[int, str]:
    """The same for a run of events; the number and the time of the first, each further one is a microsecond later."""
    row = connection.execute("SELECT event, recorded_at::text FROM kiban.open_events(%s)", (many,)).fetchone()
    assert row is not None
    return int(row[0]), str(row[1])


def close_event(
    connection: psycopg.Connection[Any],
    business: str,
    kind: str,
    subject: str,
    actor: Actor,
    payload: dict[str, Any],
    contents: Content,
) -> None:
    """Write the open event and its outbox row."""
    connection.execute(
        "SELECT kiban.close_event(%s, %s, %s, NULL, %s, %s, %s, %s)",
        (
            business,
            kind,
            subject,
            signed(actor),
            Jsonb(payload),
            Jsonb(contents),
            Jsonb({"registers": sorted(contents)}),
        ),
    )


def signed(actor: Actor) -> list[str]:
    """The actor as an event names it, in the order of `kiban.verified_actor`."""
    return [actor.id, actor.ward or "", ",".join(sorted(actor.wards)), actor.purpose]
