"""The wizard in a real browser: by keyboard alone, nothing that axe finds on any step, without a script."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import make_server

import pytest
from tests.web.counter.test_browser import _Quiet, _Server, chromium, clean, pytestmark, shoot, tab, to
from tests.web.housing import SECRET, Client

from kiban import web
from kiban.access import extract

__all__ = ["chromium", "pytestmark"]


@pytest.fixture(scope="module")
def address(house: web.House) -> Iterator[str]:
    with make_server("localhost", 0, web.application(house, SECRET), _Server, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def step(page: Any, name: str, key: str, url: str) -> None:
    """Press a key on what has the focus; then the next page is looked at."""
    page.keyboard.press(key)
    page.wait_for_url(url)
    clean(page)
    shoot(page, f"extract-{name}")


def test_from_the_list_to_a_file_by_keyboard_alone(
    euc: Client, worker: extract.Worker, address: str, chromium: Any
) -> None:
    page = tab(chromium, address, euc, java_script_enabled=True)
    page.goto(f"{address}/extracts")
    clean(page)
    shoot(page, "extract-empty")
    to(page, "新しく抽出する")
    step(page, "new", "Enter", "**/extracts/new")
    to(page, "住登外者宛名基本情報")
    page.keyboard.press("ArrowDown")  # to 住民
    to(page, "項目を選ぶ")
    step(page, "items", "Enter", "**/items")
    to(page, "氏名（")
    page.keyboard.press("Enter")  # opens the class
    to(page, "「氏名」をすべて選ぶ")
    page.keyboard.press("Enter")
    page.wait_for_selector("details[open]")
    clean(page)
    shoot(page, "extract-items-chosen")
    to(page, "条件へ進む")
    step(page, "conditions", "Enter", "**/conditions")
    page.select_option("#c-item", "seibetsu")
    page.select_option("#c-kind", "is")
    page.fill("#c-value", "男")
    to(page, "この条件を加える")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    clean(page)
    shoot(page, "extract-fault")
    page.fill("#c-value", "2")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=性別：等しい 2")
    clean(page)
    to(page, "時点・区・出力へ進む")
    step(page, "scope", "Enter", "**/scope")
    to(page, "確認へ進む")
    step(page, "preview", "Enter", "**/preview")
    assert page.locator("tbody tr").count() > 0
    page.fill("#reason", "試験のため")
    page.keyboard.press("Enter")
    page.wait_for_url("**/extracts/x/*")
    clean(page)
    shoot(page, "extract-waiting")
    assert worker.next()
    page.reload()
    clean(page)
    shoot(page, "extract-done")
    to(page, "all.csv")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith("all.csv")
    page.goto(f"{address}/extracts")
    clean(page)
    shoot(page, "extract-overview")
