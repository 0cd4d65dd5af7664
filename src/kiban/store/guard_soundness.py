"""Proof that the fence around protected persons stands: nobody is missing, and no lift was edited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from kiban.kernel import Problem
from kiban.standard import Edition
from kiban.store import protecting
from kiban.store.protecting import Tables

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
        yield from _missing(connection)


def _missing(connection: psycopg.Connection[Any]) -> Iterator[Problem]:
    """Units that the registers protect and the list does not; a list that holds more hides more, and is left alone."""
    for what, where, query in (
        (
            "persons and households are protected, and are not kept so",
            "kiban.protected_unit",
            "SELECT c.kind, c.unit FROM kiban.all_protected((now() AT TIME ZONE 'Asia/Tokyo')::date) c "
            "LEFT JOIN kiban.protected_unit u USING (kind, unit) WHERE u.unit IS NULL OR (c.own AND NOT u.own)",
        ),
        (
            "names of protected persons are not found",
            "kiban.protected_name",
            "SELECT * FROM kiban.found_names(ARRAY(SELECT unit FROM kiban.protected_unit WHERE kind = 'person')) "
            "EXCEPT SELECT * FROM kiban.protected_name",
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
