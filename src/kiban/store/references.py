"""Whether rows that stand in bulk name others that are nowhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import psycopg

from kiban.kernel import Problem
from kiban.store.schema import Table
from kiban.store.text import quoted


def examined(
    connection: psycopg.Connection[Any], table: Table, source: str, loading: Mapping[str, Table]
) -> tuple[dict[str, int | str], list[Problem]]:
    """What `publish.content` and `missing_references` tell, with fewer looks at the rows.

    Lists of the city, such as towns and offices, have few entries: the rows are added up by what they name of them, in the
    same pass in which they are hashed, and each combination is looked up once.
    """
    lists = [name for name in table.references if name not in table.personal]
    kinds = ", ".join(map(quoted, lists)) or "()"
    missing = [
        f"coalesce(sum(kiban_rows) FILTER (WHERE {_missing(table, name, loading)}), 0)" for name in lists
    ]
    row = connection.execute(
        f"WITH s AS MATERIALIZED (SELECT {', '.join([*map(quoted, lists), 'count(*) AS kiban_rows'])}, "
        f"sum({table.row_hash}) AS kiban_hash FROM {source} GROUP BY {kinds}) "
        f"SELECT {', '.join(['coalesce(sum(kiban_rows), 0)', 'coalesce(sum(kiban_hash), 0)', *missing])} FROM s".encode()
    ).fetchone()
    assert row is not None
    problems = [_unnamed(table, name, int(rows)) for name, rows in zip(lists, row[2:], strict=True) if rows]
    personal = [name for name in table.references if name in table.personal]
    problems += missing_references(connection, table, source, loading, personal)
    return {"rows": int(row[0]), "digest": str(row[1]), "closed": 0}, problems


def missing_references(
    connection: psycopg.Connection[Any],
    table: Table,
    source: str,
    loading: Mapping[str, Table],
    names: Collection[str] | None = None,
) -> list[Problem]:
    """One problem for each item whose values name rows that are nowhere.

    Args:
        connection: the owner's.
        table: the register that refers.
        source: the SQL name of the table to look at.
        loading: registers whose shadows count as well.
        names: the items to look at; None for all that refer.
    """
    found = []
    for name in table.references if names is None else names:
        row = connection.execute(
            f"SELECT count(*) FROM {source} s WHERE {_missing(table, name, loading)}".encode()
        ).fetchone()
        if row and row[0]:
            found.append(_unnamed(table, name, row[0]))
    return found


def _missing(table: Table, name: str, loading: Mapping[str, Table]) -> str:
    """The condition for rows `s` whose value names a row that is nowhere."""
    register, target = table.references[name]
    places = [".".join(map(quoted, register.split(".")))]
    places += [loading[register].shadow] if register in loading else []
    named = [
        f"NOT EXISTS (SELECT FROM {place} t WHERE t.{quoted(target)} = s.{quoted(name)})" for place in places
    ]
    return " AND ".join([f"s.{quoted(name)} IS NOT NULL", *named])


def _unnamed(table: Table, name: str, rows: int) -> Problem:
    what = f"{rows} rows name a row of {table.references[name][0]} that does not exist"
    return Problem("reference-missing", what, f"{table.register} ({name})", "load the rows they name as well")
