"""Marks of protected persons and households, to learn later whether somebody was added; nobody is told by them who."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiban.store.errors import as_problems

if TYPE_CHECKING:
    from kiban.store.database import Store

_MARKS = """SELECT left(encode(sha256(convert_to(u.kind || ':' || u.unit || ':' || r.inner_pad::text, 'UTF8')), 'hex'), 24)
    FROM kiban.protected_unit u CROSS JOIN kiban.secret r"""


def protected_marks(store: Store) -> frozenset[str]:
    """A mark for each protected person and household of the whole city: the same at each call, and keyed by the city's secret.

    Args:
        store: an open store.

    Raises:
        Problem: `database-unreachable`, `database-refused`.
    """
    with store.owner() as connection, as_problems():
        return frozenset(row[0] for row in connection.execute(_MARKS))
