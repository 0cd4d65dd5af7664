"""Writes what the mainframes of a town would hand over: unload files, printed totals, and the project folder."""

from __future__ import annotations

import csv
import json
import multiprocessing
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from kiban.kernel import Problem, Problems
from kiban.town.output import DESCRIPTION
from kiban.town.unload_csv import csv_books, write_csv
from kiban.town.unload_faults import Fault, plant, write_faults
from kiban.town.unload_layout import CODES, PROJECT
from kiban.town.unload_records import Counts, closing, file_groups, fixed_part, write_support
from kiban.town.unload_system import (
    System,
    gaiji_codes,
    lists_of,
    parts,
    strange,
    text_groups,
    write_chart,
    write_wards,
)

FILES, PLAN, FAULTS, TOTALS, WORK = "unload", "project", "faults.csv", "TOTALS.csv", "unload.unfinished"
BOOKS = {"JUKI": "jumin", "SETAI": "setai"}
"""Group of the town by fixed-length book."""
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
    processes: int = 2,
    progress: Progress | None = None,
) -> UnloadReport:
    """Writes the legacy unload of a finished town; same town and arguments, same bytes.

    Args:
        town: folder of a finished town.
        out: an empty or new folder.
        faults: how many known faults the files of residents get; listed in faults.csv beside unload/.
        withhold: files that are not handed over, though the printed totals have them.
        stale: fixed-length files whose header has the day of a year before.
        processes: how many work at the same time.
        progress: told after each part.

    Raises:
        Problem, Problems: `town-unfinished`, `out-not-empty`, `unload-file-unknown`, `unload-faults-many`, or
            whatever of the town does not fit into the old system.
    """
    system, seed = _open(town)
    _check(system, faults, withhold, stale, processes)
    _prepare(out)
    tasks = [(book, group, path) for book, group in BOOKS.items() for path in parts(town, group)]
    wide = [(group, path) for _, group, path in tasks]
    wide += [
        (group, path) for group in text_groups() if group not in BOOKS.values() for path in parts(town, group)
    ]
    step = _steps(progress, len(wide) + len(tasks))
    odd: set[tuple[str, str]] = set()
    for found in _run(processes, strange, wide, step):
        odd |= found
    system = System(town, system.cut, system.lists, gaiji_codes(odd))
    counts: Counts = Counts()
    jobs = [(system, book, path, out / WORK / f"{at:05d}") for at, (book, _, path) in enumerate(tasks)]
    for made in _run(processes, fixed_part, jobs, step):
        counts.update(made)
    for book in BOOKS:
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
    return System(town, int(told["as_of"].replace("-", "")), lists_of(town)), int(told["seed"])


def _fixed(system: System) -> list[str]:
    return [f"{name}.DAT" for book in BOOKS for name in file_groups(system, book)]


def _check(
    system: System, faults: int, withhold: Sequence[str], stale: Sequence[str], processes: int
) -> None:
    fixed = _fixed(system)
    every = [*fixed, "SHIEN.DAT", *csv_books()]
    problems = [
        Problem(
            "unload-file-unknown",
            f"no file {name} can be {what}",
            fix=f"give one of {', '.join(known)}",
        )
        for what, names, known in (("withheld", withhold, every), ("stale", stale, fixed))
        for name in names
        if name not in known
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


def _join(system: System, out: Path, book: str, counts: Counts, stale: Sequence[str]) -> None:
    """Header, the data of every part, trailer."""
    for name, members in file_groups(system, book).items():
        file_name = f"{name}.DAT"
        number = int(name.removeprefix(book) or 0)
        records = sum(counts[name, ward, "", "件数"] for ward in members)
        cut = system.cut - STALE * (file_name in stale)
        values: dict[str, int | str] = {"FILE-ID": name, "GUN": number}
        with (out / FILES / file_name).open("wb") as file:
            days: dict[str, int | str] = {"KIJUN-YMD": cut, "SAKUSEI-YMD": cut}
            file.write(closing(system, book, "HEADER", values | days))
            for part in sorted((out / WORK).glob(f"*.{name}")):
                with part.open("rb") as data:
                    shutil.copyfileobj(data, file, 1 << 20)
                part.unlink()
            file.write(closing(system, book, "TRAILER", values | {"KENSU": records}))


def _finish(
    system: System, out: Path, counts: Counts, faults: int, withhold: Sequence[str], seed: int
) -> UnloadReport:
    planted: list[Fault] = []
    if faults:
        every = [(book, f"{name}.DAT") for book in BOOKS for name in file_groups(system, book)]
        handed = [(book, out / FILES / name) for book, name in every if name not in withhold]
        planted = plant(handed, faults, seed)
        write_faults(out / FAULTS, planted)
    _write_totals(out / FILES / TOTALS, counts)
    for name in withhold:
        (out / FILES / name).unlink()
    shutil.copytree(PROJECT, out / PLAN)
    _name_city(system, out / PLAN / "plan.yaml")
    write_chart(out / PLAN / "characters", system)
    write_wards(out / PLAN / CODES, system)
    (out / WORK).rmdir()
    records: dict[str, int] = {}
    for (name, _, _, item), value in counts.items():
        if item == "件数":
            records[name] = records.get(name, 0) + value
    return UnloadReport(out, records, sum(map(len, system.gaiji.values())), tuple(planted))


def _name_city(system: System, plan: Path) -> None:
    """Write the town's own code and day into the copied plan; everything else of the sample fits any town."""
    told = json.loads((system.town / DESCRIPTION).read_text(encoding="utf-8"))
    text = plan.read_text(encoding="utf-8")
    for name, value in (("city", f'"{told["city"]["code"]}"'), ("cut_date", told["as_of"])):
        text, found = re.subn(rf"^{name}:.*$", f"{name}: {value}", text, count=1, flags=re.MULTILINE)
        assert found == 1, name
    plan.write_text(text, encoding="utf-8")


def _write_totals(path: Path, counts: Counts) -> None:
    """What the old system printed of itself, as an officer typed it: file, ward, year, item, value."""
    with path.open("w", encoding="cp932", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(("file", "ward", "year", "item", "value"))
        for key in sorted(counts):
            writer.writerow((*key, counts[key]))
