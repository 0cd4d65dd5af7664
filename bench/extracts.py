"""Extracts (EUC) beside the counters: 16 readers by number, alone and while a ward or the whole city is extracted, in one run."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bench import city, measure
from kiban import access
from kiban.access import Access, Assignment, Grant, Office, Staff, extract
from kiban.kernel import Actor, AsOf
from kiban.store import Store

READERS = 16
ALONE_SECONDS = 8.0
PAUSE = 0.05  # seconds between two looks of a reader: 16 of them ask some 200 times a second
STAFF, PURPOSE = "bench-euc", "統計事務"
ITEMS = [
    "atenabango", "setaibango", "shiteitoshi_gyoseikutokodo", "juminshubetsu", "juminjotai", "shimei", "shimei_furigana",
    "seibetsu", "seinengappi", "zokugara1", "jusho_todofuken", "jusho_shikugunchosonmei", "jusho_choaza",
    "jusho_banchigohyoki", "jusho_katagaki", "jusho_yubinbango", "jumintonattanengappi", "jushowosadametanengappi", "idojiyu",
    "idonengappi",
]  # fmt: skip


@dataclass
class Reading:
    """What the readers found so far."""

    times: list[float] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)


def run(residents: int) -> None:
    """The readers' p95 without and with each extract, and seconds, rows and MiB of the extracts."""
    with city.loaded(residents) as opened:
        home = city.given(residents).home
        shutil.rmtree(home / "extracts", ignore_errors=True)
        with access.open_access(opened, access.seal(home / "access.key")) as room, worker(residents) as pid:
            grant = hired(room)
            ward, people = drawn(opened)
            body: dict[str, Any] = {"business": "resident", "main": "jumin", "items": ITEMS}
            held = extract.Extracts(room, opened, home / "extracts", lambda: datetime.now(UTC))
            for name, asked in (
                ("one ward, CSV", {**body, "wards": [ward]}),
                ("whole city, CSV", body),
                ("whole city, Parquet", {**body, "output": {"form": "parquet"}}),
                ("whole city, totals by ward and sex", {**_totals(body), "split": "totals"}),
            ):
                with readers(
                    opened, people
                ) as alone:  # anew each time: whatever else the machine does, it does to both
                    time.sleep(ALONE_SECONDS)
                base = told(f"alone before {name}", alone)
                with readers(opened, people) as beside:
                    job, seconds = made(held, grant, asked)
                p95 = told(f"beside {name}", beside)
                measure.result(f"readers beside {name}, p95 over alone", p95 / base, "×", at_most=1.5)
                size = sum(each["bytes"] for each in (job.manifest or {}).get("files", ())) / 2**20
                measure.result(f"extract {name}, {len(ITEMS)} items, {job.rows:,} rows", seconds, "s")
                measure.result(f"extract {name}, size", size, "MiB")
            measure.result("worker, most memory held", peak_mib(pid), "MiB", at_most=1024)


def _totals(body: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in body.items() if name != "items"}
    return {**kept, "totals": {"by": ["seibetsu"], "count": "yes"}}


def hired(room: Access) -> Grant:
    """Somebody who extracts."""
    began = date(2020, 4, 1)
    staff = Staff(STAFF, "計測　花子", "ケイソク　ハナコ", began)
    parts = (Office("bench", "市役所", "city"), staff, Assignment(STAFF, "euc", "bench", began))
    room.people.apply(parts, "bench", datetime.now(UTC))
    return room.policies.grant(room.people.acting(STAFF, extract.today(datetime.now(UTC)), PURPOSE))


def drawn(opened: Store) -> tuple[str, list[dict[str, Any]]]:
    """The largest ward, and people to look at, evenly over the register."""
    with opened.session(city.HALL) as session:
        wards = session.sql(
            "SELECT shiteitoshi_gyoseikutokodo AS ward FROM resident.jumin TABLESAMPLE SYSTEM (5) GROUP BY 1 ORDER BY count(*) DESC"
        )
        rows = session.sql(
            "SELECT atenabango, shiteitoshi_gyoseikutokodo AS ward FROM resident.jumin TABLESAMPLE SYSTEM (5) REPEATABLE (1) "
            "WHERE closed_by IS NULL AND valid_to = 'infinity' LIMIT 200000"
        )
    return str(wards[0]["ward"]), random.Random(1).sample(rows, min(2_000, len(rows)))


@contextmanager
def readers(opened: Store, people: list[dict[str, Any]]) -> Iterator[Reading]:
    """Readers at work inside: each looks a person up, as a clerk of her ward, and pauses."""
    found, stop = Reading(), threading.Event()

    def reader(number: int) -> None:
        n = number * 101
        try:
            while not stop.is_set():
                person = people[n % len(people)]
                clerk = Actor("clerk", person["ward"], frozenset({person["ward"]}), "住民票の写しの交付")
                began = time.perf_counter()
                with opened.session(clerk) as session:
                    session.read(city.PEOPLE, AsOf(city.DAY), atenabango=person["atenabango"])
                found.times.append((time.perf_counter() - began) * 1000)
                n += 1
                stop.wait(PAUSE)
        except BaseException as error:  # noqa: BLE001 - the run has to end with it
            found.failed.append(error)

    threads = [threading.Thread(target=reader, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if found.failed:
        raise found.failed[0]


def told(name: str, found: Reading) -> float:
    """Show what the readers found; their p95."""
    p95 = measure.percentile(found.times, 95)
    measure.result(
        f"readers {name}, {len(found.times):,} looks, p50", measure.percentile(found.times, 50), "ms"
    )
    measure.result(f"readers {name}, p95", p95, "ms", at_most=10)
    return p95


def made(held: extract.Extracts, grant: Grant, body: dict[str, Any]) -> tuple[extract.Job, float]:
    """Ask for an extract and wait until it is there; with its seconds from the beginning of its work to its end."""
    handle = held.ask(extract.query_in(body), grant, "計測")
    while (job := held.desk.job(handle, STAFF)).open:
        time.sleep(0.2)
    if job.state != "done" or job.started_at is None or job.ended_at is None:
        raise RuntimeError(f"the extract came to nothing: {job.problems}")
    return job, (job.ended_at - job.started_at).total_seconds()


@contextmanager
def worker(residents: int) -> Iterator[int]:
    """A worker in a process of its own, as beside `kiban serve`; its number."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KIBAN_DATABASE")}
    environ |= {
        "KIBAN_HOME": str(city.given(residents).home),
        "PYTHONPATH": str(Path(access.__file__).parents[2]),
    }
    command = "from kiban.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "extract", "work", "--beside", str(os.getpid())], env=environ
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def peak_mib(pid: int) -> float:
    """The most memory that a process has held."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024
