"""What the chain tells of some registers: who filled and changed them, and where a piece of work began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from kiban.store.errors import as_problems

if TYPE_CHECKING:
    from kiban.store.database import Store


@dataclass(frozen=True)
class Past:
    """The past of some registers, as one piece of work sees it: the events of a kind for a day, by an actor.

    Attributes:
        head: the last event of the whole chain.
        loads: the last bulk load of each register; those that none has filled are left out.
        others: how many events of other actors changed each register; changes of edition do not count.
        own: the last event of the actor on the registers and its digest, as `number:hex`; "" where there is none.
        before: the last event on the registers that is not of this work, 0 where there is none.
        known: when that was recorded; None where there is none.
        begun: whether events of this work are there already.
        newest: the last day of events of this kind by this actor on the registers; None where there are none.
    """

    head: int
    loads: Mapping[str, int]
    others: Mapping[str, int]
    own: str
    before: int
    known: datetime | None
    begun: bool
    newest: date | None


def past(store: Store, registers: Sequence[str], actor: str, kind: str, valid: date) -> Past:
    """The past of some registers in one snapshot.

    Args:
        store: an open store.
        registers: schema.table; those that are not in force have no past.
        actor: the id of whoever works.
        kind: the kind of the events of the work.
        valid: their day in the town.

    Raises:
        Problem: `store-not-installed`, `database-unreachable`.
    """
    store.tables()
    asked = {"registers": list(registers), "actor": actor, "kind": kind, "valid": valid}
    with store.owner() as connection, as_problems(), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        by_register = {
            name: dict(connection.execute(statement.encode(), asked).fetchall())
            for name, statement in _BY_REGISTER.items()
        }
        row = connection.execute(_IN_ALL.encode(), asked).fetchone()
    assert row is not None
    head, own, before, known, newest, begun = row
    loads, others = (by_register[name] for name in ("loads", "others"))
    return Past(int(head), loads, others, own or "", int(before or 0), known, bool(begun), newest)


_EACH = "FROM kiban.event e, unnest(%(registers)s::text[]) r WHERE e.content ? r AND"
_BY_REGISTER = {
    "loads": f"SELECT r, max(event) {_EACH} kind = 'import' GROUP BY r ORDER BY r",
    "others": f"SELECT r, count(*) {_EACH} kind <> 'edition' AND actor <> %(actor)s GROUP BY r ORDER BY r",
}
_IN_ALL = """WITH touching AS (
    SELECT event, recorded_at, valid, actor, digest, kind = %(kind)s AND actor = %(actor)s AS alike
    FROM kiban.event WHERE content ?| %(registers)s::text[]
), before AS (
    SELECT event, recorded_at FROM touching WHERE (alike AND valid = %(valid)s) IS NOT TRUE ORDER BY event DESC LIMIT 1
) SELECT (SELECT event FROM kiban.head),
    (SELECT event || ':' || encode(digest, 'hex') FROM touching WHERE actor = %(actor)s ORDER BY event DESC LIMIT 1),
    (SELECT event FROM before), (SELECT recorded_at FROM before), (SELECT max(valid) FROM touching WHERE alike),
    (SELECT count(*) > 0 FROM touching WHERE alike AND valid = %(valid)s)"""
