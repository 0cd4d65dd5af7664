"""What goes back into which file: the maps of a plan gathered by the records of the legacy system that they read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiban.migration.mapping import MADE, NOTHING_BACK, Line, Map
from kiban.migration.plan import Plan, SourceFile
from kiban.migration.records import Record, Source
from kiban.migration.sources import source_of


@dataclass(frozen=True)
class Form:
    """One kind of legacy record and the registers it is made of again.

    Attributes:
        files: of the plan, in which such records came.
        segment: of the record.
        record: its description; None for a line of a CSV file.
        main: the map whose register has one row for each record.
        sides: maps whose registers have at most one row for each record.
        table: the map whose register has a row for each row of the table at the record's end; None where none has.
    """

    files: tuple[SourceFile, ...]
    segment: str
    record: Record | None
    main: Map
    sides: tuple[Map, ...] = ()
    table: Map | None = None

    @property
    def maps(self) -> tuple[Map, ...]:
        """All of them, the main one first."""
        return (self.main, *self.sides, *([self.table] if self.table else []))

    @property
    def kind(self) -> str:
        """Of the files, as in the plan."""
        return self.files[0].kind

    def links(self, other: Map) -> dict[str, str]:
        """How rows of another map of the form find their record: items that come from the same field by the same rule.

        Returns:
            Item of the other group -> item of the main one; empty where nothing links them.
        """
        mine = {_origin(line): line.item for line in self.main.lines if line.field and not line.parent}
        parent = self.segment if other is self.table else ""
        keys = {item.romaji for item in other.group.key}
        return {
            line.item: mine[_origin(line)]
            for line in other.lines
            if line.item in keys and line.field and line.parent == parent and _origin(line) in mine
        }


def _origin(line: Line) -> tuple[str, str, str]:
    return line.inside, line.rule, line.argument


def gather(plan: Plan, maps: Sequence[Map]) -> tuple[tuple[Form, ...], tuple[Map, ...]]:
    """The forms of a plan, and the maps that fit into none because nothing says in which record their rows lie.

    The main map of a record is the first without a condition; where all have one, each makes records of its own.
    """
    kinds: dict[str, list[SourceFile]] = {}
    for file in plan.files:
        kinds.setdefault(file.kind, []).append(file)
    forms: list[Form] = []
    placed: set[str] = set()
    for files in kinds.values():
        for segment, record in _segments(plan, files[0]):
            own = [one for one in maps if one.target.source == segment]
            table = record.table.name if record is not None and record.table is not None else None
            rows = [one for one in maps if one.target.source == table and one.target.where is None]
            whole = [one for one in own if one.target.where is None]
            mains = whole[:1] or own
            for main in mains:
                sides = tuple(one for one in own if one is not main and len(mains) == 1)
                inner = rows[0] if rows and len(mains) == 1 else None
                forms.append(Form(tuple(files), segment, record, main, sides, inner))
                placed |= {one.register for one in forms[-1].maps}
    return tuple(forms), tuple(one for one in maps if one.register not in placed)


def _segments(plan: Plan, file: SourceFile) -> list[tuple[str, Record | None]]:
    """The segments of a file that are records: its descriptions, or the alternatives of one."""
    if file.form == "csv":
        return [(file.segment, None)]
    found: list[tuple[str, Record | None]] = []
    for record in source_of(plan, file, Path()).copybook.records:
        tops = dict.fromkeys(one.under[0] for one in record.fields if one.under)
        found += [(name, record) for name in (record.name, *tops)]
    return found


def source(plan: Plan, form: Form, landed: Path) -> Source:
    """How the files of a form are read and written; of its parts the first."""
    return source_of(plan, form.files[0], landed)


def writers(made: Map, taken: Mapping[str, object] | None = None) -> dict[str, Line]:
    """The line that gives each field of the map's own segment back; a field that is moved comes before one that is derived from.

    Args:
        made: a map.
        taken: fields that another map gives back already.
    """
    able = [line for line in made.lines if line.field and not line.parent and line.rule not in NOTHING_BACK]
    found: dict[str, Line] = {}
    for line in sorted(able, key=lambda line: line.how == MADE):
        if line.inside not in (taken or {}):
            found.setdefault(line.inside, line)
    return found
