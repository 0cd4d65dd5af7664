"""Amendments as SQL: rows wait in temporary tables and go into their register in a few statements, whatever their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kiban.store.schema import Table
from kiban.store.search_table import SearchTable
from kiban.store.text import literal, quoted

NUMBER = "#event"
"""The column that says which event of a run changes a row, from 0."""

_N = quoted(NUMBER)
_AMENDED = "pg_temp.amended"

BEGIN = (
    f"CREATE TEMP TABLE amended ({_N} bigint, register text, added bigint, digest numeric, closed bigint, "
    "closed_digest numeric) ON COMMIT DELETE ROWS",
    # A few rows meet a register of millions: always by its index. Temporary tables have no statistics that would tell.
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
)
"""What a connection needs before it amends."""


@dataclass(frozen=True)
class Staged:
    """A register that is amended, and the temporary tables in which its rows wait.

    Attributes:
        table: the register.
        place: sets it apart from the others.
    """

    table: Table
    place: int

    @property
    def added(self) -> str:
        """Where new rows wait."""
        return f"pg_temp.added_{self.place}"

    @property
    def closed(self) -> str:
        """Where it waits which rows are closed."""
        return f"pg_temp.closed_{self.place}"

    @property
    def found(self) -> str:
        """Where search entries of new rows wait."""
        return f"pg_temp.found_{self.place}"

    @property
    def told(self) -> tuple[str, ...]:
        """The columns that name a row to be closed."""
        return (*self.table.subject, *(("valid_from", "valid_to") if self.table.has_periods else ()))

    def create(self) -> Iterator[str]:
        """Make the temporary tables; they are empty again after each transaction."""
        made = "CREATE TEMP TABLE {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO DATA"
        number = f"0::bigint AS {_N}"
        yield made.format(self.added, f"{number}, {_list(self.table.loaded)}", self.table.name)
        yield made.format(self.closed, f"{number}, {_list(self.told)}", self.table.name)
        if self.table.group.search:
            yield made.format(self.found, "*", SearchTable(self.table).name)

    def close(self) -> str:
        """Close the rows that wait for it; gives how many were found."""
        same = " AND ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in self.told)
        return (
            f"WITH gone AS (UPDATE {self.table.name} t SET closed_by = %(first)s + s.{_N}, known_to = {_time('s')} "
            f"FROM {self.closed} s WHERE {same} AND t.closed_by IS NULL RETURNING s.{_N}, t.*), "
            f"counted AS (SELECT {_N}, count(*) AS n, sum({self.table.row_hash}) AS h FROM gone GROUP BY 1), "
            f"told AS (INSERT INTO {_AMENDED} SELECT {_N}, {literal(self.table.register)}, 0, 0, n, h FROM counted) "
            "SELECT coalesce(sum(n), 0)::bigint FROM counted"
        )

    def add(self) -> Iterator[str]:
        """Add the rows that wait, and what finds them."""
        table, names = self.table, _list(self.table.loaded)
        yield (
            f"WITH new AS (INSERT INTO {table.name} ({names}, known_from, event) "
            f"SELECT {names}, {_time('s')}, %(first)s + s.{_N} FROM {self.added} s ORDER BY s.{_N} "
            f"RETURNING event - %(first)s AS number, {table.row_hash} AS h) INSERT INTO {_AMENDED} "
            f"SELECT number, {literal(table.register)}, count(*), sum(h), 0, 0 FROM new GROUP BY number"
        )
        if table.group.search:
            entries = SearchTable(table).name
            yield (
                f"INSERT INTO {entries} SELECT DISTINCT n.* FROM {self.found} n WHERE NOT EXISTS "
                f"(SELECT FROM {entries} o WHERE o.subject = n.subject AND to_jsonb(o) = to_jsonb(n))"
            )

    @property
    def among(self) -> str:
        """A condition on the register: the rows of subjects that get new ones."""
        first = quoted(self.table.subject[0])
        return f"{first} IN (SELECT {first} FROM {self.added})"

    def missing(self) -> Iterator[tuple[str, str, str]]:
        """For each item that names a row elsewhere: the item, the register, and how many rows name one that is not there yet."""
        for name, (register, target) in self.table.references.items():
            schema, group = register.split(".")
            yield (
                name,
                register,
                f"SELECT count(*) FROM {self.added} s WHERE s.{quoted(name)} IS NOT NULL AND NOT EXISTS (SELECT FROM "
                f"{quoted(schema)}.{quoted(group)} t WHERE t.{quoted(target)} = s.{quoted(name)} AND t.event <= %(first)s + s.{_N})",
            )

    def changes(self) -> Iterator[str]:
        """The changes of each event in the form in which `kiban.record_event` is given them, closings first."""
        subject = ", ".join(f"{literal(name)}, s.{quoted(name)}" for name in self.table.subject)
        told = f"'register', {literal(self.table.register)}, 'subject', jsonb_build_object({subject})"
        starts, ends = "NULL::date", "NULL::date"
        if self.table.has_periods:
            starts, ends = "nullif(s.valid_from, '-infinity')", "nullif(s.valid_to, 'infinity')"
        period = f"'valid_from', {starts}, 'valid_to', {ends}"
        row = f"jsonb_strip_nulls(to_jsonb(s) - '{{{NUMBER},valid_from,valid_to}}'::text[])"
        for step, content, source in ((0, "NULL::jsonb", self.closed), (1, row, self.added)):
            change = f"jsonb_build_object({told}, 'row', {content}, {period})"
            yield f"SELECT s.{_N}, {step} AS step, {self.place} AS place, {starts} AS since, {change} AS change FROM {source} s"


def touched(staged: list[Staged]) -> str:
    """The query for whose rows a run of events changed, as `kiban.protect` takes it."""
    found = " UNION ALL ".join(
        f"SELECT {literal(one.table.register)} AS register, {quoted(one.table.subject[0])}::text AS number FROM {place}"
        for one in staged
        for place in (one.added, one.closed)
    )
    numbers = f"SELECT register, jsonb_agg(DISTINCT number) AS numbers FROM ({found}) f GROUP BY 1"
    return f"SELECT coalesce(jsonb_object_agg(register, numbers), '{{}}') FROM ({numbers}) n"


def write(staged: list[Staged]) -> str:
    """Write the events of a run from what was amended; gives the number of the last."""
    changes = " UNION ALL ".join(statement for one in staged for statement in one.changes())
    return f"""WITH changes AS ({changes}), told AS (
        SELECT {_N}, jsonb_build_object('note', '{{}}'::jsonb,
            'changes', jsonb_agg(change ORDER BY step, place, since NULLS FIRST, change)) AS payload
        FROM changes GROUP BY 1
    ), amended AS (
        SELECT {_N}, register, sum(added) AS added, sum(digest) AS digest, sum(closed) AS closed, sum(closed_digest) AS closed_digest
        FROM {_AMENDED} GROUP BY 1, 2
    ), held AS (
        SELECT {_N}, jsonb_build_object('registers', jsonb_agg(register ORDER BY register)) AS message,
            jsonb_object_agg(register, jsonb_build_object('rows', added, 'digest', digest::text,
                'closed', closed, 'closed_digest', closed_digest::text)) AS content
        FROM amended GROUP BY 1
    ) SELECT kiban.close_events(%(business)s, %(kind)s, %(valid)s, %(who)s, array_agg(u.subject ORDER BY u.place),
        array_agg(told.payload ORDER BY u.place), array_agg(held.content ORDER BY u.place), array_agg(held.message ORDER BY u.place))
    FROM unnest(%(subjects)s::text[]) WITH ORDINALITY u(subject, place)
    JOIN told ON told.{_N} = u.place - 1 JOIN held ON held.{_N} = u.place - 1"""


def _time(alias: str) -> str:
    return f"%(at)s::timestamptz + {alias}.{_N} * interval '1 microsecond'"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, names))
