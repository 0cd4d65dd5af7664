"""What codes of the city's own tables stand for: wards, offices, towns; read once and kept for a short while."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

from kiban.kernel import AsOf
from kiban.standard import Edition, Group
from kiban.store import Session, Store

_MOST = 50_000
_KEPT: WeakKeyDictionary[Store, dict[tuple[str, str, date, str], str]] = WeakKeyDictionary()


def labels(
    store: Store,
    session: Session,
    edition: Edition,
    group: Group,
    rows: Iterable[Mapping[str, Any]],
    on: date,
) -> dict[str, dict[str, str]]:
    """For each item that names a row of a table of the city: code -> what the table calls it that day.

    Rows of such tables are the same for everybody and change with years; who works today sees today's.

    Args:
        store: the registers.
        session: of who looks.
        edition: of the rows.
        group: of the rows.
        rows: items by their romaji.
        on: the day whose names hold.
    """
    rows = list(rows)
    found: dict[str, dict[str, str]] = {}
    for romaji, target in group.references.items():
        table = edition.group(target)
        title = _title(table)
        if table.scope != "city" or title is None or len(table.subject) != 1:
            continue
        codes = {code for row in rows for code in _each(row.get(romaji))}
        if codes:
            found[romaji] = _named(store, session, edition, table, title, codes, on)
    return found


def _named(
    store: Store, session: Session, edition: Edition, table: Group, title: str, codes: set[str], on: date
) -> dict[str, str]:
    kept, register, version = _KEPT.setdefault(store, {}), f"{edition.id}.{table.id}", edition.edition
    missing = [code for code in codes if (register, code, on, version) not in kept]
    if missing:
        if len(kept) > _MOST:
            kept.clear()
        key = table.subject[0].romaji
        for row in session.read(register, AsOf(on), **{key: missing}):
            kept[register, str(row[key]), on, version] = str(row.get(title) or "")
        for code in missing:
            kept.setdefault((register, code, on, version), "")
    return {code: name for code in codes if (name := kept[register, code, on, version])}


def _title(table: Group) -> str | None:
    """The first item in words behind the key: so the tables of the standard name their rows."""
    return next((item.romaji for item in table.items if item.type == "N" and not item.key), None)


def _each(value: Any) -> list[str]:
    if value in (None, ""):
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
