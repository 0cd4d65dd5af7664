"""How the flows into Kiban stand, without anything of any person: for the status page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kiban.store import Books


@dataclass(frozen=True)
class FlowIncoming:
    """One flow.

    Attributes:
        flow: `Contract.flow`.
        states: state of `Received` -> how many messages.
        open: proposals that nobody has decided.
        oldest: when the oldest of them came; None where there is none.
        refusals: items that somebody wrote who is not their master.
    """

    flow: str
    states: Mapping[str, int] = field(hash=False)
    open: int
    oldest: datetime | None
    refusals: int


def summary(books: Books) -> tuple[FlowIncoming, ...]:
    """Every flow of which something came, in their order."""
    with books.transaction() as page:
        states: dict[str, dict[str, int]] = {}
        for row in page.rows(
            "SELECT flow, state, count(*) AS n FROM incoming_message GROUP BY 1, 2 ORDER BY 1, 2"
        ):
            states.setdefault(row["flow"], {})[row["state"]] = row["n"]
        waiting = {
            row["flow"]: row
            for row in page.rows(
                "SELECT flow, count(*) AS n, min(proposed_at) AS oldest FROM incoming_proposal "
                "WHERE state = 'open' GROUP BY 1"
            )
        }
        refused = page.rows("SELECT flow, count(*) AS n FROM incoming_refusal GROUP BY 1")
    refusals = {row["flow"]: row["n"] for row in refused}
    none = {"n": 0, "oldest": None}
    return tuple(
        FlowIncoming(
            flow, told, waiting.get(flow, none)["n"], waiting.get(flow, none)["oldest"], refusals.get(flow, 0)
        )
        for flow, told in states.items()
    )
