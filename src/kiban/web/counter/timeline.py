"""A history as a picture: what was true when, drawn on the server as SVG, with the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from kiban.kernel import Period

WIDTH, ROW, LEFT, TOP = 960, 34, 150, 34


@dataclass(frozen=True)
class Bar:
    """A row of a register on the line of time.

    Attributes:
        x: left end.
        width: in the units of the picture.
        title: in words.
        number: which one of its row of bars, from 1.
        open: whether it goes on.
    """

    x: float
    width: float
    title: str
    number: int
    open: bool


@dataclass(frozen=True)
class Track:
    """All bars of one register."""

    title: str
    y: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Picture:
    """The picture.

    Attributes:
        width: of the picture.
        height: likewise.
        tracks: one for each register.
        years: place and year of each mark on the line of time.
        now: place of the day looked at.
        words: the same in words.
    """

    width: int
    height: int
    tracks: tuple[Track, ...]
    years: tuple[tuple[float, int], ...]
    now: float
    words: str


def picture(rows: Sequence[tuple[str, Sequence[tuple[Period, str]]]], on: date) -> Picture | None:
    """The picture of what is known.

    Args:
        rows: for each register its title and its periods with their titles.
        on: the day looked at.

    Returns:
        None where no period has a beginning: there is then nothing to draw.
    """
    days = [day for _, each in rows for period, _ in each for day in (period.start, period.end) if day]
    if not days:
        return None
    first, last = min([*days, on]), max([*days, on])
    span = max((last - first).days, 1) * 1.04

    def place(day: date | None, otherwise: float) -> float:
        return otherwise if day is None else LEFT + (day - first).days / span * (WIDTH - LEFT - 10)

    tracks, words = [], []
    for nth, (title, each) in enumerate(rows):
        bars = []
        for number, (period, label) in enumerate(each, 1):
            x, end = place(period.start, LEFT), place(period.end, WIDTH - 10)
            bars.append(Bar(round(x, 1), round(max(end - x, 2), 1), label, number, period.end is None))
        tracks.append(Track(title, TOP + nth * ROW, tuple(bars)))
        words.append(f"{title}：" + "、".join(label for _, label in each))
    step = max(1, round((last.year - first.year) / 8))
    years = tuple(
        (round(place(date(year, 1, 1), 0), 1), year) for year in range(first.year + 1, last.year + 1, step)
    )
    height = TOP + len(rows) * ROW + 6
    return Picture(WIDTH, height, tuple(tracks), years, round(place(on, 0), 1), "。".join(words))
