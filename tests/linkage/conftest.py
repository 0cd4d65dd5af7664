"""The small city of the tests of the store, with the books of the linkage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.store.conftest import city, city_template, library

from kiban import linkage, store
from kiban.store import Store

__all__ = ["books", "city", "city_template", "library"]


@pytest.fixture
def books(city: Store) -> Iterator[store.Books]:
    """The books of the linkage in the city of this test."""
    with linkage.open_linkage(city) as opened:
        yield opened
