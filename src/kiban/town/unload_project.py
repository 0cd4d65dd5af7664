"""The project folder that comes with an unload: the sample, less what the town's old systems do not have."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from kiban.town.output import DESCRIPTION
from kiban.town.unload_layout import BOOKS, CODES, PROJECT, Book, layouts
from kiban.town.unload_system import System, write_charts, write_wards

PLAN = "plan.yaml"
_ENTRY = re.compile(r"^  - ", re.MULTILINE)


def write_project(folder: Path, system: System) -> None:
    """Copies the sample and writes the town's code, day and charts into it.

    A book that the town does not have is left out by one rule: every entry of the plan that is one of its files, its system, that
    system's owner, or of its business; the copybooks and maps that those entries name; the code tables that only its fields use; and
    every line of a CSV with a cell that is its name or begins as the names of its fields do.
    """
    missing = [book for book in BOOKS if book not in system.books]
    shutil.copytree(PROJECT, folder)
    text, gone = _without((folder / PLAN).read_text(encoding="utf-8"), missing)
    (folder / PLAN).write_text(_named(text, system), encoding="utf-8")
    for name in gone | {f"{CODES}/{one}.csv" for one in _tables(missing) - _tables(system.books)}:
        (folder / name).unlink()
    for path in sorted(folder.glob("*.csv")) if missing else ():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not any(_names(line, book) for book in missing)]
        path.write_text("".join(kept), encoding="utf-8")
    write_charts(folder / "characters", system)
    write_wards(folder / CODES, system)


def _names(line: str, book: Book) -> bool:
    """Whether a line of a CSV is about a book."""
    prefix = layouts()[book.name, "DATA"].fields[0].name.split("-")[0]
    return any(cell == book.name or cell.startswith(f"{prefix}-") for cell in line.split(","))


def _tables(books: Iterable[Book]) -> set[str]:
    """The code tables that the fields of books use."""
    names = {book.name for book in books}
    fields = [field for (name, _), layout in layouts().items() if name in names for field in layout.fields]
    return {field.encoding.partition(":")[2] for field in fields if field.encoding.startswith("code:")}


def _without(text: str, missing: Sequence[Book]) -> tuple[str, set[str]]:
    """The plan without the entries of some books, and the files that only those entries name."""
    names = {name for book in missing for name in (book.name, book.system, book.business)}
    names |= {one["owner"] for one in yaml.safe_load(text)["systems"] if one["id"] in names}
    pieces = [(piece, _entry(piece)) for piece in _pieces(text)]
    gone = [entry for _, entry in pieces if _is_of(entry, names)]
    files = {
        entry[name]
        for entry in gone
        if isinstance(entry, dict)
        for name in ("copybook", "map")
        if name in entry
    }
    kept = "".join(piece for piece, entry in pieces if not _is_of(entry, names))
    return kept, {name for name in files if name not in kept}


def _pieces(text: str) -> list[str]:
    """The text in pieces: each entry of a list below a key is one, and whatever stands between them."""
    starts = [found.start() for found in _ENTRY.finditer(text)]
    ends = [found.start() for found in re.finditer(r"^(?=\S|\n)", text, re.MULTILINE)]
    cuts = sorted({0, len(text), *starts, *ends})
    return [text[begin:end] for begin, end in itertools.pairwise(cuts)]


def _entry(piece: str) -> Any:
    """The entry of a list that a piece is; None for other pieces."""
    return yaml.safe_load(piece)[0] if _ENTRY.match(piece) else None


def _is_of(entry: Any, names: Collection[str]) -> bool:
    told = [entry.get(name) for name in ("id", "system", "edition")] if isinstance(entry, dict) else [entry]
    return any(str(one).partition("@")[0] in names for one in told)


def _named(text: str, system: System) -> str:
    """The plan with the town's own code and day; everything else of the sample fits any town."""
    told = json.loads((system.town / DESCRIPTION).read_text(encoding="utf-8"))
    for name, value in (("city", f'"{told["city"]["code"]}"'), ("cut_date", told["as_of"])):
        text, found = re.subn(rf"^{name}:.*$", f"{name}: {value}", text, count=1, flags=re.MULTILINE)
        assert found == 1, name
    return text
