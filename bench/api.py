"""The API as other systems call it: read by a contract, and numbering of 住登外者, by 16 clients over HTTP under granian."""

from __future__ import annotations

import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from requests_oauth2client import ClientSecretJwt, OAuth2Client

from bench import city, measure
from kiban import linkage, main, store
from kiban.cli import served
from kiban.linkage import api
from kiban.settings import Settings

_CLIENTS, _EACH = 16, 60
_INSTANT = int(os.environ.get("INSTANT", "10000")) // 10 * 10
_READ = "/link/resident-library.v1/jumin"
_NUMBER = "/app_submit/v10/jutogaishaatenabangofuban"


def run(residents: int) -> None:
    """Latencies of one person's read (token, registers, protection, evidence, bound answer) and of a new number; then INSTANT at once."""
    with _served(residents) as (url, secret, people):
        client = OAuth2Client(
            token_endpoint=url + "/oauth/token", auth=ClientSecretJwt(*secret), testing=True
        )
        reading = str(client.client_credentials(scope="001:link/resident-library.v1/jumin:Read").access_token)
        numbering = str(client.client_credentials(scope=f"031:{_NUMBER[1:]}:Create").access_token)
        asker = _Asker(url, reading, numbering, people)
        for name, call in (("read by a contract", asker.read), ("a new number (031)", asker.number)):
            taken = measure.latencies(call, _EACH, clients=_CLIENTS)
            measure.result(f"{name}, {_CLIENTS} clients, p50", taken.p50, "ms")
            measure.result(f"{name}, {_CLIENTS} clients, p95", taken.p95, "ms")
            measure.result(f"{name}, {_CLIENTS} clients", taken.per_second, "a second")
        if _INSTANT:
            _at_one_instant(asker)


class _Asker:
    """Clients of one system, each with a connection of its own."""

    def __init__(self, url: str, reading: str, numbering: str, people: list[str]) -> None:
        self._url, self._people = url, people
        self._reading, self._numbering = f"Bearer {reading}", f"Bearer {numbering}"
        self._mine = threading.local()

    def read(self, client: int, n: int) -> str:
        """Ask for one person; whose row came, once the answer is proved to be that of the question."""
        asked = {
            "fields": ["atenabango", "shimei", "jusho_choaza"],
            "keys": {"atenabango": [self.person(client + n)]},
        }
        told = {"id": str(uuid.uuid4()), "purpose": "計測", "user": "bench", "case": str(n)}
        envelope = api.envelope(_READ, asked, **told)
        headers = {**envelope.headers, "Authorization": self._reading, "Content-Type": "application/json"}
        answer = self._session.post(self._url + _READ, data=envelope.body, headers=headers, timeout=600)
        rows = api.proved(envelope, "L01", answer.headers, answer.content)["rows"]
        assert rows
        return str(rows[0]["unit"])

    def number(self, client: int, n: int) -> str:
        """Ask for the number of somebody whom nobody asked for before."""
        return self.number_of((n + 100) * _CLIENTS + client)

    def number_of(self, somebody: int) -> str:
        """The number of a person."""
        headers = {"Authorization": self._numbering}
        answer = self._session.post(
            self._url + _NUMBER, json=_request(somebody), headers=headers, timeout=600
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["result"][0]["atenabango"])

    def person(self, n: int) -> str:
        """The person whom a client asks for."""
        return self._people[n % len(self._people)]

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._mine, "session"):
            self._mine.session = requests.Session()
        return self._mine.session  # type: ignore[no-any-return]


