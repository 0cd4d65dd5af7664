"""What a replica need no longer remember of the messages it took."""

from __future__ import annotations

from datetime import datetime

from kiban.linkage.consumer.place import Place


def thin(place: Place, before: datetime, dealt_with: int) -> int:
    """Forget the lines of the ledger of messages that came before a moment; how many.

    Kept are lines that the platform was not told of yet, and effects that nobody dealt with. Versions of units stay, so
    nothing is applied twice: what comes again of what was forgotten is known by its event, and is not counted again.

    Args:
        place: of the replica.
        before: in UTC.
        dealt_with: number of the last effect that was dealt with.
    """
    with place.writing() as connection:
        answered = place.state("note:answered") or 0
        values = (before.isoformat(), answered, dealt_with)
        (newest,) = connection.execute(f"SELECT max(event) FROM ledger WHERE {_OLD}", values).fetchone()
        if newest is None:
            return 0
        place.set(thinned=max(newest, place.state("thinned") or 0))
        return connection.execute(f"DELETE FROM ledger WHERE {_OLD}", values).rowcount


_OLD = "taken_at < ? AND seq <= ? AND (seq <= ? OR NOT applied OR replay)"
