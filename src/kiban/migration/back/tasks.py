"""The work of the way back that is done a piece at a time, in a process of its own where there is much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kiban.characters import CodePage
from kiban.migration.back.compare import Compared, compare
from kiban.migration.back.desk import PLACED, ROWS, STANDING, Desk, place
from kiban.migration.back.forms import Form
from kiban.migration.back.legacy import Legacy
from kiban.migration.back.paper import Paper
from kiban.migration.back.piece import Piece, read_piece
from kiban.migration.back.sheet import Columns, Sheet
from kiban.migration.back.write import Again, Made, Tools, left_out, read_again, whose, write
from kiban.migration.plan import Plan
from kiban.migration.sources import source_of

_AT_ONCE = 65_536


@dataclass(frozen=True)
class Task:
    """Records to be written.

    Attributes:
        number: of the form.
        form, tools: what they are, and what writing takes.
        folder: of the desk.
        first: record, from 0.
        last: the record behind the last.
    """

    number: int
    form: Form
    tools: Tools
    folder: Path
    first: int
    last: int

    @property
    def name(self) -> str:
        """For what it leaves; in the order of the records."""
        return f"{self.number:03}-{self.first:012}"

    def pieces(self) -> Iterator[Piece]:
        """Its records, a piece at a time."""
        paths = {
            made.register: (
                place(self.folder, made.register, STANDING),
                place(self.folder, made.register, PLACED),
            )
            for made in self.form.maps
        }
        for first in range(self.first, self.last, ROWS):
            yield read_piece(self.form, paths, first, min(first + ROWS, self.last))


def tasks(number: int, form: Form, tools: Tools, at: Desk, rows: int) -> list[tuple[Task]]:
    """All records of a form, in pieces of work that are worth a process."""
    return [
        (Task(number, form, tools, at.folder, first, min(first + _AT_ONCE, rows)),)
        for first in range(0, rows, _AT_ONCE)
    ]


@dataclass(frozen=True)
class Written:
    """What a task wrote.

    Attributes:
        number: of the form.
        name: of the task.
        records: how many.
        data: the records as they stand in a file.
        lost: see `desk.LINES`.
        went: register and subject of every row in them.
        unfilled: fields of new records that nothing fills.
        sums: of the fields that a trailer adds up.
    """

    number: int
    name: str
    records: int
    data: Path
    lost: Path
    went: Path
    unfilled: tuple[str, ...]
    sums: Mapping[str, int]


def paper_of(pages: Mapping[str, CodePage], plan: Plan, form: Form, landed: Path) -> Paper:
    """How the records of a form are written.

    Args:
        pages: by file of the plan, the same one for all that share it.
        plan: of the migration.
        form: what they are.
        landed: where the landed files are.
    """
    paths = {one.id: landed / one.path for one in form.files}
    page = pages[form.files[0].id]
    if form.record is None:
        return Sheet(Columns(page, form.segment, paths))
    return Legacy.of(
        replace(source_of(plan, form.files[0], landed), page=page), form.segment, form.record, paths
    )


def write_some(task: Task) -> Written:
    """Write the records of a task."""
    data, lost, went = (
        task.folder / f"{task.name}.{what}" for what in ("data", "lost.parquet", "went.parquet")
    )
    lines: list[pa.Table] = []
    subjects: list[pa.Table] = []
    unfilled: dict[str, None] = {}
    sums: Counter[str] = Counter()
    records = 0
    with data.open("wb") as file:
        for whole in task.pieces():
            piece, made, again, out = _certain(whole, task.tools)
            file.write(task.tools.paper.data(made.new, made.new_rows, made.counts))
            lines += [again.lost, out]
            subjects += [whose(rows) for rows in piece.all]
            records += piece.size
            unfilled |= dict.fromkeys(made.left if not made.old.there.all() else ())
            rows = again.segments[task.form.segment]
            for name in set(task.form.files[0].checks.sums.values()) & set(rows.columns):
                sums[name] += int(rows[name].sum())
    pq.write_table(pa.concat_tables(lines), lost)
    pq.write_table(pa.concat_tables(subjects), went)
    return Written(task.number, task.name, records, data, lost, went, tuple(unfilled), dict(sums))


def _certain(piece: Piece, tools: Tools) -> tuple[Piece, Made, Again, pa.Table]:
    """Write a piece without the rows whose key cannot be written; they are told."""
    made = write(piece, tools)
    again = read_again(piece, made, tools)
    out = left_out(piece, again.keyless)
    if out.num_rows:
        piece = piece.without(again.keyless)
        made = write(piece, tools)
        again = read_again(piece, made, tools)
    return piece, made, again, out


def compare_some(task: Task) -> tuple[str, Compared]:
    """Write the records of a task and hold them against the landed files; the task's name, and what was found."""
    found = Compared()
    for piece in task.pieces():
        found.add(compare(piece, task.tools))
    return task.name, found
