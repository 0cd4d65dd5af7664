"""Results as files: first Parquet, straight from the database; then, with nobody waiting, what was wished for."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from kiban.access.extract import cells
from kiban.access.extract.cells import Told
from kiban.access.extract.planning import Column, Plan
from kiban.access.extract.query import Output

SHEET_ROWS = 1_048_575
"""Rows of a sheet of Excel below its head."""
_BATCH = 16_384
LACKING = "unmappable.csv"

Tick = Callable[[str, int], None]
"""Called with a step in Japanese and how many rows are done; raises where the work is to end."""


@dataclass(frozen=True)
class Heading:
    """A column as files have it.

    Attributes:
        name: in the words that were wished for; no two are alike.
        figure: whether it holds numbers.
    """

    name: str
    figure: bool


def headings(plan: Plan, output: Output) -> list[Heading]:
    """The columns of a result: each code, where wished for, followed by its name."""
    found: list[Heading] = []
    for column in plan.columns:
        name = column.title if output.titles == "japanese" else column.name
        found.append(Heading(_unlike(name, found), column.figure))
        if _named(plan, column):
            found.append(
                Heading(
                    _unlike(f"{name}_名称" if output.titles == "japanese" else f"{name}_label", found), False
                )
            )
    return found


def _unlike(name: str, held: Sequence[Heading]) -> str:
    same = sum(each.name == name or each.name.startswith(f"{name}（") for each in held)
    return f"{name}（{same + 1}）" if same else name


def _named(plan: Plan, column: Column) -> bool:
    return (
        plan.query.codes == "both"
        and column.codes is not None
        and not column.codes.free
        and not column.codes.shared
    )


def spool(
    batches: Iterator[pa.RecordBatch], plan: Plan, heads: Sequence[Heading], folder: Path, tick: Tick
) -> list[Path]:
    """Write the rows of a selection into Parquet files, one for each ward where that is wished for.

    Returns:
        The files, in the order of the wards; one without rows where there is none.
    """
    writers: dict[str, pq.ParquetWriter] = {}
    rows = 0
    try:
        for batch in batches:
            for ward, part in _by_ward(batch) if plan.by_ward else [("all", batch)]:
                made = _named_columns(part, plan, heads)
                if ward not in writers:
                    writers[ward] = pq.ParquetWriter(
                        folder / f"{ward}.parquet", made.schema, compression="zstd"
                    )
                writers[ward].write_batch(made)
            rows += batch.num_rows
            tick("読み出し", rows)
        if not writers:
            empty = pa.schema([pa.field(head.name, pa.string()) for head in heads])
            writers["all"] = pq.ParquetWriter(folder / "all.parquet", empty)
    finally:
        for writer in writers.values():
            writer.close()
    return [folder / f"{ward}.parquet" for ward in sorted(writers)]


def _by_ward(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    wards = batch.column(batch.num_columns - 1)
    rest = batch.select(range(batch.num_columns - 1))
    for ward in pc.unique(wards).to_pylist():
        chosen = pc.is_null(wards) if ward is None else pc.equal(wards, ward)
        # A ward stands in a row of the register, and here in the name of a file: nothing but a code gets there.
        yield ward if ward and ward.isascii() and ward.isalnum() else "unknown", rest.filter(chosen)


def _named_columns(batch: pa.RecordBatch, plan: Plan, heads: Sequence[Heading]) -> pa.RecordBatch:
    columns: list[pa.Array] = []
    for values, column in zip(batch.columns, plan.columns, strict=True):
        columns.append(values)
        if _named(plan, column):
            assert column.codes is not None
            known = column.codes.values
            names = pa.array([column.codes.label(each) for each in known], pa.string())
            columns.append(names.take(pc.index_in(values, pa.array(known, pa.string()))))
    return pa.record_batch(columns, names=[head.name for head in heads])


def write(
    files: Sequence[Path], heads: Sequence[Heading], output: Output, told: Told, tick: Tick
) -> list[Path]:
    """Write Parquet files in the form that was wished for, and remove them.

    Returns:
        The files, the list of what the code page lacks last, where it lacks anything.

    Raises:
        Problem: those of `cells.fit_cells`.
    """
    if output.form == "parquet":
        return list(files)
    made: list[Path] = []
    for file in files:
        if output.form == "xlsx":
            made += _excel(file, heads, told, tick)
        else:
            made.append(_csv(file, heads, output, told, tick))
        file.unlink()
    lacking = files[0].with_name(LACKING)
    return [*made, lacking] if lacking.exists() else made


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(file) as opened:
        for batch in opened.iter_batches(_BATCH):
            yield cells.texts(batch)


def rows_of(file: Path) -> int:
    """How many rows a Parquet file has."""
    return int(pq.read_metadata(file).num_rows)


def _csv(file: Path, heads: Sequence[Heading], output: Output, told: Told, tick: Tick) -> Path:
    target, names = file.with_suffix(".csv"), [head.name for head in heads]
    figures, rows = [head.figure for head in heads], 0
    with target.open("xb") as out:
        if output.encoding == "utf-8" and output.bom:
            out.write(b"\xef\xbb\xbf")
        head = io.StringIO()
        csv.writer(head, lineterminator="\n").writerow(names)
        out.write(cells.mapped(head.getvalue(), output.encoding, told)[0].encode(output.encoding))
        for batch in _batches(file):
            if output.guard:
                batch = cells.guarded(batch, figures, told)  # noqa: PLW2901
            if output.encoding != "utf-8":
                batch, lines = cells.unmappable(batch, names, output.encoding, rows + 1, told)  # noqa: PLW2901
                _note(target, lines)
            sink = io.BytesIO()
            pacsv.write_csv(batch, sink, pacsv.WriteOptions(include_header=False, quoting_style="needed"))
            text = sink.getbuffer()
            out.write(text if output.encoding == "utf-8" else bytes(text).decode().encode(output.encoding))
            rows += batch.num_rows
            tick("CSVの作成", rows)
    return target


def _note(target: Path, lines: Sequence[Sequence[str]]) -> None:
    """Keep what a code page lacks: file, row, column, character, code point; in UTF-8."""
    if not lines:
        return
    file = target.with_name(LACKING)
    fresh = not file.exists()
    with file.open("a", encoding="utf-8-sig" if fresh else "utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        if fresh:
            writer.writerow(("ファイル", "行", "項目", "文字", "コードポイント"))
        writer.writerows((target.name, *line) for line in lines)


def _excel(file: Path, heads: Sequence[Heading], told: Told, tick: Tick) -> list[Path]:
    """Workbooks of one sheet each; a further one where a sheet is full."""
    names, figures = [head.name for head in heads], [head.figure for head in heads]
    made: list[Path] = []
    sheet, book, rows, held = None, None, 0, SHEET_ROWS
    for batch in _batches(file):
        cells.fit_cells(batch, names)
        told.guarded += cells.formulas(batch, figures)
        for row in cells.rows_of(batch):
            if held == SHEET_ROWS:
                _save(book, made)
                made.append(file.with_name(f"{file.stem}-{len(made) + 1}.xlsx"))
                book, held = Workbook(write_only=True), 0
                sheet = book.create_sheet("抽出結果")
                sheet.append(_texts(sheet, names))
            assert sheet is not None
            sheet.append(_texts(sheet, row))
            held += 1
        rows += batch.num_rows
        tick("Excelの作成", rows)
    if book is None:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("抽出結果")
        sheet.append(_texts(sheet, names))
        made.append(file.with_name(f"{file.stem}-1.xlsx"))
    _save(book, made)
    return made


def _save(book: Workbook | None, made: Sequence[Path]) -> None:
    if book is not None:
        book.save(made[-1])


def _texts(sheet: Any, row: Sequence[str | None]) -> list[Any]:
    """Cells that are texts whatever they look like: leading zeros stay, and a formula is only letters."""
    found: list[Any] = []
    for each in row:
        if each is None:
            found.append(None)
            continue
        cell = WriteOnlyCell(sheet, each)
        cell.data_type = "s"
        found.append(cell)
    return found


def described(file: Path, rows: int | None) -> dict[str, Any]:
    """A file in a manifest: name, rows, bytes, SHA-256; it is on the disk when this returns."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(1 << 20):
            digest.update(piece)
        os.fsync(opened.fileno())
    return {"name": file.name, "rows": rows, "bytes": file.stat().st_size, "sha256": digest.hexdigest()}
