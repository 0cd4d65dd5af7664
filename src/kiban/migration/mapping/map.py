"""A map that was read without fault, and the two ways to carry it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiban.migration.mapping import frames, sql
from kiban.migration.mapping.model import MapLines


@dataclass(frozen=True)
class Map(MapLines):
    """A map from one segment of the legacy systems to one group of the standard."""

    def sql(self, decoded: Path, excluded: Path | None = None) -> str:
        """A DuckDB SELECT of the rows of the group.

        Args:
            decoded: the output of the stage decode.
            excluded: `excluded.parquet` of the stage cleanse, whose rows are left out; None to leave none out.

        Returns:
            One statement without an end: `#file`, `#record`, `#index` (0 where the record is no row of a table) and every item under
            its romaji, typed as `store.arrow_schema`; in no certain order. A value that its rule refuses is null.

        Raises:
            Problems: `map-field-unknown` for fields that the decoded files do not have.
        """
        return sql.select(self, decoded, excluded)

    def refusals_sql(self, decoded: Path, excluded: Path | None = None) -> str:
        """A DuckDB SELECT of `segment, file, record, index, item, field, rule, code`: a row for every value that its rule refuses.

        Raises:
            Problems: as `sql`.
        """
        return sql.refusals(self, decoded, excluded)

    def pieces(
        self, decoded: Path, excluded: Path | None = None, file: str | None = None
    ) -> Iterator[frames.Piece]:
        """The rows of the group by Polars, file by file, in pieces of bounded memory and in the order of the files.

        Args:
            decoded: as for `sql`.
            excluded: as for `sql`.
            file: only of this file of the plan; None for all.

        Raises:
            Problems: as `sql`.
        """
        return frames.pieces(self, decoded, excluded, file)

    def values_sql(self, decoded: Path) -> str:
        """A DuckDB SELECT of every different thing the lines read, and what becomes of it; a rule looks at nothing else.

        Returns:
            The fields that the lines read, under the names they have in `rows_sql`; the items as in `sql`; and for each item a
            column ITEM! with the code of what its rule refuses. A few lines of a large map are quick: `replace(map, lines=…)`.

        Raises:
            Problems: as `sql`.
        """
        return sql.values(self, decoded)

    def rows_sql(self, decoded: Path, excluded: Path | None = None) -> str:
        """A DuckDB SELECT of what the lines read of each record: `#file`, `#record`, `#index` and fields; those of a parent with its name.

        Raises:
            Problems: as `sql`.
        """
        return sql.rows(self, decoded, excluded)
