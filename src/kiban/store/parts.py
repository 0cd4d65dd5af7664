"""What a bulk load is made of: parts of registers, read from the Parquet files of a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from kiban.kernel import Problem

if TYPE_CHECKING:
    from kiban.store.database import Store

PLACE = "kiban.place"
"""Key of a batch's schema metadata: where its rows come from, to be named when one of them is refused."""
_BATCH_ROWS = 65_536
_PART_ROWS = 200_000


@dataclass(frozen=True)
class Part:
    """A piece of a bulk load that is committed as a whole, and not read again once it is.

    Attributes:
        register: schema.table.
        name: unique within the load and the same at every attempt.
        rows: how many rows it has.
        batches: opens the rows anew at each call.
    """

    register: str
    name: str
    rows: int
    batches: Callable[[], Iterable[pa.RecordBatch]]


def folder_parts(store: Store, folder: Path) -> list[Part]:
    """All that a folder holds for the registers in force: SCHEMA/REGISTER/*.parquet, as a town is written.

    Raises:
        Problem: `folder-missing`, `parts-missing` where a register's folder is empty, `part-unreadable`.
    """
    if not folder.is_dir():
        raise Problem(
            "folder-missing", "there is no such folder", str(folder), "name the folder that holds the files"
        )
    return [
        part
        for register in store.tables()
        if (place := folder / register.replace(".", "/")).is_dir()
        for part in parquet_parts(register, place)
    ]


def parquet_parts(register: str, folder: Path) -> list[Part]:
    """The Parquet files of a folder in the order of their names, small ones together in one part.

    Raises:
        Problem: `parts-missing`, `part-unreadable`.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise Problem(
            "parts-missing", "no Parquet file", str(folder), "give the folder that holds the register's files"
        )
    parts: list[Part] = []
    together: list[tuple[Path, int]] = []
    for file in files:
        together.append((file, _rows(file)))
        if sum(rows for _, rows in together) >= _PART_ROWS:
            parts.append(_parquet_part(register, together))
            together = []
    return [*parts, _parquet_part(register, together)] if together else parts


def _rows(file: Path) -> int:
    try:
        return int(pq.read_metadata(file).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise Problem(
            "part-unreadable", "not a whole Parquet file", str(file), "make or copy the file again"
        ) from error


def _parquet_part(register: str, files: Sequence[tuple[Path, int]]) -> Part:
    """Files that are committed together: a transaction for each small file would cost more than its rows."""
    names = [str(file) for file, _ in files]

    def batches() -> Iterator[pa.RecordBatch]:
        for name in names:
            first = 0
            with pq.ParquetFile(name) as opened:
                for batch in opened.iter_batches(_BATCH_ROWS):
                    yield batch.replace_schema_metadata({PLACE: f"{name} from row {first}"})
                    first += batch.num_rows

    name = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)})"
    return Part(register, name, sum(rows for _, rows in files), batches)
