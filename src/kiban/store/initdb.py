"""An embedded cluster made from nothing: its data, its two roles with their passwords, its database."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from kiban.kernel import Problem
from kiban.store import place as places
from kiban.store import postmaster, programs
from kiban.store.place import Place
from kiban.store.private import write_private

OWNER = "kiban_owner"
"""Superuser of the cluster and owner of every table; row-level security does not bind it."""

APPLICATION = "kiban_app"
"""The role every program reads and writes with; row-level security binds it."""

DATABASE = "kiban"

_NEEDED = 2**30  # bytes: an empty cluster takes 60 MB, its log of changes grows from there


def make(place: Place, lock: int) -> None:
    """Make a cluster from nothing, removing what an interrupted attempt left; the marker comes last."""
    postmaster.stop(place, "immediate")
    places.require_space(place.home, _NEEDED)
    if place.data.is_dir():
        shutil.rmtree(place.data)
    place.make_folders()
    passwords = {OWNER: secrets.token_hex(32), APPLICATION: secrets.token_hex(32)}
    lines = "".join(f"*:*:*:{role}:{password}\n" for role, password in passwords.items())
    write_private(place.home / "pgpass", lines)
    _initdb(place, passwords[OWNER], lock)
    postmaster.start(place)
    owner_dsn = dsn(place, OWNER, "postgres")
    with psycopg.connect(owner_dsn, autocommit=True) as connection:
        # The server gets the verifier only: the password itself never reaches its logs or statistics.
        verifier = connection.pgconn.encrypt_password(
            passwords[APPLICATION].encode(), APPLICATION.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(
            sql.SQL(
                "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD {}"
            ).format(sql.Identifier(APPLICATION), sql.Literal(verifier))
        )
        connection.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")
    create_database(owner_dsn, DATABASE)
    inside = place.folder.is_relative_to(place.home)
    folder = place.folder.relative_to(place.home) if inside else place.folder
    write_private(
        marker(place.home), json.dumps({"folder": str(folder), "version": programs.version()}) + "\n"
    )


def create_database(owner_dsn: str, name: str, template: str = "template1") -> None:
    """Make a database that the owner and the application's role may connect to, and nobody else; no temporary tables.

    Args:
        owner_dsn: of any database of the server.
        name: of the new database.
        template: the database to copy; nobody may be connected to it.
    """
    database, app = sql.Identifier(name), sql.Identifier(APPLICATION)
    with psycopg.connect(owner_dsn, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                database, sql.Identifier(OWNER), sql.Identifier(template)
            )
        )
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, app))


def _initdb(place: Place, password: str, lock: int) -> None:
    """Run initdb. It inherits the lock: nobody clears the folder under one whose caller was killed."""
    secret = place.folder / "pwfile"
    write_private(secret, password + "\n")
    try:
        if place.user:
            os.chown(secret, place.user.uid, place.user.gid)
        options = {
            "--pgdata": str(place.data),
            "--username": OWNER,
            "--pwfile": str(secret),
            "--auth": "scram-sha-256",
            "--encoding": "UTF8",
            "--locale": "C",
            "--locale-provider": "builtin",
            "--builtin-locale": "C.UTF-8",
        }
        flags = [f"{name}={value}" for name, value in options.items()]
        done = place.run("initdb", [*flags, "--data-checksums", "--no-instructions"], pass_fds=[lock])
    finally:
        secret.unlink(missing_ok=True)
    if done.returncode:
        raise Problem(
            "cluster-not-made",
            f"initdb failed: {postmaster.last_lines(done.stderr)}",
            where=str(place.data),
            fix="mend what it names and run it again: a half-made cluster is made anew",
        )


def marker(home: Path) -> Path:
    """The file that says that a cluster is whole."""
    return home / "postgres.json"


def dsn(place: Place, role: str, database: str) -> str:
    """The connection string of a role; it names the file of passwords and holds none."""
    return make_conninfo(
        host=str(place.socket),
        port=places.PORT,
        dbname=database,
        user=role,
        passfile=str(place.home / "pgpass"),
    )
