"""Up to which number a table that only grows is complete: whoever drew a lower number has committed, or given up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiban.store.books import Page

_LOOK_SECONDS = 0.05
_WRITERS = (
    "SELECT virtualtransaction AS who FROM pg_locks WHERE locktype = 'relation' AND relation = %s::regclass AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()"
)


def settled(page: Page, table: str, number: str, patience: float) -> int | None:
    """The highest number of a table below which no row can appear any more.

    Numbers are drawn before their rows are committed, so that a higher one may be seen first. Nobody is kept from writing:
    those who were at it when the highest number was read are waited for.

    Args:
        page: a transaction that has itself written nothing to the table.
        table: its name, with its schema where the role needs it.
        number: name of the column whose numbers come from a sequence without a cache.
        patience: seconds to wait at most.

    Returns:
        0 for an empty table; None where somebody who was writing has not ended in time.

    Raises:
        Problem: what the database refuses.
    """
    [row] = page.rows(f"SELECT coalesce(max({number}), 0) AS number FROM {table}")
    writers = {each["who"] for each in page.rows(_WRITERS, [table])}
    until = time.monotonic() + patience
    while writers:
        if time.monotonic() >= until:
            return None
        time.sleep(_LOOK_SECONDS)
        writers &= {each["who"] for each in page.rows(_WRITERS, [table])}
    return int(row["number"])
