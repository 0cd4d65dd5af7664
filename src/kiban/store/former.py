"""Views in the shape of the edition that was in force, so that its readers go on while they change over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from kiban import standard
from kiban.standard import Edition, Group
from kiban.store import carrying, publish
from kiban.store.carrying import Moves
from kiban.store.schema import Table
from kiban.store.text import quoted, view


def drop(connection: psycopg.Connection[Any], schema: str) -> None:
    """Take away Kiban's own views of a schema, and the schema itself where nothing else is in it."""
    for (name,) in connection.execute(
        "SELECT viewname FROM pg_views WHERE schemaname = %s AND viewowner = current_user", (schema,)
    ).fetchall():
        connection.execute(f"DROP VIEW {quoted(schema)}.{quoted(name)}".encode())
    row = connection.execute(
        "SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass "
        "AND refobjid = (SELECT oid FROM pg_namespace WHERE nspname = %s)",
        (schema,),
    ).fetchone()
    if row == (0,):
        connection.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)}".encode())


def show(
    connection: psycopg.Connection[Any], old: Edition, new: Edition, tables: Mapping[str, Table]
) -> None:
    """Make the views of an edition over the tables of the one that follows it.

    A code that now stands for several former ones is shown as it stands.

    Args:
        connection: the owner's.
        old: the edition whose names and codes the views have.
        new: the edition in force.
        tables: every register of the old edition as it stands now.
    """
    name = publish.former_schema(old)
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}".encode())
    connection.execute(f"GRANT USAGE ON SCHEMA {quoted(name)} TO kiban_app".encode())
    back = carrying.moves(new, old)
    for group in old.groups:
        table = tables[f"{old.id}.{group.id}"]
        place = f"{quoted(name)}.{quoted(group.id)}"
        connection.execute(
            view(place, _columns(group, table, back), table.name, "closed_by IS NULL").encode()
        )
        connection.execute(f"GRANT SELECT ON {place} TO kiban_app".encode())


def _columns(group: Group, table: Table, back: Moves) -> list[str]:
    types = dict(table.retired) | {item.romaji: standard.sql_type(item) for item in table.group.items}
    source = carrying.carried(table.items, [item.romaji for item in group.items], back.renames)
    columns = []
    for item in group.items:
        now = source[item.romaji]
        recode = back.recodes.get(item.code or "", {}) if now not in dict(table.retired) else {}
        value = carrying.converted(quoted(now), types[now], standard.sql_type(item), recode)
        columns.append(f"{value} AS {quoted(item.romaji)}")
    if table.has_periods:
        columns += [
            "nullif(valid_from, '-infinity') AS valid_from",
            "nullif(valid_to, 'infinity') AS valid_to",
        ]
    return columns
