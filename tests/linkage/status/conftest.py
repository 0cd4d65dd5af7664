"""The city of the tests of events."""

from tests.linkage.events.conftest import books
from tests.store.conftest import city, city_template, library

__all__ = ["books", "city", "city_template", "library"]
