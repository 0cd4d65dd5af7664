"""The demonstration ends with a running city: people at work, their sign-ins, and the address of the pages on this machine."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from kiban import access, store, web
from kiban.access import Assignment, Office, Staff
from kiban.cli import demo_vendor, served
from kiban.kernel import Problem
from kiban.settings import Settings
from kiban.store import Store

PORT = 8031
_SINCE = date(2026, 4, 1)
_VENDOR = "import sys; from kiban.cli import demo_vendor; demo_vendor.serve(sys.argv[1], int(sys.argv[2]))"
_FIRST_WARD, _SECOND_WARD = "W0001", "W0002"


@dataclass(frozen=True)
class Person:
    """Somebody of the demonstration.

    Attributes:
        number: staff number.
        name: 氏名; nobody real.
        office: ID of the office.
        duties: IDs of the duties.
        what: what to try, in English.
    """

    number: str
    name: str
    office: str
    duties: tuple[str, ...]
    what: str


def staff(wards: Mapping[str, str]) -> tuple[tuple[Office, ...], tuple[Person, ...]]:
    """Offices and people of the demonstration.

    Args:
        wards: names by their codes.
    """
    (one, first), (two, second) = list(wards.items())[:2]
    offices = (
        Office("0000", "市役所", "city"),
        *(Office(code, f"{name}役所", "ward", "0000", code) for code, name in wards.items()),
        Office("0100", "市民局住民課", "section", "0000"),
        Office("0200", "情報システム課", "section", "0000"),
        Office("0900", "監査事務局", "section", "0000"),
    )
    people = (
        Person(_FIRST_WARD, f"{first}　窓口", one, ("resident-counter",), f"counter of {first}"),
        Person(_SECOND_WARD, f"{second}　窓口", two, ("resident-counter",), f"counter of {second}"),
        Person("C0001", "住民　記録", "0100", ("resident-records", "euc"), "city hall: records and extracts"),
        Person("C0002", "支援　担当", "0100", ("support-measures",), "city hall: protected persons, lifts"),
        Person("A0001", "監査　担当", "0900", ("audit",), "auditor"),
        Person("S0001", "情報　運用", "0200", ("operations", "accounts"), "operations, accounts"),
        Person("S0002", "情報　管理", "0200", ("accounts",), "the second for recoveries"),
    )
    return offices, people


def prepare(given: Settings, opened: Store, wards: Mapping[str, str], title: str) -> dict[str, str]:
    """People, duties and accounts, made anew; the secrets of their codes by staff number. The password stands under "".

    Args:
        given: the settings of the demonstration.
        opened: the registers.
        wards: names of the wards by their codes.
        title: the name of the city.
    """
    offices, people = staff(wards)
    hired = [Staff(each.number, each.name, "デモ", _SINCE) for each in people]
    duties = [Assignment(p.number, duty, p.office, _SINCE) for p in people for duty in p.duties]
    with access.open_access(opened, access.seal(given.home / "access.key")) as room:
        policies = room.policies
        room.people.apply([*offices, *hired, *duties], "demo", datetime.now(UTC), duties=policies.duties)
        reached = web.install_accounts(opened, web.web_secret(given.home / "web.secret"))
        city = web.City(
            title, opened, room, policies, reached, lambda: datetime.now(UTC), given.home / "signin"
        )
        port = served.free_port(PORT + 1)
        wish = web.Wish(
            "他社の税システム（実演）",
            (f"http://localhost:{port}/back",),
            (f"http://localhost:{port}/",),
            ("profile", "kiban"),
            own=True,
        )
        web.install_signing_keys(given.home / "signin", city.now())
        client, secret = web.clients_of(city).register(wish, web.By(web.COMMAND_LINE))
        store.write_private(_vendor(given.home), json.dumps({"port": port, "id": client, "secret": secret}))
        password = "-".join(["demo", *(secrets.token_hex(3) for _ in range(2))])
        kept = {"": password} | {each.number: web.enrol(city, each.number, password) for each in people}
    store.write_private(_file(given.home), json.dumps(kept))
    return kept


def code(home: Path, number: str) -> str:
    """The one-time code of somebody of the demonstration, good for this half minute.

    Raises:
        Problem: `demo-absent`, `demo-unknown`.
    """
    try:
        kept = json.loads(_file(home).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem("demo-absent", "there is no demonstration here", str(home), "make demo") from None
    if number not in kept or not number:
        known = ", ".join(name for name in kept if name)
        raise Problem("demo-unknown", "nobody of the demonstration has this number", fix=f"one of {known}")
    return code_now(kept, number)


def code_now(signins: Mapping[str, str], number: str) -> str:
    """The one-time code of this half minute, of a secret that `prepare` gave."""
    return web.code_of(signins[number], time.time())


def start(given: Settings, title: str) -> tuple[str, str]:
    """Serve the demonstration on this machine only, in a process of its own, and a vendor's system; both addresses.

    Raises:
        Problem: `serve-silent` where it does not answer; its log says why.
    """
    port = served.free_port(PORT)
    address = f"http://localhost:{port}"
    log = given.home / "serve.log"
    environ = {
        **os.environ,
        "KIBAN_HOME": str(given.home),
        "KIBAN_CONTRACTS": str(given.home / "contracts"),
    }
    options = ["--port", str(port), "--issuer", address, "--title", title]
    pages = served.begin(options, environ, log, alone=True)
    vendor, there = _start_vendor(given.home, address)
    running = {"pids": [pages.pid, vendor], "address": address, "vendor": there}
    (given.home / "serve.json").write_text(json.dumps(running))
    try:
        served.wait(address, pages, log)
    except Problem:
        stop(given.home)
        raise
    return address, there


def _start_vendor(home: Path, issuer: str) -> tuple[int, str]:
    kept = json.loads(_vendor(home).read_text(encoding="utf-8"))
    given = {demo_vendor.ID: kept["id"], demo_vendor.SECRET: kept["secret"]}
    started = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _VENDOR, issuer, str(kept["port"])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **given},
    )
    return started.pid, f"http://localhost:{kept['port']}"


def stop(home: Path) -> bool:
    """End the services of an earlier demonstration; whether any was running."""
    place = home / "serve.json"
    try:
        pids = json.loads(place.read_text())["pids"]
    except (FileNotFoundError, ValueError, KeyError):
        pids = []
    ours = [pid for pid in pids if _ours(pid)]
    for pid in ours:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGTERM)
    until = time.monotonic() + served.PATIENCE
    while any(Path(f"/proc/{pid}").exists() for pid in ours) and time.monotonic() < until:
        for pid in ours:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.1)
    place.unlink(missing_ok=True)
    return bool(ours)


def _ours(pid: int) -> bool:
    """Whether this process is one that a demonstration started."""
    try:
        told = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return served.PROGRAM.encode() in told or _VENDOR.encode() in told


def _vendor(home: Path) -> Path:
    return home / "demo-vendor.json"


def _file(home: Path) -> Path:
    return home / "demo-signins.json"
