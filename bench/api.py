"""The API as other systems call it: read by a contract, and numbering of 住登外者, by 16 clients over HTTP under granian."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
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
from kiban.linkage import api
from kiban.settings import Settings

_CLIENTS, _EACH = 16, 60
_READ = "/link/resident-library.v1/jumin"
_NUMBER = "/app_submit/v10/jutogaishaatenabangofuban"
_RUN = [sys.executable, "-c", "from kiban.cli import main; main()"]


def run(residents: int) -> None:
    """Latencies of one person's read (token, registers, protection, evidence, answer bound to its question) and of a new number."""
    with _served(residents) as (url, secret, people):
        client = OAuth2Client(
            token_endpoint=url + "/oauth/token", auth=ClientSecretJwt(*secret), testing=True
        )
        reading = str(client.client_credentials(scope="001:link/resident-library.v1/jumin:Read").access_token)
        numbering = str(client.client_credentials(scope=f"031:{_NUMBER[1:]}:Create").access_token)
        sessions = [requests.Session() for _ in range(_CLIENTS)]

        def read(client: int, n: int) -> None:
            asked = {"fields": ["shimei", "jusho_choaza"], "keys": {"atenabango": [people[n % len(people)]]}}
            told = {"id": str(uuid.uuid4()), "purpose": "計測", "user": "bench", "case": str(n)}
            envelope = api.envelope(_READ, asked, **told)
            headers = {
                **envelope.headers,
                "Authorization": f"Bearer {reading}",
                "Content-Type": "application/json",
            }
            answer = sessions[client].post(url + _READ, data=envelope.body, headers=headers, timeout=60)
            assert api.proved(envelope, "L01", answer.headers, answer.content)["rows"]

        def number(client: int, n: int) -> None:
            body = _request((n + 100) * _CLIENTS + client)
            headers = {"Authorization": f"Bearer {numbering}"}
            answer = sessions[client].post(url + _NUMBER, json=body, headers=headers, timeout=60)
            assert answer.status_code == 200, answer.text

        for name, call in (("read by a contract", read), ("a new number (031)", number)):
            taken = measure.latencies(call, _EACH, clients=_CLIENTS)
            measure.result(f"{name}, {_CLIENTS} clients, p50", taken.p50, "ms")
            measure.result(f"{name}, {_CLIENTS} clients, p95", taken.p95, "ms")
            measure.result(f"{name}, {_CLIENTS} clients", taken.per_second, "a second")


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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    key = str(given.home / "bench.pem")
    serve = [*_RUN, "serve", "--port", port, "--key", key, "--workers", "2"]
    with (
        (given.home / "serve.log").open("w") as log,
        subprocess.Popen(serve, env=environ, stdout=log, stderr=log) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            secret = (told["client_id"], told["client_secret"])
            yield f"http://127.0.0.1:{port}", secret, [row["atenabango"] for row in rows]
        finally:
            process.terminate()
            process.wait(60)
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
    return subprocess.run([*_RUN, *arguments], env=environ, capture_output=True, text=True, check=True).stdout


def _wait(url: str, process: subprocess.Popen[Any]) -> None:
    while process.poll() is None:
        try:
            if requests.get(url + "/healthz", timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the service ended; see serve.log")
