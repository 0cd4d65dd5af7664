"""Proof that the fence around protected persons stands: nobody is missing, and no lift was edited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from kiban.kernel import Problem
from kiban.standard import Edition
from kiban.store import protecting
from kiban.store.protecting import Tables
from kiban.store.search_table import SearchTable

_ANEW = "run `kiban db protect`, which sees anew who is protected, and find out who did it"


def examine(connection: psycopg.Connection[Any], by: Edition | None, tables: Tables) -> Iterator[Problem]:
    """What does not hold of the fence, in the transaction of a connection of the owner.

    Args:
        connection: the owner's.
        by: the edition in force that says who is protected.
        tables: the registers in force.
    """
    yield from _lifts(connection)
    held = connection.execute("SELECT digest, registers, searched, names FROM kiban.protection").fetchone()
    if held != protecting.wanted(by, tables):
        what = "what the database keeps of protection is not what the edition in force says"
        yield Problem("protection-altered", what, "kiban.protection", _ANEW)
    elif by is not None:
        yield from _missing(connection, protecting.searched(tables), tables)


def _missing(
    connection: psycopg.Connection[Any], searched: Sequence[str], tables: Tables
) -> Iterator[Problem]:
    """Units that the registers protect and the list does not; a list that holds more hides more, and is left alone."""
    for what, where, query in (
        (
            "persons and households are protected, and are not kept so",
            "kiban.protected_unit",
            "SELECT c.kind, c.unit FROM kiban.all_protected((now() AT TIME ZONE 'Asia/Tokyo')::date) c "
            "LEFT JOIN kiban.protected_unit u USING (kind, unit) WHERE u.unit IS NULL OR (c.own AND NOT u.own)",
        ),
        (
            "are passed by in the sieve",
            "kiban.protected_sieve",
            "SELECT FROM kiban.protected_unit u, kiban.protected_sieve s "
            "WHERE NOT kiban.in_sieve(s.bits, u.unit)",
        ),
        *(
            (
                "search entries of protected persons stand among those of others",
                SearchTable(tables[register]).name,
                f"SELECT FROM {SearchTable(tables[register]).name} s "
                "JOIN kiban.protected_unit u ON u.kind = 'person' AND u.unit = s.subject",
            )
            for register in searched
        ),
    ):
        row = connection.execute(f"SELECT count(*) FROM ({query}) m".encode()).fetchone()
        if row and row[0]:
            yield Problem("protection-missing", f"{row[0]} {what}", where, _ANEW)


def _lifts(connection: psycopg.Connection[Any]) -> Iterator[Problem]:
    """Every line of the lifts against its digest and the line before."""
    row = connection.execute(
        """SELECT count(*) FROM (
            SELECT l.digest = kiban.lift_digest(l) AND l.previous = coalesce(lag(l.digest) OVER w, '')
                AND l.line = coalesce(lag(l.line) OVER w, 0) + 1 AS genuine
            FROM kiban.lift l WINDOW w AS (ORDER BY l.line)
        ) s WHERE NOT genuine"""
    ).fetchone()
    if row and row[0]:
        what = f"{row[0]} lines of the lifts are not as they were written, or one before them is gone"
        yield Problem(
            "lift-altered", what, "kiban.lift", "compare with the log of look-ups, and find out who did it"
        )
