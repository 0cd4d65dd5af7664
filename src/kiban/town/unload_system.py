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
from kiban.town.unload_layout import CODE_HEADS, code_lists, layouts

WARD_GROUPS = 3
MAINFRAME, LISTS = "jef", "cp932"
"""The code pages of the fixed and variable files, and of the CSV lists."""
USER_AREAS = {
    MAINFRAME: (range(0x80, 0xA1), (*range(0xA1, 0xFF),)),
    LISTS: (range(0xF0, 0xFA), (*range(0x40, 0x7F), *range(0x80, 0xFD))),
}
"""First and second bytes of user-defined characters: 80A1 to A0FE, and F040 to F9FC."""
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
        gaiji: what each user-defined code stands for, by code page; the same code is another character in each.
    """

    town: Path
    cut: int
    lists: Mapping[str, Mapping[str, str]]
    gaiji: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    @cached_property
    def page(self) -> CodePage:
        """The code page of the fixed and variable files, with its gaiji."""
        return code_page(MAINFRAME, gaiji=dict(self.gaiji.get(MAINFRAME, {})))

    @cached_property
    def list_page(self) -> CodePage:
        """The code page of the CSV lists, with its gaiji."""
        return code_page(LISTS, gaiji=dict(self.gaiji.get(LISTS, {})))

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


def write_wards(folder: Path, system: System) -> None:
    """The code table of the wards, which is another in every city."""
    names = ("gyoseikukodo", "gyoseikumei")
    rows = pq.read_table(system.town / "resident" / "gyoseiku", columns=list(names)).to_pylist()
    with (folder / "ku.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CODE_HEADS)
        wards = {row["gyoseikukodo"]: row["gyoseikumei"] for row in rows}
        writer.writerows(sorted((old, new, wards[new]) for new, old in system.lists["ku"].items()))


def lists_of(town: Path) -> dict[str, Mapping[str, str]]:
    """Every legacy code list of a town."""
    return {**code_lists(), "ku": wards_of(town)}


def parts(town: Path, group: str) -> list[Path]:
    """The parts of a group of the resident register, in order."""
    return sorted((town / "resident" / group).glob("part-*.parquet"))


def strange(group: str, path: Path) -> set[tuple[str, str]]:
    """What the texts of a part have that a code page, as bought, cannot write: code page and character."""
    found: set[tuple[str, str]] = set()
    for name, items in _texts(group).items():
        units: set[str] = set()
        for column in pq.read_table(path, columns=sorted(items)).columns:
            text = "".join(pc.unique(pc.drop_null(column)).to_pylist())
            units |= set(_SELECTED.findall(text)) | set(_SELECTED.sub("", text))
        page = code_page(name)
        found |= {(name, unit) for unit in units if page.encode(unit).faults}
    return found


def text_groups() -> list[str]:
    """The groups of the town that have a text to write, in order."""
    groups = {field.group for layout in layouts().values() for field in layout.fields} - {""}
    return sorted(group for group in groups if _texts(group))


def _texts(group: str) -> dict[str, set[str]]:
    """The items of a group that are written as text, by code page."""
    found: dict[str, set[str]] = {}
    for (_, part), layout in layouts().items():
        name, kinds = (LISTS, ("text",)) if part == "CSV" else (MAINFRAME, ("n", "mixed"))
        items = {field.item for field in layout.fields if field.group == group and field.encoding in kinds}
        if items:
            found.setdefault(name, set()).update(items)
    return found


def gaiji_codes(strange: Iterable[tuple[str, str]]) -> dict[str, dict[int, str]]:
    """A user-defined code for each character, by code page, in the order of Unicode.

    Raises:
        Problem: `unload-gaiji-full`.
    """
    found: dict[str, dict[int, str]] = {MAINFRAME: {}, LISTS: {}}
    for name, unit in sorted(set(strange)):
        first, second = USER_AREAS[name]
        row, cell = divmod(len(found[name]), len(second))
        if row >= len(first):
            raise Problem(
                "unload-gaiji-full",
                f"{name} has room for {len(first) * len(second)} gaiji, and more are needed",
                fix="make a town with fewer spellings",
            )
        found[name][first[row] * 256 + second[cell]] = unit
    return found


def write_chart(folder: Path, system: System) -> None:
    """The chart of the gaiji, and what two officers decided on each."""
    folder.mkdir(parents=True, exist_ok=True)
    day = f"{system.cut:08d}"
    day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    rows = [
        (name, f"{code:04X}", " ".join(f"{ord(char):04X}" for char in unit))
        for name, codes in system.gaiji.items()
        for code, unit in codes.items()
    ]
    with (folder / "chart.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CHART)
        writer.writerows((*row, "", "外字") for row in rows)
    with (folder / "decisions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(DECISIONS)
        first, second = OFFICERS
        writer.writerows((*row, "exact", first, day, second, day, "字形が一致") for row in rows)


def ward_column(rows: pa.Table, lists: Mapping[str, Mapping[str, str]]) -> pa.Array:
    """Legacy ward code of each row."""
    wards = rows["shiteitoshi_gyoseikutokodo"].combine_chunks().dictionary_encode()
    names = [lists["ku"][code] for code in wards.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(wards.indices)
