"""What the platform need no longer remember of the messages it sent."""

from __future__ import annotations

from kiban.store import BookPage, Books


def thin(books: Books, until: int) -> tuple[int, int]:
    """Forget which events carried which units, as far as no flow can still need it.

    A message names the one before it, so of each unit the newest is kept, and for flows of a system the newest that did not
    come from itself. Nothing is forgotten behind which a flow still has messages on their way, or a gap: a message that is
    sent again has to be the same bytes. What was forgotten cannot be replayed; `mend` sends units whole.

    Args:
        books: of the linkage.
        until: number of the last event that is old enough.

    Returns:
        The event up to which was thinned, and how many rows were forgotten.
    """
    with books.transaction() as page:
        page.run("SELECT FROM event_flow ORDER BY flow FOR UPDATE")
        (row,) = page.rows(_BOUND)
        bound = until if row["bound"] is None else min(until, row["bound"])
        page.run(_NOTE, (bound,))
        return thinned(page), page.run(_FORGET, (bound,) * 2)


def thinned(page: BookPage) -> int:
    """The event up to which messages cannot be made again; 0 where nothing was forgotten."""
    (row,) = page.rows("SELECT coalesce(max(event), 0) AS event FROM event_thinned")
    return int(row["event"])


# A flow whose consumer has answered for all that was sent, and waits for nothing, needs nothing up to its place; otherwise up to its set.
_BOUND = """
    SELECT min(CASE WHEN sent = counted AND sent_content = counted_content AND held = 0 AND quarantined = 0
        THEN greatest(place, floor) ELSE floor END) AS bound FROM event_flow
"""
_NOTE = """
    INSERT INTO event_thinned AS t (event) VALUES (%s) ON CONFLICT (one) DO UPDATE SET event = greatest(t.event, excluded.event)
"""
_FORGET = """
    DELETE FROM event_carried c WHERE event <= %s
        AND EXISTS (SELECT FROM event_carried n WHERE n.share = c.share AND n.unit = c.unit AND n.event > c.event
            AND n.event <= %s AND n.origin IS NULL)
"""
