"""Commands that change, take in or give out registers leave a line in the audit trail, as pages do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kiban.cli import linking

if TYPE_CHECKING:
    from kiban.store import Store

PURPOSE = "運用"
"""Why whoever works at the terminal acts, in lines and look-ups."""


@contextmanager
def acting(
    opened: Store, home: Path, kind: str, what: str, business: str = "", **detail: str | int | bool
) -> Iterator[None]:
    """Write the line of an act before it is done, and another one if it goes wrong.

    Args:
        opened: the registers.
        home: holds the key of the room of access.
        kind: ID of a kind in `log_kinds.yaml`.
        what: the command, in a word.
        business: ID of the edition; empty where it is about several.
        detail: see `audit.Line`.

    Raises:
        Problem: `audit-unwritten` before the act, which is then not done.
    """
    from kiban import access
    from kiban.access import audit

    with access.open_access(opened, access.seal(home / "access.key")) as room:

        def leave(outcome: str) -> None:
            said = {"what": what, **detail}
            who = f"cli:{linking.person()}"
            room.audit.write(
                audit.Line(kind, outcome, who, linking.now(), purpose=PURPOSE, business=business, detail=said)
            )

        leave("done")
        try:
            yield
        except BaseException:
            leave("failed")
            raise
