"""Days in words: a query that is run again next month means the days of next month."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from kiban.kernel import Problem, fiscal_year, parse_wareki

WORDS = {
    "today": "今日",
    "month-start": "今月初日",
    "month-end": "今月末日",
    "year-start": "今年初日",
    "year-end": "今年末日",
    "fiscal-start": "年度初日",
    "fiscal-end": "年度末日",
}
"""Days in words, with their Japanese names; each may be followed by a number of days, such as `today-30`."""

_JAPAN = ZoneInfo("Asia/Tokyo")
_WORD = re.compile(r"([a-z-]*[a-z]|\D*?日)\s*(?:([+-])\s*(\d{1,5}))?")


def today(now: datetime) -> date:
    """The day in Japan at a moment with its time zone."""
    return now.astimezone(_JAPAN).date()


def day(word: str, on: date) -> date:
    """The day that a word means.

    Args:
        word: `YYYY-MM-DD`, a day of the Japanese calendar, or a word of `WORDS` in English or Japanese.
        on: the day on which it is said.

    Raises:
        Problem: `day-unreadable`.

    >>> day("fiscal-end", date(2026, 5, 1)), day("today-30", date(2026, 5, 1))
    (datetime.date(2027, 3, 31), datetime.date(2026, 4, 1))
    """
    text = word.strip()
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
        found = _WORD.fullmatch(text)
        name = found and ({title: word for word, title in WORDS.items()} | {w: w for w in WORDS}).get(
            found[1]
        )
        if found and name:
            days = int(f"{found[2]}{found[3]}") if found[2] else 0
            return _named(name, on) + timedelta(days)
        return parse_wareki(text).date
    except (ValueError, OverflowError, Problem):
        raise Problem(
            "day-unreadable",
            "a day cannot be read",
            fix=f"write it as YYYY-MM-DD, 令和8年4月1日, or {', '.join(WORDS)}, with +N or -N days",
        ) from None


def _named(name: str, on: date) -> date:
    fiscal = fiscal_year(on)
    following = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    return {
        "today": on,
        "month-start": on.replace(day=1),
        "month-end": following - timedelta(1),
        "year-start": date(on.year, 1, 1),
        "year-end": date(on.year, 12, 31),
        "fiscal-start": date(fiscal, 4, 1),
        "fiscal-end": date(fiscal + 1, 3, 31),
    }[name]
