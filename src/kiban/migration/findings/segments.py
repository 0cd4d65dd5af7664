"""The decoded segments as DuckDB sees them: all rows (`held`), and those that no decision takes out (`kept`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow.parquet as pq

from kiban.migration.findings.refs import Condition, Ref
from kiban.migration.mapping import named, quoted

View = Literal["held", "kept"]
MEMORY, THREADS = "1536MB", 2


@dataclass(frozen=True)
class Width:
    """How much a text field holds.

    Attributes:
        room: characters, or bytes where shift codes take some of them.
        shifts: bytes of the two shift codes around kanji; None where room counts characters.
    """

    room: int
    shifts: int | None = None


@dataclass(frozen=True)
class Day:
    """A field of dates.

    Attributes:
        table: of its values: raw, iso, fault, day (YYYYMMDD); see `dates.prepare`.
        form: the rule of a map that reads it.
    """

    table: str
    form: str


@dataclass(frozen=True)
class Segments:
    """The decoded output in a database of its own.

    Attributes:
        query: the database; views in the schemas `held` and `kept`, and what the checks put beside them.
        fields: of each segment the names and SQL types of its fields, without those that begin with #.
        cut: the day whose state the files show, as YYYYMMDD.
        tables: the segments whose rows belong to a record of another.
        days: the fields of dates, by segment and name.
        widths: of each text field of the copybooks.
        view: which rows are looked at.
    """

    query: duckdb.DuckDBPyConnection
    fields: Mapping[str, Mapping[str, str]]
    cut: int = 0
    tables: tuple[str, ...] = ()
    days: Mapping[tuple[str, str], Day] = field(default_factory=dict)
    widths: Mapping[str, Width] = field(default_factory=dict)
    view: View = "held"

    def rows(self, ref: Ref) -> str:
        """The rows of a reference, as something to select from; `#index` is 0 where the segment is no table of another."""
        source = f"{self.view}.{named(ref.segment)}"
        if not ref.where:
            return source
        conditions = " AND ".join(self.condition(ref.segment, one) for one in ref.where)
        return f"(SELECT * FROM {source} WHERE {conditions})"

    def count(self, ref: Ref, *, held: bool) -> int:
        """How many rows a reference has; with `held` only those whose first field holds something."""
        where = f" WHERE {self.holds(ref.segment, ref.fields[0])}" if held else ""
        return int(self.query.execute(f"SELECT count(*) FROM {self.rows(ref)}{where}").fetchall()[0][0])

    def condition(self, segment: str, one: Condition, *, within: str = "") -> str:
        """A condition as a boolean that is never null."""
        column = within + named(one.field)
        if not one.values:
            return f"{column} IS {'NOT ' if one.no else ''}NULL"
        whole = self.whole(segment, one.field) and all(value.isdecimal() for value in one.values)
        values = ", ".join(value if whole else quoted(value) for value in one.values)
        found = f"{column if whole else f'CAST({column} AS VARCHAR)'} IN ({values})"
        return f"coalesce({'NOT ' if one.no else ''}{found}, {'true' if one.no else 'false'})"

    def whole(self, segment: str, name: str) -> bool:
        """Whether a field is decoded to whole numbers."""
        return self.fields[segment][name] == "BIGINT"

    def holds(self, segment: str, name: str, *, within: str = "") -> str:
        """Whether a field holds something, as a boolean that is never null: a number is not 0, a text not empty."""
        column = within + named(name)
        nothing = "''" if self.fields[segment][name] == "VARCHAR" else "0"
        return f"coalesce({column} <> {nothing}, false)"

    def alike(self, one: Ref, other: Ref, left: str, right: str) -> list[str]:
        """For each pair of fields the condition that they hold the same; leading zeros do not matter between text and number."""
        return [
            f"{self._plain(one.segment, mine, theirs_type, left)} = {self._plain(other.segment, theirs, mine_type, right)}"
            for mine, theirs in zip(one.fields, other.fields, strict=True)
            for mine_type in [self.fields[one.segment][mine]]
            for theirs_type in [self.fields[other.segment][theirs]]
        ]

    def _plain(self, segment: str, name: str, other: str, within: str) -> str:
        column = f"{within}.{named(name)}"
        return column if self.fields[segment][name] == other else f"ltrim(CAST({column} AS VARCHAR), '0')"


@contextmanager
def opened(
    folders: Mapping[str, Path | None], ledger: Path, spill: Path, wanted: Mapping[str, Collection[str]]
) -> Iterator[Segments]:
    """Open the decoded output; memory is bounded, and what does not fit goes to the disk.

    The table `ledger` holds what could not be decoded, `found` and `excluded` wait for what the checks and the decisions put there.

    Args:
        folders: the Parquet files of each segment of the plan; None where nothing was decoded, as of a CSV without rows.
        ledger: those of the decode ledger.
        spill: for what does not fit into memory; made where it is missing.
        wanted: fields that are asked of each segment, which one without rows is taken to have.
    """
    spill.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as query:
        query.execute(f"SET memory_limit = '{MEMORY}'; SET threads = {THREADS}")
        query.execute(
            f"SET temp_directory = {quoted(spill.as_posix())}; SET preserve_insertion_order = false"
        )
        query.execute("CREATE SCHEMA held; CREATE SCHEMA kept")
        fields: dict[str, dict[str, str]] = {}
        tables = tuple(
            name for name, folder in sorted(folders.items()) if folder is not None and _indexed(folder)
        )
        for name, folder in sorted(folders.items()):
            source = _segment(folder) if folder is not None else _nothing(wanted.get(name, ()))
            query.execute(f"CREATE VIEW held.{named(name)} AS {source}")
            query.execute(f"CREATE VIEW kept.{named(name)} AS SELECT * FROM held.{named(name)}")
            told = query.execute(f"DESCRIBE held.{named(name)}").fetchall()
            fields[name] = {str(row[0]): str(row[1]) for row in told if row[0] not in _ORIGIN}
        query.execute(LEDGER)
        if ledger.is_dir():
            query.execute(f"INSERT INTO ledger BY NAME SELECT * FROM {_files(ledger)}")
        query.execute(FOUND)
        query.execute(EXCLUDED)
        yield Segments(query, fields, tables=tables)


_ORIGIN = ("#file", "#record", "#offset", "#index")
_PLACE = "segment VARCHAR, file VARCHAR, record BIGINT, index BIGINT"
LEDGER = 'CREATE TABLE ledger (file VARCHAR, record BIGINT, "offset" BIGINT, field VARCHAR, raw VARCHAR, code VARCHAR)'
FOUND = f"CREATE TABLE found (rule VARCHAR, severity VARCHAR, {_PLACE}, field VARCHAR, code VARCHAR)"
EXCLUDED = f"CREATE TABLE excluded ({_PLACE}, fate VARCHAR, reason VARCHAR)"


def _files(folder: Path) -> str:
    paths = ", ".join(quoted(path.as_posix()) for path in sorted(folder.glob("*.parquet")))
    return f"read_parquet([{paths}], union_by_name = true)"


def _indexed(folder: Path) -> bool:
    return all("#index" in pq.read_schema(path).names for path in folder.glob("*.parquet"))


def _segment(folder: Path) -> str:
    index = "" if _indexed(folder) else ', 0::BIGINT AS "#index"'
    return f"SELECT *{index} FROM {_files(folder)}"


def _nothing(fields: Collection[str]) -> str:
    columns = ["''::VARCHAR AS \"#file\"", *(f'0::BIGINT AS "{name}"' for name in _ORIGIN[1:])]
    columns += [f"''::VARCHAR AS {named(field)}" for field in sorted(fields)]
    return f"SELECT {', '.join(columns)} WHERE false"
