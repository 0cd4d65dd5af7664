"""`kiban serve` as a process of its own: real workers, a signed contract, a thousand questions at once, a graceful end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from requests_oauth2client import ClientSecretJwt, OAuth2Client
from tests.linkage.api.conftest import request
from tests.store.conftest import move_in, person
from typer.testing import CliRunner

from kiban import linkage, store
from kiban.cli.link import app as link
from kiban.linkage import api
from kiban.store import Store

from .conftest import NUMBERING, PEOPLE, READING, fill
from .test_link import PATH, number, question

QUESTIONS = 1_000


@dataclass
class Served:
    """The process, and how to reach it."""

    url: str
    process: subprocess.Popen[str]
    log: Path
    secrets: dict[str, tuple[str, str]]
    server: store.Server
    key: bytes

    def token(self, system: str, scope: str) -> str:
        client = OAuth2Client(
            token_endpoint=self.url + "/oauth/token",
            auth=ClientSecretJwt(*self.secrets[system]),
            testing=True,
        )
        return str(client.client_credentials(scope=scope).access_token)


def run(environ: dict[str, str], *arguments: str) -> str:
    done = CliRunner().invoke(link, list(arguments), env=environ)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def credentials(said: str) -> tuple[str, str]:
    told = dict(line.split() for line in said.splitlines() if line.startswith("client_"))
    return told["client_id"], told["client_secret"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def key_of_the_city(folder: Path) -> Path:
    raw = serialization.NoEncryption()
    pem = folder / "city.pem"
    key = Ed25519PrivateKey.generate()
    pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, raw))
    return pem


def contract_of(folder: Path) -> Path:
    path = folder / "contracts" / "resident-library.yaml"
    path.parent.mkdir()
    path.write_bytes((linkage.SAMPLES / path.name).read_bytes())
    return path


@pytest.fixture(scope="module")
def served(databases: Any, library: Any, tmp_path_factory: Any) -> Iterator[Served]:
    template, folder = (
        databases.template("web", lambda database: fill(database, library)),
        tmp_path_factory.mktemp("s"),
    )
    pem, contract = key_of_the_city(folder), contract_of(folder)
    with databases.fresh(template) as database:
        environ = {
            "KIBAN_HOME": str(folder / "home"),
            "KIBAN_DATABASE": database.owner_dsn,
            "KIBAN_DATABASE_APP": database.app_dsn,
            "KIBAN_CONTRACTS": str(folder / "contracts"),
        }
        run(environ, "contracts", "sign", str(contract), "--key", str(pem))
        secrets = {
            "L01": credentials(run(environ, "systems", "add", "L01", "図書館カードシステム", "--numbering")),
            "T01": credentials(run(environ, "systems", "add", "T01", "税", "--seconds", "60")),
        }
        run(environ, "numbers", "set", "--first", "90000000000000", "--last", "90000000999999")
        port, log = free_port(), folder / "log"
        command = [sys.executable, "-c", "from kiban.cli import main; main()"]
        command += ["serve", "--port", str(port), "--key", str(pem), "--workers", "2"]
        with log.open("w") as out:
            process = subprocess.Popen(
                command, env={**os.environ, **environ}, stdout=out, stderr=subprocess.STDOUT, text=True
            )
        server = store.Server(database.owner_dsn, database.app_dsn)
        made = Served(
            f"http://127.0.0.1:{port}",
            process,
            log,
            secrets,
            server,
            store.actor_key(folder / "home" / "actor.key"),
        )
        try:
            wait(made)
            yield made
        finally:
            process.terminate()
            process.wait(30)


def wait(served: Served) -> None:
    for _ in range(300):
        assert served.process.poll() is None, served.log.read_text()
        try:
            if requests.get(served.url + "/healthz", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise AssertionError(served.log.read_text()[-3_000:])


def test_it_serves_the_contract_that_is_signed_and_the_numbering(served: Served) -> None:
    told = requests.get(served.url + "/openapi.json", timeout=30).json()
    assert {PATH, "/app_submit/v10/jutogaishaatenabangofuban"} <= set(told["paths"])
    headers = {"Authorization": f"Bearer {served.token('L01', NUMBERING)}"}
    path = "/app_submit/v10/jutogaishaatenabangofuban"
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(
                lambda _: requests.post(served.url + path, json=request(), headers=headers, timeout=60),
                range(48),
            )
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["result"][0]["atenabango"] for answer in answers}) == 1


def test_protection_is_known_and_a_clear_person_has_an_address(served: Served) -> None:
    token = served.token("L01", READING)
    envelope, headers = question(token, {"fields": ["jusho_choaza"], "keys": {"atenabango": [number(1)]}})
    answer = requests.post(served.url + PATH, data=envelope.body, headers=headers, timeout=30)
    [row] = api.proved(envelope, "L01", answer.headers, answer.content)["rows"]
    assert (row["protection"]["state"], row["items"]) == ("clear", {"jusho_choaza": "魚崎北町一丁目"})


def test_who_becomes_protected_is_so_in_the_next_answer(served: Served, library: Any) -> None:
    token = served.token("L01", READING)

    def asked() -> dict[str, Any]:
        envelope, headers = question(token, {"fields": ["jusho_choaza"], "keys": {"atenabango": [number(9)]}})
        answer = requests.post(served.url + PATH, data=envelope.body, headers=headers, timeout=30)
        [row] = api.proved(envelope, "L01", answer.headers, answer.content)["rows"]
        return dict(row)

    assert asked()["protection"]["state"] == "clear"
    with Store(served.server, library, served.key) as city:
        event = move_in(city, person("9", "市民　９号", shiensochifuragu="1"))
    row = asked()
    assert row["protection"] == {"state": "protected", "event": event}
    assert (row["items"], row["withheld"]) == ({"jusho_choaza": None}, ["jusho_choaza"])


def test_each_of_a_thousand_answers_at_once_belongs_to_its_question(served: Served) -> None:
    token, sessions = served.token("L01", READING), [requests.Session() for _ in range(16)]

    def ask(worker: int) -> int:
        right = 0
        for n in range(worker, QUESTIONS, len(sessions)):
            who = n % PEOPLE + 1
            asked = {"fields": ["atenabango"], "keys": {"atenabango": [number(who)]}}
            envelope, headers = question(token, asked, id=str(uuid.uuid4()))
            answer = sessions[worker].post(served.url + PATH, data=envelope.body, headers=headers, timeout=60)
            assert answer.status_code == 200, answer.text
            told = api.proved(envelope, "L01", answer.headers, answer.content)
            right += [row["items"]["atenabango"] for row in told["rows"]] == [number(who)]
        return right

    with ThreadPoolExecutor(len(sessions)) as pool:
        assert sum(pool.map(ask, range(len(sessions)))) == QUESTIONS


def test_a_forged_host_and_a_body_without_length_are_refused(served: Served) -> None:
    forged = requests.get(served.url + "/healthz", headers={"Host": "evil.example"}, timeout=30)
    assert (forged.status_code, forged.json()["code"]) == (400, "host-unknown")
    chunked = requests.post(served.url + "/oauth/token", data=iter([b"a=1"]), timeout=30)
    assert chunked.status_code in (400, 411, 415)


def test_pages_and_figures_are_at_the_same_address(served: Served) -> None:
    page = requests.get(served.url + "/", headers={"Accept": "text/html"}, timeout=30)
    assert page.url.startswith(served.url + "/account/login/")
    assert "サインイン" in page.text
    told = requests.get(served.url + "/metrics", timeout=30)
    assert 'kiban_answers_total{method="GET",route="account/login/",status="200"}' in told.text


def test_the_log_says_routes_and_systems_and_nothing_of_persons(served: Served) -> None:
    token = served.token("L01", READING)
    requests.get(
        f"{served.url}/{number(5)}?name={number(6)}", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    written = served.log.read_text()
    assert "POST /link/<str:flow>/<str:feed> 200 L01" in written
    assert not any(word in written for word in (number(5), number(6), token, *served.secrets["L01"]))


def test_a_request_under_way_is_answered_before_it_ends(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.token('L01', NUMBERING)}"}
    path = "/app_submit/v10/jutogaishaatenabangofuban"
    with ThreadPoolExecutor(8) as pool:
        under_way = [
            pool.submit(
                requests.post,
                served.url + path,
                json=request(seinengappi=f"19{n:02}-01-01"),
                headers=headers,
                timeout=60,
            )
            for n in range(10, 18)
        ]
        time.sleep(0.05)
        served.process.send_signal(signal.SIGTERM)
        answered = [future.result() for future in under_way if future.exception() is None]
    assert served.process.wait(30) == 0
    assert all(answer.status_code == 200 for answer in answered)
