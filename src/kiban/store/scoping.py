"""The policies of row-level security as they stand, and brought to what the editions in force ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import psycopg

from kiban.store.schema import Table
from kiban.store.search_table import SearchTable
from kiban.store.text import scope

_FORMER = "DROP FUNCTION IF EXISTS kiban.visible_wards(), kiban.sees_city(), kiban.signed_in()"
"""What the policies of earlier versions of Kiban asked, without a business."""


def rules(table: Table) -> dict[str, str]:
    """The rule of a register and of what it is searched by, by their names in SQL."""
    found = {table.name: table.rule}
    if table.group.search:
        found[SearchTable(table).name] = SearchTable(table).rule
    return found


def scoped(connection: psycopg.Connection[Any], name: str, rule: str) -> bool:
    """Whether row-level security is on, with exactly this rule."""
    policies = connection.execute(
        """SELECT p.polname, p.polcmd::text, p.polpermissive, p.polroles = ARRAY['kiban_app'::regrole::oid],
            pg_get_expr(p.polqual, p.polrelid), p.polwithcheck IS NULL
        FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid WHERE c.oid = %s::regclass AND c.relrowsecurity""",
        (name,),
    ).fetchall()
    if len(policies) != 1 or policies[0][4] is None:
        return False
    *form, held, unchecked = policies[0]
    return form == ["actor_scope", "r", True, True] and unchecked and _bare(held) == _bare(rule)


def fit(connection: psycopg.Connection[Any], tables: Iterable[Table]) -> None:
    """Give each register its policy where it has another one; touches nothing else, so it may run again at any time."""
    for table in tables:
        for name, rule in rules(table).items():
            if not scoped(connection, name, rule):
                for statement in scope(name, rule):
                    connection.execute(statement.encode())
    connection.execute(_FORMER.encode())


def _bare(rule: str) -> str:
    """A rule without what PostgreSQL adds when it shows one: brackets, blanks, quotes and the names of columns."""
    return re.sub(r"\bAS \w+|[\s()\"]", "", rule)
