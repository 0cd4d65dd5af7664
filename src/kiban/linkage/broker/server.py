"""The embedded broker: one NATS server per home, on the loopback only.

In home/broker lie `broker.json` (the marker, written last: without it the server is half made and is made anew),
`users.json` (the passwords, mode 0600), the configuration, the log, and the streams. The server holds a lock on `alive`
as long as it lives, whoever started it: so nobody has to guess from a number whether it runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kiban import store
from kiban.kernel import Problem
from kiban.linkage.broker import names, process, rules
from kiban.linkage.broker.address import Address
from kiban.linkage.contracts.model import Contract

_LOCK_PATIENCE = 60  # seconds


@dataclass(frozen=True)
class BrokerStatus:
    """What there is of the embedded broker.

    Attributes:
        state: `absent`, `half-made` (the next `up` makes it anew), `stopped` or `running`.
        folder: of its files; None where absent.
        pid: process of the server; None unless running.
        address: where it listens; None unless running.
    """

    state: Literal["absent", "half-made", "stopped", "running"]
    folder: Path | None = None
    pid: int | None = None
    address: str | None = None


class Broker:
    """The embedded broker of one home. Every method may be called at any time, by many processes at once."""

    def __init__(self, home: Path) -> None:
        self.folder = home.absolute() / "broker"

    def up(self, contracts: Iterable[Contract]) -> Address:
        """Start the server, making it first where there is none; a running one learns of new contracts.

        Args:
            contracts: whose consumers get a user; one that no contract names any more loses its own.

        Returns:
            The address of the platform's user.

        Raises:
            Problem: `broker-locked`, `broker-not-started`, `broker-missing`, `broker-damaged`, `broker-no-access`.
        """
        flows = rules.users(contracts)
        with self._locked():
            if not self._marker.exists():
                self._clear()
            passwords = self._passwords(flows)
            port = self._port()
            changed = self._configure(port, rules.written(flows, passwords))
            pid = process.find(self.folder)
            if pid is None:
                port = self._start(port)
            elif changed:
                os.kill(pid, signal.SIGHUP)
            store.write_private(self._marker, json.dumps({"port": port}) + "\n")
        return self.address(names.PLATFORM)

    def down(self) -> None:
        """Stop the server; nothing where it does not run.

        Raises:
            Problem: `broker-locked`, `broker-not-stopped`.
        """
        if self.folder.is_dir():
            with self._locked():
                process.stop(self.folder, signal.SIGTERM)

    def status(self) -> BrokerStatus:
        """What there is, without starting or changing anything."""
        if not self.folder.is_dir():
            return BrokerStatus("absent")
        if not self._marker.exists():
            return BrokerStatus("half-made", self.folder)
        pid = process.find(self.folder)
        state: Literal["running", "stopped"] = "running" if pid else "stopped"
        return BrokerStatus(state, self.folder, pid, self._url() if pid else None)

    def destroy(self) -> None:
        """Stop the server and remove everything it holds.

        Raises:
            Problem: `broker-locked`, `broker-not-stopped`.
        """
        if self.folder.is_dir():
            with self._locked():
                self._marker.unlink(missing_ok=True)
                self._clear()
            shutil.rmtree(self.folder)

    def address(self, user: str) -> Address:
        """How a user reaches the server.

        Args:
            user: `platform`, or the ID of a system that takes a flow.

        Raises:
            Problem: `broker-absent`, `broker-user`.
        """
        if not self._marker.exists():
            raise Problem(
                "broker-absent", "there is no broker yet", str(self.folder), "run `kiban link broker up`"
            )
        passwords = self._read(self.folder / "users.json")
        if user not in passwords:
            raise Problem(
                "broker-user", f"the broker has no user {user}", fix="no contract names it as a consumer"
            )
        return Address((self._url(),), user, str(passwords[user]))

    @property
    def _marker(self) -> Path:
        return self.folder / "broker.json"

    def _url(self) -> str:
        return f"nats://127.0.0.1:{self._port()}"

    def _port(self) -> int:
        return int(self._read(self._marker)["port"]) if self._marker.exists() else _free_port()

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            assert isinstance(found, dict)
            return found
        except (OSError, ValueError, AssertionError):
            raise Problem(
                "broker-damaged", "a file of the broker cannot be read", str(path), "restore it from a copy"
            ) from None

    def _passwords(self, flows: Iterable[str]) -> dict[str, str]:
        """The passwords of all users, made where they are not there yet."""
        path = self.folder / "users.json"
        known = self._read(path) if path.exists() else {}
        wanted = {name: str(known.get(name) or secrets.token_hex(32)) for name in (names.PLATFORM, *flows)}
        if wanted != known:
            store.write_private(path, json.dumps(wanted, indent=1) + "\n")
        return wanted

    def _configure(self, port: int, users: str) -> bool:
        """Write the configuration; whether it is another one than before."""
        told = process.configuration(self.folder, port) + users
        path = self.folder / "server.conf"
        if path.exists() and path.read_text(encoding="utf-8") == told:
            return False
        store.write_private(path, told)
        return True

    def _start(self, port: int) -> int:
        """Start the server, at another port where the one of last time was taken meanwhile."""
        if not _is_free(port):
            path = self.folder / "server.conf"
            taken, port = port, _free_port()
            store.write_private(
                path, path.read_text(encoding="utf-8").replace(f":{taken}\n", f":{port}\n", 1)
            )
        process.start(self.folder)
        return port

    def _clear(self) -> None:
        process.stop(self.folder, signal.SIGKILL)
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder for one caller."""
        path = self.folder / "lock"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise Problem(
                "broker-no-access", f"the folder of the broker cannot be used: {error.strerror}", str(path)
            ) from error
        try:
            deadline = time.monotonic() + _LOCK_PATIENCE
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        what = f"another process has been at the broker for {_LOCK_PATIENCE} s"
                        raise Problem("broker-locked", what, str(path), "wait for it") from None
                    time.sleep(0.02)
            yield
        finally:
            os.close(lock)


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
