"""Values as texts of a file: what a spreadsheet would take for a formula, what a code page lacks, what does not fit a cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from kiban.kernel import Problem

SUBSTITUTE = "〓"
"""What stands for a character that a code page lacks, as in print."""
CELL_MOST = 32_767
"""Characters of a cell of Excel."""
_FORMULA = r"^[=+\-@＝＋－＠\t\r]"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"


@dataclass
class Told:
    """What happened to values on their way into files; all of it is told.

    Attributes:
        guarded: cells that got an apostrophe in front, or were marked as text, because a spreadsheet would take them for a formula.
        unmappable: characters that the code page lacks -> how often.
    """

    guarded: int = 0
    unmappable: dict[str, int] = field(default_factory=dict)


def texts(batch: pa.RecordBatch) -> pa.RecordBatch:
    """All columns as text: days as YYYY-MM-DD, several values as a JSON list; null where there is no value."""
    columns = []
    for column in batch.columns:
        if pa.types.is_list(column.type):
            written = [None if each is None else orjson.dumps(each).decode() for each in column.to_pylist()]
            columns.append(pa.array(written, pa.string()))
        else:
            columns.append(column.cast(pa.string()))
    return pa.record_batch(columns, names=batch.schema.names)


def guarded(batch: pa.RecordBatch, figures: Sequence[bool], told: Told) -> pa.RecordBatch:
    """Put an apostrophe in front of texts that a spreadsheet would take for a formula; figures stay as they are."""
    columns = []
    for column, figure in zip(batch.columns, figures, strict=True):
        looks = pc.fill_null(pc.match_substring_regex(column, _FORMULA), False)
        found = 0 if figure else pc.sum(looks).as_py() or 0
        told.guarded += found
        columns.append(
            pc.if_else(looks, pc.binary_join_element_wise("'", column, ""), column) if found else column
        )
    return pa.record_batch(columns, names=batch.schema.names)


def formulas(batch: pa.RecordBatch, figures: Sequence[bool]) -> int:
    """How many texts a spreadsheet would take for a formula."""
    marks = (
        pc.sum(pc.fill_null(pc.match_substring_regex(column, _FORMULA), False)).as_py() or 0
        for column, figure in zip(batch.columns, figures, strict=True)
        if not figure
    )
    return sum(marks)


def fit_cells(batch: pa.RecordBatch, names: Sequence[str]) -> None:
    """Refuse what Excel cannot hold: it would be cut, or the file be broken.

    Raises:
        Problem: `cell-long`, `cell-control`.
    """
    for column, name in zip(batch.columns, names, strict=True):
        if (pc.max(pc.utf8_length(column)).as_py() or 0) > CELL_MOST:
            what = f"a value of {name} has more than {CELL_MOST} characters"
            raise Problem("cell-long", what, fix="take CSV or Parquet, or leave the item out")
        if pc.any(pc.match_substring_regex(column, _CONTROL)).as_py():
            what = f"a value of {name} holds a control character"
            raise Problem("cell-control", what, fix="take CSV or Parquet, or leave the item out")


def mapped(text: str, encoding: str, told: Told) -> tuple[str, list[str]]:
    """A text with all characters that a code page has, and those it lacks, each as often as it stands there."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        pass
    else:
        return text, []
    lacking = [each for each in text if not _has(encoding, each)]
    for each in lacking:
        told.unmappable[each] = told.unmappable.get(each, 0) + 1
    return re.sub(f"[{re.escape(''.join(dict.fromkeys(lacking)))}]", SUBSTITUTE, text), lacking


def unmappable(
    batch: pa.RecordBatch, names: Sequence[str], encoding: str, first: int, told: Told
) -> tuple[pa.RecordBatch, list[tuple[str, ...]]]:
    """A batch whose texts a code page has, and a line for each character that it lacks: row, column, character, code point.

    Args:
        batch: of texts.
        names: of its columns, as the file has them.
        encoding: of the file.
        first: the number of its first row in the file, from 1.
        told: gets the count of each character.
    """
    columns: list[pa.Array] = []
    lines: list[tuple[str, ...]] = []
    for column, name in zip(batch.columns, names, strict=True):
        try:
            "\n".join(each for each in column.to_pylist() if each).encode(encoding)
        except UnicodeEncodeError:
            written = []
            for number, each in enumerate(column.to_pylist(), first):
                made, lacking = (each, []) if each is None else mapped(each, encoding, told)
                written.append(made)
                lines += [(str(number), name, one, f"U+{ord(one):04X}") for one in lacking]
            columns.append(pa.array(written, pa.string()))
        else:
            columns.append(column)
    return pa.record_batch(columns, names=batch.schema.names), lines


def rows_of(batch: pa.RecordBatch) -> Iterator[tuple[str | None, ...]]:
    """The rows of a batch of texts."""
    yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
