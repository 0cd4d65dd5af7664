"""The side that is right by agreement: what the decoded files say a register has to hold, as DuckDB reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from kiban import store
from kiban.standard import Group, Item

Progress = Callable[[str, int, int], None]
"""Called with a step, how much of it is done, and how much there is."""

ORIGIN = ("#file", "#record", "#index")
"""Where a row comes from: the file of the plan, the record (from 1) and the row of its table (0 where there is none)."""
MEMORY = "1200MB"
"""What one engine may take; two registers are worked on at a time, beside the server."""

Select = Callable[[Sequence[str], bool], str]
"""Takes the items, and whether rows that were merged or rejected are wanted too."""


@dataclass(frozen=True)
class Decoded:
    """A register as the decoded files say it.

    Attributes:
        register: schema.table.
        group: of the standard.
        select: gives the DuckDB SELECT of `ORIGIN` and some items, typed as `store.arrow_schema`: of the rows that have to be there, or
            of every row of the segment, also those that were merged or rejected. Only what is asked for is worked out.
    """

    register: str
    group: Group
    select: Select

    @property
    def items(self) -> list[str]:
        """Everything that is compared: every item, then the period of a register."""
        return list(store.arrow_schema(self.group).names)

    @property
    def key(self) -> list[str]:
        """What tells the rows apart: whom a row is about and, in a register, since when it is true."""
        since = ["valid_from"] if self.group.kind == "register" else []
        return [*(item.romaji for item in self.group.subject), *since]

    @property
    def ward(self) -> Item | None:
        """The item that holds the ward."""
        return self.group.ward

    @property
    def year(self) -> Item | None:
        """The item that holds the fiscal year: the first of the key that is a year."""
        return next((item for item in self.group.key if item.type == "YEAR"), None)

    @property
    def numbers(self) -> list[str]:
        """The items that are added up: whatever holds a number and is no part of the key."""
        return [
            item.romaji
            for item in self.group.items
            if item.type in ("9", "S9", "9V") and not item.key and not item.repeats
        ]


@contextmanager
def engine(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of bounded memory; what does not fit goes into a folder that must exist."""
    with duckdb.connect(
        config={"memory_limit": MEMORY, "temp_directory": str(folder), "threads": 2}
    ) as connection:
        connection.execute("SET preserve_insertion_order = false")
        yield connection
