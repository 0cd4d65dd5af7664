"""Applies a set to a replica: a full one in the place of all rows at one instant, a delta unit by unit, none of them by half."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kiban import sets
from kiban.kernel import Problem, Problems
from kiban.linkage.consumer import Replacing, Replica
from kiban.linkage.contracts.model import Feed
from kiban.linkage.files import about, intake
from kiban.linkage.files.about import About
from kiban.linkage.files.codec import columns_of
from kiban.linkage.files.companions import Marks
from kiban.linkage.files.intake import Intake
from kiban.linkage.files.rows import plain
from kiban.linkage.files.withhold import Protected
from kiban.linkage.message import Message, Row

_UNITS = 2_000  # of a delta taken at a time
_BAD_ANYWAY = 20
"""So many units may break the rules of the contract in any case; beyond that, and beyond the share for absence, the set is refused."""
Ready = Callable[[], None]
"""Called when everything was found right, before it takes effect."""


class _BadUnits(Exception):  # noqa: N818 - no error: the set is taken again without them
    """Units whose rows break the rules of the contract, found on the way."""

    def __init__(self, units: frozenset[str], problems: list[Problem]) -> None:
        super().__init__()
        self.units, self.problems = units, problems


def apply_full(
    replica: Replica,
    shelf: sets.Shelf,
    manifest: sets.Manifest,
    said: About,
    marks: Marks,
    desk: Intake,
    ready: Ready,
) -> tuple[dict[str, tuple[str, ...]], int]:
    """Put the rows of a full set in the place of those that are held.

    Returns:
        By feed, the units that are absent without a tombstone: they are kept, unless their removal was accepted. And how many
        units were not taken, because their rows break the rules of the contract: what is held of them is kept.

    Raises:
        Problem: `absence-many` where more are absent than may be; nothing was changed then.
        Problems: where the rows are not those that are told, or too many break the rules.
    """
    bad: frozenset[str] = frozenset()
    while True:
        try:
            return _replaced(replica, shelf, manifest, said, marks, desk, ready, bad), len(bad)
        except _BadUnits as found:
            bad |= found.units
            if len(bad) > _BAD_ANYWAY and len(bad) > desk.absent_most * said.rows:
                raise Problems(dict.fromkeys(found.problems)) from None


def _replaced(
    replica: Replica,
    shelf: sets.Shelf,
    manifest: sets.Manifest,
    said: About,
    marks: Marks,
    desk: Intake,
    ready: Ready,
    bad: frozenset[str],
) -> dict[str, tuple[str, ...]]:
    with replica.replacing(said.event, manifest.epoch) as taking:
        wrong: list[Problem] = []
        found = _BadUnits(frozenset(), [])
        for feed in replica.contract.feeds:
            figures = _filled(replica, taking, feed, shelf, manifest, said, desk, bad, found)
            wrong += intake.other_rows(said, feed, figures)
        if wrong:
            raise Problems(wrong)
        if found.units:
            raise found
        kept = Marks(marks.changed, marks.ended, marks.held | bad)
        absent = _absent(replica, taking, said, kept)
        if not desk.absence_accepted:
            _judge(replica, absent, desk)
            _keep(replica, taking, absent)
        _keep(replica, taking, _held_back(replica, taking, kept))
        ready()
    return absent


def _filled(
    replica: Replica,
    taking: Replacing,
    feed: Feed,
    shelf: sets.Shelf,
    manifest: sets.Manifest,
    said: About,
    desk: Intake,
    bad: frozenset[str],
    found: _BadUnits,
) -> sets.Figures:
    """Take the rows of a feed but those of bad units; once another is found, the rest is only looked at. The figures are of all rows."""
    left_out = pa.array(sorted(bad), pa.string())
    figures: list[sets.Figures] = []
    with about.digester(feed) as digester:
        for batch in intake.batches_of(desk, shelf, manifest, feed):
            table = pa.Table.from_batches([batch])
            good = batch
            if bad:
                good = batch.filter(pc.invert(pc.is_in(batch.column(feed.unit.romaji), value_set=left_out)))
            with digester.beside(lambda table=table: digester.of_table(table), figures):  # type: ignore[misc]
                units, problems = intake.faults_of(replica.contract, feed, good)
                found.units |= units
                found.problems += problems
                if not found.units:
                    taking.take(feed.name, [good])
            desk.progress("rows", sum(taking.rows.values()), said.rows)
    return sets.together(figures)


def apply_delta(
    replica: Replica,
    shelf: sets.Shelf,
    manifest: sets.Manifest,
    said: About,
    marks: Marks,
    protected: Protected,
    desk: Intake,
    ready: Ready,
) -> int:
    """Take every unit that a delta tells of, each whole; taken again it changes nothing.

    Returns:
        How many units wait because of their content.

    Raises:
        Problems: where the rows are not those that are told, or of units that the delta does not name; nothing was changed then.
    """
    with TemporaryDirectory(dir=desk.scratch) as name:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": "512MB",
            "threads": 2,
            "temp_directory": name,
        }
        with duckdb.connect(str(Path(name) / "delta"), config=config) as connection:
            wrong = [
                problem
                for feed in replica.contract.feeds
                for problem in _staged(connection, feed, shelf, manifest, said, marks, desk)
            ]
            if wrong:
                raise Problems(wrong)
            ready()
            units = sorted(set[str]().union(*marks.changed.values(), *marks.ended.values()))
            quarantined = 0
            for first in range(0, len(units), _UNITS):
                chunk = units[first : first + _UNITS]
                messages = _messages(connection, replica, manifest, said, marks, protected, chunk)
                quarantined += len(replica.take(messages, desk.clock()).quarantined)
                desk.progress("units", min(first + _UNITS, len(units)), len(units))
    return quarantined


def _absent(replica: Replica, taking: Replacing, said: About, marks: Marks) -> dict[str, tuple[str, ...]]:
    """Units that are held and not in the set, but for those that ended, were held back, or came later than the set."""
    found = {}
    for feed in replica.contract.feeds:
        known = marks.ended.get(feed.name, frozenset()) | marks.held
        gone = (unit for unit in taking.absent(feed.name) if unit not in known)
        found[feed.name] = tuple(unit for unit in gone if replica.version(unit) <= said.event)
    return {name: units for name, units in found.items() if units}


def _held_back(replica: Replica, taking: Replacing, marks: Marks) -> dict[str, tuple[str, ...]]:
    if not marks.held:
        return {}
    return {
        feed.name: tuple(unit for unit in taking.absent(feed.name) if unit in marks.held)
        for feed in replica.contract.feeds
    }


def _judge(replica: Replica, absent: Mapping[str, tuple[str, ...]], desk: Intake) -> None:
    for name, units in absent.items():
        column = replica.contract.feed(name).unit.romaji
        held: set[str] = set()
        for batch in replica.batches(name):
            held.update(pc.unique(batch.column(column)).to_pylist())
        if len(units) > desk.absent_most * len(held):
            what = f"{len(units):,} of {len(held):,} units are absent without having ended"
            fix = "ask the provider whether the set is whole; if it is, take it with the absence accepted"
            raise Problem("absence-many", what, name, fix)


def _keep(replica: Replica, taking: Replacing, units: Mapping[str, tuple[str, ...]]) -> None:
    """Carry the rows of these units over into what will be held."""
    for name, named in units.items():
        schema = columns_of(replica.contract.feed(name))
        written = pa.schema([pa.field(f.name, _written(f.type)) for f in schema])
        for unit in named:
            rows = [dict(row) for row in replica.rows(name, unit)]
            taking.take(name, [pa.RecordBatch.from_pylist(rows, written)])


def _written(kind: pa.DataType) -> pa.DataType:
    """The type of a value as a row of a message has it."""
    return kind if pa.types.is_integer(kind) or pa.types.is_list(kind) else pa.string()


def _staged(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    shelf: sets.Shelf,
    manifest: sets.Manifest,
    said: About,
    marks: Marks,
    desk: Intake,
) -> Iterator[Problem]:
    """Put the rows of a feed into a table, in the order of its units; what is wrong with them."""
    empty = pa.Table.from_batches([], columns_of(feed))
    table, unit = _quoted(feed.name), _quoted(feed.unit.romaji)
    connection.register("_come", empty)
    connection.execute("CREATE TABLE come AS FROM _come")
    with about.digester(feed) as digester:
        found = []
        for batch in intake.batches_of(desk, shelf, manifest, feed):
            rows = pa.Table.from_batches([batch])
            found.append(digester.of_table(rows))
            connection.register("_come", rows)
            connection.execute("INSERT INTO come FROM _come")
    connection.unregister("_come")
    connection.execute(f"CREATE TABLE {table} AS FROM come ORDER BY {unit}")
    connection.execute("DROP TABLE come")
    yield from intake.other_rows(said, feed, sets.together(found) if found else sets.Figures(0, {}, ()))
    there = {row[0] for row in connection.execute(f"SELECT DISTINCT {unit} FROM {table}").fetchall()}
    if there != marks.changed.get(feed.name, frozenset()):
        fix = "have the provider publish the set again, under a new id"
        what = "the units that have rows are not those that are named as changed"
        yield Problem("set-units", what, feed.name, fix)


def _messages(
    connection: duckdb.DuckDBPyConnection,
    replica: Replica,
    manifest: sets.Manifest,
    said: About,
    marks: Marks,
    protected: Protected,
    units: list[str],
) -> Iterator[Message]:
    """What the delta says of some units, each as one message: the state after the set's event."""
    parts: dict[str, dict[str, list[Row]]] = {unit: {} for unit in units}
    for feed in replica.contract.feeds:
        for unit in units:
            if unit in marks.ended.get(feed.name, ()) or unit in marks.changed.get(feed.name, ()):
                parts[unit][feed.name] = []
        for unit, rows in _rows(connection, feed, units):
            parts[unit][feed.name] = rows
    known = manifest.as_of.known
    for unit in units:
        state, since = protected.states.get(unit, (protected.others, 0))
        yield Message(
            flow=said.flow,
            contract=said.contract,
            unit=unit,
            event=said.event,
            previous=0,  # the chain of sets was checked; a unit that no set told of may be at any earlier event
            recorded_at=known.isoformat() if known else "",
            kind="差分",
            valid=None,
            origin=None,
            protection=state,
            protection_event=since,
            parts=parts[unit],
        )


def _rows(
    connection: duckdb.DuckDBPyConnection, feed: Feed, units: list[str]
) -> Iterator[tuple[str, list[Row]]]:
    unit = _quoted(feed.unit.romaji)
    order = ", ".join([unit, *map(_quoted, feed.key)])
    statement = f"SELECT * FROM {_quoted(feed.name)} WHERE {unit} BETWEEN ? AND ? ORDER BY {order}"
    found = connection.sql(statement, params=[units[0], units[-1]]).to_arrow_table()
    for named, rows in groupby(found.to_pylist(), key=lambda row: row[feed.unit.romaji]):
        yield named, [{name: plain(value) for name, value in row.items()} for row in rows]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
