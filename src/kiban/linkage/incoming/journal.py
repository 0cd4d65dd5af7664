"""What the books keep of messages that came in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from kiban.kernel import Problem
from kiban.linkage.contracts.model import Contract
from kiban.linkage.incoming.steps import Step
from kiban.linkage.message import Message, decode, encode
from kiban.store import BookPage

_WAITING = ("held", "quarantined", "applying")


def lock(page: BookPage, flow: str, unit: str) -> int:
    """Hold the turn of a unit until the transaction ends; the newest version that was dealt with."""
    page.run(
        "INSERT INTO incoming_unit (flow, unit, event) VALUES (%s, %s, 0) ON CONFLICT DO NOTHING",
        [flow, unit],
    )
    [row] = page.rows(_LOCK, [flow, unit])
    return int(row["event"])


_LOCK = """
    SELECT greatest(event, coalesce((SELECT f.event FROM incoming_floor f WHERE f.flow = u.flow), 0)) AS event
    FROM incoming_unit u WHERE flow = %s AND unit = %s FOR UPDATE OF u
"""


def set_floor(page: BookPage, flow: str, event: int) -> None:
    """Note until which event a full set told everything; never back."""
    page.run(
        "INSERT INTO incoming_floor AS f (flow, event) VALUES (%s, %s) "
        "ON CONFLICT (flow) DO UPDATE SET event = greatest(f.event, excluded.event)",
        [flow, event],
    )


def find(page: BookPage, flow: str, message: str) -> dict[str, Any] | None:
    """What is noted of a message."""
    found = page.rows("SELECT * FROM incoming_message WHERE flow = %s AND id = %s", [flow, message])
    return found[0] if found else None


def note(
    page: BookPage, message: Message, digest: str, state: str, problems: Iterable[Problem], now: datetime
) -> None:
    """Note a message and what is to be done with it; its content is kept while it waits."""
    body = encode(message) if state in _WAITING else None
    codes = [f"{each.code}: {each.where}" if each.where else each.code for each in problems]
    page.run(
        _NOTE,
        [
            message.flow,
            message.id,
            message.unit,
            message.event,
            message.previous,
            digest,
            state,
            body,
            codes,
            now,
        ],
    )


_NOTE = """
    INSERT INTO incoming_message AS m (flow, id, unit, event, previous, digest, state, body, problems, received_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (flow, id) DO UPDATE SET digest = excluded.digest, state = excluded.state, body = excluded.body,
        problems = excluded.problems, previous = excluded.previous
    WHERE m.state IN ('held', 'quarantined', 'applying')
"""


def set_after(page: BookPage, message: Message, event: int) -> None:
    """Note the last event before a message is applied."""
    page.run(
        "UPDATE incoming_message SET after = %s WHERE flow = %s AND id = %s",
        [event, message.flow, message.id],
    )


def settle(page: BookPage, message: Message, state: str, event: int | None) -> None:
    """Note what became of a message, and that its unit is that far."""
    page.run(
        "UPDATE incoming_message SET state = %s, recorded = %s, body = NULL WHERE flow = %s AND id = %s",
        [state, event, message.flow, message.id],
    )
    page.run(
        "UPDATE incoming_unit SET event = greatest(event, %s) WHERE flow = %s AND unit = %s",
        [message.event, message.flow, message.unit],
    )


def next_held(page: BookPage, flow: str, unit: str, held: int) -> Message | None:
    """The message that waited for what is dealt with now; those that were overtaken are noted as late."""
    page.run(
        "UPDATE incoming_message SET state = 'late', body = NULL "
        "WHERE flow = %s AND unit = %s AND body IS NOT NULL AND event <= %s",
        [flow, unit, held],
    )
    found = page.rows(
        "SELECT body FROM incoming_message WHERE flow = %s AND unit = %s AND body IS NOT NULL AND state = 'held' "
        "AND previous <= %s ORDER BY event LIMIT 1",
        [flow, unit, held],
    )
    return decode(bytes(found[0]["body"])) if found else None


def interrupted(page: BookPage, flow: str) -> list[Message]:
    """The messages that were being applied when somebody was stopped, in their order."""
    query = "SELECT body FROM incoming_message WHERE flow = %s AND state = 'applying' ORDER BY event"
    return [decode(bytes(row["body"])) for row in page.rows(query, [flow])]


def refuse(
    page: BookPage,
    message: Message,
    provider: str,
    items: Iterable[tuple[str, str, str | None]],
    now: datetime,
) -> None:
    """Note the items that a provider wrote of which it is not the master."""
    page.many(
        "INSERT INTO incoming_refusal (flow, id, register, item, provider, master, refused_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [
            [message.flow, message.id, register, item, provider, master, now]
            for register, item, master in items
        ],
    )


def propose(
    page: BookPage, contract: Contract, message: Message, told: Sequence[Step], now: datetime
) -> list[int]:
    """Put what a message would change before the officers, in the place of what an older one would; the numbers."""
    page.run(
        "UPDATE incoming_proposal SET state = 'overtaken', decided_at = %s, items = '{}' "
        "WHERE flow = %s AND unit = %s AND state = 'open' AND register = ANY (%s)",
        [now, message.flow, message.unit, [contract.feed(name).register for name in message.parts]],
    )
    numbers = []
    for step in told:
        valid, content = step.valid, _content(contract, message, step)
        if page.rows(_REJECTED, [message.flow, message.unit, content, step.base]):
            continue  # an officer has said no to just this, and the register is as it was then
        [row] = page.rows(
            _PROPOSE,
            [
                message.flow,
                message.id,
                message.unit,
                message.event,
                contract.feed(step.group).register,
                step.kind,
                json.dumps(dict(step.subject)),
                valid.start if valid else None,
                valid.end if valid else None,
                json.dumps(dict(step.new), ensure_ascii=False),
                step.base,
                content,
                now,
            ],
        )
        numbers.append(int(row["number"]))
    return numbers


_PROPOSE = """
    INSERT INTO incoming_proposal
        (flow, message, unit, event, register, kind, subject, valid_from, valid_to, items, base, content, proposed_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING number
"""
_REJECTED = """
    SELECT 1 AS one FROM incoming_proposal
    WHERE flow = %s AND unit = %s AND content = %s AND base = %s AND state = 'rejected' LIMIT 1
"""


def _content(contract: Contract, message: Message, step: Step) -> str:
    """A digest of what a step would make true."""
    said = [
        contract.feed(step.group).register,
        step.kind,
        dict(step.subject),
        str(step.valid),
        dict(step.new),
    ]
    body = json.dumps([message.flow, message.unit, *said], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()
