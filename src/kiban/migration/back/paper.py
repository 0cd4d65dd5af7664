"""What records of the legacy systems have in common, whether of bytes at fixed places or lines of a CSV file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kiban.migration.back.texts import Texts

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Old:
    """What the legacy system had written of some records, or of rows of their tables.

    Attributes:
        block: as its `Part` keeps it, one for each.
        there: where it had something.
    """

    block: Any
    there: Mask


@dataclass(frozen=True)
class New:
    """What goes back.

    Attributes:
        block: as for `Old`.
        faults: why values cannot be written, by field, null where all is well; fields without any are left out. Such a field is empty.
    """

    block: Any
    faults: Mapping[str, pl.Series] = field(default_factory=dict)


class Part(Protocol):
    """One description: of a record, or of a row of its table."""

    @property
    def fields(self) -> Sequence[str]:
        """Names of the fields that hold something."""

    def old(self, files: Sequence[str | None], begins: Numbers) -> Old:
        """What stands in the landed files.

        Args:
            files: name of the file of each record; None where there is none.
            begins: their first bytes.
        """

    def new(self, made: Texts, old: Old, keep: Mapping[str, Mask], absent: Mapping[str, Mask]) -> New:
        """Write records.

        Args:
            made: legacy values; a field that is not among them stays as it was, or is empty.
            old: what stood there.
            keep: by field, where it stays as it was.
            absent: by field, where there is no row it could come from, so that it is empty and nothing is missing.
        """

    def differing(self, old: Old, new: New) -> dict[str, Mask]:
        """By field, which of the records that stood there have other bytes now; fields in which none have, are left out."""


class Paper(Protocol):
    """One kind of record.

    Attributes:
        main: the record itself.
        rows: of the table at its end; None where it has none.
    """

    @property
    def main(self) -> Part:
        """The record itself."""

    @property
    def rows(self) -> Part | None:
        """A row of the table at its end; None where it has none."""

    @property
    def told(self) -> Mapping[str, str]:
        """Fields whose value every such record has."""

    def before(self, old: Old, files: Sequence[str | None], begins: Numbers) -> dict[str, pl.DataFrame]:
        """What the ordinary decoder reads from the landed files, tables included; `#record` counts from 1.

        Args:
            old: the records.
            files: name of the file of each; None where there is none.
            begins: their first bytes.
        """

    def table(self, old: Old, files: Sequence[str | None], begins: Numbers) -> tuple[Old, Numbers]:
        """The rows of the tables as they stand in the landed files, one record after the other, and how many each record has.

        Args:
            old: the records.
            files: name of the file of each; None where there is none.
            begins: their first bytes.
        """

    def read(self, new: New, rows: New | None, counts: Numbers) -> dict[str, pl.DataFrame]:
        """What the ordinary decoder reads from new records; `#record` counts from 1.

        Args:
            new: the records.
            rows: of their tables, one record after the other.
            counts: how many rows each has.
        """

    def data(self, new: New, rows: New | None, counts: Numbers) -> bytes:
        """Records as they stand in a file; arguments as for `read`."""
