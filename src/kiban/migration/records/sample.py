"""A look at a file before it is migrated: some of its records, and where a copybook says that texts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kiban.characters import FieldAt
from kiban.kernel import Problem
from kiban.migration.records.choices import kinds
from kiban.migration.records.copybook import parse_copybook
from kiban.migration.records.framing import Framing, runs
from kiban.migration.records.layout import Copybook, Field, Record

LONGEST = 32_752
"""Bytes that a record behind a descriptor word may have."""


@dataclass(frozen=True)
class TextFields:
    """Where the texts of one kind of record are.

    Attributes:
        record: the record description, or the group of it, that was looked at.
        longest: bytes of the longest record of the file.
        fields: by name, in order: PIC N as double, PIC X as single, since a copybook does not tell mixed ones; those of groups that share
            their bytes with others are left out, and of a table of varying length the first row stands for all.
    """

    record: str
    longest: int
    fields: Mapping[str, FieldAt]


def sample_records(path: Path, framing: Framing, longest: int, count: int) -> tuple[bytes, ...]:
    """Records from all over a file: an old file is not alike throughout.

    Args:
        path: of the file.
        framing: how its records lie.
        longest: bytes of a record; of variable ones, of the longest.
        count: at most so many.

    Raises:
        Problem: `sample-file` for a file that cannot be read, or whose records of fixed length leave a rest; those of `framing.runs`.
    """
    try:
        if framing == "fixed":
            return _fixed(path, longest, count)
        total = sum(len(run.starts) for run in runs(path, path.name, framing, longest))
        step = -(-total // count)
        found = []
        with path.open("rb") as source:
            for run in runs(path, path.name, framing, longest):
                for at in range(-run.first % step, len(run.starts), step):
                    source.seek(int(run.starts[at]))
                    found.append(source.read(int(run.lengths[at])))
        return tuple(found)
    except OSError as error:
        raise Problem(
            "sample-file", f"the file cannot be read ({error.strerror})", str(path), "name a file"
        ) from error


def _fixed(path: Path, length: int, count: int) -> tuple[bytes, ...]:
    total, rest = divmod(path.stat().st_size, length)
    if rest:
        told = f"{total:,} records of {length} bytes and {rest} bytes more"
        raise Problem("sample-file", told, str(path), "correct the record length, or use --rdw or --vb")
    found = []
    with path.open("rb") as source:
        for number in range(0, total, max(1, -(-total // count))):
            source.seek(number * length)
            found.append(source.read(length))
    return tuple(found)


def text_fields(copybook: Path, kind: str | None = None) -> TextFields:
    """The texts that a copybook knows of one kind of record.

    Args:
        copybook: its file, UTF-8.
        kind: the record description, or a group of it that is a kind of record; None for the one with the most texts.

    Raises:
        Problem, Problems: `sample-file` where the copybook cannot be read, `record-unknown`, and those of `parse_copybook`.
    """
    try:
        book = parse_copybook(copybook.read_text("utf-8"), copybook.name)
    except (OSError, UnicodeDecodeError) as error:
        raise Problem("sample-file", "the copybook cannot be read as UTF-8", str(copybook)) from error
    known = {name: _texts(record, top) for record in book.records for top, name in _kinds(book, record)}
    chosen = kind or max(known, key=lambda name: len(known[name]))
    if chosen not in known:
        raise Problem(
            "record-unknown",
            f"the copybook has no record {kind}",
            str(copybook),
            f"one of {', '.join(known)}",
        )
    return TextFields(chosen, max(record.longest for record in book.records), known[chosen])


def _kinds(book: Copybook, record: Record) -> list[tuple[str, str]]:
    return [(top, top) for top in kinds(book, record)] or [("", record.name)]


def _texts(record: Record, top: str) -> dict[str, FieldAt]:
    plain = [one for one in record.fields if one.under in ((), (top,))]
    rows = record.table.fields if record.table else ()
    begin = record.table.offset if record.table else 0
    return {**_at(plain, 0), **_at(rows, begin)}


def _at(fields: tuple[Field, ...] | list[Field], begin: int) -> dict[str, FieldAt]:
    return {
        one.name: FieldAt(
            begin + one.offset, one.length, "double" if one.kind == "national" else "single", one.name
        )
        for one in fields
        if one.kind in {"text", "national"}
    }
