"""The pages in a real browser: nothing that axe finds, and an auditor finds what she looks for by keyboard alone."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.simple_server import make_server

import pytest
from tests.web.counter.test_browser import CHROMIUM, _Quiet, _Server, chromium, tab
from tests.web.housing import SECRET, Client

from kiban import web
from kiban.access.audit import Line

__all__ = ["chromium"]
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")
SHOTS = os.environ.get("KIBAN_SHOTS")
PAGES = {
    "900003": (
        "/operations/audit",
        "/operations/audit/lines",
        "/operations/audit/night",
        "/operations/standards",
    ),
    "900004": ("/operations/link", "/operations/migrations", "/operations/standards/difference"),
    "900001": ("/operations/accounts", "/operations/accounts/100001", "/operations/accounts/offices"),
    "100003": ("/operations/lifts",),
}


@pytest.fixture(scope="module")
def address(house: web.House) -> Iterator[str]:
    with make_server("localhost", 0, web.application(house, SECRET), _Server, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def shoot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"operations-{name}.png"), full_page=True)


def clean(page: Any, where: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == [], where


def test_axe_finds_nothing_on_any_page(chromium: Any, address: str, house: web.House) -> None:
    for number, pages in PAGES.items():
        page = tab(chromium, address, Client(house).work(number))
        for each in pages:
            assert page.goto(address + each).status == 200
            clean(page, each)
            shoot(page, each.strip("/").replace("/", "-"))
        page.context.close()


def test_an_auditor_asks_by_keyboard_alone(chromium: Any, address: str, house: web.House) -> None:
    assert house.city is not None
    house.city.audit.write(Line("print", "done", "keys", datetime.now(UTC), purpose="鍵盤"))
    page = tab(chromium, address, Client(house).work("900003"))
    page.goto(address + "/operations/audit/lines")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "f-actor":
            break
    page.keyboard.type("keys")
    page.keyboard.press("Enter")
    page.wait_for_selector("tbody tr")
    assert "鍵盤" in page.inner_text("tbody")
    clean(page, "answer")
    shoot(page, "audit-answer")
    page.context.close()
