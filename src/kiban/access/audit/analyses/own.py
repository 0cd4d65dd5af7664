"""The 宛名番号 of members of staff themselves, where the city lets auditors know it: for the question who looked at the own family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from kiban.access.audit.line import Line
from kiban.access.audit.trail import Audit
from kiban.kernel import Problem


class Own:
    """Who of the staff is which person. Safe to share between threads."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def note(self, own: Mapping[str, str], by: str, now: datetime) -> None:
        """Note the numbers of members of staff; an empty one takes it away. Leaves a line.

        Args:
            own: staff number -> 宛名番号.
            by: who notes it.
            now: in UTC.

        Raises:
            Problem: `own-empty` where nobody is named, `audit-unwritten`, `database-unreachable`.
        """
        if not own or not all(own):
            raise Problem("own-empty", "nobody is named", fix="give staff numbers with their 宛名番号")
        line = Line(
            "setting", "done", by, now, business="audit", detail={"what": "own-numbers", "staff": len(own)}
        )
        with self._audit.books.transaction() as page:
            self._audit.write(line, page=page)
            page.run("DELETE FROM audit_own WHERE actor = ANY (%s)", [list(own)])
            page.many(
                "INSERT INTO audit_own VALUES (%s, %s)",
                [(actor, subject) for actor, subject in own.items() if subject],
            )

    def numbers(self, after: str = "", limit: int = 200) -> dict[str, str]:
        """A page of staff numbers with the 宛名番号, in the order of staff numbers."""
        with self._audit.books.transaction() as page:
            query = "SELECT actor, subject FROM audit_own WHERE actor > %s ORDER BY actor LIMIT %s"
            return {row["actor"]: row["subject"] for row in page.rows(query, [after, limit])}

    def everybody(self) -> Iterator[tuple[str, str]]:
        """Staff numbers with the 宛名番号 of all who are noted."""
        after = ""
        while page := self.numbers(after):
            yield from page.items()
            after = list(page)[-1]
