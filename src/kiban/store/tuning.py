"""The settings of the embedded server: for bulk work within 4 GiB, and for logs without personal data."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_MIB = 2**20


def server_settings(socket: Path, port: int, folder: Path) -> dict[str, str]:
    """The settings a server starts with, sized to the machine.

    Args:
        socket: directory of the Unix socket; the server listens nowhere else.
        port: part of the socket's file name.
        folder: exists, on the file system of the data.
    """
    memory = memory_limit()
    free = shutil.disk_usage(folder).free
    return {
        "listen_addresses": "",
        "unix_socket_directories": '"' + str(socket).replace('"', '""') + '"',
        "unix_socket_permissions": "0700",
        "port": str(port),
        "password_encryption": "scram-sha-256",
        # Never off: a loaded city survives the loss of power, and figures measured here mean something.
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        # Nobody follows this server, so the log need only bring it up again after a crash: an index that is built, and a
        # table that is filled as soon as it is made, go to the disk once.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "shared_buffers": _megabytes(memory // 8, 1024),
        "effective_cache_size": _megabytes(memory // 2, 65536),
        "maintenance_work_mem": _megabytes(memory // 16, 512),
        "max_parallel_maintenance_workers": "2",
        # A checkpoint in the middle of a bulk load doubles its log: every page that was copied before is logged whole once
        # more when it is first read, for its checksum. A city of 3.8 million logs 7 GB, and a checkpoint begins at about
        # half of this. No more log than a third of the free disk.
        "max_wal_size": _megabytes(free // 3, 16384, least=1024),
        "checkpoint_timeout": "30min",
        "wal_compression": "off",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        # An error's message, detail and context may quote values, and its statement may hold them: a log that
        # holds no personal data holds no errors of statements at all. Whoever sent the statement gets them.
        "log_min_messages": "log",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_statement": "none",
    }


def memory_limit() -> int:
    """Bytes of memory this process may count on: of the machine, or of the container if that is less."""
    limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            limit = min(limit, int(Path("/sys/fs/cgroup", name).read_text()))
        except (OSError, ValueError):
            continue
    return limit


def _megabytes(value: int, most: int, least: int = 32) -> str:
    return f"{max(least, min(most, value // _MIB))}MB"
