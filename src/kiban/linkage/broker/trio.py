"""Three nodes on one machine, for tests and benches: what a city runs on three."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from kiban import store
from kiban.linkage.broker import names, process, rules
from kiban.linkage.broker.address import Address
from kiban.linkage.contracts.model import Contract


class Trio:
    """A cluster of three servers under one folder."""

    def __init__(self, folder: Path, contracts: Iterable[Contract]) -> None:
        self.nodes = tuple(folder.absolute() / f"node{n}" for n in (1, 2, 3))
        flows = rules.users(contracts)
        self._passwords = {name: secrets.token_hex(32) for name in (names.PLATFORM, *flows)}
        ports = _free_ports(6)
        self._servers = tuple(f"nats://127.0.0.1:{port}" for port in ports[:3])
        for n, node in enumerate(self.nodes):
            node.mkdir(mode=0o700, parents=True)
            told = process.configuration(node, ports[n], name=node.name, routes=ports[3:], own=ports[3 + n])
            store.write_private(node / "server.conf", told + rules.written(flows, self._passwords))

    def up(self) -> None:
        """Start every node that does not run."""
        for node in self.nodes:
            if process.find(node) is None:
                process.start(node)

    def kill(self, number: int) -> None:
        """End a node by kill -9; 0 to 2."""
        process.stop(self.nodes[number], signal.SIGKILL)

    def destroy(self) -> None:
        """Stop and remove all."""
        for node in self.nodes:
            process.stop(node, signal.SIGKILL)
            shutil.rmtree(node)

    def address(self, user: str = names.PLATFORM) -> Address:
        """How a user reaches the cluster."""
        return Address(self._servers, user, self._passwords[user])


def _free_ports(count: int) -> tuple[int, ...]:
    with ExitStack() as stack:
        asked = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in asked:
            each.bind(("127.0.0.1", 0))
        return tuple(int(each.getsockname()[1]) for each in asked)
