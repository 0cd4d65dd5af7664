"""What a session may tell of protected persons whose rows it does not show, and the lifts (一時解除) that open one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kiban.kernel import Problem
from kiban.store.asking import Asking
from kiban.store.errors import as_problems


@dataclass(frozen=True)
class Lift:
    """One protected person opened to one actor until a moment.

    Attributes:
        number: what it is called.
        subject: the 宛名番号.
        whom: `Actor.id` of who may then see her, and her household's rows.
        reason: in words.
        asked_by: `Actor.id`.
        asked_at: when, in UTC.
        starts: from when it opens.
        ends: until when; it is over by itself.
        granted_by: `Actor.id` of somebody else; None so far: then nothing is open.
        granted_at: likewise.
    """

    number: int
    subject: str
    whom: str
    reason: str
    asked_by: str
    asked_at: datetime
    starts: datetime
    ends: datetime
    granted_by: str | None = None
    granted_at: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Whether it opens anything at a moment."""
        return self.granted_by is not None and self.starts <= now < self.ends


class Guarding(Asking):
    """The part of a session that is about protected persons."""

    def protected(self, subject: str) -> bool:
        """Whether a person's rows are closed to the actor because she is protected, or lives with somebody who is.

        False where she is not, or where the actor may see protected rows, or has a lift. It is in the log of look-ups.

        Args:
            subject: the 宛名番号.
        """
        return subject in self._protected_among([subject], closed=True)

    def protection(self, subjects: Iterable[str]) -> frozenset[str]:
        """Which of some persons are protected, or live with somebody who is, whatever the actor may see: for marks on a page.

        It is in the log of look-ups.

        Args:
            subjects: 宛名番号.
        """
        return frozenset(self._protected_among(list(subjects), closed=False))

    def ask_lift(
        self, subject: str, whom: str, reason: str, starts: datetime, ends: datetime, most: timedelta
    ) -> int:
        """Ask that a protected person is opened to an actor for a time; nothing is open until somebody else grants it.

        Args:
            subject: the 宛名番号.
            whom: `Actor.id`.
            reason: in words; kept.
            starts: with a time zone.
            ends: likewise.
            most: the longest time that the city allows; the database allows 31 days at most.

        Returns:
            The number of the lift.

        Raises:
            Problem: `lift-long` for a longer time, or one that is over, `lift-reason`, `lift-unneeded` where the person is not
                protected.
        """
        if ends - starts > most:
            what = f"a lift lasts {most} at most"
            raise Problem("lift-long", what, fix="ask for less; it can be asked for again")
        with as_problems():
            row = self._connection.execute(
                "SELECT kiban.ask_lift(%s, %s, %s, %s, %s)", (subject, whom, reason, starts, ends)
            ).fetchone()
        assert row is not None
        return int(row[0])

    def grant_lift(self, number: int) -> None:
        """Grant a lift that somebody else asked for, and that is for somebody else.

        Raises:
            Problem: `lift-closed` for an actor to whom protected rows are closed, `lift-unknown`, `lift-granted`, `lift-over`,
                `lift-same-person`.
        """
        with as_problems():
            self._connection.execute("SELECT kiban.grant_lift(%s)", (number,))

    def lifts(self) -> list[Lift]:
        """The lifts that the actor asked for, granted or got, the newest first; all for whoever may see protected rows."""
        with as_problems():
            rows = self._connection.execute(
                "SELECT a.lift, a.subject, a.whom, a.reason, a.who, a.at, a.starts, a.ends, g.who, g.at FROM kiban.lifts() a "
                "LEFT JOIN kiban.lifts() g ON g.lift = a.lift AND g.step = 'granted' WHERE a.step = 'asked' ORDER BY 1 DESC"
            ).fetchall()
        return [Lift(*row) for row in rows]

    def _protected_among(self, subjects: list[str], *, closed: bool) -> list[str]:
        with as_problems():
            row = self._connection.execute(
                "SELECT kiban.protected_among(%s, %s)", (subjects, closed)
            ).fetchone()
        assert row is not None
        found: list[str] = row[0]
        self._looked_up.append(("kiban.protected", {"people": len(subjects)}, found))
        return found
