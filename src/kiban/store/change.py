"""One change of an event, and its form in which the database takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kiban.kernel import Period, Problem
from kiban.store import columns, search
from kiban.store.schema import Table


@dataclass(frozen=True)
class Change:
    """What an event changes in one register.

    Attributes:
        register: schema.table, such as `resident.jumin`.
        row: the items by their romaji, in their written form; None says that nothing is true of the subject then.
        valid: for how long it is true; None for a log.
        subject: the identifying items; needed only where `row` is None.
    """

    register: str
    row: Mapping[str, Any] | None
    valid: Period | None = None
    subject: Mapping[str, Any] = field(default_factory=dict)


def prepared(change: Change, table: Table) -> dict[str, Any]:
    """The change as `kiban.record_event` takes it, with its search entries.

    Raises:
        Problem: `period-missing`, `subject-missing`, `subject-mismatch`, `value-unreadable`.
    """
    if table.has_periods and change.valid is None:
        raise Problem(
            "period-missing",
            f"a change of {change.register} has no period",
            fix="say from when it is true",
        )
    source = change.row if change.row is not None else change.subject
    if any(source.get(name) != value for name, value in change.subject.items()):
        raise Problem(
            "subject-mismatch",
            f"a change of {change.register} names another subject than its row",
            fix="leave the subject out where there is a row",
        )
    missing = [name for name in table.subject if source.get(name) is None]
    if missing:
        raise Problem(
            "subject-missing", f"{change.register} needs {', '.join(missing)}", fix="say whose row it is"
        )
    valid = change.valid or Period(None)
    made: dict[str, Any] = {
        "register": change.register,
        "subject": _kept({name: source[name] for name in table.subject}, table),
        "row": None if change.row is None else _kept(change.row, table),
        "valid_from": valid.start.isoformat() if valid.start else None,
        "valid_to": valid.end.isoformat() if valid.end else None,
    }
    if change.row is not None and table.group.search is not None:
        made["search"] = search.entries(table.group, change.row)
    return made


def _kept(row: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """The row as the database keeps it."""
    kept: dict[str, Any] = {}
    for name, value in row.items():
        try:
            if name in table.texts and not isinstance(value, str | None):
                raise TypeError
            kept[name] = "-infinity" if name in table.dates and value == columns.ALWAYS else _value(value)
        except TypeError:
            what = f"{name} is given as {type(value).__name__}"
            raise Problem(
                "value-unreadable",
                what,
                table.register,
                "give text, a whole number, a Decimal, or a list of texts",
            ) from None
    return kept


def _value(value: object) -> object:
    """A value in JSON, without any change of what it says: a number with a fraction, for one, stays decimal."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**38:
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return list(value)
    raise TypeError
