"""The two dates of a page, as they are typed into the as-of control."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from kiban.web.city import JAPAN
from kiban.web.counter.asking import birth_span
from kiban.web.counter.values import day_text


@dataclass(frozen=True)
class Dates:
    """As of when a page shows.

    Attributes:
        on: the day in the town.
        known: the moment of knowledge; None for now.
        typed_on: as it stands in the control; empty for today.
        typed_known: likewise; empty for now.
        fault: why what was typed is not used; empty where it is.
    """

    on: date
    known: datetime | None = None
    typed_on: str = ""
    typed_known: str = ""
    fault: str = ""

    @property
    def words(self) -> str:
        """In words."""
        known = "現在" if self.known is None else _moment(self.known)
        return f"{day_text(self.on)}の状態（{known}に分かっている内容）"

    @property
    def now(self) -> bool:
        """Whether nothing was typed."""
        return not self.typed_on and not self.typed_known

    @property
    def query(self) -> str:
        """What keeps the dates in an address: days only, nothing of a person."""
        parts = {"on": self.on.isoformat() if self.typed_on else ""}
        parts["known"] = self.known.astimezone(JAPAN).isoformat(timespec="minutes")[:16] if self.known else ""
        told = "&".join(f"{name}={value}" for name, value in parts.items() if value)
        return f"?{told}" if told else ""


def dates(form: Mapping[str, str], now: datetime) -> Dates:
    """Read the control.

    Args:
        form: `on`, a day, and `known`, a day or a day with a time; in the Japanese or the Western calendar.
        now: the time.
    """
    today = now.astimezone(JAPAN).date()
    typed_on, typed_known = (str(form.get(name, "")).strip()[:60] for name in ("on", "known"))
    faults = []
    on, known = today, None
    if typed_on:
        day = _day(typed_on)
        on = day or today
        if day is None:
            faults.append("基準日を読み取れません。例：令和8年4月1日、R8.4.1、2026-04-01")
    if typed_known:
        known = _known(typed_known)
        if known is None:
            faults.append("把握日時を読み取れません。例：令和8年4月1日、2026-04-01 09:30")
        elif known >= now:
            known = None
            faults.append(
                "把握日時は、過ぎた日時を入力してください。現在までに分かっている内容を表示しています。"
            )
    return Dates(on, known, typed_on, typed_known, " ".join(faults))


def _day(text: str) -> date | None:
    span = birth_span(text)
    return span[0] if span and span[0] == span[1] else None


def _known(text: str) -> datetime | None:
    """A moment; a day alone means its end."""
    plain = unicodedata.normalize("NFKC", text)
    match = re.fullmatch(r"(.*?)(?:[T ]+(\d{1,2})[:時](\d{2})分?)?", plain)
    day = _day(match[1]) if match else None
    if match is None or day is None:
        return None
    if match[2] is None:
        return datetime.combine(day + timedelta(days=1), time(), JAPAN) - timedelta(microseconds=1)
    hour, minute = int(match[2]), int(match[3])
    if hour > 23 or minute > 59:
        return None
    return datetime.combine(day, time(hour, minute), JAPAN)


def moment_text(moment: datetime) -> str:
    """A moment in Japan in words."""
    return _moment(moment)


def _moment(moment: datetime) -> str:
    there = moment.astimezone(JAPAN)
    return f"{day_text(there.date())} {there:%H:%M}"
