"""How to run psql, the terminal of PostgreSQL, without a password on its command line."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from kiban.kernel import Problem
from kiban.store.programs import shipped_programs


@dataclass(frozen=True)
class Command:
    """A program to run.

    Attributes:
        program: its path.
        arguments: those after the program's name; no secrets.
        environment: to add to the caller's; may hold the password.
    """

    program: Path
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)


def psql(dsn: str) -> Command:
    """The call of psql for a connection string.

    Where a network is in between, the system's own psql is taken before the shipped one, which cannot encrypt
    the connection.

    Raises:
        Problem: `dsn-unreadable`, `postgres-missing`.
    """
    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise Problem(
            "dsn-unreadable",
            "the connection string of the database cannot be read",
            fix="write it as postgresql://user@host/database or as host=… dbname=… user=…",
        ) from error
    password = parts.pop("password", None)
    own = None if str(parts.get("host", "")).startswith("/") else shutil.which("psql")
    return Command(
        Path(own) if own else shipped_programs() / "psql",
        (make_conninfo("", **parts),),
        {} if password is None else {"PGPASSWORD": str(password)},
    )
