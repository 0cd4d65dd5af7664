"""The authority map: for each item and day the one system that may write it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from kiban.kernel import Problem, Problems
from kiban.linkage.contracts.model import Contract

ANY = "*"
_COLUMNS = ("register", "item", "valid_from", "valid_to", "master")


@dataclass(frozen=True)
class Mastery:
    """One row of the map.

    Attributes:
        register: schema.table.
        item: romaji; `*` for every item of the register that has no row of its own.
        start: first day; None where it always was so.
        end: the day after the last; None where open.
        master: ID of the system: 業務ID or 独自施策システム等ID.
    """

    register: str
    item: str
    start: date | None
    end: date | None
    master: str

    def covers(self, day: date) -> bool:
        """Whether it says something of a day."""
        return (self.start or date.min) <= day < (self.end or date.max)


@dataclass(frozen=True)
class Authority:
    """Who is master of what, from when to when."""

    rows: tuple[Mastery, ...]

    def of(self, register: str, item: str) -> tuple[Mastery, ...]:
        """The rows of an item, those of `*` where it has none."""
        own = tuple(row for row in self.rows if (row.register, row.item) == (register, item))
        return own or tuple(row for row in self.rows if (row.register, row.item) == (register, ANY))

    def master(self, register: str, item: str, day: date) -> str | None:
        """The master of an item on a day; None where nobody is."""
        return next((row.master for row in self.of(register, item) if row.covers(day)), None)

    def turns(self, register: str, items: Iterable[str]) -> list[date]:
        """The days on which the master of one of some items may change, in their order."""
        rows = (row for item in items for row in self.of(register, item))
        return sorted({day for row in rows for day in (row.start, row.end) if day})


def load_authority(file: Path, contracts: Iterable[Contract]) -> Authority:
    """Read the map from YAML (a list under `authority:`) or CSV, with the fields register, item, valid_from, valid_to, master.

    Args:
        file: ends in .yaml or .csv.
        contracts: of all flows into Kiban: each of their items needs a master for every day from when they take effect.

    Raises:
        Problems: every fault at once: `authority-unreadable`, `authority-form`, `authority-period`, `authority-register`,
            `authority-item`, `authority-overlap`, `authority-missing`.
    """
    problems: list[Problem] = []
    rows = [row for place, given in _given(file) if (row := _row(given, place, problems))]
    authority, flows = Authority(tuple(rows)), [each for each in contracts if each.incoming]
    problems += [*_strangers(file, rows, flows), *_overlaps(file, rows), *_gaps(file, authority, flows)]
    if problems:
        raise Problems(problems)
    return authority


def _given(file: Path) -> list[tuple[str, Mapping[str, Any]]]:
    fix = "write a list under authority: with register, item, valid_from, valid_to and master"
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix == ".csv":
            return [(f"{file}:{n}", row) for n, row in enumerate(csv.DictReader(io.StringIO(text)), 2)]
        found = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, csv.Error) as error:
        raise Problems([Problem("authority-unreadable", "the map cannot be read", str(file), fix)]) from error
    listed = found.get("authority") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise Problems([Problem("authority-unreadable", "the map is no list of rows", str(file), fix)])
    return [(f"{file}: row {n}", row) for n, row in enumerate(listed, 1)]


def _row(given: Mapping[str, Any], place: str, problems: list[Problem]) -> Mastery | None:
    needed = [given.get(name) for name in ("register", "item", "master")]
    if set(given) - set(_COLUMNS) or not all(isinstance(value, str) and value for value in needed):
        fix = f"the fields are {', '.join(_COLUMNS)}; write IDs in quotes"
        problems.append(Problem("authority-form", "a row has other fields, or lacks one", place, fix))
        return None
    try:
        start, end = (_day(given.get(name)) for name in ("valid_from", "valid_to"))
    except ValueError:
        problems.append(Problem("authority-period", "a day is none", place, "write YYYY-MM-DD, or nothing"))
        return None
    if (start or date.min) >= (end or date.max):
        problems.append(Problem("authority-period", "it ends before it begins", place, "correct the days"))
        return None
    return Mastery(given["register"], given["item"], start, end, given["master"])


def _day(value: object) -> date | None:
    if value in (None, ""):
        return None
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _strangers(file: Path, rows: Iterable[Mastery], flows: Iterable[Contract]) -> Iterable[Problem]:
    known = {
        feed.register: {item.romaji for item in feed.group.items} for flow in flows for feed in flow.feeds
    }
    for row in rows:
        where = f"{file}: {row.register}.{row.item}"
        if row.register not in known:
            yield Problem(
                "authority-register", "no flow into Kiban carries this register", where, "remove it"
            )
        elif row.item != ANY and row.item not in known[row.register]:
            yield Problem("authority-item", "the register has no such item", where, "use the official romaji")


def _overlaps(file: Path, rows: list[Mastery]) -> Iterable[Problem]:
    ordered = sorted(rows, key=lambda row: (row.register, row.item, row.start or date.min))
    for one, other in pairwise(ordered):
        same = (one.register, one.item) == (other.register, other.item)
        if same and (one.end or date.max) > (other.start or date.min):
            what = f"{one.master} and {other.master} are both master from {other.start or 'ever'} on"
            where = f"{file}: {one.register}.{one.item}"
            yield Problem("authority-overlap", what, where, "end the first where the second begins")


def _gaps(file: Path, authority: Authority, flows: Iterable[Contract]) -> Iterable[Problem]:
    missing: dict[tuple[str, str], date] = {}
    for flow in flows:
        for feed in flow.feeds:
            for item in writable(feed.group.key, feed.items):
                gap = _first_gap(authority.of(feed.register, item), flow.effective)
                if gap:
                    missing[feed.register, item] = min(gap, missing.get((feed.register, item), gap))
    for (register, item), day in sorted(missing.items()):
        where = f"{file}: {register}.{item}"
        yield Problem("authority-missing", f"nobody is master from {day} on", where, "add a row for it")


def _first_gap(rows: Iterable[Mastery], since: date) -> date | None:
    for row in sorted(rows, key=lambda row: row.start or date.min):
        if (row.start or date.min) > since:
            break
        since = max(since, row.end or date.max)
    return since if since < date.max else None


def writable(key: Iterable[Any], items: Iterable[Any]) -> list[str]:
    """The romaji of the items that a message can change: all but those of the key."""
    fixed = {item.romaji for item in key}
    return [item.romaji for item in items if item.romaji not in fixed]
