"""The pages in a real browser: nothing that axe finds, everything by keyboard alone, nothing too heavy."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from tests.web.counter.conftest import CLERK, HANAKO, at_work
from tests.web.housing import SECRET, Client

from kiban import web

CHROMIUM = Path("/usr/bin/chromium")
pytest.importorskip("playwright")
pytest.importorskip("axe_playwright_python")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")
SHOTS = os.environ.get("KIBAN_SHOTS")
"""A folder for screenshots, for whoever wants to look at them."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def process_request_thread(self, *given: Any) -> None:
        from django.db import connections

        super().process_request_thread(*given)
        connections.close_all()  # the thread ends with its request


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(peopled: web.House) -> Iterator[str]:
    application = web.application(peopled, SECRET)
    with make_server("localhost", 0, application, _Server, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    # Playwright keeps a loop in this thread, beside which the tests use Django as ever.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield from _browser(sync_playwright)


def _browser(sync_playwright: Any) -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


def tab(chromium: Any, address: str, client: Client, **options: Any) -> Any:
    """A page of a browser in which somebody works already."""
    context = chromium.new_context(
        **{"viewport": {"width": 1280, "height": 800}, "locale": "ja-JP", **options}
    )
    cookies = [
        {"name": each.key, "value": each.value, "url": address} for each in client.django.cookies.values()
    ]
    context.add_cookies(cookies)
    return context.new_page()


def shoot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def clean(page: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_clerk_works_by_keyboard_alone_on_pages_without_violations(
    peopled: web.House, address: str, chromium: Any
) -> None:
    page = tab(chromium, address, at_work(peopled, CLERK))
    weights: list[int] = []
    page.on("response", lambda r: weights.append(0 if r.status >= 300 else len(r.body())))
    page.goto(f"{address}/people")
    clean(page)
    shoot(page, "search")
    page.keyboard.type("わたの")  # the box has the focus
    page.keyboard.press("Enter")
    page.wait_for_url("**/people/found/*")
    clean(page)
    shoot(page, "found")
    to(page, "花子")
    weights.clear()
    page.keyboard.press("Enter")
    page.wait_for_url("**/people/at/*")
    assert "ワタノベ" in page.locator("h1").inner_text()
    clean(page)
    shoot(page, "person")
    assert sum(weights) <= 200 * 1024
    to(page, "空欄の項目")
    page.keyboard.press("Space")
    assert page.locator("dt", has_text="前住所_方書").first.is_visible()
    clean(page)
    shoot(page, "person-blank")
    to(page, "文字の確認")
    page.keyboard.press("Enter")
    page.wait_for_url("**/characters*")
    clean(page)
    shoot(page, "characters")
    to(page, "履歴")
    page.keyboard.press("Enter")
    page.wait_for_url("**/history*")
    clean(page)
    shoot(page, "history")
    to(page, "基準日")
    page.keyboard.type("令和5年4月1日")
    page.keyboard.press("Enter")
    page.wait_for_url("**on=*")
    assert "令和5年4月1日の状態" in page.content()
    shoot(page, "history-then")


def to(page: Any, words: str) -> None:
    """Go to a control by the tabulator alone; it shows that it has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        told = page.evaluate(
            "() => { const e = document.activeElement; return e === document.body ? '' : (e.textContent || '') + "
            "(e.labels ? [...e.labels].map(l => l.textContent).join('') : '') }"
        )
        if words in told:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"no way by keyboard to {words}")


def test_nothing_found_and_faults_and_errors_are_clean_too(
    peopled: web.House, address: str, chromium: Any
) -> None:
    page = tab(chromium, address, at_work(peopled, CLERK))
    for name, box in (("none", "存在しない人"), ("faults", " ")):
        page.goto(f"{address}/people")
        page.fill("#f-box", box)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        clean(page)
        shoot(page, name)
    page.goto(f"{address}/people/at/nothing")
    assert "問い合わせ番号" in page.content()
    clean(page)
    shoot(page, "error")


def test_at_twice_the_size_nothing_is_lost_to_the_side(
    peopled: web.House, address: str, chromium: Any
) -> None:
    page = tab(chromium, address, at_work(peopled, CLERK), viewport={"width": 640, "height": 400})
    page.goto(f"{address}/people")
    assert _fits(page)
    shoot(page, "search-200")
    page.fill("#f-box", HANAKO)
    page.keyboard.press("Enter")
    page.wait_for_url("**/people/at/*")
    assert _fits(page)
    shoot(page, "person-200")
    clean(page)


def _fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_page_works_without_any_script_and_asks_nothing_of_other_machines(
    peopled: web.House, address: str, chromium: Any
) -> None:
    page = tab(chromium, address, at_work(peopled, CLERK), java_script_enabled=False)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/people")
    page.locator("#f-box").fill(HANAKO)
    page.keyboard.press("Enter")
    page.wait_for_url("**/people/at/*")
    assert "ワタノベ" in page.content()
    assert {url.split("/")[2] for url in asked} == {address.split("/")[2]}