def _at_one_instant(asker: _Asker) -> None:
    """INSTANT reads, then INSTANT questions for numbers, ten for each person: all clients begin at once and wait for no other."""

    def reads(n: int) -> bool:
        return asker.read(n, 0) == asker.person(n)

    def numbers(n: int) -> tuple[int, str]:
        return n % (_INSTANT // 10), asker.number_of(10**7 + n % (_INSTANT // 10))

    right, seconds = _together(reads)
    measure.result(f"{_INSTANT:,} reads at one instant", seconds, "s")
    measure.result("answers to another question", right.count(False), "answers", at_most=0)
    given, seconds = _together(numbers)
    measure.result(f"{_INSTANT:,} questions for {_INSTANT // 10:,} numbers at one instant", seconds, "s")
    persons, found = len(set(given)), len({number for _, number in given})
    measure.result("persons with two numbers", persons - _INSTANT // 10, "persons", at_most=0)
    measure.result("numbers of two persons", persons - found, "numbers", at_most=0)


def _together(call: Callable[[int], Any]) -> tuple[list[Any], float]:
    """Make INSTANT calls by as many clients as the machine lets stand ready, all let go at once; what came, and how long it took."""
    clients = min(_INSTANT, 1_000)
    ready = threading.Barrier(clients + 1)

    def client(first: int) -> list[Any]:
        ready.wait()
        return [call(n) for n in range(first, _INSTANT, clients)]

    with ThreadPoolExecutor(clients) as pool:
        tasks = [pool.submit(client, n) for n in range(clients)]
        ready.wait()
        begin = time.perf_counter()
        found = [each for task in tasks for each in task.result()]
    return found, time.perf_counter() - begin


def _request(n: int) -> dict[str, str]:
    wide = str(n).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    return {
        "shorikubun": "0",
        "shikuchosonkodo": "131016",
        "shimei": f"計測　{wide}",
        "seinengappi": "1964-07-01",
        "seibetsu": "1",
        "jusho_choaza": "霞が関二丁目",
        "jusho_banchigohyoki": "１番６号",
        "nayosemotofuragu": "0",
        "tagyomusanshofukafuragu": "0",
        "sosashaid": "bench",
        "sosanengappi": "2026-10-01",
        "sosajikoku": "09:00:00",
    }


def _home(residents: int) -> Settings:
    given = city.given(residents)
    return replace(given, home=given.home.with_name(f"{residents}-api"))


@contextmanager
def _served(residents: int) -> Iterator[tuple[str, tuple[str, str], list[str]]]:
    """The service in a process of its own, before a city whose register of 住登外者 follows the numbering API."""
    given, folder = _home(residents), city.made(residents)
    main.cluster(given).destroy()
    with main.open_store(given) as opened:
        store.apply(opened, opened.library.edition("resident"), city.HALL)
        store.apply(opened, opened.library.edition("nonresident_addressee", "kiban-api-2.0"), city.HALL)
        parts = [part for part in store.folder_parts(opened, folder) if part.register.startswith("resident.")]
        store.import_arrow(opened, parts, city.HALL)
        with opened.session(city.HALL) as session:
            rows = session.sql("SELECT atenabango FROM resident.jumin WHERE valid_to = 'infinity' LIMIT 2000")
    environ = {**os.environ, "KIBAN_HOME": str(given.home), "KIBAN_CONTRACTS": str(_contracts(given.home))}
    said = _do(environ, "link", "systems", "add", "L01", "計測", "--numbering")
    told = dict(line.split() for line in said.splitlines() if line.startswith("client_"))
    _do(environ, "link", "numbers", "set", "--first", "90000000000000", "--last", "99999999999999")
    secret = (told["client_id"], told["client_secret"])
    options = ["--key", str(given.home / "bench.pem"), "--workers", "2"]
    try:
        with served.served(options, environ, given.home / "serve.log") as port:
            yield f"http://127.0.0.1:{port}", secret, [row["atenabango"] for row in rows]
    finally:
        main.cluster(given).destroy()


def _contracts(home: Path) -> Path:
    """A folder with the sample contract, signed."""
    raw = serialization.NoEncryption()
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, raw)
    (home / "bench.pem").write_bytes(pem)
    folder = home / "contracts"
    folder.mkdir(exist_ok=True)
    path = folder / "resident-library.yaml"
    path.write_bytes((linkage.SAMPLES / path.name).read_bytes())
    _do(dict(os.environ), "link", "contracts", "sign", str(path), "--key", str(home / "bench.pem"))
    return folder


def _do(environ: dict[str, str], *arguments: str) -> str:
    return subprocess.run(
        [*served.RUN, *arguments], env=environ, capture_output=True, text=True, check=True
    ).stdout
