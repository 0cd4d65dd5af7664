"""`kiban serve` in a process of its own, for demonstrations and benches."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

from kiban.kernel import Problem

PROGRAM = "from kiban.cli import main; main()"
RUN = (sys.executable, "-c", PROGRAM)
"""How to run `kiban` by the interpreter that runs now."""
PATIENCE = 180.0  # seconds; of a city of millions on a busy machine


def free_port(wanted: int = 0) -> int:
    """A port of this machine; another one where somebody has it."""
    for port in (wanted, 0):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                tried.bind(("127.0.0.1", port))
                return int(tried.getsockname()[1])
    raise Problem("port-taken", "no port is free", fix="end some programs")


def begin(
    arguments: Sequence[str], environ: Mapping[str, str], log: Path, *, alone: bool = False
) -> subprocess.Popen[bytes]:
    """Start `kiban serve`.

    Args:
        arguments: what follows `kiban serve`.
        environ: of the process.
        log: takes what it says, after what stands there.
        alone: whether it lives on when this process ends.
    """
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own program, no shell
            [*RUN, "serve", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=alone,
            env=dict(environ),
        )


def wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the service is healthy.

    Raises:
        Problem: `serve-silent` where it ends, or is not so in three minutes.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), urlopen(f"{address}/healthz", timeout=10):  # noqa: S310 - ours, begun a moment ago
            return
        time.sleep(0.1)
    raise Problem("serve-silent", "the service does not answer", str(log), "see the end of that log")


@contextmanager
def served(arguments: Sequence[str], environ: Mapping[str, str], log: Path) -> Iterator[int]:
    """Serve on this machine while the block runs; the port.

    Args:
        arguments: what follows `kiban serve`, without the port.
        environ: of the process.
        log: takes what it says.

    Raises:
        Problem: `serve-silent`, `port-taken`.
    """
    port = free_port()
    process = begin([*arguments, "--port", str(port)], environ, log)
    try:
        wait(f"http://127.0.0.1:{port}", process, log)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)
