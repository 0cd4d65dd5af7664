"""Digests of stored rows, computed by PostgreSQL itself: the independent side of a comparison."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from kiban import sets
from kiban.kernel import Actor, AsOf, Problem, Problems
from kiban.sets import Column
from kiban.standard import Group, sql_type
from kiban.store import columns
from kiban.store.export import conditions
from kiban.store.schema import Table
from kiban.store.text import quoted

if TYPE_CHECKING:
    from kiban.store.database import Store
    from kiban.store.session import Session

_DAY = len("2026-10-01")
_PERIOD = {"valid_from": "-infinity", "valid_to": "infinity"}


def digest_columns(group: Group, items: Sequence[str]) -> list[Column]:
    """How the items of a group enter a digest, in the order given: as they stand in `arrow_schema`, so dates as text.

    Args:
        group: the group of the standard.
        items: official romaji; of a register also `valid_from` and `valid_to`, absent where open.

    Raises:
        Problems: `item-unknown`, `item-twice`.
    """
    schema = columns.arrow_schema(group)
    found: list[Column] = []
    problems: list[Problem] = []
    for name in items:
        if name not in schema.names:
            problems.append(
                Problem("item-unknown", "no such item", f"{group.id}.{name}", "use the official romaji")
            )
        elif any(column.name == name for column in found):
            problems.append(Problem("item-twice", "named twice", f"{group.id}.{name}", "name it once"))
        else:
            found.append(_column(name, schema.field(name).type))
    if problems:
        raise Problems(problems)
    return found


def row_digests(
    store: Store,
    register: str,
    items: Sequence[str],
    key: Sequence[str],
    actor: Actor,
    as_of: AsOf | datetime | int | None = None,
    *,
    absent: Collection[str] = (),
    buckets: Sequence[int] | None = None,
    beside: Sequence[str] = (),
) -> Iterator[pa.RecordBatch]:
    """The digest of each stored row that the actor may see, in bounded memory.

    Args:
        store: an open store.
        register: schema.table.
        items: what enters the digest, in this order; see `digest_columns`.
        key: items that tell the rows apart; need not be among `items`.
        actor: limits the rows to the wards of the actor; the export is logged before the first row.
        as_of: the two dates; a moment for every period that was known then, the number of an event for those known after
            it, None for every one that is known now.
        absent: items that enter the digest as if no row had a value.
        buckets: only rows of these; None for all.
        beside: items told of each row beside its key.

    Yields:
        The key and what is told beside it in the types of `arrow_schema`, `_bucket` (int32) and `_digest` (64 hex digits), in no
        particular order; one batch without rows where there is none.

    Raises:
        Problem: `register-unknown`, `known-future`, `item-hidden`.
        Problems: those of `digest_columns`; `digest-empty` where no item or no key is named.
    """
    with store.session(actor) as session:
        table = _begun(store, session, register, items, key, as_of)
        told = [*key, *(name for name in beside if name not in key)]
        rows = _rows(table, [*dict.fromkeys([*items, *told])], key, as_of, absent)
        only = "" if buckets is None else f" WHERE _bucket IN ({', '.join(map(str, buckets)) or 'NULL'})"
        chosen = ", ".join(map(quoted, told))
        statement = f"COPY (SELECT {chosen}, _bucket, {_digest(table, items)} FROM ({rows}) s{only}) TO STDOUT (FORMAT csv)"
        types = columns.arrow_schema(table.group)
        schema = pa.schema(
            [
                *(pa.field(name, types.field(name).type) for name in told),
                ("_bucket", pa.int32()),
                ("_digest", pa.string()),
            ]
        )
        yield from columns.from_csv(session.copy_items(register, [*items, *told], statement), schema)


def row_buckets(
    store: Store,
    register: str,
    items: Sequence[str],
    key: Sequence[str],
    actor: Actor,
    as_of: AsOf | datetime | int | None = None,
    *,
    absent: Collection[str] = (),
    sessions: int = 1,
) -> sets.Buckets:
    """The digests of the buckets of stored rows, added up by PostgreSQL: what tells in one pass whether a copy is equal.

    Args and raises: as `row_digests`, and:
        sessions: so many share the rows among them, each on a core of its own, where `as_of` is an event: what was known after
            it is the same for each of them, whatever happens meanwhile. Each logs its share.
    """
    shares = sessions if isinstance(as_of, int) else 1

    def share(number: int) -> sets.Buckets:
        with store.session(actor) as session:
            table = _begun(store, session, register, items, key, as_of)
            only = f" AND {_share(key, number, shares)}" if shares > 1 else ""
            rows = _rows(table, items, key, as_of, absent, only)
            statement = f"COPY ({_sums(table, items, rows)}) TO STDOUT (FORMAT csv)"
            session.add_up()
            data = b"".join(map(bytes, session.copy_items(register, [*items, *key], statement)))
        lines = (line.split(",") for line in data.decode().splitlines())
        return tuple(sets.BucketSum(*map(int, line)) for line in lines)

    if shares == 1:
        return share(0)
    with ThreadPoolExecutor(shares) as pool:
        return sets.buckets_together(list(pool.map(share, range(shares))))


def _share(key: Sequence[str], number: int, shares: int) -> str:
    """The SQL condition for one of so many shares of the rows: the same at all times for rows of the same key."""
    first = f"coalesce(({quoted(key[0])})::text, '')"
    return f"(hashtext({first})::bigint + 2147483648) % {shares} = {number}"


def _sums(table: Table, items: Sequence[str], rows: str) -> str:
    """The query for the digests of the buckets of some rows."""
    usual = {item.romaji: item.digits or 0 for item in table.group.items if item.type == "X"}
    usual |= {item.romaji: _DAY for item in table.group.items if item.type == "DATE"}
    hashed = sets.postgres_hash(digest_columns(table.group, items), "s.", usual)
    # OFFSET 0 keeps the two queries apart: as one, it would compute the hash of each row for each of the two numbers.
    hashes = f"SELECT _bucket, {hashed} AS _hash FROM ({rows}) s OFFSET 0"
    one, two = sets.postgres_pieces("_hash")
    return f"SELECT _bucket, count(*), sum({one}), sum({two}) FROM ({hashes}) d GROUP BY 1 ORDER BY 1"


def _begun(
    store: Store,
    session: Session,
    register: str,
    items: Sequence[str],
    key: Sequence[str],
    as_of: AsOf | datetime | int | None,
) -> Table:
    """The table, and the export in the log."""
    table = store.table(register)  # no other edition comes into force before the session ends
    if not items or not key:
        fix = "name at least one item and one key"
        raise Problems([Problem("digest-empty", "nothing to take a digest of", register, fix)])
    digest_columns(table.group, [*items]), digest_columns(table.group, [*key])
    known = as_of.known if isinstance(as_of, AsOf) else as_of
    day = str(as_of.valid) if isinstance(as_of, AsOf) else "all"
    session.log_export(register, {"digests": list(items), "as_of": [day, str(known)]})
    if isinstance(known, datetime):
        session.settle(known)
    return table


def _digest(table: Table, items: Sequence[str]) -> str:
    return sets.postgres_digest(digest_columns(table.group, items), "s.")


def _rows(
    table: Table,
    items: Sequence[str],
    key: Sequence[str],
    as_of: AsOf | datetime | int | None,
    absent: Collection[str],
    only: str = "",
) -> str:
    """The query for the items as the standard writes them, and the bucket of each row."""
    keys = digest_columns(table.group, key)
    bucket = sets.postgres_bucket(sets.postgres_hash(keys, "w."))
    written = ", ".join(_written(table, name, name in absent) for name in dict.fromkeys((*items, *key)))
    rows = f"SELECT {written} FROM {table.name} WHERE {conditions(table, as_of)}{only}"
    return f"SELECT w.*, {bucket} AS _bucket FROM ({rows}) w"


def _written(table: Table, name: str, absent: bool) -> str:
    """An item as the standard writes it, under its own name."""
    if absent:
        kind = sql_type(table.group.item(name))
        return f"NULL::{'text' if kind == 'date' else kind} AS {quoted(name)}"
    if name in _PERIOD and table.has_periods:
        return f"nullif({name}, '{_PERIOD[name]}') AS {name}"
    column = quoted(name)
    if sql_type(table.group.item(name)) != "date":
        return column
    day = sets.postgres_day(column)
    return f"CASE WHEN {column} = '-infinity' THEN '{columns.ALWAYS}' ELSE {day} END AS {column}"


def _column(name: str, kind: pa.DataType) -> Column:
    if pa.types.is_decimal(kind):
        return Column(name, "decimal", kind.scale)
    if pa.types.is_integer(kind):
        return Column(name, "integer")
    if pa.types.is_list(kind):
        return Column(name, "list")
    if pa.types.is_binary(kind):
        return Column(name, "bytes")
    return Column(name, "date") if pa.types.is_date(kind) else Column(name)
