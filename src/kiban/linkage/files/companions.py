"""The parts of a set that hold no rows: which units changed, ended or are held back, and who is protected. CSV in UTF-8."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from kiban import sets, store
from kiban.kernel import Problem
from kiban.linkage.files import rows
from kiban.linkage.files.about import ABOUT, PROTECTION, UNITS, companion
from kiban.linkage.files.making import MadeFeed
from kiban.linkage.files.withhold import Protected
from kiban.linkage.message import CLEAR, PROTECTED, UNKNOWN

__all__ = [
    "ABOUT",
    "PROTECTION",
    "UNITS",
    "Marks",
    "held_units",
    "marks",
    "protection_csv",
    "read_marks",
    "read_protection",
    "units_csv",
]

CHANGED, ENDED, HELD = "changed", "ended", "held"


@dataclass(frozen=True)
class Marks:
    """What a set says of units beside their rows.

    Attributes:
        changed: feed -> units whose rows all stand in this delta.
        ended: feed -> units that have no rows there any more (tombstones).
        held: units of which this set says nothing: a value of theirs does not fit into the files.
    """

    changed: Mapping[str, frozenset[str]]
    ended: Mapping[str, frozenset[str]]
    held: frozenset[str]


def marks(
    source: rows.Source,
    made: Sequence[MadeFeed],
    keys: Mapping[str, rows.Keys] | None,
    span: store.Span | None,
    held: frozenset[str],
) -> Marks:
    """What a set says of units: a delta of all that changed, a full set of those that ended since the set before."""
    changed: dict[str, frozenset[str]] = {}
    ended: dict[str, frozenset[str]] = {}
    touched = keys if keys is not None or span is None else rows.changed(source, span)
    for feed in made:
        units = frozenset((touched or {}).get(feed.said.name, pa.array([], pa.string())).to_pylist()) - held
        present = _present(source, feed, units, known=keys is not None)
        ended[feed.said.name] = units - present
        changed[feed.said.name] = units & present if keys is not None else frozenset()
    return Marks(changed, ended, held)


def _present(source: rows.Source, made: MadeFeed, units: frozenset[str], *, known: bool) -> frozenset[str]:
    """Those of the units that have rows after the event."""
    if known and made.present is not None:
        return frozenset(made.present.column("unit").to_pylist())
    if not units:
        return frozenset()
    feed = source.contract.feed(made.said.name)
    name = feed.unit.romaji
    keys = pa.table({name: pa.array(sorted(units), pa.string())})
    found = store.known_rows(source.opened, feed.register, source.actor, source.event, keys, [name])
    return frozenset(unit for batch in found for unit in pc.unique(batch.column(name)).to_pylist())


def units_csv(said: Marks) -> Iterator[bytes]:
    """The part that names units: feed, unit, and what is said of it."""
    lines = [("", unit, HELD) for unit in sorted(said.held)]
    for what, by_feed in ((CHANGED, said.changed), (ENDED, said.ended)):
        lines += [(feed, unit, what) for feed, units in by_feed.items() for unit in sorted(units)]
    return _csv(("feed", "unit", "what"), lines)


def read_marks(data: bytes) -> Marks:
    """What a set says of units.

    Raises:
        Problem: `companion-unreadable`.
    """
    held: set[str] = set()
    found: dict[str, dict[str, set[str]]] = {CHANGED: {}, ENDED: {}}
    for feed, unit, what in _lines(data, ("feed", "unit", "what"), UNITS):
        if what == HELD:
            held.add(unit)
        elif what in found:
            found[what].setdefault(feed, set()).add(unit)
        else:
            raise _unreadable(UNITS)
    changed, ended = (
        {feed: frozenset(units) for feed, units in found[what].items()} for what in (CHANGED, ENDED)
    )
    return Marks(changed, ended, frozenset(held))


def protection_csv(protected: Protected) -> Iterator[bytes]:
    """The part that says who is protected: unit, state, and the event since which it holds."""
    lines = ((unit, state, str(event)) for unit, (state, event) in sorted(protected.states.items()))
    return _csv(("unit", "state", "event"), lines)


def read_protection(data: bytes, others: str) -> Protected:
    """Who is protected.

    Raises:
        Problem: `companion-unreadable`.
    """
    states: dict[str, tuple[str, int]] = {}
    for unit, state, event in _lines(data, ("unit", "state", "event"), PROTECTION):
        if state not in (CLEAR, PROTECTED, UNKNOWN) or not event.isdecimal():
            raise _unreadable(PROTECTION)
        states[unit] = state, int(event)
    return Protected(states, others)


def held_units(shelf: sets.Shelf, manifest: sets.Manifest, scratch: Path) -> frozenset[str]:
    """The units that a set held back."""
    return read_marks(companion(shelf, manifest, UNITS, scratch)).held


def _csv(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[bytes]:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(head)
    for line in lines:
        writer.writerow(line)
        if sink.tell() > 1 << 20:
            yield sink.getvalue().encode()
            sink.seek(0)
            sink.truncate()
    yield sink.getvalue().encode()


def _lines(data: bytes, head: Sequence[str], name: str) -> Iterator[list[str]]:
    try:
        reader = csv.reader(io.StringIO(data.decode()), strict=True)
        first = next(reader, None)
        if first != list(head):
            raise _unreadable(name)
        for line in reader:
            if len(line) != len(head):
                raise _unreadable(name)
            yield line
    except (csv.Error, UnicodeDecodeError):
        raise _unreadable(name) from None


def _unreadable(name: str) -> Problem:
    fix = "have the provider publish the set again, under a new id"
    return Problem("companion-unreadable", "the part has not its form", name, fix)
