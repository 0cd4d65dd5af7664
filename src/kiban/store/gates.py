"""Numbers by which rows are read: those of protected persons and households lead to none, before any row is looked at.

Row-level security drops a row that is closed to the actor, but only after it was met, and after its ward was asked. How long that
takes would tell of the ward.
"""

from __future__ import annotations

from kiban.store.schema import Table
from kiban.store.text import literal


def open_among(table: Table, column: str, numbers: str) -> str | None:
    """The SQL of those among some numbers whose rows are not all closed to the actor; None where the column names nobody.

    No row with another number is shown to whoever does not see protected rows.

    Args:
        table: the register.
        column: in which the numbers stand.
        numbers: SQL of a list of texts.
    """
    naming, section = table.naming, table.group.search
    if column in naming.people or column in naming.households:
        kind = "person" if column in naming.people else "household"
        return f"kiban.open_among('{kind}', {numbers})"
    named = section and section.subject == table.subject[0] and section.subject in naming.people
    if section is None or not named or column not in section.numbers:
        return None
    return f"kiban.open_numbers({literal(table.register)}, {literal(column)}, {numbers})"
