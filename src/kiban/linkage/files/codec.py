"""How the rows of a feed become the bytes of a file and come back: one interface for CSV and for records of fixed length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from kiban import store
from kiban.linkage.contracts.model import Feed


@dataclass(frozen=True)
class Unfit:
    """A value that the files of a flow cannot hold.

    Attributes:
        row: place of the row within its batch, from 0.
        item: romaji of the item.
        why: code of the problem, such as `characters-outside`.
        what: what is wrong, without the value; characters as U+XXXX.
    """

    row: int
    item: str
    why: str
    what: str


class RecordCodec(Protocol):
    """Encodes rows of a feed and decodes them. Nothing is ever substituted: what does not fit is told before it is written.

    The wiring hands over one for each form: that of CSV is `CsvCodec`; records of fixed length come from the migration's layouts.
    """

    @property
    def ending(self) -> str:
        """Of the names of files, with the dot."""
        ...

    def head(self, feed: Feed) -> bytes:
        """What stands before the first row of each file."""
        ...

    def unfit(self, feed: Feed, batch: pa.RecordBatch) -> tuple[Unfit, ...]:
        """Everything in a batch that cannot be written exactly; none where `write` gives bytes that read back the same."""
        ...

    def write(self, feed: Feed, batch: pa.RecordBatch) -> bytes:
        """The bytes of rows that fit; those of two batches may follow each other."""
        ...

    def read(self, feed: Feed, file: Path) -> Iterator[pa.RecordBatch]:
        """The rows of a file, in the columns of `columns_of`, in bounded memory.

        Raises:
            Problem: `file-unreadable`.
        """
        ...


def columns_of(feed: Feed) -> pa.Schema:
    """The Arrow columns of a feed: its items in their order, then the period of a register; everything may be absent."""
    whole = store.arrow_schema(feed.group)
    return pa.schema([whole.field(name).with_nullable(True) for name in feed.columns])
