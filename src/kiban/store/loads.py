"""What a bulk load left: its event in the chain, and whether registers hold its rows and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiban.store.errors import as_problems

if TYPE_CHECKING:
    from kiban.store.database import Store


@dataclass(frozen=True)
class Load:
    """A finished bulk load, as its event tells it.

    Attributes:
        event: its number.
        digest: of the event, in hex; with the number it names this load in this database and no other.
        rows: how many rows it added, by register.
    """

    event: int
    digest: str
    rows: Mapping[str, int]


def finished_load(store: Store, job: str) -> Load | None:
    """The load of this name; None where it is not finished.

    Args:
        store: an open store.
        job: the name given to `import_arrow`.

    Raises:
        Problem: `store-not-installed`, `database-unreachable`.
    """
    store.tables()
    with store.owner() as connection, as_problems():
        row = connection.execute(
            "SELECT e.event, encode(e.digest, 'hex'), e.content FROM kiban.job j JOIN kiban.event e USING (event) "
            "WHERE j.job = %s AND j.kind = 'import' AND j.state = 'done'",
            (job,),
        ).fetchone()
    if row is None:
        return None
    return Load(int(row[0]), row[1], {name: int(held["rows"]) for name, held in row[2].items()})


def strangers(store: Store, registers: Sequence[str], load: Load | None = None) -> dict[str, int]:
    """By how many rows each register differs from exactly those that a load put there.

    A row counts if another event wrote it, if a later one closed it, or if it is gone; without a load every row counts.

    Args:
        store: an open store.
        registers: schema.table.
        load: None where nothing has been loaded.

    Raises:
        Problem: `register-unknown`, `database-unreachable`.
    """
    tables = {name: store.table(name) for name in registers}
    event = load.event if load else None
    found = {}
    with store.owner() as connection, as_problems():
        for name, table in tables.items():
            row = connection.execute(
                f"SELECT count(*), count(*) FILTER (WHERE event = %s AND closed_by IS NULL) FROM {table.name}".encode(),
                (event,),
            ).fetchone()
            held, own = row or (0, 0)
            expected = load.rows.get(name, 0) if load else 0
            found[name] = max(int(held), expected) - int(own)
    return found
