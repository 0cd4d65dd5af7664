"""Reads the declared assumptions of the synthetic town."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from kiban.kernel import Problem

FILE = Path(__file__).with_name("assumptions.yaml")
OLDEST = 100
"""The last single year of age that a population file counts: 100 means 100 and over."""


@dataclass(frozen=True, eq=False)
class Assumptions:
    """Every declared figure by its dotted name; asking for an unknown one is a Problem (`town-assumption`).

    Attributes:
        values: the entries of the file; compared by identity, so that what follows from them can be kept.
    """

    values: Mapping[str, Mapping[str, Any]]

    def number(self, name: str) -> float:
        """One figure."""
        return float(self._entry(name, "number"))

    def curve(self, name: str) -> NDArray[np.float64]:
        """A figure for each single year of age, 101 values, straight lines between the declared ages."""
        knots = self._entry(name, "curve")
        return np.interp(
            np.arange(OLDEST + 1), [float(age) for age in knots], [float(y) for y in knots.values()]
        )

    def table(self, name: str) -> tuple[list[str], NDArray[np.float64]]:
        """Labels and their weights, scaled to sum to one."""
        rows = self._entry(name, "table")
        weights = np.array([float(weight) for weight in rows.values()])
        return [str(label) for label in rows], weights / weights.sum()

    def share(self, name: str, label: str) -> float:
        """The unscaled figure of one label of a table; zero where the table does not name it."""
        return float(self._entry(name, "table").get(label, 0.0))

    def _entry(self, name: str, shape: str) -> Any:
        entry = self.values.get(name, {})
        if shape not in entry:
            raise Problem("town-assumption", f"no assumption {name} of shape {shape}", where=FILE.name)
        return entry[shape]


@cache
def assumptions() -> Assumptions:
    """The assumptions shipped with Kiban."""
    return Assumptions(yaml.safe_load(FILE.read_text(encoding="utf-8")))
