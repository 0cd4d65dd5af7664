"""What was asked with a form, read with care: what cannot be read is told in Japanese beside the form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from kiban.access import audit
from kiban.kernel import JAPAN

DAYS_MOST = 400
_SUBJECTS_SHOWN = 5


class Wrong(Exception):  # noqa: N818 - told to a person, as a sentence
    """What is wrong with what was asked, in Japanese."""


@dataclass(frozen=True)
class Asked:
    """The values of a form.

    Attributes:
        values: by name, as they were sent.
        today: the day in Japan.
        days_back: how many days are asked for where nothing is said.
    """

    values: Mapping[str, str] = field(hash=False)
    today: date
    days_back: int = 7

    def text(self, name: str) -> str:
        """A text without blanks around it; empty where nothing was sent.

        Raises:
            Wrong: for more than 200 characters, or control characters.
        """
        said = self.values.get(name, "").strip()
        if len(said) > 200 or re.search(r"[\x00-\x1f\x7f]", said):
            raise Wrong("入力した文字を読み取れません。")
        return said

    def number(self, name: str, otherwise: int) -> int:
        """A whole number from 1 on.

        Raises:
            Wrong: for anything else.
        """
        said = self.text(name) or str(otherwise)
        if not re.fullmatch(r"[1-9][0-9]{0,8}", said, re.ASCII):
            raise Wrong("数は1以上の整数で入力してください。")
        return int(said)

    def numbers(self, name: str, many: int) -> list[int] | None:
        """The mark of a page; None for the first.

        Raises:
            Wrong: where it is damaged.
        """
        said = self.text(name)
        if not said:
            return None
        parts = said.split(",")
        if len(parts) != many or not all(re.fullmatch(r"[0-9]{1,19}", each, re.ASCII) for each in parts):
            raise Wrong("ページの印を読み取れません。最初からやり直してください。")
        return [min(int(each), 2**63 - 1) for each in parts]

    def time(self, name: str, otherwise: time) -> time:
        """A time of day.

        Raises:
            Wrong: for anything else.
        """
        try:
            return time.fromisoformat(self.text(name)) if self.text(name) else otherwise
        except ValueError:
            raise Wrong("時刻は 08:30 のように入力してください。") from None

    def days(self) -> tuple[date, date]:
        """The first day and the one after the last.

        Raises:
            Wrong: for days that cannot be read, in the wrong order, or too many.
        """
        try:
            last = date.fromisoformat(self.text("until")) if self.text("until") else self.today
            first = (
                date.fromisoformat(self.text("since"))
                if self.text("since")
                else last - timedelta(days=self.days_back - 1)
            )
        except (ValueError, OverflowError):
            raise Wrong("日付は 2026-11-24 のように入力してください。") from None
        if not date(1900, 1, 1) <= first <= last <= date(9000, 1, 1) or (last - first).days >= DAYS_MOST:
            raise Wrong(f"期間は、初めの日から終わりの日まで、{DAYS_MOST}日以内にしてください。")
        return first, last + timedelta(days=1)

    def moments(self) -> tuple[datetime, datetime]:
        """The moments at which these days begin and end, in UTC.

        Raises:
            Wrong: those of `days`.
        """
        first, end = (datetime.combine(day, time(), JAPAN).astimezone(UTC) for day in self.days())
        return first, end

    def again(self, **changed: str) -> dict[str, str]:
        """What to send for another page of the same question."""
        kept = {name: value for name, value in self.values.items() if name != "csrfmiddlewaretoken"}
        first, end = self.days()
        return {**kept, "since": first.isoformat(), "until": (end - timedelta(days=1)).isoformat(), **changed}


def some(subjects: tuple[str, ...]) -> str:
    """A few of many numbers of persons."""
    rest = len(subjects) - _SUBJECTS_SHOWN
    return "、".join(subjects[:_SUBJECTS_SHOWN]) + (f" 他{rest:,}人" if rest > 0 else "")


def title_of(what: str) -> str:
    """The title of a kind of line; a register stays as it is."""
    kind = audit.kinds().get(what)
    return kind.title if kind else what
