"""Writes what the mainframes of a town would hand over: unload files, printed totals, and the project folder."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from kiban.kernel import Problem, Problems
from kiban.town.output import DESCRIPTION
from kiban.town.unload_csv import csv_books, write_csv
from kiban.town.unload_faults import Fault, plant, write_faults
from kiban.town.unload_layout import Book, books_of
from kiban.town.unload_project import write_project
from kiban.town.unload_records import closing, file_groups, fixed_part, write_support
from kiban.town.unload_system import (
    OTHER_GENERATION,
    System,
    gaiji_codes,
    lists_of,
    parts,
    strange,
    text_groups,
)
from kiban.town.unload_totals import EVERY_YEAR_TAX, RECORDS, Counts, total, write_totals

FILES, PROJECT, FAULTS, TOTALS, WORK = "unload", "project", "faults.csv", "TOTALS.csv", "unload.unfinished"
STALE = 10_000
"""How much older a stale file is: a year, in YYYYMMDD."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class UnloadReport:
    """What was unloaded.

    Attributes:
        out: the folder, with unload/ and project/.
        records: data records by file; those of a withheld file too.
        gaiji: characters that have user-defined codes.
        faults: the known faults, also in faults.csv.
    """

    out: Path
    records: dict[str, int]
    gaiji: int
    faults: tuple[Fault, ...]


def unload(
    town: Path,
    out: Path,
    *,
    faults: int = 0,
    withhold: Sequence[str] = (),
    stale: Sequence[str] = (),
    generation: Sequence[str] = (),
    processes: int = 2,
    progress: Progress | None = None,
) -> UnloadReport:
    """Writes the legacy unload of a finished town; same town and arguments, same bytes.

    Args:
        town: folder of a finished town.
        out: an empty or new folder.
        faults: how many known faults the fixed-length files get; listed in faults.csv beside unload/.
        withhold: files that are not handed over, though the printed totals have them.
        stale: fixed-length files whose header has the day of a year before.
        generation: files of the tax ledger that are written in the code page of the generation before, which the plan does not say.
        processes: how many work at the same time.
        progress: told after each part.

    Raises:
        Problem, Problems: `town-unfinished`, `out-not-empty`, `unload-file-unknown`, `unload-faults-many`, or
            whatever of the town does not fit into the old system.
    """
    system, seed = _open(town)
    _check(
        system, faults, {"withheld": withhold, "stale": stale, "of another generation": generation}, processes
    )
    _prepare(out)
    tasks = [(book, path) for book in system.books for path in parts(town, book.group)]
    wide = [(group, system.books, path) for group in text_groups(system.books) for path in parts(town, group)]
    step = _steps(progress, len(wide) + len(tasks))
    odd: set[tuple[str, str]] = set()
    for found in _run(processes, strange, wide, step):
        odd |= found
    system = replace(system, gaiji=gaiji_codes(odd), former=frozenset(generation))
    counts: Counts = Counts()
    jobs = [(system, book, path, out / WORK / f"{at:05d}") for at, (book, path) in enumerate(tasks)]
    for made in _run(processes, fixed_part, jobs, step):
        counts.update(made)
    for book in system.books:
        _join(system, out, book, counts, stale)
    with (out / FILES / "SHIEN.DAT").open("wb") as file:
        counts.update(write_support(system, file))
    for name in csv_books():
        counts.update(write_csv(system, name, out / FILES / name))
    return _finish(system, out, counts, faults, withhold, seed)


def _open(town: Path) -> tuple[System, int]:
    try:
        told = json.loads((town / DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem(
            "town-unfinished",
            f"the folder has no {DESCRIPTION}",
            where=str(town),
            fix="give the folder of a finished town, from `kiban town make`",
        ) from None
    cut = int(told["as_of"].replace("-", ""))
    return System(town, cut, lists_of(town), books_of(town)), int(told["seed"])


def _fixed(system: System) -> list[tuple[Book, str]]:
    return [(book, f"{name}.DAT") for book in system.books for name in file_groups(system, book)]


def _check(system: System, faults: int, asked: Mapping[str, Sequence[str]], processes: int) -> None:
    fixed = [name for _, name in _fixed(system)]
    known = {
        "withheld": [*fixed, "SHIEN.DAT", *csv_books()],
        "stale": fixed,
        "of another generation": [name for book, name in _fixed(system) if book.system in OTHER_GENERATION],
    }
    problems = [
        Problem(
            "unload-file-unknown",
            f"no file {name} can be {what}",
            fix=f"give one of {', '.join(known[what])}"
            if known[what]
            else "make the town with its tax ledger",
        )
        for what, names in asked.items()
        for name in names
        if name not in known[what]
    ]
    if faults < 0:
        problems.append(Problem("unload-faults-few", f"{faults} faults", fix="give 0 or more"))
    if processes < 1:
        problems.append(Problem("processes-few", f"{processes} processes make nothing", fix="give 1 or more"))
    if problems:
        raise Problems(problems)


def _prepare(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise Problem(
            "out-not-empty", "the folder is not empty", where=str(out), fix="give an empty or new folder"
        )
    (out / WORK).mkdir()
    (out / FILES).mkdir()


def _steps(progress: Progress | None, total: int) -> Callable[[], None]:
    done = iter(range(1, total + 1))

    def step() -> None:
        if progress:
            progress(next(done), total)

    return step


def _run(
    processes: int, work: Callable[..., Any], jobs: Sequence[tuple[Any, ...]], step: Callable[[], None]
) -> Iterator[Any]:
    """Results in the order of the jobs, whatever the order in which they end."""
    if processes == 1:
        for job in jobs:
            yield work(*job)
            step()
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=pa.set_cpu_count, initargs=(1,)
    ) as pool:
        for found in pool.map(work, *zip(*jobs, strict=True)):
            yield found
            step()


def _join(system: System, out: Path, book: Book, counts: Counts, stale: Sequence[str]) -> None:
    """Header, the data of every part, trailer."""
    for name in file_groups(system, book):
        file_name = f"{name}.DAT"
        number = int(name.removeprefix(book.name) or 0)
        ends: dict[str, int | str] = {"KENSU": total(counts, name, RECORDS)}
        ends["NENZEI"] = total(counts, name, EVERY_YEAR_TAX)
        cut = system.cut - STALE * (file_name in stale)
        values: dict[str, int | str] = {"FILE-ID": name, "GUN": number}
        with (out / FILES / file_name).open("wb") as file:
            days: dict[str, int | str] = {"KIJUN-YMD": cut, "SAKUSEI-YMD": cut}
            file.write(closing(system, book, "HEADER", values | days))
            for part in sorted((out / WORK).glob(f"*.{name}")):
                with part.open("rb") as data:
                    shutil.copyfileobj(data, file, 1 << 20)
                part.unlink()
            file.write(closing(system, book, "TRAILER", values | ends))


def _finish(
    system: System, out: Path, counts: Counts, faults: int, withhold: Sequence[str], seed: int
) -> UnloadReport:
    planted: list[Fault] = []
    if faults:
        handed = [(book.name, out / FILES / name) for book, name in _fixed(system) if name not in withhold]
        planted = plant(handed, faults, seed)
        write_faults(out / FAULTS, planted)
    write_totals(out / FILES / TOTALS, counts)
    for name in withhold:
        (out / FILES / name).unlink()
    write_project(out / PROJECT, system)
    (out / WORK).rmdir()
    records: dict[str, int] = {}
    for (name, _, _, item), value in counts.items():
        if item == RECORDS:
            records[name] = records.get(name, 0) + value
    return UnloadReport(out, records, sum(map(len, system.gaiji.values())), tuple(planted))
