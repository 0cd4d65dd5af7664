from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kiban import businesses, standard, town

ROOT = Path(next(iter(businesses.__path__)))


@pytest.fixture(scope="session")
def editions() -> dict[str, standard.Edition]:
    """The editions that the town is made in."""
    return {
        "resident": standard.load(ROOT / "resident"),
        "nonresident": standard.load(ROOT / "nonresident_addressee"),
    }


@pytest.fixture(scope="session")
def arguments(editions: dict[str, standard.Edition]) -> dict[str, Any]:
    """Arguments of a small town; a test changes what it is about."""
    return {
        **editions,
        "residents": 3000,
        "seed": 7,
        "city": "28100",
        "population": None,
        "as_of": date(2026, 10, 1),
        "processes": 1,
    }


@pytest.fixture(scope="session")
def small_town(arguments: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A town of 3,000."""
    out = tmp_path_factory.mktemp("town") / "kobe"
    town.make(out, **arguments)
    yield out


@pytest.fixture(scope="session")
def read(small_town: Path) -> Callable[[str], pl.DataFrame]:
    """Reads a group of the small town, all parts together."""

    def rows(group: str) -> pl.DataFrame:
        business = "nonresident_addressee" if group.startswith("jutogaisha") else "resident"
        return pl.read_parquet(small_town / business / group / "*.parquet")

    return rows
