"""A real S3 server for the tests: SeaweedFS as one process, in memory where there is room, gone with whoever started it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiban import sets
from kiban.kernel import Problem

SECRET = "kiban-secret-of-the-tests"

_ATTEMPTS = 5  # another process may take a port between the look for a free one and its use
_PATIENCE = 60  # seconds for a start on a busy machine
_GUARD = 'exec 3<&0; "$@" </dev/null & server=$!; (read _ <&3; kill -9 $server) & wait $server'
"""Ends the server when the standard input of the shell ends, and so with the tests, however those end."""


@dataclass(frozen=True)
class ObjectStore:
    """A running S3 server with one bucket."""

    endpoint: str
    access: sets.Access

    def shelf(self, name: str) -> sets.Shelf:
        """A shelf of its own on this server."""
        return sets.open_shelf(f"s3://kiban/{name}", access=self.access)


@contextmanager
def running() -> Iterator[ObjectStore]:
    """A server that takes objects."""
    for _ in range(_ATTEMPTS):
        memory = Path("/dev/shm")
        folder = Path(tempfile.mkdtemp(prefix="kiban-s3-", dir=memory if memory.is_dir() else None))
        ports = _free_ports("master", "volume", "filer", "s3")
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(_command(folder, ports), stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            endpoint = f"http://127.0.0.1:{ports['s3.port']}"
            store = ObjectStore(endpoint, sets.Access(endpoint, "us-east-1", "kiban", SECRET))
            if _takes_objects(store, process):
                yield store
                return
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
            shutil.rmtree(folder)
    raise AssertionError("no S3 server could be started")


def _command(folder: Path, ports: dict[str, int]) -> list[str]:
    keys = {"accessKey": "kiban", "secretKey": SECRET}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "kiban", "credentials": [keys], "actions": actions}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    return [
        *("sh", "-c", _GUARD, "sh", str(Path(sysconfig.get_path("scripts")) / "weed"), "-logtostderr", "server"),
        *(f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"),
        *("-filer", "-s3", f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0"),
        *("-master.volumeSizeLimitMB=64", "-volume.max=64", *(f"-{name}={port}" for name, port in ports.items())),
    ]  # fmt: skip


def _free_ports(*names: str) -> dict[str, int]:
    """Two ports for each name; all are held until the last is found, so that none is found twice."""
    with ExitStack() as held:
        found = {}
        for name in (f"{name}.port{kind}" for name in names for kind in ("", ".grpc")):
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            found[name] = int(probe.getsockname()[1])
        return found


def _takes_objects(store: ObjectStore, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers, and until it stores: its volumes come a moment later."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if _answers(store.endpoint) and _stores(store):
            return True
        time.sleep(0.1)
    return False


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _stores(store: ObjectStore) -> bool:
    try:
        return store.shelf("first").create(uuid.uuid4().hex, b"")
    except Problem:
        return False
