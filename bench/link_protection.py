"""Protection in a whole city: the first look through, an event until its notices stand, a list at the gate; evidence lines a second."""

from __future__ import annotations

import random
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench import city, measure
from kiban import linkage, main, store
from kiban.kernel import Period
from kiban.linkage import evidence, protection
from kiban.store import Books, Change, Row, Store

_PEOPLE, _LINES, _BATCH = 200, 20_000, 500


def run(residents: int) -> None:
    """Figures of the lane and of the ledgers. The registers stay as they are, but for flags that are set."""
    with city.loaded(residents) as opened, linkage.open_linkage(opened) as books:
        with books.transaction() as page:
            for table in ("untold", "change", "hold", "off", "notice", "place"):
                page.run(f"DELETE FROM protection_{table}")
        _lane(opened, books, residents)
        _ledgers(books, city.given(residents).home)


def _lane(opened: Store, books: Books, residents: int) -> None:
    flows = main.contracts(city.given(residents), [linkage.SAMPLES])
    lane = protection.Lane(
        opened, books, [each for each in flows if each.provider.business], "resident", city.HALL
    )
    start = time.perf_counter()
    held = lane.prepare(datetime.now(UTC))
    measure.result(f"the register looked through, {held:,} protected units", time.perf_counter() - start, "s")
    people = _people(opened)
    taken = []
    for row in people[:_PEOPLE]:
        event = _protect(opened, row)
        start = time.perf_counter()
        assert lane.notices(event, datetime.now(UTC))
        taken.append((time.perf_counter() - start) * 1_000)
        lane.published(lane.notices(event, datetime.now(UTC)), datetime.now(UTC))
    measure.result("one protect-on recorded → its notices stand, p50", measure.percentile(taken, 50), "ms")
    measure.result(
        "one protect-on recorded → its notices stand, p99", measure.percentile(taken, 99), "ms", at_most=1_000
    )
    units = [protection.Unit(protection.PERSON, row["atenabango"]) for row in people]
    lines = protection.listed(lane, units, datetime.now(UTC))
    start = time.perf_counter()
    found = protection.gate(lane, lines, datetime.now(UTC))
    measure.result(f"a list of {len(lines):,} lines at the gate", (time.perf_counter() - start) * 1_000, "ms")
    assert found.problem is None and len(found.removed) >= _PEOPLE
    _batch(opened, lane, people[_PEOPLE : _PEOPLE * 6])


def _batch(opened: Store, lane: protection.Lane, people: list[Row]) -> None:
    """The lane under changes that protect nobody: what it costs the publisher."""
    for row in people:
        with opened.session(city.HALL) as session:
            kept = {
                name: value
                for name, value in row.items()
                if name not in ("valid", "event", "known_from", "known_to")
            }
            session.record("訂正", row["atenabango"], [Change(city.PEOPLE, kept, row["valid"])])
    last, _ = store.last_event(opened)
    start = time.perf_counter()
    lane.notices(last, datetime.now(UTC))
    measure.result(
        "events a second that the lane takes in",
        len(people) / (time.perf_counter() - start),
        "1/s",
        at_least=60,
    )


def _people(opened: Store) -> list[Row]:
    with opened.session(city.HALL) as session:
        numbers = [
            row["atenabango"]
            for row in session.sql(
                "SELECT atenabango FROM resident.jumin TABLESAMPLE SYSTEM (20) REPEATABLE (1) "
                "WHERE closed_by IS NULL AND valid_to = 'infinity' AND shiensochifuragu = '0' LIMIT 20000"
            )
        ]
        chosen = random.Random(1).sample(sorted(numbers), min(10_000, len(numbers)))
        rows = [
            row for row in session.history(city.PEOPLE, None, atenabango=chosen) if row["valid"].end is None
        ]
    return random.Random(2).sample(rows, len(rows))


def _protect(opened: Store, row: Row) -> int:
    kept = {
        name: value for name, value in row.items() if name not in ("valid", "event", "known_from", "known_to")
    }
    with opened.session(city.HALL) as session:
        changed = {**kept, "shiensochifuragu": "1"}
        since = max(row["valid"].start or date.min, city.DAY)
        return session.record("支援措置", row["atenabango"], [Change(city.PEOPLE, changed, Period(since))])


def _ledgers(books: Books, home: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="kiban-evidence-", dir=home) as name:
        file = evidence.FileLedger.open(Path(name) / "evidence.sqlite", "BEN")
        for kind, ledger in (("books", evidence.BookLedger(books)), ("file", file)):
            start = time.perf_counter()
            for place in range(0, _LINES, _BATCH):
                ledger.append([_line(place + n) for n in range(_BATCH)])
            rate = _LINES / (time.perf_counter() - start)
            measure.result(f"evidence lines a second, {kind}, {_BATCH} at once", rate, "1/s", at_least=1_000)
            before = time.perf_counter()
            found = evidence.verify(ledger, ())
            assert found.problems == ()
            rate = found.lines / (time.perf_counter() - before)
            measure.result(f"lines verified a second, {kind}", rate, "1/s")
        file.close()


def _line(number: int) -> evidence.Line:
    moment = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(milliseconds=number)
    return evidence.Line(
        evidence.stamp(moment), "resident-tax.v1", "0" * 64, "計測", "ZEI", "event", evidence.SENT,
        f"{number:032x}", f"{number:064x}", number + 1, f"{number:064x}", 1, "offered",
    )  # fmt: skip
