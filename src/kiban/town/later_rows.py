"""Changed rows into the parts of a town, and its residents counted again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kiban.town.later_lives import Rows
from kiban.town.output import WardCount
from kiban.town.unload_system import parts

WARD = "shiteitoshi_gyoseikutokodo"
KEYS = {
    "jumin": ("atenabango", "rirekibango"),
    "setai": ("setaibango", "rirekibango"),
    "shiensochi": ("shiensochibango", "rirekibango"),
    "shiensochi_taishosha": ("shiensochibango", "taishosharenban", "rirekibango"),
    "shiensochi_kagaisha": ("shiensochibango", "kagaisharenban", "rirekibango"),
}
"""Key of each group that changes; a part is sorted by ward and key, as the town wrote it."""


def write_rows(out: Path, name: str, rows: Rows) -> None:
    """Takes the old rows out of the parts of one unit and puts the new ones in.

    Args:
        out: the town.
        name: of the parts; a group that has no part of this name takes the rows into its first one.
        rows: what changed.
    """
    for group, new in rows.new.items():
        path = out / "resident" / group / name
        path = path if path.exists() else parts(out, group)[0]
        table = pq.read_table(path)
        gone = pa.array([_joined(row, group) for row in rows.old.get(group, ())], pa.string())
        kept = table.filter(pc.invert(pc.is_in(_key(table, group), gone)))
        assert table.num_rows - kept.num_rows == len(gone)
        both = pa.concat_tables([kept, pa.Table.from_pylist(new, schema=table.schema)])
        order = [(column, "ascending") for column in (WARD, *KEYS[group])]
        made = both.sort_by(order).combine_chunks()
        pq.write_table(made, path, compression="zstd", compression_level=1)


def _key(table: pa.Table, group: str) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(*(table[name].cast(pa.string()) for name in KEYS[group]), "/")


def _joined(row: dict[str, object], group: str) -> str:
    return "/".join(str(row[name]) for name in KEYS[group])


def count_wards(out: Path, wards: Sequence[str], man: str, japanese: str) -> list[WardCount]:
    """Residents by ward, as the live rows say.

    Args:
        out: the town.
        wards: codes, in order.
        man: code value of 男.
        japanese: code value of 日本人住民.
    """
    found: list[WardCount] = []
    for path in parts(out, "jumin"):
        rows = pq.read_table(path, columns=[WARD, "setaibango", "seibetsu", "juminshubetsu", "valid_to"])
        rows = rows.filter(pc.is_null(rows["valid_to"]))
        for ward in pc.unique(rows[WARD]).to_pylist():
            mine = rows.filter(pc.equal(rows[WARD], ward))
            men = pc.sum(pc.equal(mine["seibetsu"], man)).as_py()
            households = pc.count_distinct(mine["setaibango"]).as_py()
            foreign = mine.num_rows - pc.sum(pc.equal(mine["juminshubetsu"], japanese)).as_py()
            found.append(WardCount(wards.index(ward), households, men, mine.num_rows - men, foreign))
    return found
