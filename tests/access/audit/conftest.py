"""The way of somebody who has the database in hand."""

from __future__ import annotations

import pytest

from kiban.store import Store


@pytest.fixture
def owner(registers: Store) -> str:
    """The connection string of the owner of the database."""
    return registers.server.owner_dsn
