"""The people and browsers of `tests.web.housing`; the fixtures `house` and `client` are those of all web tests."""

from __future__ import annotations

from tests.web.housing import BEGAN, EAST, NADA, OFFICES, SECRET, STAFF, Client, Clock

__all__ = ["BEGAN", "EAST", "NADA", "OFFICES", "SECRET", "STAFF", "Client", "Clock"]
