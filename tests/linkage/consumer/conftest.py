"""What the tests of a consumer use of those of the store."""

from __future__ import annotations

from tests.store.conftest import library

__all__ = ["library"]
