"""How what is known of a person came about: events in their order, and what each changed, item by item. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiban.kernel import Period
from kiban.store import EventHead
from kiban.web.counter.days import moment_text
from kiban.web.counter.registers import Place
from kiban.web.counter.sheets import Reader, period_text
from kiban.web.counter.values import day_text

_KINDS = {"import": "一括取込（移行を含む）", "edition": "標準の版の切替"}
"""Events of the store itself, which are no 異動."""
_NOT_ITEMS = frozenset({"event", "closed_by", "valid_from", "valid_to"})


@dataclass(frozen=True)
class Version:
    """A row as it was written once.

    Attributes:
        place: the register.
        row: its items, `event` that wrote it, `closed_by` the event after which it was no longer known.
        period: in which it is true; None for a log.
    """

    place: Place
    row: Mapping[str, Any]
    period: Period | None

    @staticmethod
    def of(place: Place, row: Mapping[str, Any]) -> Version:
        """The version of a row as `Session.since` gives it."""
        if place.group.kind == "log":
            return Version(place, row, None)
        ends = (row.get("valid_from"), row.get("valid_to"))
        return Version(place, row, Period(*(date.fromisoformat(end) if end else None for end in ends)))

    @property
    def event(self) -> int:
        """That wrote it."""
        return int(self.row["event"])

    @property
    def closed_by(self) -> int | None:
        """After which it was no longer known."""
        return self.row.get("closed_by")

    def items(self) -> dict[str, Any]:
        """Its items alone."""
        return {name: value for name, value in self.row.items() if name not in _NOT_ITEMS}

    def subject(self) -> tuple[str, ...]:
        """Whose row of the register it is."""
        return tuple(str(self.row.get(item.romaji)) for item in self.place.group.subject)


@dataclass(frozen=True)
class Difference:
    """What became of one item.

    Attributes:
        title: its official title.
        before: as it was shown; empty where there was nothing.
        after: as it is shown.
    """

    title: str
    before: str
    after: str


@dataclass(frozen=True)
class Changed:
    """One row that an event wrote, ended or corrected.

    Attributes:
        title: of the register.
        what: in words: 記録, 変更, 訂正 or 終了.
        valid: the period in which it is true, in words.
        differences: item by item; for a first row every item that has a value.
    """

    title: str
    what: str
    valid: str
    differences: tuple[Difference, ...]

    @property
    def first(self) -> bool:
        """Whether there was nothing before, so that every item is told."""
        return self.what == "記録"


@dataclass(frozen=True)
class Step:
    """One event and what it changed.

    Attributes:
        head: of the event; None where it is not at hand.
        event: its number.
        changes: what it changed for this person.
        about: whether the event is about this person; its note is shown only then.
    """

    event: int
    head: EventHead | None
    changes: tuple[Changed, ...]
    about: bool = False

    @property
    def kind(self) -> str:
        """What happened (異動事由), in words."""
        return kind_text(self.head) if self.head else f"異動 {self.event}"

    @property
    def valid(self) -> str:
        """The day of the event in the town, in words; empty where it has none."""
        return day_text(self.head.valid) if self.head else ""

    @property
    def recorded(self) -> str:
        """When it became known, in words."""
        return moment_text(self.head.recorded_at) if self.head else ""

    @property
    def note(self) -> list[tuple[str, str]]:
        """What was noted with it, where it is about this person."""
        return sorted(self.head.note.items()) if self.head and self.about else []


def kind_text(head: EventHead) -> str:
    """What happened, as an official reads it."""
    return _KINDS.get(head.kind, head.kind)


def steps(
    versions: Sequence[Version], heads: Mapping[int, EventHead], readers: Mapping[str, Reader], number: str
) -> list[Step]:
    """The events that wrote or closed some rows, in their order.

    Args:
        versions: every row that was ever known.
        heads: of their events.
        readers: how the items of each business are read.
        number: of the person.
    """
    events = sorted({v.event for v in versions} | {v.closed_by for v in versions if v.closed_by is not None})
    made = []
    for event in events:
        head = heads.get(event)
        made.append(
            Step(
                event, head, tuple(_changes(versions, event, readers)), bool(head and head.subject == number)
            )
        )
    return made


def _changes(versions: Sequence[Version], event: int, readers: Mapping[str, Reader]) -> list[Changed]:
    written = [v for v in versions if v.event == event]
    closed = [v for v in versions if v.closed_by == event]
    found = []
    for version in written:
        before = _before(version, closed, versions)
        reader = readers[version.place.edition.id]
        differences = _differences(version, before, reader)
        if before is not None and not differences:
            continue  # a remainder: the same row for a shorter time
        what = (
            "記録"
            if before is None
            else ("訂正" if before in closed and _same_start(before, version) else "変更")
        )
        found.append(Changed(version.place.group.name, what, period_text(version.period), differences))
    for version in closed:
        if not any(_covers(one, version) for one in written):
            end = max(
                (w.period.end for w in written if _remains(w, version) and w.period and w.period.end),
                default=None,
            )
            told = f"{period_text(Period(end))}記録なし" if end else period_text(version.period)
            found.append(Changed(version.place.group.name, "終了", told, ()))
    return found


def _same_start(before: Version, version: Version) -> bool:
    return bool(before.period and version.period and before.period.start == version.period.start)


def _same(one: Version, other: Version) -> bool:
    return one.place.register == other.place.register and one.subject() == other.subject()


def _remains(one: Version, version: Version) -> bool:
    return _same(one, version) and one.items() == version.items()


def _covers(one: Version, version: Version) -> bool:
    """Whether what was closed goes on, as itself or as something else, to its end."""
    if not _same(one, version) or one.period is None or version.period is None:
        return False
    end = one.period.end
    return end is None or (version.period.end is not None and end >= version.period.end)


def _before(version: Version, closed: Sequence[Version], versions: Sequence[Version]) -> Version | None:
    """What stood in its place before: the row that was closed for it, else the one that was true until it began."""
    if version.period is None:
        return None
    start = version.period.start
    replaced = [v for v in closed if _same(v, version) and v.period and v.period.overlaps(version.period)]
    there = [v for v in replaced if start is None or (v.period is not None and start in v.period)]
    if there or replaced:
        return (there or replaced)[0]
    until = [
        v
        for v in versions
        if _same(v, version)
        and v.period
        and v.period.end == start
        and start is not None
        and v.event < version.event
        and (v.closed_by is None or v.closed_by > version.event)
    ]
    return until[-1] if until else None


def _differences(version: Version, before: Version | None, reader: Reader) -> tuple[Difference, ...]:
    group, old = version.place.group, before.row if before else {}
    found = []
    for item in group.items:
        if item.romaji not in version.row or item in group.subject:
            continue
        if before is not None and old.get(item.romaji) == version.row.get(item.romaji):
            continue
        was = reader.value(group, item.romaji, old).text if before else ""
        now = reader.value(group, item.romaji, version.row).text
        if was or now:
            found.append(Difference(item.name, was, now))
    return tuple(found)
