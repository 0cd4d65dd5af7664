"""What the old system of a town is: its wards in groups, its gaiji, its code page."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kiban.characters import CodePage, code_page
from kiban.kernel import Problem
from kiban.town.unload_layout import (
    BOOKS,
    CODE_HEADS,
    LISTS,
    MAINFRAME,
    TAX,
    Book,
    code_lists,
    layouts,
    system_of,
)

WARD_GROUPS = 3
PAGES = {MAINFRAME: "jef", TAX: "keis83", LISTS: "cp932"}
"""Code page of each old system."""
OTHER_GENERATION = {TAX: "keis78"}
"""The page of the maker's generation before, in which pairs of kanji have each other's codes."""
_CELLS = (*range(0xA1, 0xFF),)
USER_AREAS = {
    MAINFRAME: (range(0x80, 0xA1), _CELLS),
    TAX: (range(0x81, 0xA1), _CELLS),
    LISTS: (range(0xF0, 0xFA), (*range(0x40, 0x7F), *range(0x80, 0xFD))),
}
"""First and second bytes of user-defined characters: 80A1 to A0FE, 81A1 to A0FE, and F040 to F9FC."""
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


@dataclass(frozen=True)
class _Class:
    """What two officers found of a character: class, note of the chart, reason; whether the old glyph is in Unicode."""

    name: str
    note: str
    reason: str
    known: bool = True


EXACT = _Class("exact", "外字", "字形が一致")
DESIGN = _Class("design", "外字(はねの形が異なる)", "デザイン差の範囲。MJの字形で印字する")
SUBSTITUTE = _Class(
    "substitute",
    "外字(字形は図のみ)",
    "元の字形はMJにない。本人に確かめ、同じ字種のこの字に替える",
    known=False,
)
BY_TURNS = (EXACT, EXACT, DESIGN, EXACT, EXACT, SUBSTITUTE, EXACT)
"""Most are the same. The old glyph of a substitute is nowhere in Unicode; the town has the character that was decided on."""
_SELECTED = re.compile(".[\U000e0100-\U000e01ef]", re.DOTALL)


@dataclass(frozen=True)
class System:
    """The old system of one town.

    Attributes:
        town: folder of the town.
        cut: day of the data, as YYYYMMDD.
        lists: legacy codes by list, that of the wards included.
        books: its files of fixed-length records.
        gaiji: what each user-defined code stands for, by system; the same code is another character in each.
        former: files that are written in the generation before.
    """

    town: Path
    cut: int
    lists: Mapping[str, Mapping[str, str]]
    books: tuple[Book, ...] = ()
    gaiji: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    former: frozenset[str] = frozenset()

    @cached_property
    def pages(self) -> Mapping[str, CodePage]:
        """The code page of each system, with its gaiji."""
        return {name: code_page(page, gaiji=dict(self.gaiji.get(name, {}))) for name, page in PAGES.items()}

    @cached_property
    def former_pages(self) -> Mapping[str, CodePage]:
        """Likewise, of the generation before."""
        return {
            name: code_page(page, gaiji=dict(self.gaiji.get(name, {})))
            for name, page in OTHER_GENERATION.items()
        }

    def page(self, book: Book, file: str) -> CodePage:
        """The code page of a file of fixed-length records, by its name without extension."""
        return (self.former_pages if f"{file}.DAT" in self.former else self.pages)[book.system]

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
    """The parts of a group of the town, in order."""
    business = next((book.business for book in BOOKS if book.group == group), "resident")
    return sorted((town / business / group).glob("part-*.parquet"))


def strange(group: str, books: tuple[Book, ...], path: Path) -> set[tuple[str, str]]:
    """What the texts of a part have that the page of a system, as bought, cannot write: system and character."""
    found: set[tuple[str, str]] = set()
    for name, items in _texts(group, books).items():
        units: set[str] = set()
        for column in pq.read_table(path, columns=sorted(items)).columns:
            text = "".join(pc.unique(pc.drop_null(column)).to_pylist())
            units |= set(_SELECTED.findall(text)) | set(_SELECTED.sub("", text))
        page = code_page(PAGES[name])
        found |= {(name, unit) for unit in units if page.encode(unit).faults}
    return found


def text_groups(books: tuple[Book, ...]) -> list[str]:
    """The groups of the town that have a text to write, in order."""
    groups = {field.group for layout in layouts().values() for field in layout.fields} - {""}
    return sorted(group for group in groups if _texts(group, books))


def _texts(group: str, books: tuple[Book, ...]) -> dict[str, set[str]]:
    """The items of a group that are written as text, by system."""
    left_out = {book.name for book in BOOKS if book not in books}
    found: dict[str, set[str]] = {}
    for (copybook, part), layout in layouts().items():
        if copybook in left_out:
            continue
        name, kinds = system_of(copybook, part), ("text",) if part == "CSV" else ("n", "mixed")
        items = {field.item for field in layout.fields if field.group == group and field.encoding in kinds}
        if items:
            found.setdefault(name, set()).update(items)
    return found


def gaiji_codes(strange: Iterable[tuple[str, str]]) -> dict[str, dict[int, str]]:
    """A user-defined code for each character, by system, in the order of Unicode.

    Raises:
        Problem: `unload-gaiji-full`.
    """
    found: dict[str, dict[int, str]] = {name: {} for name in PAGES}
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


def write_charts(folder: Path, system: System) -> None:
    """The charts of the gaiji, and what two officers decided on each; the tax ledger has its own."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_chart(folder, "", system, (MAINFRAME, LISTS))
    if any(book.system == TAX for book in system.books):
        _write_chart(folder, f"{TAX}-", system, (TAX,))


def _write_chart(folder: Path, prefix: str, system: System, names: Sequence[str]) -> None:
    day = f"{system.cut:08d}"
    day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    rows = [
        (name, f"{code:04X}", " ".join(f"{ord(char):04X}" for char in unit), judged)
        for name in names
        for (code, unit), judged in zip(system.gaiji[name].items(), cycle(BY_TURNS), strict=False)
    ]
    with (folder / f"{prefix}chart.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CHART)
        for name, code, unicode, judged in rows:
            writer.writerow((name, code, unicode if judged.known else "", "", judged.note))
    with (folder / f"{prefix}decisions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(DECISIONS)
        first, second = OFFICERS
        for name, code, unicode, judged in rows:
            writer.writerow((name, code, unicode, judged.name, first, day, second, day, judged.reason))


def ward_column(rows: pa.Table, lists: Mapping[str, Mapping[str, str]]) -> pa.Array:
    """Legacy ward code of each row."""
    wards = rows["shiteitoshi_gyoseikutokodo"].combine_chunks().dictionary_encode()
    names = [lists["ku"][code] for code in wards.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(wards.indices)
