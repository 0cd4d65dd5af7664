"""What the platform keeps of protection in its books: changes, holds, notices and how far it has read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from kiban.linkage.message import CLEAR, PROTECTED, UNKNOWN
from kiban.linkage.protection.unit import HOUSEHOLD, PERSON, Notice, State, Unit
from kiban.store import BookPage

_NOTICE = ("id", "flow", "kind", "unit", "state", "event", "decided_at")


def place(page: BookPage, *, lock: bool = False) -> int | None:
    """Until which event protection is known; None where the register was never looked through."""
    found = page.rows(f"SELECT event FROM protection_place{' FOR UPDATE' * lock}")
    return int(found[0]["event"]) if found else None


def move_place(page: BookPage, event: int) -> None:
    """Note until which event protection is known."""
    page.run(
        "INSERT INTO protection_place (event) VALUES (%s) ON CONFLICT (one) DO UPDATE SET event = excluded.event",
        [event],
    )


def states_after(page: BookPage, asked: Sequence[tuple[Unit, int | None]]) -> list[State]:
    """The states of units as messages of events carry them, in the order asked; with None for the event the newest.

    Unknown, with version 0, for events that are not taken in so far.
    """
    reached = place(page)
    found = [State(UNKNOWN, 0)] * len(asked)
    if reached is None:
        return found
    for kind in (PERSON, HOUSEHOLD):
        places = [n for n, (unit, event) in enumerate(asked) if unit.kind == kind and (event or 0) <= reached]
        events = [last if (last := asked[n][1]) is not None else _NEVER for n in places]
        numbers = [asked[n][0].number for n in places]
        for row in page.rows(_STATES, [numbers, events, kind]) if places else ():
            found[places[row["place"] - 1]] = State(row["state"] or CLEAR, row["event"] or 0)
    return found


_NEVER = 2**62
_STATES = """
    SELECT a.place, s.state, s.event FROM unnest(%s::text[], %s::bigint[]) WITH ORDINALITY a(unit, asked, place)
    LEFT JOIN LATERAL (
        SELECT c.state, c.event FROM protection_change c
        WHERE c.kind = %s AND c.unit = a.unit AND (c.event < a.asked OR (c.event = a.asked AND NOT c.release))
        ORDER BY c.event DESC, c.release DESC LIMIT 1
    ) s ON true
"""


def changed(page: BookPage, event: int) -> dict[Unit, State]:
    """Every unit whose state ever changed, with its state after an event."""
    rows = page.rows(_CHANGED, [event, event])
    return {Unit(row["kind"], row["unit"]): State(row["state"], row["event"]) for row in rows}


_CHANGED = """
    SELECT DISTINCT ON (kind, unit) kind, unit, state, event FROM protection_change
    WHERE event < %s OR (event = %s AND NOT release) ORDER BY kind, unit, event DESC, release DESC
"""


def holds(page: BookPage, units: Collection[Unit] | None = None) -> dict[Unit, tuple[int, int | None]]:
    """The holds on units, or all: the version, and the event that ended it in the register, None while it stands there."""
    rows: list[dict[str, Any]] = []
    if units is None:
        rows = page.rows("SELECT * FROM protection_hold")
    for kind in (PERSON, HOUSEHOLD):
        numbers = [unit.number for unit in units or () if unit.kind == kind]
        if numbers:
            rows += page.rows(
                "SELECT * FROM protection_hold WHERE kind = %s AND unit = ANY (%s)", [kind, numbers]
            )
    return {Unit(row["kind"], row["unit"]): (row["event"], row["ended_by"]) for row in rows}


def protect(page: BookPage, unit: Unit, event: int, now: datetime, *, quiet: bool = False) -> None:
    """Note that a unit is protected since an event, anew where it was before: what was decided on an older version is void.

    Quietly where nobody has to be told.
    """
    _change(page, unit, event, PROTECTED, now, release=False, quiet=quiet)
    page.run(
        "INSERT INTO protection_hold (kind, unit, event) VALUES (%s, %s, %s) "
        "ON CONFLICT (kind, unit) DO UPDATE SET event = excluded.event, ended_by = NULL",
        [unit.kind, unit.number, event],
    )


def note_end(page: BookPage, unit: Unit, event: int | None) -> None:
    """Note which event ended the protection of a unit in the register; it stays protected."""
    page.run(
        "UPDATE protection_hold SET ended_by = %s WHERE kind = %s AND unit = %s",
        [event, unit.kind, unit.number],
    )


def release(page: BookPage, unit: Unit, event: int, now: datetime) -> None:
    """Note that a unit is clear for every event after one."""
    page.run("DELETE FROM protection_hold WHERE kind = %s AND unit = %s", [unit.kind, unit.number])
    _change(page, unit, event, CLEAR, now, release=True, quiet=False)


def _change(
    page: BookPage, unit: Unit, event: int, state: str, now: datetime, *, release: bool, quiet: bool
) -> None:
    key = [unit.kind, unit.number, event, release]
    page.run(
        "INSERT INTO protection_change (kind, unit, event, release, state, decided_at) VALUES (%s, %s, %s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING",
        [*key, state, now],
    )
    if not quiet:
        page.run("INSERT INTO protection_untold VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING", key)


def take_untold(page: BookPage) -> list[tuple[Unit, State, datetime]]:
    """Take what nobody was told yet, in the order of events, with when it became known."""
    rows = page.rows(
        "WITH gone AS (DELETE FROM protection_untold RETURNING *) "
        "SELECT c.* FROM gone JOIN protection_change c USING (kind, unit, event, release) "
        "ORDER BY c.event, c.release, c.kind, c.unit"
    )
    return [
        (Unit(row["kind"], row["unit"]), State(row["state"], row["event"]), row["decided_at"]) for row in rows
    ]


def write(page: BookPage, notices: Iterable[Notice]) -> None:
    """Write notices that have to be published."""
    page.many(
        f"INSERT INTO protection_notice ({', '.join(_NOTICE)}) VALUES ({', '.join(['%s'] * len(_NOTICE))}) "
        "ON CONFLICT (id) DO NOTHING",
        [[getattr(notice, name) for name in _NOTICE] for notice in notices],
    )


def unpublished(page: BookPage) -> list[Notice]:
    """The notices that are not published, in their order."""
    chosen = ", ".join(_NOTICE)
    rows = page.rows(f"SELECT {chosen} FROM protection_notice WHERE published_at IS NULL ORDER BY number")
    return [Notice(**{**row, "decided_at": row["decided_at"].isoformat()}) for row in rows]


def mark_published(page: BookPage, ids: Sequence[str], now: datetime) -> None:
    """Note that notices are with the broker."""
    page.run(
        "UPDATE protection_notice SET published_at = coalesce(published_at, %s) WHERE id = ANY (%s)",
        [now, list(ids)],
    )


def unanswered(page: BookPage, unit: Unit) -> bool:
    """Whether a subscriber has not acknowledged that the unit is protected, or was not even told."""
    return bool(page.rows(_UNANSWERED, [unit.kind, unit.number, PROTECTED, unit.kind, unit.number]))


_UNANSWERED = """
    SELECT 1 AS one FROM protection_notice WHERE kind = %s AND unit = %s AND state = %s AND acknowledged_at IS NULL
    UNION ALL SELECT 1 FROM protection_untold WHERE kind = %s AND unit = %s AND NOT release LIMIT 1
"""
