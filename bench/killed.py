"""What is killed in the bench of kills: a publisher, a consumer, three nodes; and what is looked at afterwards."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import nats

from bench import city, flows
from kiban import linkage, main, store
from kiban.kernel import AsOf, Period, Problem
from kiban.linkage import Replica
from kiban.linkage.broker import Trio, names
from kiban.linkage.events import Consumer, Desk, Platform, Publisher, Puller, Replayer, Sender, floor, status
from kiban.settings import Settings
from kiban.store import Change, Store


class Stage:
    """Everything between a register and a replica, in processes that may be killed at any time."""

    def __init__(self, opened: Store, folder: Path, home: Path) -> None:
        folder.mkdir(parents=True)
        self._opened, self._folder, self._home = opened, folder, home
        (self._contract,) = flows.contracts(opened.library, 1)
        self._trio = Trio(folder / "nodes", [self._contract])
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.changes: list[tuple[str, int, str]] = []
        """Number of the person, event and mark of each change, in their order."""

    def __enter__(self) -> Stage:
        for user in (names.PLATFORM, self._contract.consumer.id):
            address = self._trio.address(user)
            body = {"servers": address.servers, "user": address.user, "password": address.password}
            (self._folder / f"{user}.json").write_text(json.dumps(body), encoding="utf-8")
        reached = {"database": self._opened.server.owner_dsn, "database_app": self._opened.server.app_dsn}
        (self._folder / "settings.json").write_text(json.dumps({**reached, "home": str(self._home)}))
        self._trio.up()
        asyncio.run(self._settle())
        event, _ = store.last_event(self._opened)
        with linkage.open_linkage(self._opened) as books:
            with books.transaction() as page:
                for table in ("event_flow", "event_answered", "event_waiting"):
                    page.run(f"DELETE FROM {table} WHERE flow = %s", (self._contract.flow,))
            floor(books, self._contract.flow, event, 1)
        with Replica.open(self._folder / "replica", self._contract) as replica, replica.replacing(event, 1):
            pass
        with self._opened.session(city.HALL) as session:
            rows = session.sql(
                "SELECT atenabango FROM resident.jumin WHERE closed_by IS NULL AND valid_to = 'infinity' LIMIT 20"
            )
        self._people = [row["atenabango"] for row in rows]
        self.restart()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            _end(process)
        self._trio.destroy()

    async def _settle(self) -> None:
        client = await self._trio.address().connect(60)
        for left in range(10, -1, -1):
            try:
                await linkage.broker.settle(client.jetstream(timeout=10), [self._contract], replicas=3)
                break
            except (nats.errors.Error, nats.js.errors.Error):
                if not left:
                    raise
        await client.close()

    def change(self, count: int) -> None:
        """Make changes of some persons."""
        for _ in range(count):
            number, mark = self._people[len(self.changes) % len(self._people)], flows.mark(len(self.changes))
            with self._opened.session(city.HALL) as session:
                (row,) = session.read(city.PEOPLE, AsOf(city.DAY), atenabango=number)
                change = Change(city.PEOPLE, flows.changed(row, mark), Period(city.DAY))
                event = session.record("住所更正", number, [change], valid=city.DAY)
            self.changes.append((number, event, mark))

    def kill(self, target: str, chance: random.Random) -> None:
        """End one of them by kill -9."""
        if target in self._processes:
            _end(self._processes.pop(target))
        else:
            self._trio.kill(self._leader() if target == "leader" else chance.randrange(3))

    def _leader(self) -> int:
        async def ask() -> str:
            client = await self._trio.address().connect(60)
            try:
                while True:  # the nodes may be without a leader just now
                    try:
                        info = await client.jetstream(timeout=2).stream_info(names.CHANGE)
                        if info.cluster and info.cluster.leader:
                            return info.cluster.leader
                    except (nats.errors.Error, nats.js.errors.Error):
                        await asyncio.sleep(0.2)
            finally:
                await client.close()

        found = asyncio.run(ask())
        return next(n for n, node in enumerate(self._trio.nodes) if node.name == found)

    def restart(self) -> None:
        """Start whatever does not run."""
        self._trio.up()
        for what in ("publisher", "consumer"):
            if what not in self._processes:
                command = [sys.executable, "-m", "bench.killed", what, str(self._folder)]
                self._processes[what] = subprocess.Popen(command)

    def come_to_rest(self) -> None:
        """Wait until the consumer has answered for all that was sent."""
        deadline = time.monotonic() + 180
        with linkage.open_linkage(self._opened) as books:
            while time.monotonic() < deadline:
                (found,) = status(self._opened, books, self._contract.flow)
                if found.due == 0 and found.equal and not found.held:
                    return
                time.sleep(0.2)
        raise AssertionError(f"it did not come to rest: {found}")

    def differences(self) -> tuple[int, int, int]:
        """How many changes were lost, doubled, or left by half."""
        with Replica.open(self._folder / "replica", self._contract) as replica:
            effects = Counter(effect.event for effect in replica.effects(limit=10**9))
            newest = {number: (event, mark) for number, event, mark in self.changes}
            lost = sum(not effects[event] for _, event, _ in self.changes)
            half = sum(
                replica.version(number) != event
                or mark not in {row["jusho_banchigohyoki"] for row in replica.rows("jumin", number)}
                for number, (event, mark) in newest.items()
            )
            return lost, sum(count > 1 for count in effects.values()), half


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


async def _publish(folder: Path, given: Settings) -> None:
    client = await _address(folder, names.PLATFORM).connect(60)
    with main.open_store(given) as opened, linkage.open_linkage(opened) as books:
        known = list(flows.contracts(opened.library, 1))
        publisher = Publisher(opened, books, Sender(client), lambda _: known, _now)
        desk = Desk(books, Puller(client, names.RECEIPT, names.PLATFORM, 500))
        while True:  # the lock of one that was killed may outlive it for a moment
            try:
                await Platform(publisher, desk, Replayer(publisher), client.jetstream()).run(asyncio.Event())
            except Problem as problem:
                if problem.code != "publisher-twice":
                    raise
                await asyncio.sleep(0.1)


async def _consume(folder: Path, given: Settings) -> None:
    (contract,) = flows.contracts(main.library(given=given), 1)
    client = await _address(folder, contract.consumer.id).connect(60)
    with Replica.open(folder / "replica", contract, linkage.validate) as replica:
        await Consumer(client, replica, _now).run(asyncio.Event())


def _address(folder: Path, user: str) -> linkage.broker.Address:
    file = folder / f"{user}.json"
    return linkage.broker.read_address(",".join(json.loads(file.read_text())["servers"]), file)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    what, place = sys.argv[1], Path(sys.argv[2])
    told = json.loads((place / "settings.json").read_text())
    reached = Settings(Path(told["home"]), told["database"], told["database_app"])
    asyncio.run((_publish if what == "publisher" else _consume)(place, reached))
