"""The process of the embedded server: start it, find it, stop it, after whatever happened to it before."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from pathlib import Path
from typing import Literal

from kiban.kernel import Problem
from kiban.store import place as places
from kiban.store.place import Place
from kiban.store.tuning import server_settings

_PATIENCE = 600  # seconds; recovery after a crash reads up to max_wal_size
_DYING = 15  # seconds that the children of a killed server may take to notice

_LINUX = Path("/proc/self/cwd").exists()


def start(place: Place) -> None:
    """Start the server if it does not run, and wait until it answers.

    Raises:
        Problem: `cluster-not-started`, with the end of the server's log.
    """
    if find(place):
        _wait(place)
        return
    _clear_locks(place)
    options = " ".join(
        shlex.quote(f"--{name}={value}")
        for name, value in server_settings(place.socket, places.PORT, place.folder).items()
    )
    # Relative to the folder: pg_ctl hands paths to a shell in double quotes, which a path may break out of.
    log, data = (str(path.relative_to(place.folder)) for path in (place.log, place.data))
    start = ["start", "-s", "-w", "-t", str(_PATIENCE), "-D", data, "-l", log, "-o", options]
    done = place.run("pg_ctl", start)
    if done.returncode == 0:
        return
    raise Problem(
        "cluster-not-started",
        f"PostgreSQL did not start. Its log ends with:\n{_log_tail(place) or last_lines(done.stderr)}",
        where=str(place.log),
        fix="mend what the log names, then run `kiban db up` again",
    )


def _wait(place: Place) -> None:
    """Wait for a server that another caller started, such as one that was killed meanwhile."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, IndexError):
            if _pid_file(place).read_text().splitlines()[7].strip() == "ready":
                return
        if not find(place):
            break
        time.sleep(0.02)
    raise Problem(
        "cluster-not-started",
        f"PostgreSQL is starting and does not get ready. Its log ends with:\n{_log_tail(place)}",
        where=str(place.log),
        fix="run `kiban db down` and `kiban db up`",
    )


def stop(place: Place, mode: Literal["fast", "immediate"]) -> None:
    """Stop the server if it runs.

    Args:
        place: of the cluster.
        mode: `fast` rolls back and writes everything; `immediate` is for data that will be removed.

    Raises:
        Problem: `cluster-not-stopped`.
    """
    if not find(place):
        return
    stop = ["stop", "-s", "-w", "-t", str(_PATIENCE), "-m", mode, "-D", str(place.data)]
    done = place.run("pg_ctl", stop)
    if done.returncode and find(place):
        raise Problem(
            "cluster-not-stopped",
            f"PostgreSQL did not stop: {last_lines(done.stderr)}",
            where=str(place.log),
            fix="end the programs that use it, then run `kiban db down` again",
        )


def _pid_file(place: Place) -> Path:
    return place.data / "postmaster.pid"


def find(place: Place) -> int | None:
    """The process that serves this data.

    Returns:
        None where the process file is missing, stale, or has a number that another program got since.
    """
    try:
        pid = int(_pid_file(place).read_text().splitlines()[0])
    except (OSError, IndexError, ValueError):
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return pid if not _LINUX or _works_in(pid, place) else None


def _clear_locks(place: Place) -> None:
    """Remove the lock files of a server that was killed, once no process of it is left.

    PostgreSQL does so itself, unless another program, or a dead process nobody collected, has the number.
    """
    locks = [
        path for path in (_pid_file(place), place.socket / f".s.PGSQL.{places.PORT}.lock") if path.exists()
    ]
    if not locks or not _LINUX:
        return
    deadline = time.monotonic() + _DYING
    while any(_works_in(int(path.name), place) for path in Path("/proc").glob("[0-9]*")):
        if time.monotonic() > deadline:
            return  # PostgreSQL will refuse, and say why
        time.sleep(0.02)
    for path in locks:
        path.unlink(missing_ok=True)


def _works_in(pid: int, place: Place) -> bool:
    """Whether a process is of this server: PostgreSQL works in its data directory, other programs do not."""
    process = Path(f"/proc/{pid}")
    try:
        return (process / "cwd").samefile(place.data)
    except FileNotFoundError:  # it is gone, or dead and not collected
        return False
    except PermissionError:  # root in a container may not ask; take every server of the same user for it
        try:
            uid = place.user.uid if place.user else os.geteuid()
            return process.stat().st_uid == uid and b"postgres" in (process / "cmdline").read_bytes()
        except OSError:
            return False


def _log_tail(place: Place) -> str:
    try:
        handle = os.open(place.log, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return ""
    with os.fdopen(handle, "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4000))
        return last_lines(file.read().decode(errors="replace"))


def last_lines(text: str) -> str:
    """The last eight lines of an output."""
    return "\n".join(text.strip().splitlines()[-8:])
