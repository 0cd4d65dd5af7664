"""Work that comes after everybody else's: the process of the server that does it steps back, where it is on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg

_LAST = 19
"""The least that Linux gives a process beside others: about a hundredth of what one at a counter gets."""


def stand_back(connection: psycopg.Connection[Any]) -> bool:
    """Give the server's process of a connection what others leave of the processors.

    It cannot be taken back: the connection is for nobody else then.

    Args:
        connection: to the embedded server, or another of this machine by its Unix socket.

    Returns:
        Whether it steps back; False where the server is elsewhere, or of a user whose processes are not ours to slow.
    """
    if not connection.info.host.startswith("/"):
        return False
    pid = connection.info.backend_pid
    try:
        if (
            Path(f"/proc/{pid}/comm").read_text().startswith("postgres")
        ):  # not so where the socket is of another machine
            os.setpriority(os.PRIO_PROCESS, pid, _LAST)
            return True
    except OSError:
        pass
    return False
