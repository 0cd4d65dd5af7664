"""Passwords that others would try first: words of the city, and what was breached elsewhere."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban import web
from kiban.web.signin.passwords import BREACHED, WORDS, holds

from .conftest import Browser

GOOD = "紫陽花 の 三つ編み 2026"
_DIGESTS = st.text("0123456789ABCDEF", min_size=40, max_size=40)


@pytest.fixture
def home(house: web.House) -> Any:
    """Where a city puts its files."""
    assert house.city is not None and house.city.home is not None
    yield house.city.home
    for name in (WORDS, BREACHED):
        (house.city.home / name).unlink(missing_ok=True)


def told(browser: Browser, password: str) -> str:
    """What the page says of a password."""
    given = {"number": "999999", "code": "x", "password": password, "again": password}
    page: str = browser.send("/account/welcome", **given).content.decode()
    return page.partition('id="id_password_error"')[2].partition("</")[0]


def test_words_that_the_city_gives_are_refused(browser: Browser, home: Path) -> None:
    assert told(browser, GOOD) == ""
    (home / WORDS).write_text("# 市の語\nあじさい号\n紫陽花\n", encoding="utf-8")
    assert "推測されやすい語" in told(browser, GOOD)
    assert told(browser, "向日葵 の 三つ編み 2026") == ""


def test_what_was_breached_is_refused_without_asking_anybody(browser: Browser, home: Path) -> None:
    digests = sorted(hashlib.sha1(text.encode()).hexdigest().upper() for text in (GOOD, "a", "b", "c"))
    (home / BREACHED).write_text("".join(f"{each}:7\n" for each in digests))
    assert "流出" in told(browser, GOOD)
    assert told(browser, "向日葵 の 三つ編み 2026") == ""


@given(st.sets(_DIGESTS, max_size=30), _DIGESTS, st.sampled_from(["", ":1", ":23456"]), st.booleans())
def test_a_digest_is_found_where_it_is_and_nowhere_else(
    held: set[str], other: str, more: str, ends: bool
) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / BREACHED
        file.write_text("\n".join(each + more for each in sorted(held)) + ("\n" if ends and held else ""))
        assert all(holds(file, each) for each in held)
        assert holds(file, other) == (other in held)
