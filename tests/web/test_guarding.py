"""What no view should see is refused before it; what leaves is not kept by anybody."""

from __future__ import annotations

import logging
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kiban import web
from kiban.kernel import Problem

from .conftest import READING, Live
from .test_link import PATH, ask, asked, number


def raw(served: Live, *lines: str, body: bytes = b"") -> str:
    """What the server says to these very bytes."""
    parts = urlsplit(served.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        connection.settimeout(10)
        said = b""
        while chunk := connection.recv(65_536):
            said += chunk
    return said.decode()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil@127.0.0.1", ""])
def test_a_forged_host_is_refused(served: Live, host: str) -> None:
    said = raw(served, "GET /healthz HTTP/1.0", f"Host: {host}", "Connection: close")
    assert " 400 " in said.splitlines()[0] and "host-unknown" in said


def test_a_body_too_large_is_refused_before_it_is_read(served: Live) -> None:
    large = b"{" + b" " * served.house.bytes + b"}"
    answer = served.post("/oauth/token", data=large, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body-large")


def test_a_body_without_its_length_is_refused(served: Live) -> None:
    host = urlsplit(served.url).netloc
    said = raw(served, "POST /oauth/token HTTP/1.0", f"Host: {host}", "Transfer-Encoding: chunked")
    assert " 411 " in said.splitlines()[0]


@pytest.mark.parametrize(
    "path", ["/", "/link", "/link/a", "/admin", "/openapi.json/", "/../etc/passwd", "/%00"]
)
def test_nothing_is_served_elsewhere(served: Live, path: str) -> None:
    answer = served.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "address-unknown")


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/nothing", PATH, "/oauth/token"])
def test_every_answer_is_kept_by_nobody_and_sets_no_cookie(served: Live, path: str) -> None:
    answer = served.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers


def test_healthz_says_whether_the_database_answers(served: Live) -> None:
    assert served.get("/healthz").json() == {"status": "ok"}

    def ill() -> None:
        raise Problem("database-unreachable", "secret inside: 10.0.0.1")

    served.serving[-1] = replace(served.house, healthy=ill)
    answer = served.get("/healthz")
    assert answer.status_code == 503 and "10.0.0.1" not in answer.text


def test_a_mistake_of_ours_is_500_without_its_inside(served: Live, caplog: Any) -> None:
    def mistaken() -> None:
        raise RuntimeError(f"宛名番号 {number(7)}")

    served.serving[-1] = replace(served.house, healthy=mistaken)
    with caplog.at_level(logging.INFO):
        answer = served.get("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (500, "mistake")
    assert number(7) not in answer.text and number(7) not in ours(caplog)


def test_the_log_holds_no_person_no_query_and_no_token(served: Live, caplog: Any) -> None:
    token = served.token(served.library, READING)
    with caplog.at_level(logging.DEBUG):
        ask(served, token, asked(7))
        served.get(f"/link/{number(7)}/x?fields={number(7)}", headers={"Authorization": f"Bearer {token}"})
        served.get(f"/{number(7)}")
    written = ours(caplog)
    assert "POST /link/<str:flow>/<str:feed> 200 L01" in written
    assert number(7) not in written and token not in written and "利用" not in written


def ours(caplog: Any) -> str:
    """All that the service logged; not the client of the tests."""
    return "".join(record.getMessage() for record in caplog.records if not record.name.startswith("urllib3"))


def test_the_secret_of_the_web_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "home" / "web.secret"
    assert web.web_secret(file) == web.web_secret(file)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    with pytest.raises(Problem, match="web-secret-open"):
        web.web_secret(file)
    file.chmod(0o600)
    file.write_text("short")
    with pytest.raises(Problem, match="web-secret-weak"):
        web.web_secret(file)


def test_django_is_never_in_debug_and_its_cookies_are_out_of_reach() -> None:
    settings = web.django_settings("x" * 64, secure=True)
    assert settings["DEBUG"] is False
    for cookie in ("SESSION_COOKIE", "CSRF_COOKIE"):
        assert settings[f"{cookie}_NAME"].startswith("__Host-")
        assert settings[f"{cookie}_SECURE"] and settings[f"{cookie}_HTTPONLY"]
