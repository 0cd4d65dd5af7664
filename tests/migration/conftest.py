"""A small synthetic city as its mainframes hand it over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiban import main, town

from .migrated import Case, Migrated, copied, migrate
from .returning import City, returning


@pytest.fixture(scope="session")
def old_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The city in the items of the standard: what a migration has to arrive at."""
    folder = tmp_path_factory.mktemp("old-city") / "town"
    editions = main.library()
    town.make(
        folder,
        resident=editions.edition("resident"),
        nonresident=editions.edition("nonresident_addressee"),
        tax=editions.edition("individual_resident_tax"),
        residents=1_500,
        seed=3,
        city="28100",
        population=None,
        as_of=date(2026, 10, 1),
        processes=1,
    )
    return folder


@pytest.fixture(scope="session")
def unloaded(old_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its unload, without any fault."""
    folder = tmp_path_factory.mktemp("unloaded") / "old"
    town.unload(old_city, folder, processes=1)
    return folder


@pytest.fixture(scope="session")
def faulty(old_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its unload with faults, listed in faults.csv."""
    folder = tmp_path_factory.mktemp("faulty") / "old"
    town.unload(old_city, folder, faults=100, processes=1)
    return folder


@pytest.fixture(scope="session")
def migrated(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    """A city of 4,000, migrated up to the load."""
    return migrate(databases, tmp_path_factory.mktemp("migrated"))


@pytest.fixture
def case(migrated: Migrated, databases: Any, tmp_path: Path) -> Iterator[Case]:
    """A copy of it for one test."""
    with copied(migrated, databases, tmp_path / "work") as found:
        yield found


@pytest.fixture
def city(migrated: Migrated, databases: Any) -> Iterator[City]:
    """The same with a database of its own, from which a test can go back."""
    with returning(migrated, databases) as found:
        yield found
