"""What the old system of a town is: its wards in groups, its gaiji, its code page."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kiban.characters import CodePage, code_page
from kiban.kernel import Problem
from kiban.town.unload_layout import code_lists, layouts

WARD_GROUPS = 3
FIRST_GAIJI, GAIJI_ROWS, GAIJI_CELLS, FIRST_CELL = 0x80, 33, 94, 0xA1
"""The user-defined area of JEF: 80A1 to A0FE."""
CHART = ("system", "code", "unicode", "mj", "note")
DECISIONS = (
    "system",
    "code",
    "unicode",
    "class",
    "decided_by_1",
    "decided_on_1",
    "decided_by_2",
    "decided_on_2",
    "reason",
)
OFFICERS = ("職員甲", "職員乙")
_SELECTED = re.compile(".[\U000e0100-\U000e01ef]", re.DOTALL)


@dataclass(frozen=True)
class System:
    """The old system of one town.

    Attributes:
        town: folder of the town.
        cut: day of the data, as YYYYMMDD.
        lists: legacy codes by list, that of the wards included.
        gaiji: what each user-defined code stands for.
    """

    town: Path
    cut: int
    lists: Mapping[str, Mapping[str, str]]
    gaiji: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def page(self) -> CodePage:
        """The code page of the system with its gaiji."""
        return code_page("jef", gaiji=dict(self.gaiji))

    @cached_property
    def wards(self) -> tuple[str, ...]:
        """Legacy codes of the wards in their order."""
        return tuple(sorted(self.lists["ku"].values()))

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The wards of each file of residents."""
        size = -(-len(self.wards) // WARD_GROUPS)
        return tuple(self.wards[at : at + size] for at in range(0, len(self.wards), size))


def wards_of(town: Path) -> dict[str, str]:
    """Legacy code of each ward: 100 and its order."""
    rows = pq.read_table(town / "resident" / "gyoseiku", columns=["gyoseikukodo", "hyojijun"]).to_pylist()
    return {row["gyoseikukodo"]: f"{100 + row['hyojijun']}" for row in rows}


def lists_of(town: Path) -> dict[str, Mapping[str, str]]:
    """Every legacy code list of a town."""
    return {**code_lists(), "ku": wards_of(town)}


def parts(town: Path, group: str) -> list[Path]:
    """The parts of a group of the resident register, in order."""
    return sorted((town / "resident" / group).glob("part-*.parquet"))


def strange(group: str, path: Path) -> set[str]:
    """What the texts of a part have that the code page of the system, as bought, cannot write."""
    wide = {
        field.item
        for (book, _), layout in layouts().items()
        for field in layout.fields
        if field.group == group and field.encoding in ("n", "mixed") and not book.endswith(".csv")
    }
    found: set[str] = set()
    for column in pq.read_table(path, columns=sorted(wide)).columns:
        text = "".join(pc.unique(pc.drop_null(column)).to_pylist())
        found |= set(_SELECTED.findall(text))
        found |= set(_SELECTED.sub("", text))
    page = code_page("jef")
    return {unit for unit in found if page.encode(unit).faults}


def gaiji_codes(units: Iterable[str]) -> dict[int, str]:
    """A user-defined code for each character, in the order of Unicode.

    Raises:
        Problem: `unload-gaiji-full`.
    """
    ordered = sorted(units)
    if len(ordered) > GAIJI_ROWS * GAIJI_CELLS:
        raise Problem(
            "unload-gaiji-full",
            f"{len(ordered)} characters need a gaiji; the system has room for {GAIJI_ROWS * GAIJI_CELLS}",
            fix="make a town with fewer spellings",
        )
    return {
        (FIRST_GAIJI + at // GAIJI_CELLS) * 256 + FIRST_CELL + at % GAIJI_CELLS: unit
        for at, unit in enumerate(ordered)
    }


def write_chart(folder: Path, system: System) -> None:
    """The chart of the gaiji, and what two officers decided on each."""
    folder.mkdir(parents=True, exist_ok=True)
    day = f"{system.cut:08d}"
    day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    points = {
        f"{code:04X}": " ".join(f"{ord(char):04X}" for char in unit) for code, unit in system.gaiji.items()
    }
    with (folder / "chart.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CHART)
        writer.writerows(("jef", code, text, "", "外字") for code, text in points.items())
    with (folder / "decisions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(DECISIONS)
        first, second = OFFICERS
        writer.writerows(
            ("jef", code, text, "exact", first, day, second, day, "字形が一致")
            for code, text in points.items()
        )


def ward_column(rows: pa.Table, lists: Mapping[str, Mapping[str, str]]) -> pa.Array:
    """Legacy ward code of each row."""
    wards = rows["shiteitoshi_gyoseikutokodo"].combine_chunks().dictionary_encode()
    names = [lists["ku"][code] for code in wards.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(wards.indices)
