"""All groups of a work unit as Arrow tables in the shape of an edition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kiban import store
from kiban.kernel import Problem, Problems
from kiban.standard import Edition, Group
from kiban.town.book import Book
from kiban.town.columns import Column
from kiban.town.sheet_jumin import jumin
from kiban.town.sheet_masters import masters
from kiban.town.sheet_nonresident import GROUP, NonresidentPlan, nonresidents
from kiban.town.sheet_others import aliases, changes_made, foreigners, former_surnames
from kiban.town.sheet_setai import setai
from kiban.town.sheet_support import support
from kiban.town.sheet_tax import tax_sheets
from kiban.town.unit import Unit
from kiban.town.words import unknown_item

Sheet = Mapping[str, Column]
PERIOD = ("valid_from", "valid_to")


def unit_sheets(unit: Unit) -> dict[str, Sheet]:
    """Columns by group and by the item names of Kiban's first edition."""
    residents = jumin(unit)
    return {
        "jumin": residents,
        "setai": setai(unit),
        "gaikokujin": foreigners(unit),
        "kyuji": former_surnames(unit),
        "tsusho": aliases(unit),
        "ido": changes_made(unit, residents),
        **support(unit),
    }


def master_sheets(book: Book) -> dict[str, Sheet]:
    """The groups that the city keeps once."""
    return dict(masters(book))


def nonresident_sheets(plan: NonresidentPlan, book: Book) -> dict[str, Sheet]:
    """The one group of business 031."""
    return {GROUP: nonresidents(plan, book)}


def ledger_sheets(unit: Unit) -> dict[str, Sheet]:
    """The group of the tax ledger; none where the town has no edition of it."""
    return dict(tax_sheets(unit, unit.book.tax)) if unit.book.tax else {}


def table(edition: Edition, group_id: str, sheet: Sheet) -> pa.Table:
    """The sheet as the edition wants it: all its items, in its order, sorted by ward and key.

    Items that the town does not fill are null. Renamed items carry the edition's name.
    """
    group = edition.group(group_id)
    named = {edition.renames.get(name, name): column for name, column in sheet.items()}
    schema = store.arrow_schema(group)
    size = len(next(iter(sheet.values())))
    columns = [
        named[field.name].cast(field.type) if field.name in named else pa.nulls(size, field.type)
        for field in schema
    ]
    made = pa.table(columns, schema=pa.schema([field.with_nullable(True) for field in schema]))
    return made.take(pa.array(_order(made, group)))


def check_names(edition: Edition, group_id: str, sheet: Sheet) -> list[Problem]:
    """What the edition does not know, and what it demands and the town does not fill."""
    group = edition.group(group_id)
    named = {edition.renames.get(name, name) for name in sheet} - set(PERIOD)
    problems = [unknown_item(edition, group_id, name) for name in sorted(named) if name not in group]
    problems += [
        Problem(
            "town-item-unfilled",
            f"business {edition.called} edition {edition.edition} demands {item.romaji}, which the town cannot fill",
            where=f"{edition.id}.{group_id}",
            fix="give the edition that the town was written for",
        )
        for item in group.items
        if item.required and item.romaji not in named
    ]
    return problems


def check_editions(sheets: Iterable[tuple[Edition, Mapping[str, Sheet]]]) -> None:
    """Compares every column of a first small unit with its edition, before a long run.

    Raises:
        Problems: `town-item-unknown`, `town-item-unfilled`.
    """
    problems = [
        problem
        for edition, groups in sheets
        for name, sheet in groups.items()
        for problem in check_names(edition, name, sheet)
    ]
    if problems:
        raise Problems(problems)


def _order(made: pa.Table, group: Group) -> np.ndarray:
    """Row order: by ward, then by key."""
    keys = [group.ward.romaji] if group.ward else []
    keys += [item.romaji for item in group.key if item.romaji not in keys]
    order = [(name, "ascending") for name in keys]
    indices: np.ndarray = pc.sort_indices(made, sort_keys=order).to_numpy()
    return indices
